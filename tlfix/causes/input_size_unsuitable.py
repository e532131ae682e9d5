"""The images are below the backbone's minimum, or far from the size it was trained at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence.edits import at, explained
from tlfix.evidence.image_size import Unplaced, remedy_for
from tlfix.findings import Confidence, Evidence, Measurement, Severity
from tlfix.probe.trace import BackboneSeen, Door, FitSeen
from tlfix.program.model import Backbone, Program

Size = tuple[int, int]

USUAL_MINIMUM, USUAL_SIZE = 32, 224
_MINIMUM = {"inception_resnet_v2": 75, "inception_v3": 75, "xception": 71}
_TRAINED = {
    "InceptionResNetV2": 299,
    "InceptionV3": 299,
    "Xception": 299,
    "NASNetLarge": 331,
    "EfficientNetB1": 240,
    "EfficientNetB2": 260,
    "EfficientNetB3": 300,
    "EfficientNetB4": 380,
    "EfficientNetB5": 456,
    "EfficientNetB6": 528,
    "EfficientNetB7": 600,
    "EfficientNetV2B1": 240,
    "EfficientNetV2B2": 260,
    "EfficientNetV2B3": 300,
    "EfficientNetV2S": 384,
    "EfficientNetV2M": 480,
    "EfficientNetV2L": 480,
}
"""Sides in pixels, from ``min_size`` and ``default_size`` in the constructors of Keras 3
(``keras/src/applications``); every other network there has the usual ones."""

_STRIDE = 32
"""Pixels of the image per cell of the last feature map, in all of ``keras.applications``."""

SMALL = 1 / 3
"""Share of the trained side (0..1) below which images are called small. Measured on MobileNetV2
0.35 trained at 96 pixels, linear probes on 320 patches of photographs, judged on 240: 0.80 at 96,
0.78 at 64, 0.66 at 48, 0.62 at 32 (a third, where the feature map is a single cell)."""

LARGE = 3.0
"""Times the trained side from which a note is made of large images: objects then appear at a scale
that the network did not see (Touvron et al. 2019), at nine times the computation."""

ROOM = 0.90
"""Accuracy (0..1) from which the small images evidently do."""

_CRASH = re.compile(
    r"Input size must be at least (\d+)\s*x\s*\d+; Received:? `?input_shape=\((?:3, )?(\d+), (\d+)"
)
_SYMPTOMS = ("chance-validation", "chance-accuracy", "slow-learning", "feature-collapse")


@dataclass(frozen=True)
class _Network:
    """A pretrained network: its name, the least side it takes and the side it was trained at."""

    name: str
    minimum: int
    trained: int


def find(case: Case) -> Iterable[Finding]:
    """One finding for each backbone: a crash, else what was measured, else what the source says."""
    crashed = list(_stopped(case))
    if crashed:
        yield from crashed
    elif case.trace is not None and case.trace.fits:
        yield from _measured(case)
    elif case.trace is None or not case.trace.backbones:
        yield from _read(case)


def _stopped(case: Case) -> Iterator[Finding]:
    crash = case.trace.crash if case.trace else None
    match = _CRASH.search(crash.message) if crash else None
    if crash is None or match is None:
        return
    least, height, width = (int(n) for n in match.groups())
    here = [b for b in case.program.backbones if at(crash.site, b.call.site)]
    found = here or list(case.program.backbones)
    backbone = found[0] if len(found) == 1 else None
    network = _network(backbone.architecture, backbone.module) if backbone else None
    trained = network.trained if network else USUAL_SIZE
    yield _too_small(case, backbone, network, (height, width), least, trained, "probe")


def _read(case: Case) -> Iterator[Finding]:
    """Sizes below the minimum as the source states them."""
    for backbone in case.program.backbones:
        size = _stated(backbone)
        network = _network(backbone.architecture, backbone.module)
        if backbone.library != "keras" or size is None or backbone.include_top is not False:
            continue
        if min(size) < network.minimum:
            least, trained = network.minimum, network.trained
            yield _too_small(case, backbone, network, size, least, trained, "static")


def _too_small(
    case: Case,
    backbone: Backbone | None,
    network: _Network | None,
    size: Size,
    least: int,
    trained: int,
    source: str,
) -> Finding:
    name = network.name if network else "the backbone"
    measured = tuple(
        Measurement(name=side, value=value, threshold=least, unit="px")
        for side, value in (("height", size[0]), ("width", size[1]))
    )
    summary = f"{name} takes images of at least {least}x{least} and is built for {_text(size)}"
    if source == "probe":
        summary += ": Keras stopped the run there"
    remedy, reason = _remedy(case.program, backbone, size, trained)
    advice = f"load the images at {trained}x{trained}, the size it was trained at, or put a "
    advice += f"Resizing({trained}, {trained}) layer in front of it"
    return Finding(
        severity="error",
        confidence="certain" if source == "probe" else "likely",
        site=backbone.call.site if backbone else None,
        evidence=(
            Evidence(
                source="probe" if source == "probe" else "static",
                summary=summary,
                measured=measured,
            ),
        ),
        explains=explained(case, "crash"),
        remedy=remedy,
        advice=None if remedy else f"{advice} ({reason})" if reason else advice,
    )


def _measured(case: Case) -> Iterator[Finding]:
    """The size of the tensor that entered each pretrained backbone."""
    done: set[int] = set()
    for fit in case.trace.fits if case.trace else ():
        for door in fit.doors:
            seen = case.trace.backbone(door.backbone) if case.trace else None
            if seen is None or seen.weights_status not in ("pretrained", "missing"):
                continue
            if door.split != "training" or seen.key in done or seen.module is None:
                continue
            done.add(seen.key)
            yield from _judged(case, fit, seen, door)


def _judged(case: Case, fit: FitSeen, seen: BackboneSeen, door: Door) -> Iterator[Finding]:
    size = _sides(door.shape)
    network = _network(seen.name, seen.module or "")
    if size is None:
        return
    share = min(size) / network.trained
    cells = -(-min(size) // _STRIDE)
    trial = fit.probe("expected") or fit.probe("as-is")
    severity: Severity = "note"
    confidence: Confidence = "possible"
    evidence = []
    measured = [
        Measurement(
            name="side", value=min(size), threshold=SMALL * network.trained, n=door.n, unit="px"
        )
    ]
    if share < SMALL:
        summary = f"{network.name} was trained at {network.trained}x{network.trained} and gets "
        summary += f"{_text(size)}: its last feature map is {cells}x{cells}"
        evidence.append(Evidence(source="probe", summary=summary, measured=tuple(measured)))
        if cells == 1 and trial is not None and seen.weights_status == "pretrained":
            sure = _surely_below(trial.accuracy, trial.validation, ROOM)
            severity, confidence = ("warning", "likely") if sure else ("note", "possible")
            evidence.append(
                Evidence(
                    source="probe",
                    summary=f"a linear classifier on these features gets {trial.accuracy:.0%} of "
                    "the validation images right",
                    measured=(
                        Measurement(
                            name="accuracy",
                            value=trial.accuracy,
                            threshold=ROOM,
                            n=trial.validation,
                        ),
                    ),
                )
            )
    elif max(size) / network.trained > LARGE:
        summary = f"{network.name} was trained at {network.trained}x{network.trained} and gets "
        summary += _text(size)
        measured = [
            Measurement(
                name="side", value=max(size), threshold=LARGE * network.trained, n=door.n, unit="px"
            )
        ]
        evidence.append(Evidence(source="probe", summary=summary, measured=tuple(measured)))
    if not evidence:
        return
    backbone = _in_source(case.program, seen)
    remedy, reason = _remedy(case.program, backbone, size, network.trained)
    if severity == "note":
        remedy = None
    advice = f"where the originals allow it, load them at {network.trained}x{network.trained}; "
    advice += "images that are small by nature may be enlarged by a Resizing layer"
    yield Finding(
        severity=severity,
        confidence=confidence,
        site=backbone.call.site if backbone else None,
        evidence=tuple(evidence),
        explains=explained(case, *_SYMPTOMS) if severity != "note" else (),
        remedy=remedy,
        advice=None if remedy else f"{advice} ({reason})" if reason else advice,
    )


def _surely_below(accuracy: float, n: int, limit: float) -> bool:
    """True if the exact one-sided 99 % upper bound of the accuracy is below ``limit``."""
    from scipy.stats import binom

    return n > 0 and float(binom.cdf(round(accuracy * n), n, limit)) < 0.01


def _remedy(
    program: Program, backbone: Backbone | None, size: Size, trained: int
) -> tuple[Remedy | None, str | None]:
    if backbone is None:
        return None, "the backbone's constructor is not in this file"
    try:
        return remedy_for(program, backbone, size, trained), None
    except Unplaced as reason:
        return None, str(reason)


def _network(name: str, module: str) -> _Network:
    return _Network(name, _MINIMUM.get(module, USUAL_MINIMUM), _TRAINED.get(name, USUAL_SIZE))


def _in_source(program: Program, seen: BackboneSeen) -> Backbone | None:
    found = [b for b in program.backbones if at(seen.site, b.call.site)]
    return found[0] if found else None


def _stated(backbone: Backbone) -> Size | None:
    shape = backbone.input_shape
    if isinstance(shape, tuple | list) and len(shape) == 3 and shape[2] in (1, 3):
        height, width = shape[:2]
        if isinstance(height, int) and isinstance(width, int):
            return height, width
    return None


def _sides(shape: tuple[int | None, ...]) -> Size | None:
    if len(shape) != 4 or shape[-1] not in (1, 3) or not shape[1] or not shape[2]:
        return None
    return shape[1], shape[2]


def _text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


_SICK = """\
import tensorflow as tf
from tensorflow.keras.preprocessing.image import ImageDataGenerator

