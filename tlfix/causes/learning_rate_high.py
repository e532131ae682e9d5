"""TL501: the learning rate is too high for what is trained."""

from __future__ import annotations

from collections.abc import Iterator

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding
from tlfix.evidence import harm, holders, rates, tuning
from tlfix.evidence.edits import explained
from tlfix.findings import Confidence, Evidence, Measurement, Severity
from tlfix.probe.trace import FitSeen, RangeTest, Trace
from tlfix.program.model import Compile, Program

ABSURD_OPEN = {"sgd": 1.0}
ABSURD_OPEN_OTHER = 0.01
"""From these rates on a pretrained backbone that trains is named without a measurement: a hundred
times what keras.io/guides/transfer_learning uses, and far above every default."""

ABSURD = {"sgd": 10.0}
ABSURD_OTHER = 0.1
"""The same for a head alone: a hundred times the default of Adam and its kin."""

_ADVICE = "lower the learning rate"

_EXPLAINS = (
    "loss-not-finite",
    "loss-diverging",
    "unstable-loss",
    "chance-accuracy",
    "chance-validation",
    "zero-accuracy",
    "single-class-predictions",
    "flat-loss",
    "slow-learning",
    "mode-gap",
    "feature-collapse",
)


def _find(case: Case) -> Iterator[Finding]:
    tested = False
    if case.trace is not None:
        for fit in case.trace.fits:
            if fit.range_test is not None:
                tested = True
                yield from _measured(case, case.trace, fit, fit.range_test)
    if not tested:
        yield from _read(case.program, case.trace)


def _read(program: Program, trace: Trace | None) -> Iterator[Finding]:
    """From the source only a rate that no recipe uses."""
    for compiled in holders.compiles_in_use(program, trace):
        family, rate = tuning.rate_of(compiled)
        if family not in tuning.FAMILIES or rate is None or compiled.learning_rate is None:
            continue
        trains = [
            backbone
            for backbone in program.backbones
            if isinstance(backbone.weights, str)
            and tuning.in_a_model(backbone)
            and holders.holds(program, compiled, backbone)
            and tuning.freezing(program, backbone, compiled.call.site) in ("open", "partial")
        ]
        limit = (
            ABSURD_OPEN.get(family, ABSURD_OPEN_OTHER)
            if trains
            else ABSURD.get(family, ABSURD_OTHER)
        )
        if rate < limit:
            continue
        what = f"{trains[0].architecture} and its head" if trains else "the model"
        evidence = Evidence(
            source="static",
            summary=f"{family} trains {what} at a rate of {rate:g}",
            measured=(Measurement(name="learning_rate", value=rate, threshold=limit),),
        )
        new = tuning.low_rate(family) if trains else tuning.default_rate(family)
        yield _finding(program, compiled, "warning", "possible", (evidence,), _EXPLAINS, new)


def _measured(case: Case, trace: Trace, fit: FitSeen, test: RangeTest) -> Iterator[Finding]:
    better = rates.too_high(test)
    if better is None:
        return
    severity: Severity = "error" if better.diverged else "warning"
    confidence: Confidence = "certain" if better.diverged else "likely"
    backbone = trace.backbone_of(fit)
    if harm.door_is_wrong(fit, backbone) and not test.corrected:
        # Images on the wrong scale make every rate look too high: that cause comes first.
        severity, confidence = "note", "possible"
    elif _staging_first(fit, test.current):
        severity = "note"
    elif harm.reaches_reference(fit):
        # A linear head can name the right class while its loss is beyond all bounds.
        severity = "warning" if better.diverged else "note"
    compiled = tuning.static_compile(case.program, fit)
    explains = explained(case, *_EXPLAINS) if severity != "note" else ()
    scheduled = bool(fit.compiled and fit.compiled.scheduled) or tuning.scheduled(case.program)
    yield _finding(
        case.program,
        compiled,
        severity,
        confidence,
        (better.evidence,),
        explains,
        None if scheduled else better.rate,
        f"the rate follows a schedule: lower its start to about {better.rate:g}"
        if scheduled
        else f"set the learning rate to about {better.rate:g}",
    )


def _staging_first(fit: FitSeen, current: float) -> bool:
    """True if an ordinary rate is too high only because the backbone trains with a fresh head."""
    name = (fit.compiled.optimizer or "").lower() if fit.compiled else ""
    ordinary = current <= tuning.default_rate(name)
    return ordinary and harm.backbone_trains(fit) and harm.head_is_fresh(fit)


def _finding(
    program: Program,
    compiled: Compile | None,
    severity: Severity,
    confidence: Confidence,
    evidence: tuple[Evidence, ...],
    explains: tuple[str, ...],
    new: float | None,
    advice: str = _ADVICE,
) -> Finding:
    site = tuning.rate_site(compiled)
    remedy = tuning.set_rate(program, compiled, new)
    return Finding(severity, confidence, site, evidence, explains, remedy, advice)


_SICK = """\
from tensorflow.keras.applications import VGG16
from tensorflow.keras.layers import Dense
from tensorflow.keras.models import Sequential
from tensorflow.keras.optimizers import Adam

base = VGG16(include_top=False, pooling="avg")
base.trainable = False
model = Sequential([base, Dense(10, activation="softmax")])
model.compile(Adam(learning_rate=0.5), loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train_ds, validation_data=val_ds, epochs=5)
"""

CAUSE = CauseSpec(
    id="learning-rate-high",
    code="TL501",
    title="The learning rate is too high",
    what="At the program's rate the loss rises, or falls far less than at a lower rate.",
    why=(
        "Steps that are too long jump over the minimum, and in a pretrained network they overwrite "
        "the weights it was taken for. A range test compares short runs from the same weights."
    ),
    sources=(
        "https://arxiv.org/abs/1506.01186",
        "https://keras.io/guides/transfer_learning/",
    ),
    find=_find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace("0.5", "3e-4"),
        cured=_SICK.replace("0.5", "0.001"),
    ),
)
