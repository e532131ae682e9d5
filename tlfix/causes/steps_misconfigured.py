"""TL310: ``steps_per_epoch`` or ``validation_steps`` do not fit the data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding
from tlfix.evidence import harm, tuning
from tlfix.evidence.edits import explained, merged, set_argument
from tlfix.findings import Confidence, Evidence, Measurement, Severity
from tlfix.probe.trace import DataSeen, FitSeen, Trace
from tlfix.program.model import Fit, Program, Source

SEEN = 0.5
"""Share of the training images (0..1) that a whole training must be able to see. A virtual epoch
(few steps, many epochs) is ordinary practice; that most images are never seen at all is not."""

MANY = 10_000
"""Images, repeats included, from which a training is no longer called starved: who has millions
may stop before seeing them all."""

PASSES = 2.0
"""Passes over the images that a whole training must make for its epochs not to be called cut short,
where it falls behind what the features allow."""

FEW = 50
"""Validation images below which an accuracy says little: its standard error is then up to 7
points, sqrt(0.25 / 50)."""

_STOPPING = ("EarlyStopping", "TerminateOnNaN")
_FINITE = (
    "arrays",
    "flow",
    "flow_from_directory",
    "flow_from_dataframe",
    "image_dataset_from_directory",
    "from_tensor_slices",
)
_ADVICE = (
    "leave {} out: Keras then takes every batch once per epoch; data that repeat for ever need it, "
    "as the number of images divided by the batch size"
)


@dataclass(frozen=True)
class _Fault:
    """One argument that does not fit. ``removable``: the data end by themselves."""

    keyword: str
    severity: Severity
    confidence: Confidence
    evidence: Evidence
    removable: bool = False


def _find(case: Case) -> Iterator[Finding]:
    program, trace = case.program, case.trace
    if trace is None or not trace.fits:
        for fit in program.fits:
            faults = [fault for fault in _read(program, fit) if fault]
            yield from _finding(case, fit, faults)
        return
    for seen in trace.fits:
        static = tuning.static_fit(program, seen)
        faults = [*_training(trace, seen, static), *_validation(seen)]
        yield from _finding(case, static, faults)


def _read(program: Program, fit: Fit) -> Iterator[_Fault]:
    """The number of images where the number of batches belongs."""
    for keyword, sources in (
        ("steps_per_epoch", fit.training),
        ("validation_steps", fit.validation),
    ):
        argument = fit.call.argument(keyword)
        if argument is None or len(sources) != 1 or _batch(sources[0], fit) == 1:
            continue
        text = _followed(program, argument.text)
        if not _counts_images(text, sources[0], fit):
            continue
        summary = f"{keyword} is `{text}`, the number of images; it counts batches"
        yield _Fault(
            keyword,
            "warning" if keyword == "steps_per_epoch" else "note",
            "likely",
            Evidence(source="static", summary=summary),
            removable=_ends(sources[0]),
        )


def _followed(program: Program, text: str) -> str:
    """A name's value as written, if it is bound once."""
    if not text.isidentifier():
        return text
    bound = re.findall(rf"^[ \t]*{text}\s*=(?!=)\s*([^#\n]+)", program.text, re.MULTILINE)
    return bound[0].strip() if len(bound) == 1 else text


def _counts_images(text: str, source: Source, fit: Fit) -> bool:
    """True for ``train.samples``, ``len(x_train)``, ``x_train.shape[0]`` of this very source."""
    own = (f"{source.variable}.samples", f"{source.variable}.n")
    if source.kind.startswith("flow") and text in own:
        return True
    images = None
    if source.kind == "flow":
        images = source.call.argument("x", 0)
    elif source.kind == "arrays" and source.split == "training":
        images = fit.call.argument("x", 0)
    name = images.text if images is not None else None
    return name is not None and text in (f"len({name})", f"{name}.shape[0]")


def _batch(source: Source, fit: Fit) -> object:
    call = fit.call if source.kind == "arrays" else source.call
    return call.constant("batch_size", None, 32)


