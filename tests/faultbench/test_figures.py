"""The arithmetic of the report, on records made by hand."""

from __future__ import annotations

import json
from math import comb
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faultbench import figures
from benchmarks.faultbench.baselines import all_drawn, most_frequent, random_causes
from benchmarks.faultbench.report import computed, page, write

Record = dict[str, Any]


def named(id_: str, rank: int, severity: str = "error", line: int | None = 5) -> Record:
    return {"id": id_, "rank": rank, "severity": severity, "line": line, "fix": "some_codemod"}


def record(
    id_: str,
    planted: dict[str, list[int]],
    *causes: Record,
    verdict: str = "sick",
    half: str = "tune",
    source_fix: bool = True,
    allowed: tuple[str, ...] = (),
    **more: Any,
) -> Record:
    return {
        "id": id_,
        "tlfix": "t",
        "program": "p",
        "mode": "direct",
        "half": half,
        "base": id_.partition("/")[0],
        "planted": [
            {"cause": cause, "lines": lines, "source_fix": source_fix}
            for cause, lines in planted.items()
        ],
        "allowed": list(allowed),
        "verdict": verdict,
        "status": "completed",
        "causes": list(causes),
        "seconds": 10.0,
        **more,
    }


MISSING, MISMATCH, HIGH = "preprocessing-missing", "preprocessing-mismatch", "learning-rate-high"


def repaired(*accuracies: float | None, reached: bool, applied: tuple[str, ...]) -> Record:
    return {
        "changed": True,
        "applied": list(applied),
        "rejected": [],
        "tries": 2,
        "accuracies": list(accuracies),
        "healthy": 0.8,
        "reached": reached,
    }


def test_recall_at_one_asks_for_any_planted_cause_in_front() -> None:
    two = record("b/x+y", {MISSING: [5], HIGH: [9]}, named(HIGH, 1), named(MISSING, 2))
    assert figures.first_is_true(two)
    behind = record("b/x", {MISSING: [5]}, named(MISSING, 2), named(HIGH, 1, "note"))
    assert not figures.first_is_true(behind), "what is listed first counts, a note too"
    assert not figures.first_is_true(record("b/x", {MISSING: [5]}))


def test_recall_at_three_is_per_planted_cause() -> None:
    found = record(
        "b/x+y", {MISSING: [5], HIGH: [9]}, named("a", 1), named("b", 2), named(HIGH, 3),
        named(MISSING, 4),
    )  # fmt: skip
    assert figures.among_first(found, 3) == [False, True]
    again = record(
        "b/x", {MISSING: [5]}, *[named("a", rank) for rank in (1, 2, 3)], named(MISSING, 4)
    )
    assert figures.among_first(again, 3) == [True], "a cause named in three places is one name"


def test_precision_leaves_notes_and_allowed_consequences_out() -> None:
    found = record(
        "b/x",
        {MISSING: [5]},
        named(MISSING, 1),
        named(HIGH, 2, "warning"),
        named("removed-api", 3, "warning"),
        named("class-imbalance", 4, "note"),
        allowed=(HIGH,),
    )
    assert figures.true_alarms(found) == [MISSING]
    assert figures.false_alarms(found) == ["removed-api"]
    assert figures.summary([found])["precision"]["share"] == 0.5


def test_localisation_counts_planted_causes_that_were_named() -> None:
    found = record(
        "b/x+y", {MISSING: [4, 5], HIGH: [9], "removed-api": [1]}, named(MISSING, 1, line=5),
        named(HIGH, 2, line=8),
    )  # fmt: skip
    assert figures.localised(found) == [True, False]
    assert figures.localised(record("b/x", {HIGH: [9]}, named(HIGH, 1, line=None))) == [False]


def test_repair_counts_programs_whose_faults_are_cured_in_the_source() -> None:
    good = record(
        "b/1", {MISSING: [5]}, accuracy=0.5, repair=repaired(0.8, reached=True, applied=(MISSING,))
    )
    other = record(
        "b/2", {HIGH: [5]}, accuracy=0.7, repair=repaired(0.8, reached=True, applied=(MISSING,))
    )
    short = record(
        "b/3",
        {MISSING: [5]},
        accuracy=0.4,
        repair=repaired(0.5, 0.7, reached=False, applied=(MISSING,)),
    )
    data = record(
        "b/4",
        {"inputs-degenerate": [5]},
        source_fix=False,
        repair={"changed": False, "applied": [], "rejected": []},
    )
    found = figures.summary([good, other, short, data])
    assert (found["repair"]["hits"], found["repair"]["count"]) == (2, 3)
    assert found["repair_by_right_fix"]["hits"] == 1
    assert found["mean_gain"] == pytest.approx((0.3 + 0.1 + 0.2) / 3)


def test_a_crash_is_mended_when_the_patch_runs_to_the_end_and_is_no_gain() -> None:
    crashed = record("b/1", {MISSING: [5]}, accuracy=None, error="ValueError: x",
                     repair=repaired(0.8, reached=True, applied=(MISSING,)))  # fmt: skip
    again = record("b/2", {MISSING: [5]}, accuracy=None, error="ValueError: x",
                   repair=repaired(None, reached=False, applied=(MISSING,)))  # fmt: skip
    assert figures.mended(crashed) and not figures.mended(again)
    assert figures.gain(crashed) is None


