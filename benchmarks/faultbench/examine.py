"""One program through diagnosis, repair and full training; the record of it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.faultbench.programs import Program, base_text, programs
from benchmarks.faultbench.records import Record
from benchmarks.faultbench.training import Training, train
from benchmarks.faultbench.workspace import Workspace
from tlfix.api import DiagnoseResult, Options, apply, diagnose
from tlfix.findings import Cause
from tlfix.repair.errors import RepairError

SEEDS = (0, 1)
"""Of full trainings. A healthy base is its mean over all of them."""
REPAIRED, CLOSE = 0.95, 0.85
"""Share of the healthy base's accuracy that is a repair; from CLOSE on, a second seed decides."""


@dataclass(frozen=True)
class Effort:
    """What a run spends on each program.

    ``repair`` is ``trials`` (each fix verified by reruns, as ``tlfix apply`` does), ``direct``
    (every fix applied, and judged by the full training that follows alone) or ``none``.
    """

    repair: str
    steps: int = 90
    seconds: float = 40.0
    seeds: int = 3


def examine(workspace: Workspace, program: Program, effort: Effort, tlfix: str) -> Record:
    """Everything that is measured of one program."""
    record: Record = {
        "id": program.id,
        "tlfix": tlfix,
        "program": program.digest,
        "mode": effort.repair,
        "threads": os.environ.get("TF_NUM_INTRAOP_THREADS", "all"),
        **program.truth,
    }
    options = Options(steps=effort.steps, budget_seconds=effort.seconds, timeout=300.0)
    with workspace.project(program) as script:
        began = time.monotonic()
        try:
            result = diagnose(script, options, keep=False)
        except Exception as error:  # a defect of tlfix is a result like any other
            return {**record, "failure": f"{type(error).__name__}: {error}"[:500], "causes": []}
        record |= _diagnosed(result, time.monotonic() - began)
        if effort.repair != "none":
            record |= _trained(workspace, program, script, result)
            script.write_text(program.text, encoding="utf-8")
            if not program.healthy:
                record["repair"] = _repaired(workspace, program, script, result, effort, options)
    return record


def healthy_accuracy(workspace: Workspace, base: str) -> float | None:
    """The healthy base's validation accuracy, mean over the seeds; trained where not yet known."""
    program = next(each for each in programs() if each.id == base)
    with workspace.project(program) as script:
        runs = [train(workspace, program, base_text(base), seed, script) for seed in SEEDS]
    values = [run.accuracy for run in runs if run.accuracy is not None]
    return fmean(values) if len(values) == len(SEEDS) else None


def _diagnosed(result: DiagnoseResult, seconds: float) -> Record:
    found = result.diagnosis
    return {
        "verdict": found.verdict,
        "status": found.probe.status,
        "reason": found.probe.reason,
        "causes": [_cause(each) for each in found.causes],
        "symptoms": [symptom.id for symptom in found.symptoms],
        "seconds": round(seconds, 2),
        "steps": found.probe.steps,
        "achieved": result.achieved,
        "device": found.environment.device,
    }


def _cause(found: Cause) -> dict[str, Any]:
    place = found.location
    return {
        "id": found.id,
        "rank": found.rank,
        "severity": found.severity,
        "line": place.line if place else None,
        "fix": found.fix.codemod if found.fix else None,
    }


def _trained(
    workspace: Workspace, program: Program, script: Path, result: DiagnoseResult
) -> Record:
    """The program as it is, trained in full, and its own time for the steps that the probe took."""
    alone = train(workspace, program, program.text, SEEDS[0], script)
    steps = [len(fit.steps) for fit in result.trace.fits] if result.trace else []
    return {
        "accuracy": alone.accuracy,
        "error": alone.error,
        "bare_seconds": round(alone.seconds_for(steps), 2),
    }


def _repaired(
    workspace: Workspace,
    program: Program,
    script: Path,
    result: DiagnoseResult,
    effort: Effort,
    options: Options,
) -> Record:
    began = time.monotonic()
    try:
        repair = apply(
            script,
            result,
            options,
            mode="in-place",
            verify=effort.repair == "trials",
            seeds=effort.seeds,
        )
    except RepairError as error:
        return {"failure": str(error)[:500], "changed": False, "applied": [], "rejected": []}
    except Exception as error:  # a defect of tlfix is a result like any other
        what = f"{type(error).__name__}: {error}"[:500]
        return {"failure": what, "changed": False, "applied": [], "rejected": []}
    rejected = {each.cause: each.reason for each in repair.rejected}
    causes = [c.id for c in result.diagnosis.causes if c.fix and c.severity != "note"]
    tried = list(dict.fromkeys(causes))
    record: Record = {
        "changed": bool(repair.diff),
        "applied": [id_ for id_ in tried if repair.diff and id_ not in rejected],
        "rejected": [{"cause": id_, "reason": why[:300]} for id_, why in rejected.items()],
        "decision": repair.verification.decision if repair.verification else None,
        "tries": max(len(tried), 1),
        "seconds": round(time.monotonic() - began, 2),
    }
    if repair.diff:
        patched = script.read_text(encoding="utf-8")
        record |= _judged(workspace, program, script, patched)
    return record


def _judged(workspace: Workspace, program: Program, script: Path, patched: str) -> Record:
    """The patched program trained in full, against the healthy base."""
    healthy = healthy_accuracy(workspace, program.base)
    runs: list[Training] = []
    for seed in SEEDS:
        runs.append(train(workspace, program, patched, seed, script))
        ratio = _ratio(runs, healthy)
        if ratio is None or not CLOSE <= ratio < REPAIRED:
            break
    ratio = _ratio(runs, healthy)
    return {
        "accuracies": [run.accuracy for run in runs],
        "error": next((run.error for run in runs if run.error), None),
        "healthy": healthy,
        "reached": ratio is not None and ratio >= REPAIRED,
    }


def _ratio(runs: list[Training], healthy: float | None) -> float | None:
    values = [run.accuracy for run in runs]
    if not healthy or any(value is None for value in values):
        return None
    return fmean(value for value in values if value is not None) / healthy
