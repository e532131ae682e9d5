"""TL404: ``trainable`` was changed after a fit, and no ``compile`` makes the change count."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence import tuning
from tlfix.evidence.edits import explained, position
from tlfix.findings import Confidence, Evidence, Measurement, Severity
from tlfix.probe.trace import FitSeen, Trace
from tlfix.program.model import Fit, Program, Site, TrainableChange

GOOD_PART = 0.05
"""Share of the backbone's parameters (0..1) that must be unfrozen before unmoved kernels tell
anything by themselves: the scales and shifts of BatchNorm, 1 to 2 % of MobileNetV2, are none."""

SLOWEST = 1e-7
"""Learning rate below which one step of a weight near 1 is lost in single precision (the distance
between such numbers is 6e-8 to 1.2e-7): kernels may then stay as they are with nothing wrong."""

_ADVICE = (
    "call compile on the model after changing trainable and before fit; for fine-tuning at a lower "
    "rate, near 1e-5 for Adam"
)


@dataclass(frozen=True)
class _Late:
    """A change that comes after the ``compile`` in force at ``fit``."""

    change: TrainableChange
    fit: Fit


def _find(case: Case) -> Iterator[Finding]:
    program, trace = case.program, case.trace
    late = list(_late(program, keras_2=_keras_2(trace)))
    if trace is None or not trace.fits:
        for one in late:
            yield _finding(case, one, "warning", "likely", ())
        return
    for fit in trace.fits:
        static = tuning.static_fit(program, fit)
        mine = next((one for one in late if static and one.fit.call.site == static.call.site), None)
        yield from _measured(case, trace, fit, static, mine)
    reached = [tuning.static_fit(program, fit) for fit in trace.fits]
    for one in late:
        if all(fit is None or fit.call.site != one.fit.call.site for fit in reached):
            yield _finding(case, one, "warning", "likely", ())


def _keras_2(trace: Trace | None) -> bool:
    """True where the probe met Keras 2, which takes ``trainable`` as it stands at ``compile``."""
    version = trace.environment.keras if trace and trace.environment else None
    return bool(version and version.startswith("2."))


def _late(program: Program, *, keras_2: bool) -> Iterator[_Late]:
    """The fits in front of which ``trainable`` changes without a ``compile`` in between.

    Only in one scope, outside of loops: elsewhere the order of lines is not that of events. On
    Keras 3 the first fit takes ``trainable`` as it finds it, whatever ``compile`` saw.
    """
    for fit in program.fits:
        if fit.call.in_loop or fit.model is None or _compiles_elsewhere(program, fit):
            continue
        place = tuning.start(fit.call.site)
        earlier = [
            tuning.start(one.call.site)
            for one in (program.compiles if keras_2 else program.fits)
            if one.model == fit.model
            and one.call.scope == fit.call.scope
            and not one.call.in_loop
            and tuning.start(one.call.site) < place
        ]
        compiled = [
            tuning.start(one.call.site)
            for one in program.compiles
            if tuning.start(one.call.site) < place
        ]
        if not earlier or not compiled or _bound_anew(program, fit, earlier[0]):
            continue
        after = max(max(earlier), max(compiled))
        changes = [c for c in program.trainable if after < tuning.start(c.site) < place]
        for change in sorted(changes, key=lambda c: tuning.start(c.site)):
            reached = change.scope == fit.call.scope and _indent(program, change.site) <= _indent(
                program, fit.call.site
            )
            if reached and _concerns(program, change, fit) and _alters(program, change):
                yield _Late(change, fit)
                break


def _indent(program: Program, site: Site) -> int:
    line = program.text.splitlines()[site.line - 1]
    return len(line) - len(line.lstrip())


def _alters(program: Program, change: TrainableChange) -> bool:
    """False where the program has said the same before, or says what is so from the start."""
    said = [
        one
        for one in program.trainable
        if one.variable == change.variable and tuning.start(one.site) < tuning.start(change.site)
    ]
    last = max(said, key=lambda one: tuning.start(one.site), default=None)
    if last is None:
        return change.value is not True
    return (last.value, last.target) != (change.value, change.target)


def _compiles_elsewhere(program: Program, fit: Fit) -> bool:
    """True if a function compiles: it may be called between the change and the fit."""
    if any(one.call.scope != fit.call.scope for one in program.compiles):
        return True
    seen = {n for c in program.compiles for n in range(c.call.site.line, c.call.site.end_line + 1)}
    lines = enumerate(program.text.splitlines(), start=1)
    return any(re.search(r"\bcompile\w*\(", t) and line not in seen for line, t in lines)


def _bound_anew(program: Program, fit: Fit, since: tuple[int, int]) -> bool:
    """True if the variable holds another model since the fit (or compile) before."""
    return any(
        fit.model in call.targets and since < tuning.start(call.site) < tuning.start(fit.call.site)
        for call in program.calls
    )


def _concerns(program: Program, change: TrainableChange, fit: Fit) -> bool:
    """True if what changes is the model that is fitted, or a backbone inside it."""
    if change.variable is None or not isinstance(change.value, bool):
        return False
    if change.variable == fit.model:
        return True
    inside = [call.site for call in fit.backbones]
    return any(
        tuning.is_backbones(program, change, backbone)
        for backbone in program.backbones
        if backbone.call.site in inside or (not inside and len(program.backbones) == 1)
    )


def _measured(
    case: Case, trace: Trace, fit: FitSeen, static: Fit | None, late: _Late | None
) -> Iterator[Finding]:
    """What the weights did, held to what ``trainable`` says of them."""
    before = _before(trace, fit)
    change = fit.backbone_change
    if change is None or not fit.steps:
        if late is not None:
            yield _finding(case, late, "warning", "likely", ())
        return
    evidence = _unmoved(fit, before, late) or _moved(fit, before, late)
    if evidence is None:
        if late is not None and _cannot_tell(fit, before, late):
            yield _finding(case, late, "note", "possible", ())
        return
    if late is not None:
        yield _finding(case, late, "error", "certain", (evidence,))
    elif static is not None or not case.program.fits:
        yield _finding(case, static, "warning", "likely", (evidence,))


def _before(trace: Trace, fit: FitSeen) -> FitSeen | None:
    """The last earlier fit of the same model."""
    found = [f for f in trace.fits if f.index < fit.index and f.model.key == fit.model.key]
    return max(found, key=lambda f: f.index, default=None)


def _cannot_tell(fit: FitSeen, before: FitSeen | None, late: _Late) -> bool:
    """True if the kernels move with or without the change: other layers train as well."""
    if late.change.value is False:
        return bool(fit.model.backbone_trainable and fit.backbone_change)
    return bool(before and before.model.backbone_trainable and fit.backbone_change)


def _unmoved(fit: FitSeen, before: FitSeen | None, late: _Late | None) -> Evidence | None:
    """Unfreezing moved nothing: the kernels are to the bit what they were."""
    rate = fit.compiled.learning_rate if fit.compiled else None
    if before is None or fit.backbone_change != 0.0 or rate is None or rate < SLOWEST:
        return None
    more = fit.model.backbone_trainable - before.model.backbone_trainable
    if more <= 0 or (late is None and more < GOOD_PART * fit.model.backbone_parameters):
        return None
    if not all(step.finite for step in fit.steps):
        return None
    return Evidence(
        source="probe",
        summary=(
            f"{more:,} parameters of the backbone were unfrozen after the fit before; in "
            f"{len(fit.steps)} steps not one of its kernels changed"
        ),
        measured=(
            Measurement(name="backbone_change", value=0.0, n=len(fit.steps)),
            Measurement(name="backbone_trainable", value=fit.model.backbone_trainable),
        ),
    )


def _moved(fit: FitSeen, before: FitSeen | None, late: _Late | None) -> Evidence | None:
    """Freezing stopped nothing: kernels that are not trainable changed."""
    change = fit.backbone_change or 0.0
    if fit.model.backbone_trainable or change <= 0.0 or not fit.model.backbone_parameters:
        return None
    if before is None and late is None:
        return None
    if before is not None and not before.model.backbone_trainable:
        return None
    return Evidence(
        source="probe",
        summary=(
            f"the backbone is frozen, and its kernels still changed by {change:.2%} in "
            f"{len(fit.steps)} steps"
        ),
        measured=(
            Measurement(name="backbone_change", value=change, threshold=0.0, n=len(fit.steps)),
            Measurement(name="backbone_trainable", value=0),
        ),
    )


def _finding(
    case: Case,
    found: _Late | Fit | None,
    severity: Severity,
    confidence: Confidence,
    evidence: tuple[Evidence, ...],
) -> Finding:
    late = found if isinstance(found, _Late) else None
    fit = late.fit if late else found if isinstance(found, Fit) else None
    if late is not None:
        done = "unfrozen" if late.change.value else "frozen"
        summary = (
            f"`{late.change.target}` is {done} after the last compile, and the fit at line "
            f"{late.fit.call.site.line} goes on without another"
        )
        evidence = (Evidence(source="static", summary=summary), *evidence)
    remedy = None
    if fit is not None:
        remedy = Remedy(
            codemod="recompile",
            summary="compile again before this fit",
            edits={case.program.path: {"fit": position(fit.call.site)}},
            review="careful",
        )
    return Finding(
        severity=severity,
        confidence=confidence,
        site=late.change.site if late else fit.call.site if fit else None,
        evidence=evidence,
        explains=explained(case, "slow-learning", "flat-loss") if evidence else (),
        remedy=remedy,
        advice=_ADVICE,
    )


_SICK = """\
import keras

