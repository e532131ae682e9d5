"""Results survive a kill, and full trainings are read rightly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faultbench.programs import programs
from benchmarks.faultbench.records import append, current, done, load
from benchmarks.faultbench.run import parsed
from benchmarks.faultbench.training import Fit, Training, scored


def line(id_: str, tlfix: str = "new", mode: str = "direct") -> dict[str, Any]:
    return {"id": id_, "tlfix": tlfix, "program": "text", "mode": mode}


def test_the_last_record_of_a_program_counts(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    append(file, {**line("a"), "n": 1})
    append(file, line("b", tlfix="old"))
    append(file, {**line("a"), "n": 2})
    assert load(file)["a"]["n"] == 2
    assert set(load(file, "new")) == {"a"}
    assert load(tmp_path / "none.jsonl") == {}


def test_a_line_cut_short_by_a_kill_costs_that_program_only(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    append(file, line("a"))
    with file.open("a", encoding="utf-8") as opened:
        opened.write(json.dumps(line("b"))[:20])
    append(file, line("c"))
    assert set(load(file)) == {"a", "c"}


@pytest.mark.parametrize(
    ("record", "repair", "expected"),
    [
        (None, "direct", False),
        (line("a"), "direct", True),
        (line("a"), "none", True),
        (line("a", mode="none"), "direct", False),
        (line("a"), "trials", False),
        (line("a", tlfix="old"), "none", False),
        ({**line("a"), "program": "another text"}, "none", False),
    ],
)
def test_what_need_not_be_done_again(
    record: dict[str, Any] | None, repair: str, expected: bool
) -> None:
    assert done(record, "text", "new", repair) is expected


def test_results_of_programs_that_have_changed_are_left_out_of_the_report() -> None:
    one, other, *_ = [program for program in programs() if program.base == "kfold"]
    found = {
        one.id: {**line(one.id), "program": one.digest, "planted": "an older truth"},
        other.id: {**line(other.id), "program": "old text"},
        "gone": line("gone"),
    }
    kept = current(found, programs())
    assert set(kept) == {one.id}
    assert kept[one.id]["planted"] == one.truth["planted"]


def test_digests_tell_programs_apart() -> None:
    digests = [program.digest for program in programs()]
    assert len(set(digests)) == len(digests)


def harness_record(**more: Any) -> dict[str, Any]:
    fits = [
        {"began": 5.0, "ended": 9.0, "ends": [6.0, 7.0, 8.0], "accuracy": 0.5},
        {"began": 10.0, "ended": 12.0, "ends": [11.0, 11.5], "accuracy": 0.75},
    ]
    return {"status": "completed", "error": None, "seconds": 13.0, "fits": fits, **more}


def test_the_last_fit_scores_a_program_and_all_folds_score_cross_validation() -> None:
    assert scored(harness_record(), "two_stage").accuracy == 0.75
    assert scored(harness_record(), "kfold").accuracy == 0.625


def test_a_crash_after_a_fit_is_no_result() -> None:
    crashed = scored(harness_record(status="crashed", error="ValueError: x"), "two_stage")
    assert crashed.accuracy is None
    assert crashed.error == "ValueError: x"


def test_an_accuracy_that_is_no_number_is_no_result() -> None:
    record = harness_record()
    record["fits"][1]["accuracy"] = float("nan")
    assert scored(record, "two_stage").accuracy is None


def test_the_time_of_a_program_over_the_steps_of_the_probe() -> None:
    run = Training(
        0.5,
        13.0,
        None,
        (Fit(5.0, 9.0, (6.0, 7.0, 8.0), 0.5), Fit(10.0, 12.0, (11.0, 11.5), 0.75)),
    )
    assert run.seconds_for([3, 2]) == 13.0, "all steps: all of its time"
    assert run.seconds_for([1, 2]) == 13.0 - 3.0
    assert run.seconds_for([1]) == 13.0 - 3.0 - 2.0
    assert run.seconds_for([]) == 13.0 - 4.0 - 2.0


def test_the_command_line() -> None:
    asked = parsed(["--shard", "2/3", "--only", "kfold/*", "--no-repair"])
    assert (asked.shard, asked.only, asked.repair) == ((2, 3), ["kfold/*"], "none")
    quick = parsed(["--quick", "--jobs", "2"])
    assert quick.repair == "none" and "faultbench" not in str(quick.into).rsplit("/", 1)[-1]
    for wrong in (["--shard", "4/3"], ["--shard", "x"], ["--jobs", "2", "--shard", "1/2"]):
        with pytest.raises(SystemExit):
            parsed(wrong)
