"""How the demo ends: by what was kept, and with a word on what was not."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.report.cases import VERIFIED


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    path = Path(__file__).parent.parent / "examples" / "demo.py"
    spec = importlib.util.spec_from_file_location("demo", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_kept_fix_that_improves_is_a_success(
    demo: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo.outcome(VERIFIED.model_dump(mode="json", by_alias=True)) == 0
    shown = capsys.readouterr().out
    assert "Kept: preprocessing-mismatch; all together: improved" in shown
    assert "Not kept: learning-rate-low: accuracy does not change" in shown


@pytest.mark.parametrize("decision", ["worse", "inconclusive", None])
def test_anything_else_is_not(demo: ModuleType, decision: str | None) -> None:
    assert VERIFIED.verification is not None
    verification = VERIFIED.verification.model_copy(update={"decision": decision})
    repair = VERIFIED.model_copy(update={"verification": verification if decision else None})
    assert demo.outcome(repair.model_dump(mode="json", by_alias=True, warnings=False)) == 1
