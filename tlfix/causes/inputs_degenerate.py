"""Images that are blank, not finite, all alike, without colour, or of a type that holds none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding
from tlfix.evidence.edits import explained
from tlfix.evidence.origins import crash_site, site_of
from tlfix.findings import Confidence, Evidence, Measurement, Severity
from tlfix.probe.trace import DataSeen, FitSeen, InputsSeen

ENOUGH = 16
"""Images of a sample below which no share is judged: two alike of eight are chance."""

MANY = 0.5
"""Share of a split (0..1) from which blank images are most of what is learned from."""

SOME = 0.1
"""Share of blank images (0..1) that is more than the odd empty scan or failed download. Both shares
are choices: a tenth of the labels taught on nothing costs up to a tenth of the accuracy."""

FEW = 0.01
"""Share of blank images (0..1) below which they are not worth a word."""

ALIKE = 0.5
"""Share of repeated images (0..1) from which a split holds fewer than half the images it says.
Oversampling a rare class repeats images on purpose, rarely most of them."""

GREY = 0.95
"""Share of images with three equal channels (0..1) from which a data set is a grey one."""

_SYMPTOMS = (
    "loss-not-finite",
    "flat-loss",
    "chance-accuracy",
    "chance-validation",
    "single-class-predictions",
    "slow-learning",
    "feature-collapse",
)
_UNREADABLE = (
    # OpenCV on what imread gave for a file that it could not read: None.
    (r"!_?s(rc|size)\.empty\(\)", "`cv2.imread` gave nothing: no such file, or not an image"),
    (r"Unsupported object type NoneType", "an image is None: its file could not be read"),
    (r"cannot identify image file ", "a file is no image that Pillow can read"),
    (r"image file is truncated", "an image file is cut off"),
    (
        r"Unknown image file format|Invalid (JPEG|PNG) data|Input is empty\.|Unable to decode byte",
        "a file is no image that TensorFlow can decode",
    ),
)


@dataclass(frozen=True)
class _Fact:
    """One thing wrong with the images of a split, and how bad it is."""

    severity: Severity
    confidence: Confidence
    evidence: Evidence
    advice: str


def find(case: Case) -> Iterable[Finding]:
    """One finding per fault and split, and one for a file that stopped the program."""
    yield from _stopped(case)
    done: set[str] = set()
    for fit in case.trace.fits if case.trace else ():
        if not fit.model.backbones:
            continue  # text and tables have types and repetitions of their own
        for data in (fit.training, fit.validation):
            for fact in _facts(data) if data is not None else ():
                if fact.evidence.summary not in done:
                    done.add(fact.evidence.summary)
                    yield _finding(case, fit, data, fact)


def _finding(case: Case, fit: FitSeen, data: DataSeen | None, fact: _Fact) -> Finding:
    return Finding(
        severity=fact.severity,
        confidence=fact.confidence,
        site=site_of(case.program, fit, data),
        evidence=(fact.evidence,),
        explains=explained(case, *_SYMPTOMS) if fact.severity != "note" else (),
        advice=fact.advice,
    )


def _stopped(case: Case) -> Iterator[Finding]:
    crash = case.trace.crash if case.trace else None
    if crash is None:
        return
    for pattern, meaning in _UNREADABLE:
        if re.search(pattern, crash.message) is None:
            continue
        line = next((line for line in crash.message.splitlines() if line.strip()), "")
        yield Finding(
            severity="error",
            confidence="certain",
            site=crash_site(case),
            evidence=(
                Evidence(source="probe", summary=f"{meaning}; the run stopped with: {line}"),
            ),
            explains=explained(case, "crash"),
            advice="look at the file that is read there: its path, its size and whether it opens; "
            "leave out or replace the files that do not",
        )
        return


def _facts(data: DataSeen) -> Iterator[_Fact]:
    yield from _types(data)
    images = data.images
    if images is None or images.n == 0:
        return
    if images.not_finite:
        summary = f"{images.not_finite} of {images.n} {data.split} images hold NaN or infinity"
        yield _Fact(
            "error",
            "certain",
            _evidence(summary, "not_finite", images.not_finite, 0, images.n),
            "look for a division by zero (an image whose largest value or deviation is 0) or an "
            "overflow where the images are scaled",
        )
    if images.n < ENOUGH:
        return
    yield from _blank(data, images)
    yield from _alike(data, images)
    if images.grey - images.constant >= GREY * images.n:
        summary = f"{images.grey} of {images.n} {data.split} images are grey (three equal channels)"
        yield _Fact(
            "note",
            "certain",
            _evidence(summary, "grey", images.grey, GREY * images.n, images.n),
            'if the originals are in colour, load them so (color_mode="rgb", no IMREAD_GRAYSCALE); '
            "grey originals are fine, and augmenting their colours does nothing",
        )


def _blank(data: DataSeen, images: InputsSeen) -> Iterator[_Fact]:
    share = images.constant / images.n
    if share < FEW or images.constant < 2:
        return
    # Sure of at least SOME blank images in the whole split, not only in this sample.
    some = _lower(images.constant, images.n) >= SOME
    severity: Severity = "error" if share >= MANY else "warning" if some else "note"
    summary = f"{images.constant} of {images.n} {data.split} images have one value everywhere"
    yield _Fact(
        severity,
        "certain" if severity == "error" else "likely",
        _evidence(summary, "constant", images.constant, SOME * images.n, images.n),
        "look at the files of these images, and at what scales them: a second division or a cast "
        "to whole numbers turns every picture black",
    )


def _alike(data: DataSeen, images: InputsSeen) -> Iterator[_Fact]:
    """Repetitions, where they are not a stream that comes round again; blank images are alike."""
    repeated = images.repeated - max(images.constant - 1, 0)
    one = repeated == images.n - 1
    if not one and (data.samples is None or data.sampled > data.samples or _comes_again(data)):
        return
    if repeated < ALIKE * images.n:
        return
    said = f"all {images.n}" if one else f"{repeated} of {images.n}"
    summary = f"{said} {data.split} images are " + ("the same" if one else "copies of others")
    yield _Fact(
        "error" if one else "warning",
        "certain" if one else "likely",
        _evidence(summary, "repeated", repeated, ALIKE * images.n, images.n),
        "look at the loop or list that makes the images: one array filled again and again, one "
        "path read for all, or files that were copied",
    )


def _comes_again(data: DataSeen) -> bool:
    return any(pipeline.kind.rsplit(".", 1)[-1] == "repeat" for pipeline in data.sites)


def _types(data: DataSeen) -> Iterator[_Fact]:
    kind = data.input_dtype
    if kind.startswith(("<U", "|S", "S", "str", "object", "bytes")):
        yield _Fact(
            "error",
            "certain",
            Evidence(
                source="probe",
                summary=f"the {data.split} images arrive as {kind}, which is no type of numbers",
            ),
            "give arrays of numbers: read the files behind paths, and bring all images to one size "
            "before they are stacked",
        )
    whole = kind.startswith(("int", "uint"))
    if whole and data.minimum is not None and data.maximum is not None:
        low, high = data.minimum, data.maximum
        if data.sampled >= ENOUGH and low >= -1 and high <= 1:
            yield _Fact(
                "warning",
                "likely",
                Evidence(
                    source="probe",
                    summary=f"the {data.split} images are whole numbers ({kind}) between {low:g} "
                    f"and {high:g}: no shade between black and white is left",
                    measured=(
                        Measurement(name="maximum", value=high, threshold=1, n=data.sampled),
                    ),
                ),
                "keep the images in float32 after scaling; do not cast them back to whole numbers",
            )


def _evidence(summary: str, name: str, value: float, threshold: float, n: int) -> Evidence:
    measured = Measurement(name=name, value=value, threshold=threshold, n=n, unit="images")
    return Evidence(source="probe", summary=summary, measured=(measured,))


def _lower(count: int, n: int) -> float:
    """The exact lower bound (Clopper & Pearson 1934, one-sided 95 %) of a share (0..1)."""
    from scipy.stats import beta

    return float(beta.ppf(0.05, count, n - count + 1)) if count else 0.0


_SICK = """\
import numpy as np
import tensorflow as tf

