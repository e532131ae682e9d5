"""Faults that only a real training shows, each in a program of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.corpus.expected import Data
from tlfix.api import DiagnoseResult
from tlfix.findings import Severity

SICK = Path(__file__).parent / "sick"
PROGRAMS: tuple[tuple[str, str, Data, Severity], ...] = (
    ("rare_classes", "class-imbalance", "rare", "warning"),
    # Fine-tuning gains seven points (.55 to .62); on 240 images that is p = .02, and a note.
    ("frozen_spectra", "backbone-frozen-only", "balanced", "note"),
)


@pytest.mark.slow
@pytest.mark.probe
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("name", "cause", "data", "severity"), PROGRAMS, ids=str)
def test_the_fault_is_measured(
    name: str, cause: str, data: Data, severity: Severity, examine: Callable[..., DiagnoseResult]
) -> None:
    diagnosis = examine(SICK / f"{name}.py", data).diagnosis
    named = [c.id for c in diagnosis.causes if c.severity != "note"]
    assert named == ([cause] if severity != "note" else []), diagnosis.notes
    (found,) = [c for c in diagnosis.causes if c.id == cause]
    assert found.severity == severity
    assert any(e.source == "probe" and e.measured for e in found.evidence)
    assert found.fix is not None


def test_every_program_is_run() -> None:
    assert {path.stem for path in SICK.glob("*.py")} == {name for name, *_ in PROGRAMS}
