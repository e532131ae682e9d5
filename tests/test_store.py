from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.report.cases import SICK
from tlfix.probe.trace import Trace
from tlfix.store import Stored, StoreError, load, matching, save


def stored(sha256: str = "a" * 64) -> Stored:
    return Stored(
        script="train.py",
        arguments=("--epochs", "3"),
        sha256=sha256,
        python="/usr/bin/python3",
        diagnosis=SICK,
        trace=Trace(status="completed", seed=7, seconds=1.5),
    )


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    assert save(tmp_path / "train.py", stored()) is None
    script, found = load(tmp_path)
    assert script == tmp_path / "train.py"
    assert found == stored()


def test_the_folder_ignores_itself(tmp_path: Path) -> None:
    save(tmp_path / "train.py", stored())
    assert (tmp_path / ".tlfix" / ".gitignore").read_text() == "*\n"
    assert sorted(p.name for p in (tmp_path / ".tlfix").iterdir()) == [
        ".gitignore",
        "diagnosis.json",
    ]


def test_the_latest_replaces_the_one_before(tmp_path: Path) -> None:
    save(tmp_path / "train.py", stored("a" * 64))
    save(tmp_path / "train.py", stored("b" * 64))
    assert load(tmp_path)[1].sha256 == "b" * 64


def test_a_folder_that_cannot_be_written_gives_a_reason(tmp_path: Path) -> None:
    (tmp_path / ".tlfix").write_text("a file is in the way")
    reason = save(tmp_path / "train.py", stored())
    assert reason is not None
    assert str(tmp_path / ".tlfix") in reason


def test_nothing_kept_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="run tlfix diagnose SCRIPT first"):
        load(tmp_path)


def test_a_diagnosis_below_is_pointed_at(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    save(tmp_path / "src" / "train.py", stored())
    with pytest.raises(StoreError, match=f"tlfix apply src{os.sep}train.py"):
        load(tmp_path)


def test_a_damaged_file_is_no_diagnosis(tmp_path: Path) -> None:
    save(tmp_path / "train.py", stored())
    (tmp_path / ".tlfix" / "diagnosis.json").write_text('{"schema": "tlfix.store/1"')
    with pytest.raises(StoreError, match="run tlfix diagnose again"):
        load(tmp_path)


def test_only_the_same_text_of_the_same_script_matches(tmp_path: Path) -> None:
    save(tmp_path / "train.py", stored("a" * 64))
    assert matching(tmp_path / "train.py", "a" * 64) == stored()
    assert matching(tmp_path / "train.py", "b" * 64) is None
    assert matching(tmp_path / "other.py", "a" * 64) is None