images, labels = np.load("images.npy"), np.load("labels.npy")
images = (images / 255).astype("uint8")  # 0 or 1: black, but for the white pixels
images = tf.keras.applications.mobilenet_v2.preprocess_input(images * 255.0)

base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(3, activation="softmax")])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, labels, epochs=5)
"""

CAUSE = CauseSpec(
    id="inputs-degenerate",
    code="TL108",
    title="Images are blank, not finite, all alike, or not numbers",
    what=(
        "What reaches the model are not pictures: one value everywhere, NaN or infinite values, "
        "the same image again and again, whole numbers 0 and 1 left of a scaling, or paths and "
        "None in place of arrays. Each image of a sample is looked at."
    ),
    why=(
        "Blank or repeated images carry labels that nothing in them explains; they teach the head "
        "the class frequencies. One NaN makes the loss NaN and with it every weight. Grey images "
        "in three channels work, with features that were made for colours, and are only noted."
    ),
    sources=(
        "Clopper & Pearson (1934), Biometrika 26, 404: confidence limits of a share",
        "https://docs.opencv.org/4.x/d4/da8/group__imgcodecs.html",
    ),
    find=find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace(
            'images = (images / 255).astype("uint8")  # 0 or 1: black, but for the white pixels\n',
            "",
        ).replace("images * 255.0", "images"),
    ),
)