base = keras.applications.MobileNetV2(include_top=False, pooling="avg")
base.trainable = False
inputs = keras.Input((96, 96, 3))
outputs = keras.layers.Dense(5, activation="softmax")(base(inputs, training=False))
model = keras.Model(inputs, outputs)
model.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy")
model.fit(train, epochs=5)

base.trainable = True  # fine-tune
model.fit(train, epochs=5)
"""

_COMPILED = """\
base.trainable = True  # fine-tune
model.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy")
"""

CAUSE = CauseSpec(
    id="freeze-without-compile",
    code="TL404",
    title="trainable is changed without the compile that makes it count",
    what=(
        "Layers are frozen or unfrozen after a `fit`, and the next `fit` runs without another "
        "`compile`."
    ),
    why=(
        "Keras collects what it trains once. With Keras 3.15, layers unfrozen between two fits did "
        "not move at all, and layers frozen there went on training. A change between `compile` and "
        "the first `fit` does count on Keras 3; on Keras 2 what counts is the state at `compile`."
    ),
    sources=("https://keras.io/guides/transfer_learning/",),
    find=_find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace("base.trainable = True  # fine-tune\n", _COMPILED),
        cured=_SICK.replace("base.trainable = True  # fine-tune\n", _COMPILED),
    ),
)
