"""Programs with nothing wrong in them: not a word above a note, whatever their style."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.corpus.expected import HEALTHY
from tlfix.api import DiagnoseResult

# One is enough to see at every change that nothing is cried out.
QUICK = ("guide_nested",)
# Their weights are not to be had off the network, or nothing is pretrained in them.
UNJUDGED = {"efficientnet": "could not be had"}


def programs() -> list[object]:
    return [
        pytest.param(
            path,
            id=path.stem,
            marks=[pytest.mark.probe]
            if path.stem in QUICK
            else [pytest.mark.probe, pytest.mark.slow],
        )
        for path in sorted(HEALTHY.glob("*.py"))
    ]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("program", programs())
def test_nothing_is_found(program: Path, examine: Callable[..., DiagnoseResult]) -> None:
    result = examine(program)
    diagnosis = result.diagnosis
    assert diagnosis.probe.status == "completed", diagnosis.probe.reason
    assert diagnosis.probe.steps >= 50
    assert [(c.id, c.severity) for c in diagnosis.causes if c.severity != "note"] == []
    assert result.exit_code == 0
    if program.stem in UNJUDGED:
        assert diagnosis.verdict == "inconclusive"
        assert any(UNJUDGED[program.stem] in note for note in diagnosis.notes)
    else:
        assert diagnosis.verdict == "healthy", diagnosis.notes