def _ends(source: Source) -> bool:
    repeats = any(stage.name.endswith(".repeat") for stage in source.stages)
    return source.kind in _FINITE and not repeats


def _training(trace: Trace, seen: FitSeen, fit: Fit | None) -> Iterator[_Fault]:
    steps, available = seen.steps_per_epoch, _batches(seen.training)
    if steps is None or available is None:
        return
    if steps > available:
        yield from _exhausted(trace, seen, fit, steps, available)
        return
    passes = _passes(trace, seen)
    if passes is None:
        return
    if passes >= 1.0:
        yield from _cut_short(seen, steps, available, passes)
        return
    share = passes
    assert seen.training is not None
    batch = seen.training.batch_size or 1
    images = round(share * (seen.training.samples or 0))
    starved = share < SEEN and images < MANY
    yield _Fault(
        "steps_per_epoch",
        "warning" if starved else "note",
        "certain" if starved else "possible",
        Evidence(
            source="probe",
            summary=(
                f"{steps} steps of {batch} images in {seen.epochs or 1} epochs: at most "
                f"{share:.0%} of the {seen.training.samples:,} training images are ever used"
            ),
            measured=(
                Measurement(name="seen", value=share, threshold=SEEN, n=seen.training.samples),
                Measurement(name="steps_per_epoch", value=steps, threshold=available),
            ),
        ),
        removable=True,
    )


def _batches(data: DataSeen | None) -> int | None:
    """The batches in one pass over the data, None if it is not known or without end."""
    if data is None or not data.samples or not data.batch_size:
        return None
    return ceil(data.samples / data.batch_size)


def _cut_short(seen: FitSeen, steps: int, available: int, passes: float) -> Iterator[_Fault]:
    """Epochs of a few batches, hardly more than one pass together, that leave the model behind."""
    short = harm.shortfall(seen)
    if passes >= PASSES or steps >= available or seen.ended != "completed":
        return
    if short is None or not short.significant:
        return
    yield _Fault(
        "steps_per_epoch",
        "warning",
        "likely",
        Evidence(
            source="probe",
            summary=(
                f"{steps} of {available} batches make an epoch, {seen.epochs or 1} epochs so "
                f"{passes:.1f} passes over the training images; {short.evidence.summary}"
            ),
            measured=(
                Measurement(name="passes", value=passes, threshold=PASSES),
                *short.evidence.measured,
            ),
        ),
        removable=True,
    )


def _passes(trace: Trace, seen: FitSeen) -> float | None:
    """How often all fits on the training images together can see each of them, at most."""
    total, available = 0, _batches(seen.training)
    assert seen.training is not None
    for fit in trace.fits:
        if fit.training is None or fit.training.samples != seen.training.samples:
            continue
        steps = fit.steps_per_epoch
        if steps is None or fit.epochs is None:
            return None
        total += steps * fit.epochs
    return total / available if available else None


def _exhausted(
    trace: Trace, seen: FitSeen, fit: Fit | None, steps: int, available: int
) -> Iterator[_Fault]:
    """More steps than batches. What comes of it depends on the version.

    Keras 3 (3.15) warns, ends the epoch and goes on with the next one: every image is seen once
    per epoch all the same. Keras 2 ends the training where a ``tf.data`` set runs out.
    """
    resumed = fit is not None and fit.call.argument("initial_epoch") is not None
    stopped = any(name in _STOPPING for name in seen.callbacks)
    epochs = seen.epochs or 0
    early = seen.ended == "completed" and not resumed and not stopped
    early = early and 0 < seen.ran_epochs <= epochs - 0.5
    keras = (trace.environment.keras if trace.environment else None) or ""
    assert seen.training is not None
    ends = keras.startswith("2.") and seen.training.kind == "tf.data"
    if not early and steps <= available + 1:
        return
    after = f", and training ended after {seen.ran_epochs:g} of {epochs} epochs" if early else ""
    yield _Fault(
        "steps_per_epoch",
        "warning" if early or ends else "note",
        "certain" if early else "likely",
        Evidence(
            source="probe",
            summary=f"{steps} steps are asked of {available} batches in an epoch{after}",
            measured=(Measurement(name="steps_per_epoch", value=steps, threshold=available),),
        ),
        removable=True,
    )


