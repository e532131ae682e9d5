"""Images in the order blue, green, red for a backbone trained on red, green, blue."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence.edits import explained, position
from tlfix.evidence.harm import ALPHA, NOISE_POINTS, door_is_wrong, mcnemar
from tlfix.evidence.scaling_flow import Slice, Source, covers, source_of
from tlfix.evidence.scaling_paths import paths_of
from tlfix.findings import Confidence, Evidence, Measurement, Severity
from tlfix.probe.trace import Door, FitSeen, LinearProbe
from tlfix.program.architectures import MODES
from tlfix.program.model import Backbone, Call, Program, Site

CLEAR_FACTOR, CLEAR_FALL = 2.0, 1.0
"""A fall of the BatchNorm divergence by this factor, and by this much, is a clear one. Measured on
MobileNetV2 0.35 with photographs: RGB 0.136, BGR 0.126, so a small difference says nothing."""

_READER = "cv2.imread"
_COLOUR = ("IMREAD_COLOR", "1")
# Anything that may set the order right, or that is another way of reading images.
_TURNS = re.compile(
    r"cvtColor|COLOR_|::\s*-\s*1|\bflip|(cv2?|np|tf)\.\w*split\(|\bmerge\(|\breverse|IMREAD_(?!COLOR\b)|\bgray|grey"
    r"|\[\s*2\s*,\s*1\s*,\s*0\s*\]|swap|transpose|\bbgr|rgb\b|unstack|fromarray|gather|\btake\("
    r"|load_img|Image\.open|decode_|imageio|plt\.imread|mpimg|skimage",
    re.IGNORECASE,
)
# Packages that leave the channels as they are; of others nothing is known.
_PLAIN = re.compile(
    r"(cv2|numpy|os|glob|random|sklearn|keras|tensorflow|tf|tf_keras|pathlib|tqdm|math|pandas"
    r"|matplotlib|argparse|time|sys|collections)(\.|$)"
)
_SYMPTOMS = ("chance-validation", "slow-learning")


@dataclass(frozen=True)
class _Flipped:
    """The same images with reversed channels: accuracy gained (0..1) and the p-value of that."""

    gain: float
    p: float
    evidence: Evidence

    @property
    def better(self) -> bool:
        """Right more often than before, beyond noise and chance."""
        return self.gain >= NOISE_POINTS and self.p < ALPHA


def find(case: Case) -> Iterable[Finding]:
    """One finding: measured with reversed channels, else read in the source."""
    reads = tuple(_reads(case.program))
    if case.trace is None or not case.trace.backbones:
        if reads:
            yield _static(case, reads)
        return
    for fit in case.trace.fits:
        backbone = case.trace.backbone_of(fit)
        if backbone is None or backbone.weights_status != "pretrained":
            continue
        flipped = _flipped(fit)
        if flipped is None:
            continue
        finding = _measured(case, reads, flipped, fit.door(), door_is_wrong(fit, backbone))
        if finding is not None:
            yield finding
        return
    if reads and any(b.weights_status == "missing" for b in case.trace.backbones):
        yield _static(case, reads)


def _measured(
    case: Case, reads: tuple[Call, ...], flipped: _Flipped, door: Door | None, scaled_wrong: bool
) -> Finding | None:
    """None where the measurement speaks against the suspicion, or there is none to speak of.

    Under a wrong scaling the features say less about colours than about that scaling.
    """
    evidence = [flipped.evidence]
    severity: Severity
    confidence: Confidence
    if flipped.better:
        severity = "warning" if scaled_wrong and not reads else "error"
        confidence = "certain" if reads else "likely"
    elif flipped.gain >= 0 and (fall := _fall(door)) is not None:
        severity, confidence = "warning", "likely"
        evidence.append(fall)
    elif reads and flipped.gain >= 0:
        severity, confidence = "note", "possible"
    else:
        return None
    remedy = _remedy(reads)
    return Finding(
        severity=severity,
        confidence=confidence,
        site=reads[0].site if reads else _data_site(case),
        evidence=(*(_evidence(read) for read in reads), *evidence),
        explains=explained(case, *_SYMPTOMS) if severity != "note" else (),
        remedy=remedy if severity != "note" else None,
        advice=_advice(reads),
        cost=flipped.gain if flipped.better else None,
    )


def _static(case: Case, reads: tuple[Call, ...]) -> Finding:
    return Finding(
        severity="warning",
        confidence="likely",
        site=reads[0].site,
        evidence=tuple(_evidence(read) for read in reads),
        remedy=_remedy(reads),
        advice=_advice(reads),
    )


def _evidence(read: Call) -> Evidence:
    return Evidence(
        source="static",
        summary=f"line {read.site.line}: `cv2.imread` gives blue, green, red, and nothing on the "
        "way to the backbone turns them round",
    )


def _advice(reads: tuple[Call, ...]) -> str:
    if reads:
        return "convert with cv2.cvtColor(image, cv2.COLOR_BGR2RGB) right after reading"
    return (
        "look for what swaps the channels on the way: OpenCV reads blue, green, red, and the "
        "`preprocess_input` of ResNet and VGG swaps them once, so give it red, green, blue"
    )


def _remedy(reads: tuple[Call, ...]) -> Remedy | None:
    if not reads:
        return None
    places: dict[str, list[object]] = {}
    for read in reads:
        places.setdefault(read.site.path, []).append(position(read.site))
    return Remedy(
        "convert_bgr_to_rgb",
        "convert to RGB right after reading",
        {path: {"calls": tuple(calls)} for path, calls in places.items()},
    )


# What was measured ------------------------------------------------------------------------------


def _flipped(fit: FitSeen) -> _Flipped | None:
    """Both orders on the same images, in the scaling that the backbone wants if it was tried."""
    for scaling in ("expected", "as-is"):
        plain, turned = fit.probe(scaling), fit.probe(scaling, variant="flipped")
        if plain is None or turned is None or not plain.validation:
            continue
        if not plain.correct or len(plain.correct) != len(turned.correct):
            continue
        return _compared(plain, turned)
    return None


def _compared(plain: LinearProbe, turned: LinearProbe) -> _Flipped:
    p = mcnemar(plain.correct, turned.correct)
    n = len(plain.correct)
    measured = (
        Measurement(name="accuracy", value=plain.accuracy, n=n),
        Measurement(name="accuracy_flipped", value=turned.accuracy, threshold=plain.accuracy, n=n),
        Measurement(name="p", value=p, threshold=ALPHA, n=n),
    )
    summary = f"a linear classifier on the features gets {plain.accuracy:.0%} of the validation "
    summary += f"images right, {turned.accuracy:.0%} with the channels reversed"
    evidence = Evidence(source="probe", summary=summary, measured=measured)
    return _Flipped(turned.accuracy - plain.accuracy, p, evidence)


def _fall(door: Door | None) -> Evidence | None:
    """What reversing the channels does to the BatchNorm divergence, if it is a clear fall."""
    if door is None or door.divergence is None or door.divergence_flipped is None:
        return None
    before, after = door.divergence, door.divergence_flipped
    if before < CLEAR_FACTOR * after or before - after < CLEAR_FALL:
        return None
    return Evidence(
        source="probe",
        summary=f"the divergence from the first BatchNorm's statistics falls from {before:.3g} to "
        f"{after:.3g} with the channels reversed",
        measured=(
            Measurement(
                name="batchnorm_divergence", value=before, threshold=CLEAR_FACTOR * after, n=door.n
            ),
            Measurement(name="batchnorm_divergence_flipped", value=after, n=door.n),
        ),
    )


def _data_site(case: Case) -> Site | None:
    return case.program.fits[0].call.site if case.program.fits else None


# What the source says ---------------------------------------------------------------------------


def _reads(program: Program) -> Iterator[Call]:
    """Calls of ``cv2.imread`` whose images certainly reach a pretrained backbone as they are."""
    calls = [call for call in program.calls if call.name == _READER]
    if not calls:
        return
    source = source_of(program.path, program.text)
    found: dict[Site, Call] = {}
    trained = False
    for backbone in program.backbones:
        if _wants_bgr(program, backbone):
            continue
        for path in paths_of(program, backbone).paths:
            node = _node(source, path.data)
            if node is None:
                continue
            cut = source.slice(node, path.call.line)
            here = [call for call in calls if _within(source, cut, call.site)]
            if here and _plain(program, source, cut, here):
                trained = trained or path.split == "training"
                found.update((call.site, call) for call in here)
    if trained:
        yield from sorted(found.values(), key=lambda call: call.site.line)


def _wants_bgr(program: Program, backbone: Backbone) -> bool:
    """True if red, green, blue is not what should arrive here, or it is not known.

    A network trained on blue, green, red (ResNet, VGG) wants red, green, blue only in front of its
    ``preprocess_input``; without that, images from OpenCV come in the right order.
    """
    if backbone.weights is None or backbone.library != "keras":
        return True
    mode = MODES.get(backbone.module)
    return mode is None or (mode == "caffe" and "preprocess_input(" not in program.text)


def _plain(program: Program, source: Source, cut: Slice, reads: list[Call]) -> bool:
    """True if nothing on the way, or around the reader, may turn the channels round."""
    texts = [source.code(node) for node in cut.nodes]
    for read in reads:
        scope = source.scope_at(read.site.line)
        if scope is not source.module and not isinstance(scope.node, ast.Module):
            texts.append(source.code(scope.node))
        mode = read.argument("flags", 1)
        if mode is not None and not mode.text.endswith(_COLOUR):
            return False
    if any(_TURNS.search(text) for text in texts):
        return False
    imported = [program.imports[name] for name in cut.names & program.imports.keys()]
    return all(_PLAIN.match(package) for package in imported)


def _within(source: Source, cut: Slice, site: Site) -> bool:
    return any(covers(source.site(node), site) for node in cut.nodes)


def _node(source: Source, site: Site) -> ast.expr | None:
    for node in ast.walk(source.tree) if source.tree else ():
        if isinstance(node, ast.expr) and source.site(node) == site:
            return node
    return None


_SICK = """\
import glob
import os

