"""The commit message's bounds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.repair.programs import ranked
from tlfix.repair.messages import commit_message
from tlfix.repair.plan import select
from tlfix.repair.selection import Kept


@pytest.mark.parametrize(
    "summary",
    [
        "short",
        "word " * 40,
        "x" * 200,
        "two\nlines",
        "Scale images as MobileNetV2 was trained.",
        "",
    ],
)
def test_the_subject_has_at_most_72_characters(summary: str) -> None:
    found = ranked("class-mode-loss-mismatch", "/p/train.py")
    assert found.finding.remedy is not None
    remedy = replace(found.finding.remedy, summary=summary)
    found = replace(found, finding=replace(found.finding, remedy=remedy))
    (step,) = select([found]).steps
    lines = commit_message(Kept(step)).splitlines()
    assert len(lines[0]) <= 72
    assert lines[0].startswith("fix(class-mode-loss-mismatch): ") or not summary
    assert not lines[0].endswith(".")
    assert lines[1] == ""
    assert all(len(line) <= 72 or " " not in line.strip() for line in lines)
