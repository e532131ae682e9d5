"""TL502: the learning rate is so low that nothing moves."""

from __future__ import annotations

from collections.abc import Iterator

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding
from tlfix.evidence import harm, holders, rates, tuning
from tlfix.evidence.edits import explained
from tlfix.findings import Confidence, Evidence, Measurement, Severity
from tlfix.probe.trace import FitSeen, RangeTest, Trace
from tlfix.program.model import Compile, Program

TINY = 1e-6
"""Below this rate a step of Adam changes a weight by less than a millionth (Kingma & Ba 2014,
arXiv:1412.6980, section 2.1: a step is about as long as the rate); recipes end at 1e-5."""

_EXPLAINS = ("flat-loss", "slow-learning", "chance-accuracy", "chance-validation", "zero-accuracy")


def _find(case: Case) -> Iterator[Finding]:
    tested = False
    if case.trace is not None:
        # A second stage is slow on purpose: only the first fit of a model is held to a range test.
        for fit in tuning.first_fits(case.trace):
            if fit.range_test is not None:
                tested = True
                yield from _measured(case, case.trace, fit, fit.range_test)
    if not tested:
        yield from _read(case.program, case.trace)


def _read(program: Program, trace: Trace | None) -> Iterator[Finding]:
    for compiled in holders.compiles_in_use(program, trace):
        family, rate = tuning.rate_of(compiled)
        if family not in tuning.FAMILIES or rate is None or not 0 < rate < TINY:
            continue
        frozen = any(
            tuning.freezing(program, backbone, compiled.call.site) == "frozen"
            for backbone in program.backbones
            if holders.holds(program, compiled, backbone)
        )
        new = tuning.default_rate(family) if frozen else tuning.low_rate(family)
        evidence = Evidence(
            source="static",
            summary=f"{family} trains at a rate of {rate:g}",
            measured=(Measurement(name="learning_rate", value=rate, threshold=TINY),),
        )
        advice = f"raise the learning rate, to about {new:g}"
        yield _finding(
            program, compiled, "warning", "possible", (evidence,), _EXPLAINS, new, advice
        )


def _measured(case: Case, trace: Trace, fit: FitSeen, test: RangeTest) -> Iterator[Finding]:
    better = rates.too_low(test, rates.planned_steps(fit))
    if better is None:
        return
    severity: Severity = "warning"
    confidence: Confidence = "likely"
    misread = harm.door_is_wrong(fit, trace.backbone_of(fit)) and not test.corrected
    if misread or _second_stage(trace, fit):
        severity, confidence = "note", "possible"
    elif harm.reaches_reference(fit):
        severity = "note"
    scheduled = bool(fit.compiled and fit.compiled.scheduled) or tuning.scheduled(case.program)
    yield _finding(
        case.program,
        tuning.static_compile(case.program, fit),
        severity,
        confidence,
        (better.evidence,),
        explained(case, *_EXPLAINS) if severity != "note" else (),
        None if scheduled else better.rate,
        f"the rate follows a schedule: raise it to about {better.rate:g}"
        if scheduled
        else f"raise the learning rate, to about {better.rate:g}",
    )


def _second_stage(trace: Trace, fit: FitSeen) -> bool:
    """True if the backbone trains after the head was trained: that is slow on purpose."""
    trained_before = holders.continues(trace, fit) or not harm.head_is_fresh(fit)
    return fit.model.backbone_trainable > 0 and trained_before


def _finding(
    program: Program,
    compiled: Compile | None,
    severity: Severity,
    confidence: Confidence,
    evidence: tuple[Evidence, ...],
    explains: tuple[str, ...],
    new: float | None,
    advice: str,
) -> Finding:
    site = tuning.rate_site(compiled)
    remedy = tuning.set_rate(program, compiled, new)
    return Finding(severity, confidence, site, evidence, explains, remedy, advice)


_SICK = """\
import tensorflow as tf

base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg")
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(4, activation="softmax")])
model.compile(
    optimizer=tf.keras.optimizers.Adam(learning_rate=1e-8),  # slow and careful
    loss="sparse_categorical_crossentropy",
)
model.fit(train_ds, epochs=10)
"""

CAUSE = CauseSpec(
    id="learning-rate-low",
    code="TL502",
    title="The learning rate is too low",
    what="At the program's rate the loss stays where it starts, and at a higher one it falls.",
    why=(
        "The way a weight can go is about the rate times the number of steps. A rate so low that "
        "all the epochs together do not lead away from the random head learns nothing."
    ),
    sources=("https://arxiv.org/abs/1506.01186", "https://arxiv.org/abs/1412.6980"),
    find=_find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace("1e-8", "1e-3"),
        cured=_SICK.replace("1e-8", "0.001"),
    ),
)
