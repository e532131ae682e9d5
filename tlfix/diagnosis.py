"""From a program and what the probe measured of it to a diagnosis."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from tlfix.causes.spec import Case, CauseSpec
from tlfix.findings import (
    Cause,
    Diagnosis,
    EnvironmentSeen,
    ProbeSummary,
    Reference,
    Script,
    Symptom,
    Verdict,
)
from tlfix.probe.trace import BackboneSeen, FitSeen, LinearProbe, Trace
from tlfix.program.model import Program
from tlfix.ranking import Ranked, examine, rank
from tlfix.symptoms.chance_accuracy import features_lead
from tlfix.symptoms.history import FEW_STEPS, History, correct, histories, reference
from tlfix.symptoms.registry import measure_all

__all__ = ["Ranked", "diagnose", "exit_code", "rank"]


def diagnose(
    program: Program,
    source_sha256: str,
    trace: Trace | None,
    texts: Mapping[str, str],
    *,
    specs: Iterable[CauseSpec] | None = None,
    strict: bool = False,
) -> tuple[Diagnosis, tuple[Ranked, ...]]:
    """Measure the symptoms, rank the causes, and say what it comes to.

    Args:
        program: the static reading of the script.
        source_sha256: the hash of the script's bytes, by which a later ``apply`` knows it again.
        trace: what the probe recorded; None if it did not run.
        texts: the source of every file of the program, by path.
        specs: the causes to look for; all there are by default.
        strict: see :func:`tlfix.ranking.examine`.
    """
    symptoms = measure_all(trace) if trace else {}
    ranking = examine(Case(program, trace, symptoms), texts, specs=specs, strict=strict)
    causes = tuple(item.cause for item in ranking.ranked)
    unexplained = _unexplained(symptoms.values(), causes)
    verdict, reason = _verdict(trace, causes, unexplained)
    diagnosis = Diagnosis(
        verdict=verdict,
        script=Script(
            path=program.path,
            kind="notebook" if program.path.endswith(".ipynb") else "python",
            sha256=source_sha256,
        ),
        environment=EnvironmentSeen(
            **(trace.environment.model_dump() if trace and trace.environment else {})
        ),
        probe=_summary(trace),
        reference=_reference(trace),
        symptoms=tuple(symptoms.values()),
        causes=causes,
        notes=tuple(
            dict.fromkeys(
                (*reason, *_notes(trace), *map(_open_question, unexplained), *ranking.notes)
            )
        ),
        timings=dict(trace.timings) if trace else {},
    )
    return diagnosis, ranking.ranked


def exit_code(diagnosis: Diagnosis) -> int:
    """0 healthy, 1 causes found, 3 the script could not be probed or never trained anything.

    A crash that a cause of severity error explains is a cause found.
    """
    probe = diagnosis.probe
    proven = any(cause.severity == "error" for cause in diagnosis.causes)
    if probe.status != "completed" and probe.fits == 0 and not proven:
        return 3
    if any(cause.severity != "note" for cause in diagnosis.causes):
        return 1
    return 0 if probe.status == "completed" and probe.fits else 3


def _verdict(
    trace: Trace | None, causes: Collection[Cause], unexplained: Collection[Symptom]
) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict, and what would be needed for one, or was not seen for it."""
    if trace is not None and trace.status == "crashed":
        return "crashed", ()
    if any(cause.severity != "note" for cause in causes):
        return "sick", ()
    if trace is None or trace.status == "skipped":
        return "inconclusive", ("The script was not run: learning was not measured.",)
    if trace.status == "timed-out":
        when = "" if trace.fits else " before any training was seen"
        return "inconclusive", (
            f"The probe ran out of time{when}: give it more, or let the script use less data.",
        )
    if not trace.fits:
        return "inconclusive", (
            "The script ended without any training call that tlfix can see: no fit, "
            "train_on_batch or optimizer step was reached.",
        )
    seen = histories(trace)
    if not seen and not _missing(trace):
        return "inconclusive", ("No training step was seen.",)
    if short := [history for history in seen if not _enough(history)]:
        return "inconclusive", (
            f"Only {short[0].steps} training steps were seen: too few to judge learning, "
            f"{FEW_STEPS} are needed.",
        )
    if behind := [reason for history in seen if (reason := _far_behind(history))]:
        return "inconclusive", (behind[0],)
    if _missing(trace) or any(symptom.severity == "error" for symptom in unexplained):
        return "inconclusive", ()
    return "healthy", tuple(_unseen(trace.fits[-1]))


