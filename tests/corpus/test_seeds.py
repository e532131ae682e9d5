"""The seeds under the probe: each fault found, the one that matters first, none invented."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.corpus.expected import FEW_STEPS, PROGRAMS, Seed
from tlfix.api import DiagnoseResult, Options
from tlfix.findings import Diagnosis

Examine = Callable[..., DiagnoseResult]

# A scaling fault in the model.
QUICK = ("s003_1",)
FEW = Options(budget_seconds=FEW_STEPS.seconds, steps=FEW_STEPS.steps)


def seeds(*, quick: tuple[str, ...] = ()) -> list[object]:
    slow = [pytest.mark.probe, pytest.mark.slow]
    return [
        pytest.param(seed, id=seed.name, marks=slow[: 1 if seed.name in quick else 2])
        for seed in PROGRAMS
    ]


def above_notes(diagnosis: Diagnosis) -> list[str]:
    return [cause.id for cause in diagnosis.causes if cause.severity != "note"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", seeds(quick=QUICK))
def test_small(seed: Seed, examine: Examine) -> None:
    result = examine(seed.small_path, seed.data)
    diagnosis = result.diagnosis
    named = above_notes(diagnosis)
    assert result.trace is not None
    crash = result.trace.crash
    assert (crash.type if crash else None) == seed.crash, crash
    assert set(seed.measured) <= set(named), diagnosis.notes
    assert set(named) <= {*seed.read, *seed.measured, *seed.allowed}
    assert set(seed.noted) <= {cause.id for cause in diagnosis.causes}
    assert not seed.first or named[0] == seed.first


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", [param for param in seeds() if param.values[0].small is not None])
def test_own_backbone(seed: Seed, examine: Examine) -> None:
    """Without the network the weights are random: what is structural must be found all the same."""
    diagnosis = examine(seed.paths[0], seed.data, FEW).diagnosis
    named = above_notes(diagnosis)
    assert set(seed.measured) <= set(named), diagnosis.notes
    assert set(named) <= {*seed.read, *seed.measured, *seed.allowed}
    assert not seed.first or named[0] == seed.first
