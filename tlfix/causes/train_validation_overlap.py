"""TL308: some images are in the training and in the validation data."""

from __future__ import annotations

from collections.abc import Iterator

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding
from tlfix.evidence import splits
from tlfix.evidence.origins import site_of
from tlfix.findings import Evidence
from tlfix.probe.trace import FitSeen
from tlfix.program.model import Program

_ADVICE = (
    "remove the shared images from one of the two, and split before copies are made (oversampling, "
    "augmented files) and by what belongs together (person, patient, scene)"
)


def _find(case: Case) -> Iterator[Finding]:
    for fit in case.trace.fits if case.trace else ():
        yield from _measured(case.program, fit)


def _measured(program: Program, fit: FitSeen) -> Iterator[Finding]:
    overlap = fit.overlap
    if overlap is None or not overlap.shared or splits.is_whole(overlap, fit):
        return
    if splits.is_blank(overlap, fit):
        return
    serious = overlap.shared >= splits.FEW and splits.share(overlap) >= splits.SHARE
    evidence = Evidence(
        source="probe", summary=splits.counted(overlap), measured=splits.measured(overlap)
    )
    yield Finding(
        severity="warning" if serious else "note",
        confidence="certain" if serious else "possible",
        site=site_of(program, fit, fit.validation),
        evidence=(evidence,),
        advice=_ADVICE,
    )


_SICK = """\
import keras
import numpy as np
from sklearn.model_selection import train_test_split

images, labels = np.repeat(images, 3, axis=0), np.repeat(labels, 3)
x_train, x_val, y_train, y_val = train_test_split(images, labels, test_size=0.2)
model.fit(x_train, y_train, validation_data=(x_val, y_val), epochs=10)
"""

_HEALTHY = """\
import keras
import numpy as np
from sklearn.model_selection import train_test_split

x_train, x_val, y_train, y_val = train_test_split(images, labels, test_size=0.2)
x_train, y_train = np.repeat(x_train, 3, axis=0), np.repeat(y_train, 3)
model.fit(x_train, y_train, validation_data=(x_val, y_val), epochs=10)
"""

CAUSE = CauseSpec(
    id="train-validation-overlap",
    code="TL308",
    title="The same images are in the training and the validation data",
    what=(
        "A part of the validation images are training images too, byte for byte: copies were made "
        "before the split, or the same files lie in both folders. The probe compares contents, so "
        "the source alone does not show it."
    ),
    why=(
        "What was seen in training is not validation: a share s of such images can raise the "
        "accuracy by s, and the most overfitted model gains most. A handful of duplicates is "
        "natural (3 % of CIFAR-10's test images are near-duplicates of training images) and only "
        "noted; from 5 % of the validation images on it is a fault."
    ),
    sources=("https://arxiv.org/abs/1902.00423",),
    find=_find,
    examples=Examples(sick=_SICK, healthy=_HEALTHY),
    after=("evaluation-on-training-data",),
)
