"""A small program with three places to mend, and trials whose outcome is a function of its text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tlfix.causes.spec import CauseSpec, Examples, Finding, Remedy
from tlfix.codemods import Position
from tlfix.findings import Cause, Confidence, Evidence, Measurement, Severity
from tlfix.probe.trace import Crash, DataSeen, Evaluation, FitSeen, ModelSeen, Place, Trace
from tlfix.ranking import Ranked
from tlfix.repair.executors import Slot
from tlfix.repair.trials import Run, Trial

PROGRAM = """\
# three calls, each wrong while its argument is 0
scale(rate=0)
freeze(rate=0)
learn(rate=0)
"""
LINES = {"scale": 2, "freeze": 3, "learn": 4}


def ranked(
    name: str,
    path: Path | str,
    *,
    line: int | None = None,
    severity: Severity = "warning",
    confidence: Confidence = "likely",
    fixed: bool = True,
) -> Ranked:
    """The cause ``name``: the call of that name, mended by ``rate=1`` (the real codemod)."""
    call = Position(LINES.get(name, 1) if line is None else line, 0)
    edit = {"call": call, "keyword": "rate", "index": None, "value": "1"}
    remedy = Remedy("set_argument", f"Set the rate of {name} to 1", {str(path): {"edits": [edit]}})
    measured = Measurement(name="rate", value=0.0, threshold=0.5, n=32)
    evidence = (Evidence(source="static", summary=f"{name} has rate 0", measured=(measured,)),)
    cause = Cause(
        id=name,
        code="TL999",
        rank=1,
        severity=severity,
        confidence=confidence,
        title=f"The rate of {name} is 0",
        location=None,
        evidence=evidence,
    )
    finding = Finding(
        severity,
        confidence,
        None,
        evidence,
        remedy=remedy if fixed else None,
        advice=None if fixed else "set it by hand",
    )
    examples = Examples(sick="", healthy="")
    spec = CauseSpec(name, "TL999", "", "", "", (), lambda case: (), examples)
    return Ranked(cause, finding, spec, None)


def scored(accuracy: float, n: int = 400) -> Trace:
    """A trial that finished."""
    evaluation = Evaluation(
        split="validation", mode="inference", when="after", n=n, accuracy=accuracy
    )
    fit = FitSeen(
        index=0,
        model=ModelSeen(key=0, kind="functional"),
        training=DataSeen(split="training", kind="array"),
        evaluations=(evaluation,),
    )
    return Trace(status="completed", fits=(fit,))


def crashed(message: str, line: int | None = None, path: str = "") -> Trace:
    """A trial that did not."""
    site = None if line is None else Place(path=path, line=line)
    return Trace(status="crashed", crash=Crash(type="TypeError", message=message, site=site))


class World:
    """Trials of programs that behave as ``outcome`` says: from (fixed calls, seed) to a trace."""

    def __init__(self, outcome: Callable[[frozenset[str], int], Trace]) -> None:
        self._outcome = outcome
        self.trials: list[tuple[frozenset[str], int]] = []

    @property
    def run(self) -> Run:
        return self._run

    def _run(self, trial: Trial, slot: Slot) -> Trace:
        text = "".join(trial.texts.values())
        fixed = frozenset(name for name in LINES if f"{name}(rate=1)" in text)
        self.trials.append((fixed, trial.seed))
        return self._outcome(fixed, trial.seed)


def gains(base: float = 0.4, **gain: float) -> World:
    """Each fix adds its gain, whatever else is fixed; seeds differ by ±0.01."""

    def outcome(fixed: frozenset[str], seed: int) -> Trace:
        noise = (0.0, 0.01, -0.01)[seed % 3]
        return scored(base + noise + sum(gain.get(name, 0.0) for name in fixed))

    return World(outcome)