def _validation(seen: FitSeen) -> Iterator[_Fault]:
    data, steps = seen.validation, seen.validation_steps
    available = _batches(data)
    if data is None or steps is None or available is None or steps >= available:
        return
    used = steps * (data.batch_size or 1)
    samples = data.samples or used
    classes = len([n for n in (data.histogram or {}).values() if n])
    met = len(set(data.order[:used])) if data.shuffled is not True else classes
    partial = data.histogram_of == "all" and 0 < met < classes and used <= len(data.order)
    few = used < FEW and samples >= 2 * used
    if not partial and used >= SEEN * samples:
        return
    what = f"the first {used:,} of {samples:,} images"
    if partial:
        what += f", which hold {met} of the {classes} classes"
    measured = [Measurement(name="validated", value=used, threshold=FEW, n=samples, unit="images")]
    if partial:
        measured.append(Measurement(name="classes", value=met, threshold=classes, n=used))
    yield _Fault(
        "validation_steps",
        "warning" if partial or few else "note",
        "certain" if partial else "likely",
        Evidence(
            source="probe",
            summary=f"validation_steps={steps} scores {what}",
            measured=tuple(measured),
        ),
        removable=True,
    )


def _finding(case: Case, fit: Fit | None, faults: list[_Fault]) -> Iterator[Finding]:
    if not faults:
        return
    worst = min(faults, key=lambda fault: ("error", "warning", "note").index(fault.severity))
    given = [f.keyword for f in faults if fit is not None and fit.call.argument(f.keyword)]
    edits = [
        (case.program.path, set_argument(fit.call, fault.keyword, None, None))
        for fault in faults
        if fit is not None and fault.removable and fault.keyword in given
    ]
    names = " and ".join(dict.fromkeys(fault.keyword for fault in faults))
    argument = fit.call.argument(worst.keyword) if fit else None
    symptoms = ("slow-learning", "chance-accuracy", "flat-loss")
    hurts = worst.keyword == "steps_per_epoch" and worst.severity != "note"
    yield Finding(
        severity=worst.severity,
        confidence=worst.confidence,
        site=argument.site if argument else fit.call.site if fit else None,
        evidence=tuple(fault.evidence for fault in faults),
        explains=explained(case, *symptoms) if hurts else (),
        remedy=merged("set_argument", f"leave out {names}: every batch once", edits, "cursory")
        if edits
        else None,
        advice=_ADVICE.format(names),
    )


_SICK = """\
from tensorflow.keras.preprocessing.image import ImageDataGenerator

train = ImageDataGenerator().flow_from_directory("data/train", batch_size=32)
valid = ImageDataGenerator().flow_from_directory("data/validation", batch_size=32)
model.fit(
    train,
    steps_per_epoch=train.samples,
    epochs=10,
    validation_data=valid,
    validation_steps=valid.samples // 32,
)
"""

CAUSE = CauseSpec(
    id="steps-misconfigured",
    code="TL310",
    title="The step counts do not fit the data",
    what=(
        "`steps_per_epoch` or `validation_steps` ask for more batches than there are (often the "
        "number of images, the batch size forgotten), or for so few that most images are never "
        "used."
    ),
    why=(
        "Both count batches. Too many exhaust the data: Keras 3 warns and ends the epoch early, "
        "Keras 2 ends the training where a `tf.data` set runs out, and repeats a generator's data "
        "32 times per epoch. Too few leave images out, and validation then always scores the same "
        "first batches, which in ordered data hold the first classes only."
    ),
    sources=("https://keras.io/api/models/model_training_apis/#fit-method",),
    find=_find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace("train.samples", "train.samples // 32"),
        cured=_SICK.replace("    steps_per_epoch=train.samples,\n", ""),
    ),
)
