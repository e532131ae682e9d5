"""The commit message's bounds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.repair.programs import ranked
from tlfix.causes import registry
from tlfix.causes.spec import Case
from tlfix.program.reader import read
from tlfix.ranking import examine
from tlfix.repair.messages import commit_message
from tlfix.repair.plan import select
from tlfix.repair.selection import Kept

CURABLE = [spec for spec in registry.load() if spec.examples.cured is not None]


@pytest.mark.parametrize("spec", CURABLE, ids=lambda spec: spec.id)
def test_every_causes_subject_is_whole(spec: registry.CauseSpec) -> None:
    """Cut where what is left still says what is done, never by an ellipsis."""
    case = Case(read(spec.examples.sick, "train.py"))
    found = examine(case, {"train.py": spec.examples.sick}, specs=[spec]).ranked[0]
    remedy = found.finding.remedy
    assert remedy is not None
    (step,) = select([found], only=[spec.id]).steps
    subject, _, body = commit_message(Kept(step)).partition("\n\n")
    begin, text = subject.split(": ", 1)
    assert begin == f"fix({spec.id})" and len(subject) <= 72
    words = remedy.codemod.replace("_", " ")
    whole = (remedy.summary.rstrip("."), spec.title.rstrip("."), words)
    assert any(f"{each} ".startswith((f"{text} ", f"{text},", f"{text}:")) for each in whole)
    assert len(text) > 10 or text == words
    assert " ".join(remedy.summary.split()).rstrip(".") in " ".join(body.split())


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
    assert not lines[0].endswith((".", "…"))
    body = " ".join(" ".join(lines[1:]).split())
    assert "".join(summary.split()).rstrip(".") in body.replace(" ", "")
    assert lines[1] == ""
    assert all(len(line) <= 72 or " " not in line.strip() for line in lines)
