from __future__ import annotations

from typing import Any

import pytest

from tests.traces import data, fit, place, trace
from tlfix.causes.spec import Case, Finding
from tlfix.causes.train_validation_overlap import CAUSE
from tlfix.probe.trace import InputsSeen, OverlapSeen, Trace
from tlfix.program.reader import read
from tlfix.ranking import examine

TEXT = CAUSE.examples.sick


def find(seen: Trace | None, text: str = TEXT) -> list[Finding]:
    return list(CAUSE.find(Case(read(text, "train.py"), seen)))


def overlapping(shared: int, of: int = 100, constant: int = 0, **other: Any) -> Trace:
    fields = {"by": "array", "training": 400, "validation": of, "shared": shared}
    validation = data("validation", images=InputsSeen(n=200, constant=constant))
    overlap = OverlapSeen(**(fields | other))
    return trace(fit([1.0] * 30, site=place(7), overlap=overlap, validation=validation))


@pytest.mark.parametrize(
    ("shared", "of", "expected"),
    [
        (0, 100, []),
        (1, 100, ["note"]),
        (4, 100, ["note"]),
        (4, 20, ["note"]),  # a fifth, but four images
        (49, 1000, ["note"]),
        (5, 100, ["warning"]),
        (60, 100, ["warning"]),
        (98, 100, []),  # validation is training: another cause
    ],
)
def test_by_share_and_count(shared: int, of: int, expected: list[str]) -> None:
    assert [f.severity for f in find(overlapping(shared, of))] == expected


def test_the_counts_are_told() -> None:
    (finding,) = find(overlapping(30))
    assert finding.confidence == "certain" and finding.advice
    assert "30 of 100 validation images (30%)" in finding.evidence[0].summary
    values = {m.name: (m.value, m.n) for m in finding.evidence[0].measured}
    assert values == {"shared": (30, 100), "share": (0.3, 100)}
    assert finding.site is not None and finding.site.line == 6


def test_a_sample_says_that_it_is_one() -> None:
    (finding,) = find(overlapping(30, by="sample"))
    assert "sample" in finding.evidence[0].summary


def test_blank_images_are_all_alike_and_not_shared() -> None:
    assert find(overlapping(20, constant=40)) == []
    assert len(find(overlapping(60, constant=10))) == 1


def test_the_same_data_for_both_is_another_cause() -> None:
    assert find(overlapping(40, same_data=True)) == []


def test_without_a_count_nothing_is_said() -> None:
    assert find(None) == []
    assert find(trace(fit([1.0] * 30))) == []


def test_it_steps_back_where_the_split_is_the_reason() -> None:
    from tlfix.causes.evaluation_on_training_data import CAUSE as SPLIT

    text = SPLIT.examples.sick
    seen = overlapping(30)
    seen = seen.model_copy(update={"fits": (seen.fits[0].model_copy(update={"site": place(9)}),)})
    case = Case(read(text, "train.py"), seen)
    ranked = examine(case, {"train.py": text}, specs=(CAUSE, SPLIT), strict=True).ranked
    assert [(r.cause.id, r.cause.severity) for r in ranked] == [
        ("evaluation-on-training-data", "warning"),
        ("train-validation-overlap", "note"),
    ]
