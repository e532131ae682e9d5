"""Faults that only a real training shows, each in a program of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.corpus.expected import Data
from tlfix.api import DiagnoseResult

SICK = Path(__file__).parent / "sick"
PROGRAMS: tuple[tuple[str, str, Data], ...] = (
    ("rare_classes", "class-imbalance", "rare"),
    ("frozen_spectra", "backbone-frozen-only", "balanced"),
)


@pytest.mark.slow
@pytest.mark.probe
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("name", "cause", "data"), PROGRAMS, ids=lambda value: str(value))
def test_the_fault_is_measured(
    name: str, cause: str, data: Data, examine: Callable[..., DiagnoseResult]
) -> None:
    diagnosis = examine(SICK / f"{name}.py", data).diagnosis
    named = [c.id for c in diagnosis.causes if c.severity != "note"]
    assert named == [cause], diagnosis.notes
    first = diagnosis.causes[0]
    assert any(e.source == "probe" and e.measured for e in first.evidence)
    assert first.fix is not None


def test_every_program_is_run() -> None:
    assert {path.stem for path in SICK.glob("*.py")} == {name for name, _, _ in PROGRAMS}
