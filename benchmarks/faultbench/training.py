"""Training a program in full, outside the probe: what it reaches when left alone."""

from __future__ import annotations

import ast
import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

from benchmarks.faultbench.programs import Program
from benchmarks.faultbench.workspace import Workspace

HARNESS = Path(__file__).with_name("harness.py")
TIMEOUT = 600.0  # seconds; the slowest base takes about thirty on two quiet cores
SCORED_BY_MEAN = frozenset({"kfold"})
"""Bases whose result is the mean over all fits, not the last fit."""


@dataclass(frozen=True)
class Fit:
    """One call of ``fit``; seconds since the process began, ``ends`` of each step."""

    began: float
    ended: float
    ends: tuple[float, ...]
    accuracy: float | None


@dataclass(frozen=True)
class Training:
    """One run of a program with one seed. ``accuracy`` is None where it crashed or logged none."""

    accuracy: float | None
    seconds: float
    error: str | None
    fits: tuple[Fit, ...]

    def seconds_for(self, steps: Sequence[int]) -> float:
        """Wall seconds of the same program had it taken only the first ``steps[i]`` of each fit.

        What is outside of ``fit`` counts in full, and so does a fit that was wanted to its end.
        """
        total = self.seconds
        for index, fit in enumerate(self.fits):
            wanted = steps[index] if index < len(steps) else 0
            if wanted < len(fit.ends):
                reached = fit.ends[wanted - 1] if wanted else fit.began
                total -= fit.ended - reached
        return total


def train(workspace: Workspace, program: Program, text: str, seed: int, script: Path) -> Training:
    """Train ``text`` (the program or a patch of it) in the project around ``script``.

    The same program with the same data and seed is not trained twice: two texts with the same
    syntax tree are one program.
    """
    kept = workspace.trainings / f"{_key(workspace, program, text, seed)}.json"
    if kept.is_file():
        return loaded(json.loads(kept.read_text(encoding="utf-8")))
    script.write_text(text, encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="faultbench-out-") as name:
        target = Path(name) / "record.json"
        try:
            done = subprocess.run(
                [sys.executable, str(HARNESS), str(target), str(seed), str(script)],
                cwd=script.parent,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
            )
            record = json.loads(target.read_text(encoding="utf-8"))
        except subprocess.TimeoutExpired:
            return Training(None, TIMEOUT, f"more than {TIMEOUT:.0f} s", ())
        except OSError:
            return Training(None, 0.0, f"ended with {done.returncode} and no record", ())
    found = scored(record, program.base)
    partial = kept.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(asdict(found)), encoding="utf-8")
    partial.replace(kept)
    return found


def scored(record: dict[str, object], base: str) -> Training:
    """The harness' record as a :class:`Training`."""
    fits = tuple(
        Fit(each["began"], each.get("ended", each["began"]), tuple(each["ends"]), each["accuracy"])
        for each in record["fits"]  # type: ignore[attr-defined]
    )
    values = [fit.accuracy for fit in fits if fit.accuracy is not None]
    accuracy = None
    if values and record["status"] == "completed":
        accuracy = fmean(values) if base in SCORED_BY_MEAN else values[-1]
        accuracy = accuracy if math.isfinite(accuracy) else None
    error = record["error"]
    return Training(accuracy, float(str(record["seconds"])), str(error) if error else None, fits)


def loaded(kept: dict[str, object]) -> Training:
    """A training as it was kept."""
    fits = tuple(
        Fit(**{**each, "ends": tuple(each["ends"])})
        for each in kept["fits"]  # type: ignore[attr-defined]
    )
    return Training(**{**kept, "fits": fits})  # type: ignore[arg-type]


def _key(workspace: Workspace, program: Program, text: str, seed: int) -> str:
    try:
        meaning = ast.dump(ast.parse(text))
    except SyntaxError:
        meaning = text
    # The folder's name changes with the recipe.
    data = workspace.data(program.recipe, program.data).name
    parts = (meaning, data, seed, HARNESS.read_text(encoding="utf-8"))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]
