"""TL312: the data that training is validated on are the training data."""

from __future__ import annotations

from collections.abc import Iterator

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding
from tlfix.evidence import splits, tuning
from tlfix.evidence.edits import crash_matches, merged
from tlfix.evidence.splits import Leak
from tlfix.findings import Confidence, Evidence, Severity
from tlfix.probe.trace import FitSeen
from tlfix.program.model import Fit, Program

_ADVICE = "give validation_data images that training never sees"
_NO_SEED = "you must provide a `seed`"


def _find(case: Case) -> Iterator[Finding]:
    program = case.program
    if case.trace is None or not case.trace.fits:
        crash = crash_matches(case, _NO_SEED)
        for fit in program.fits:
            found = splits.leak(program, fit)
            if found is not None:
                yield _finding(
                    program,
                    fit,
                    found,
                    "error" if crash and found.crashes else "warning",
                    "certain" if crash and found.crashes else found.confidence,
                    (),
                    ("crash",) if crash and found.crashes else (),
                )
        return
    for seen in case.trace.fits:
        static = tuning.static_fit(program, seen)
        yield from _measured(program, seen, static)


def _measured(program: Program, seen: FitSeen, fit: Fit | None) -> Iterator[Finding]:
    """The source's reason, if there is one, held to what was counted.

    One shared image confirms a reason where a sample was compared. Where all images were compared,
    a share that duplicates in the data would explain as well does not.
    """
    overlap = seen.overlap
    found = splits.leak(program, fit) if fit is not None else None
    if overlap is None:
        if found is not None:
            yield _finding(program, fit, found, "warning", found.confidence, ())
        return
    if overlap.same_data:
        summary = "validation gets the very data that training gets"
    else:
        summary = splits.counted(overlap)
    evidence = (Evidence(source="probe", summary=summary, measured=splits.measured(overlap)),)
    everything = splits.saw_all(overlap, seen)
    enough = splits.share(overlap) >= splits.SHARE or (overlap.shared > 0 and not everything)
    if splits.is_whole(overlap, seen) or (found is not None and enough):
        yield _finding(program, fit, found, "warning", "certain", evidence)
    elif found is not None and not everything:
        yield _finding(program, fit, found, "note", "possible", evidence)


def _finding(
    program: Program,
    fit: Fit | None,
    found: Leak | None,
    severity: Severity,
    confidence: Confidence,
    evidence: tuple[Evidence, ...],
    explains: tuple[str, ...] = (),
) -> Finding:
    remedy = None
    if found is not None:
        evidence = (Evidence(source="static", summary=found.summary), *evidence)
        if found.edits:
            edits = [(program.path, edit) for edit in found.edits]
            remedy = merged("set_argument", found.fix, edits, "careful")
    held = fit.call.argument("validation_data") if fit else None
    site = found.site if found else held.site if held else fit.call.site if fit else None
    return Finding(
        severity=severity,
        confidence=confidence,
        site=site,
        evidence=evidence,
        explains=explains,
        remedy=remedy,
        advice=found.advice if found else _ADVICE,
    )


_SICK = """\
import keras

train_ds = keras.utils.image_dataset_from_directory(
    "data", validation_split=0.2, subset="training", seed=123, image_size=(96, 96)
)
val_ds = keras.utils.image_dataset_from_directory(
    "data", validation_split=0.2, subset="validation", seed=321, image_size=(96, 96)
)
model.fit(train_ds, validation_data=val_ds, epochs=10)
"""

CAUSE = CauseSpec(
    id="evaluation-on-training-data",
    code="TL312",
    title="Validation metrics are computed on training images",
    what=(
        "Training and validation get the same data: one object or one folder for both, two halves "
        "of a split that do not fit together, or a cut through a data set that is shuffled anew "
        "for every epoch."
    ),
    why=(
        "A network scores better on images it was trained on. The validation accuracy then tells "
        "nothing about new images, hides overfitting, and lets callbacks keep the most overfitted "
        "weights. The halves of `image_dataset_from_directory` fit together only with one seed, "
        "one `shuffle` and one `validation_split`: each call shuffles the files by itself."
    ),
    sources=(
        "https://keras.io/api/data_loading/image/",
        "https://www.tensorflow.org/api_docs/python/tf/data/Dataset#shuffle",
    ),
    find=_find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace("321", "123"),
        cured=_SICK.replace("321", "123"),
    ),
)
