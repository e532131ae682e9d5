"""TL313: every fold of a cross-validation goes on training the same model."""

from __future__ import annotations

from collections.abc import Iterator

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence import folds, tuning
from tlfix.evidence.edits import position
from tlfix.evidence.folds import Folds
from tlfix.evidence.harm import ALPHA, lower
from tlfix.findings import Confidence, Evidence, Measurement
from tlfix.probe.trace import DataSeen, FitSeen, Trace
from tlfix.program.model import Fit, Program

_ADVICE = (
    "build and compile the model inside the loop, or load its initial weights at the start of each "
    "fold"
)


def _find(case: Case) -> Iterator[Finding]:
    program, trace = case.program, case.trace
    chains = list(_chains(trace)) if trace is not None else []
    for fit in program.fits:
        loop = folds.reused(program, fit)
        own = [seen for seen in trace.fits if _is(program, seen, fit)] if trace else []
        chain = next((c for c in chains if c[0] in own), None)
        if loop is not None and (len(own) < 2 or chain is not None):
            yield _finding(program, fit, loop, chain)
        elif loop is None and chain is not None and _partitions(chain):
            yield _finding(program, fit, None, chain)


def _is(program: Program, seen: FitSeen, fit: Fit) -> bool:
    static = tuning.static_fit(program, seen)
    return static is not None and static.call.site == fit.call.site


def _chains(trace: Trace) -> Iterator[tuple[FitSeen, FitSeen]]:
    """Two fits from one place, the second on the weights the first left: the first such pair."""
    by_index = {fit.index: fit for fit in trace.fits}
    for fit in trace.fits:
        before = by_index.get(fit.continues) if fit.continues is not None else None
        if (
            before is not None
            and fit.site is not None
            and before.site == fit.site
            and before.model.key == fit.model.key
        ):
            yield before, fit


def _partitions(chain: tuple[FitSeen, FitSeen]) -> bool:
    """True if the two fits split one set of arrays in two ways, as folds do.

    Epoch by epoch in a loop, growing images, or chunks of data are no folds: there, the validation
    data stay the same, or the number of images in both parts together changes.
    """
    one, other = chain
    parts = (one.training, one.validation, other.training, other.validation)
    known = [part for part in parts if part is not None and part.samples]
    if len(known) < 4 or any(part.kind != "arrays" for part in known):
        return False
    first, second = _total(known[:2]), _total(known[2:])
    held, held_again = known[1], known[3]
    return (
        first == second
        and known[0].input_shape == known[2].input_shape
        and bool(held.order)
        and (held.order, held.histogram) != (held_again.order, held_again.histogram)
        and known[0].histogram_of == "all"
        and _classes(known[:2]) == _classes(known[2:])
    )


def _total(parts: list[DataSeen]) -> int:
    return sum(part.samples or 0 for part in parts)


def _classes(parts: list[DataSeen]) -> dict[int, int]:
    """Images per class in both parts together: the same in every fold."""
    total: dict[int, int] = {}
    for part in parts:
        for label, count in (part.histogram or {}).items():
            total[label] = total.get(label, 0) + count
    return total


def _finding(
    program: Program, fit: Fit, loop: Folds | None, chain: tuple[FitSeen, FitSeen] | None
) -> Finding:
    evidence: list[Evidence] = []
    if loop is not None:
        summary = (
            f"`{fit.model}` is built outside the loop over the folds of {loop.splitter} "
            f"(line {loop.line}) and trained in each of them"
        )
        evidence.append(Evidence(source="static", summary=summary))
    if chain is not None:
        evidence.append(_continued(*chain))
    confidence: Confidence = "certain" if loop and chain else "likely"
    remedy = None
    if loop is not None:
        remedy = Remedy(
            codemod="build_in_loop",
            summary="build the model anew in each fold",
            edits={program.path: {"fit": position(fit.call.site), "loop": loop.start}},
            review="careful",
        )
    return Finding(
        severity="warning",
        confidence=confidence,
        site=fit.call.site,
        evidence=tuple(evidence),
        remedy=remedy,
        advice=_ADVICE,
    )


def _continued(one: FitSeen, other: FitSeen) -> Evidence:
    """The second fold starts from the first one's weights; what it knows before it is trained."""
    summary = "the second fold starts with the weights that the first one ended with"
    fresh = one.evaluation("validation", when="before")
    known = other.evaluation("validation", when="before")
    measured: tuple[Measurement, ...] = ()
    if fresh and known and fresh.accuracy is not None and known.accuracy is not None:
        p = lower(known.accuracy, known.n, fresh.accuracy, fresh.n)
        if p < ALPHA:
            summary += (
                f": it gets {known.accuracy:.0%} of its validation images right before any "
                f"training of its own, the first fold {fresh.accuracy:.0%}"
            )
        measured = (
            Measurement(
                name="before_second_fold",
                value=known.accuracy,
                threshold=fresh.accuracy,
                n=known.n,
            ),
            Measurement(name="p", value=p, threshold=ALPHA),
        )
    return Evidence(source="probe", summary=summary, measured=measured)


_SICK = """\
import keras
from sklearn.model_selection import KFold


def build():
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(5, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


model = build()
for train, test in KFold(5, shuffle=True).split(x):
    model.fit(x[train], y[train], validation_data=(x[test], y[test]), epochs=5)
"""

_CURED = """\
import keras
from sklearn.model_selection import KFold


def build():
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(5, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


for train, test in KFold(5, shuffle=True).split(x):
    model = build()
    model.fit(x[train], y[train], validation_data=(x[test], y[test]), epochs=5)
"""

CAUSE = CauseSpec(
    id="cross-validation-reuse",
    code="TL313",
    title="Cross-validation trains one model through all folds",
    what=(
        "The model is built before the loop over the folds, so that each `fit` goes on with the "
        "weights of the fold before."
    ),
    why=(
        "From the second fold on, the images held out for validation were training images of an "
        "earlier fold. The scores rise from fold to fold and tell nothing about new images; `fit` "
        "never resets weights."
    ),
    sources=(
        "https://keras.io/api/models/model_training_apis/#fit-method",
        "https://scikit-learn.org/stable/modules/cross_validation.html",
    ),
    find=_find,
    examples=Examples(sick=_SICK, healthy=_CURED, cured=_CURED),
)