def _unseen(fit: FitSeen) -> Iterable[str]:
    """What a healthy verdict does not rest on, though a reader would think so."""
    judged, data = fit.evaluation("validation"), fit.validation
    if data is None and judged is None:
        yield (
            "No validation data: tlfix saw none in the last training, so only training images "
            "were judged."
        )
        judged, data = fit.evaluation("training"), fit.training
    if judged is None or judged.accuracy is None:
        kind = data.label_kind if data else "none"
        why = (
            f"the labels are {kind}, not one class per image"
            if kind in ("continuous", "multi-hot", "soft")
            else "no predictions could be held against labels"
        )
        yield f"Accuracy was not measured: {why}, so only the loss was judged."


def _enough(history: History) -> bool:
    """True if the training was long enough to judge, or has plainly succeeded already."""
    if history.steps >= FEW_STEPS:
        return True
    evaluation = history.after("validation") or history.after("training")
    return (
        evaluation is not None
        and history.above_chance(evaluation)
        and history.reference is not None
        and (evaluation.accuracy or 0.0) >= history.reference.accuracy - 0.10
    )


def _far_behind(history: History) -> str | None:
    """Why a model that made less than half of the way its features allow is not called healthy."""
    evaluation = history.after("validation") or history.after("training")
    probe = history.reference
    if evaluation is None or probe is None or not history.representative(evaluation):
        return None
    chance = history.baseline(evaluation) or 0.0
    reached = evaluation.accuracy or 0.0
    if reached >= chance + 0.5 * (probe.accuracy - chance) or not features_lead(
        history, correct(evaluation), evaluation.n
    ):
        return None
    return (
        f"{evaluation.split.capitalize()} accuracy is {reached:.2f} after {history.steps} steps "
        f"where the features allow {probe.accuracy:.2f}: too far behind to be called healthy, too "
        "early to be called a fault. More steps (--steps) would tell."
    )


def _unexplained(symptoms: Iterable[Symptom], causes: Iterable[Cause]) -> tuple[Symptom, ...]:
    explained = {id_ for cause in causes if cause.severity != "note" for id_ in cause.explains}
    return tuple(symptom for symptom in symptoms if symptom.id not in explained)


def _open_question(symptom: Symptom) -> str:
    if symptom.id == "crash":
        return "No cause that tlfix knows explains the crash."
    return f"No cause that tlfix knows explains {symptom.id}: {symptom.summary}."


def _missing(trace: Trace) -> list[BackboneSeen]:
    """The backbones that a fit trained without the pretrained weights it asked for."""
    used = {key for fit in trace.fits for key in fit.model.backbones}
    return [b for b in trace.backbones if b.key in used and b.weights_status == "missing"]


def _notes(trace: Trace | None) -> Iterable[str]:
    if trace is None:
        return
    for backbone in _missing(trace):
        yield (
            f"The pretrained weights of {backbone.name} could not be had and random ones took "
            "their place: learning cannot be judged, only shapes, labels and calls."
        )
    yield from trace.notes
    for fit in trace.fits:
        yield from fit.notes


def _summary(trace: Trace | None) -> ProbeSummary:
    if trace is None:
        return ProbeSummary(status="skipped", reason="static reading only")
    return ProbeSummary(
        status=trace.status,
        reason=trace.reason,
        fits=len(trace.fits),
        steps=trace.steps,
        seconds=trace.seconds,
        seed=trace.seed,
    )


def _reference(trace: Trace | None) -> Reference:
    if trace is None:
        return Reference()
    for fit in reversed(trace.fits):
        backbone = trace.backbone_of(fit)
        if backbone is not None and backbone.weights_status == "missing":
            continue
        if (probe := reference((fit,))) is not None:
            return Reference(
                accuracy=probe.accuracy, chance=probe.chance, method=_method(probe, backbone)
            )
    for history in histories(trace):
        evaluation = history.after("validation") or history.after("training")
        if evaluation is not None:
            return Reference(chance=history.baseline(evaluation))
    return Reference()


def _method(probe: LinearProbe, backbone: BackboneSeen | None) -> str:
    count = f"{probe.features} features" if probe.features else "the features"
    name = f" of {backbone.name}" if backbone else ""
    scaled = "scaled as the program does"
    if probe.scaling == "expected":
        module = backbone.module if backbone else None
        by = f"{module}.preprocess_input does" if module else "the backbone expects"
        scaled = f"scaled as {by}"
    return (
        f"ridge classifier on {count}{name}, {probe.training} training and {probe.validation} "
        f"validation images, {scaled}"
    )