import cv2
import numpy as np
import tensorflow as tf

CLASSES = sorted(os.listdir("data/train"))
images, labels = [], []
for path in sorted(glob.glob("data/train/*/*.jpg")):
    image = cv2.imread(path)  # blue, green, red
    images.append(cv2.resize(image, (96, 96)))
    labels.append(CLASSES.index(path.split(os.sep)[-2]))
x = tf.keras.applications.mobilenet_v2.preprocess_input(np.array(images, dtype="float32"))

base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(len(CLASSES), activation="softmax")])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, np.array(labels), epochs=5)
"""
_READ = "    image = cv2.imread(path)  # blue, green, red\n"

CAUSE = CauseSpec(
    id="channel-order",
    code="TL105",
    title="The colour channels are in the wrong order",
    what=(
        "OpenCV reads images as blue, green, red. Every `preprocess_input` of keras.applications "
        "expects red, green, blue, also those of ResNet and VGG, which swap the channels "
        "themselves. Here nothing converts the images in between."
    ),
    why=(
        "The backbone sees skies in orange and skin in blue. How much that costs depends on how "
        "much the task is about colour: a linear probe on photographs of textures lost nothing "
        "with all images reversed, and 23 points where only one of the two splits was. tlfix tries "
        "both orders where it runs the program, and says nothing more if the other is no better."
    ),
    sources=(
        "https://docs.opencv.org/4.x/d4/da8/group__imgcodecs.html",
        "https://github.com/keras-team/keras/blob/master/keras/src/applications/imagenet_utils.py",
    ),
    find=find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace(
            _READ, "    image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)\n"
        ),
        cured=_SICK.replace(_READ, f"{_READ}    image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)\n"),
    ),
)
