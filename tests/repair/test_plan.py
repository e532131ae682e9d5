"""Which causes become steps, and how steps compose."""

from __future__ import annotations

import pytest

from tests.repair.programs import PROGRAM, ranked
from tlfix.repair.errors import RepairError
from tlfix.repair.plan import compose, select

PATH = "/program/train.py"


def test_notes_and_causes_without_a_fix_are_left_alone() -> None:
    found = [
        ranked("scale", PATH),
        ranked("freeze", PATH, severity="note"),
        ranked("learn", PATH, fixed=False),
    ]
    plan = select(found)
    assert [step.id for step in plan.steps] == ["scale"]
    assert plan.rejected == ()


def test_only_names_notes_too_and_says_what_has_no_fix() -> None:
    found = [
        ranked("scale", PATH),
        ranked("freeze", PATH, severity="note"),
        ranked("learn", PATH, fixed=False),
    ]
    plan = select(found, only=("freeze", "learn"))
    assert [step.id for step in plan.steps] == ["freeze"]
    assert [(each.cause, each.reason) for each in plan.rejected] == [
        ("learn", "there is no automatic fix: set it by hand")
    ]


def test_skip() -> None:
    plan = select([ranked("scale", PATH), ranked("learn", PATH)], skip=("scale",))
    assert [step.id for step in plan.steps] == ["learn"]


def test_only_a_cause_that_was_not_found() -> None:
    with pytest.raises(RepairError, match=r"freeze is not among the causes found.*\(scale\)"):
        select([ranked("scale", PATH)], only=("freeze",))


def test_all_places_of_a_cause_are_one_step() -> None:
    plan = select([ranked("scale", PATH, line=2), ranked("scale", PATH, line=4)])
    (step,) = plan.steps
    assert len(step.remedies) == 2
    assert step.codemod == "set_argument"
    composed = compose({PATH: PROGRAM}, [step])
    assert composed.texts[PATH].count("rate=1") == 2


def test_a_step_declines_only_if_none_of_its_places_is_found() -> None:
    plan = select([ranked("scale", PATH, line=2), ranked("scale", PATH, line=1)])
    composed = compose({PATH: PROGRAM}, plan.steps)
    assert composed.applied == plan.steps
    assert [each.cause for each in composed.declined] == ["scale"]


def test_one_file_has_one_name(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.chdir(str(tmp_path))
    plan = select([ranked("scale", "train.py"), ranked("learn", f"{tmp_path}/./train.py")])
    assert plan.paths == (f"{tmp_path}/train.py",)