def test_healthy_programs_and_detection() -> None:
    quiet = record("b", {}, named("x", 1, "note"), verdict="healthy")
    loud = record("c", {}, named("x", 1, "warning"))
    unsure = record("b/1", {MISSING: [5]}, verdict="inconclusive")
    crashed = record("b/2", {MISSING: [5]}, verdict="crashed")
    found = figures.summary([quiet, loud, unsure, crashed])
    assert found["healthy_passed"]["share"] == 0.5
    assert found["healthy_alarms"] == 1
    assert found["detection"]["share"] == 0.5
    assert found["precision"]["share"] == 0.0


def test_a_program_on_which_tlfix_failed_is_a_miss_not_a_hole() -> None:
    failed = record("b/1", {MISSING: [5]}, failure="KeyError: 'x'")
    del failed["verdict"], failed["seconds"]
    found = figures.summary([failed])
    assert found["failures"] == 1
    assert found["detection"]["share"] == 0.0
    assert found["seconds_median"] is None


def test_times_are_medians_and_ratios_are_per_program() -> None:
    some = [record(f"b/{n}", {HIGH: [1]}, seconds=s, bare_seconds=b)
            for n, (s, b) in enumerate([(10.0, 10.0), (30.0, 10.0), (20.0, 10.0)])]  # fmt: skip
    found = figures.summary(some)
    assert found["seconds_median"] == 20.0
    assert found["bare_ratio_median"] == 2.0


def test_the_interval_of_a_share_is_wilsons() -> None:
    # Wilson's interval of 8 in 10 at 95 %: .490 to .943 (Newcombe 1998 gives the formula).
    low, high = figures.Share(8, 10).interval or (0, 0)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)
    assert figures.Share(0, 0).value is None


def test_drawing_different_causes() -> None:
    assert all_drawn(40, 1, 1) == pytest.approx(1 / 40)
    assert all_drawn(40, 3, 2) == pytest.approx(comb(38, 1) / comb(40, 3))
    assert all_drawn(40, 1, 2) == 0.0


CATALOGUE = {MISSING: True, MISMATCH: True, HIGH: True, "inputs-degenerate": False}


def test_baselines_propose_something_for_every_program() -> None:
    records = [
        record("b", {}, verdict="healthy"),
        record("b/1", {MISSING: [1]}, repair=repaired(0.8, reached=True, applied=(MISSING,))),
        record("b/2", {MISSING: [1]}, half="report"),
        record("b/3", {HIGH: [1]}, half="report"),
    ]
    learned = [each for each in records if each["half"] == "tune"]
    guess = most_frequent(records, learned, CATALOGUE)
    assert guess["proposes"][0] == MISSING
    assert guess["recall_at_1"]["share"] == pytest.approx(2 / 3)
    assert guess["precision"]["share"] == pytest.approx(2 / 4), (
        "the healthy program is an alarm too"
    )
    assert guess["healthy_passed"]["share"] == 0.0
    assert guess["repair"]["share"] == 1.0
    drawn = random_causes(records, CATALOGUE)
    assert drawn["recall_at_1"]["share"] == pytest.approx(1 / 4)
    assert drawn["recall_at_3"]["share"] == pytest.approx(3 / 4)
    assert drawn["repair"]["share"] == pytest.approx(2 / 3), "two tries among three causes"


def test_the_page_lists_what_went_wrong(tmp_path: Path) -> None:
    records = [
        record("kfold", {}, named(HIGH, 1, "warning")),
        record("kfold/right", {MISSING: [4, 5, 7]}, named(MISSING, 1, line=5), half="report"),
        record("kfold/wrong", {MISSING: [4, 5, 7]}, named(HIGH, 1), verdict="sick"),
        record("kfold/elsewhere", {HIGH: [4, 5, 7]}, named(HIGH, 1, line=6)),
        record(
            "kfold/unrepaired",
            {HIGH: [4]},
            named(HIGH, 1, line=4),
            repair=repaired(0.5, reached=False, applied=(HIGH,)),
        ),
    ]
    text = page(computed(records, 200))
    assert "## Not found, or not first: 1\n\n- `kfold/wrong` (tune): planted" in text
    assert f"`kfold` (tune): named {HIGH}" in text
    assert f"`kfold/elsewhere` (tune): {HIGH} at 6 instead of 4–5, 7" in text
    assert "reached 0.500 where the healthy base has 0.800" in text
    assert "| preprocessing-missing | 2 |" in text
    assert "22 of 52" in text and "80 of 146" in text and "414 of 422" in text
    write({each["id"]: each for each in records}, tmp_path)
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert results["schema"] == "faultbench.results/1"
    assert results["figures"]["all"]["recall_at_1"]["hits"] == 3
    assert results["figures"]["report"]["programs"]["faulty"] == 1


def test_a_report_of_nothing_can_be_written(tmp_path: Path) -> None:
    write({}, tmp_path)
    assert (tmp_path / "RESULTS.md").read_text(encoding="utf-8").startswith("# FaultBench")