preprocess = tf.keras.applications.inception_v3.preprocess_input
datagen = ImageDataGenerator(preprocessing_function=preprocess)
train = datagen.flow_from_directory("data/train", target_size=(64, 64), batch_size=32)
valid = datagen.flow_from_directory("data/valid", target_size=(64, 64), batch_size=32)

base = tf.keras.applications.InceptionV3(include_top=False, pooling="avg", input_shape=(64, 64, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(5, activation="softmax")])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=valid, epochs=5)
"""

CAUSE = CauseSpec(
    id="input-size-unsuitable",
    code="TL107",
    title="The image size does not suit the backbone",
    what=(
        "Every network of keras.applications has a least side (32 pixels, 71 for Xception, 75 for "
        "InceptionV3 and InceptionResNetV2) and a side it was trained at (mostly 224 or 299). The "
        "images are below the one, or far from the other."
    ),
    why=(
        "Below the minimum Keras stops. Above it, a small image becomes a feature map of a single "
        "cell, in which nothing is left of where things are, and objects appear at a scale that "
        "the network never saw. A network trained at 96 pixels lost 18 points "
        "of a linear probe's accuracy at 32 pixels."
    ),
    sources=(
        "https://keras.io/api/applications/",
        "https://arxiv.org/abs/1906.06423",
    ),
    find=find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace("(64, 64", "(160, 160"),
        cured=_SICK.replace("(64, 64", "(299, 299"),
    ),
)
