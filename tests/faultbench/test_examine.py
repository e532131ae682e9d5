"""The way of one program through diagnosis and repair, with tlfix's static part and no training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faultbench import examine as module
from benchmarks.faultbench import run
from benchmarks.faultbench.examine import Effort, examine
from benchmarks.faultbench.figures import first_is_true, localised, reached, rightly_repaired
from benchmarks.faultbench.programs import Program, base_text, programs
from benchmarks.faultbench.records import load
from benchmarks.faultbench.training import Training
from benchmarks.faultbench.workspace import Workspace
from tlfix.api import DiagnoseResult, Options, diagnose

Trained = Callable[[str, int], float | None]


def program(id_: str) -> Program:
    return next(each for each in programs() if each.id == id_)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace whose data sets are empty folders, and a diagnosis that only reads."""
    found = Workspace(tmp_path / "cache")
    found.trainings.mkdir(parents=True)
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setattr(found, "data", lambda recipe, fault: data)

    def read(script: Path, options: Options, *, keep: bool) -> DiagnoseResult:
        return diagnose(script, replace(options, probe=False), keep=keep)

    monkeypatch.setattr(module, "diagnose", read)
    return found


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every training that was asked for; healthy and patched texts reach .8, a sick one .4."""
    asked: list[tuple[str, int]] = []

    def train(
        workspace: Workspace, program: Program, text: str, seed: int, script: Path
    ) -> Training:
        asked.append((text, seed))
        return Training(0.4 if "1.0 / 255" in text else 0.8, 20.0, None, ())

    monkeypatch.setattr(module, "train", train)
    return asked


def test_a_fault_that_can_be_read_is_found_placed_and_repaired(
    workspace: Workspace, trained: list[tuple[str, int]]
) -> None:
    sick = program("nested_guide/preprocessing-mismatch")
    found = examine(workspace, sick, Effort("direct"), "version")
    assert first_is_true(found) and localised(found) == [True]
    assert found["repair"]["changed"] and found["repair"]["applied"] == ["preprocessing-mismatch"]
    assert found["accuracy"] == 0.4
    assert found["repair"]["accuracies"] == [0.8] and found["repair"]["healthy"] == 0.8
    assert reached(found) and rightly_repaired(found)
    texts = [text for text, _ in trained]
    assert texts[0] == sick.text and base_text("nested_guide") in texts
    assert any("1.0 / 255" not in text and text != base_text("nested_guide") for text in texts)


def test_without_repair_nothing_is_trained(
    workspace: Workspace, trained: list[tuple[str, int]]
) -> None:
    sick = program("nested_guide/preprocessing-mismatch")
    found = examine(workspace, sick, Effort("none"), "version")
    assert trained == []
    assert "repair" not in found and "accuracy" not in found


def test_a_healthy_program_is_not_repaired(
    workspace: Workspace, trained: list[tuple[str, int]]
) -> None:
    found = examine(workspace, program("text_tokenizer"), Effort("direct"), "version")
    assert found["planted"] == [] and "repair" not in found
    assert found["accuracy"] == 0.8


def test_a_result_near_the_limit_is_trained_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    reaches = {0: 0.73, 1: 0.81}  # of 0.8: .91 alone, .96 on the mean

    def train(
        workspace: Workspace, program: Program, text: str, seed: int, script: Path
    ) -> Training:
        healthy = text == base_text("nested_guide")
        return Training(0.8 if healthy else reaches[seed], 20.0, None, ())

    monkeypatch.setattr(module, "train", train)
    sick = program("nested_guide/preprocessing-mismatch")
    found = examine(workspace, sick, Effort("direct"), "version")
    assert found["repair"]["accuracies"] == [0.73, 0.81]
    assert found["repair"]["reached"]


def test_a_defect_of_tlfix_is_recorded_and_does_not_stop_the_run(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> DiagnoseResult:
        raise KeyError("x")

    monkeypatch.setattr(module, "diagnose", fail)
    found = examine(workspace, program("kfold/weights-random"), Effort("direct"), "version")
    assert found["failure"] == "KeyError: 'x'" and found["causes"] == []


def test_the_working_directory_is_given_back(workspace: Workspace) -> None:
    before = Path.cwd()
    with workspace.project(program("arrays_split/pixels-oversampled")) as script:
        assert Path.cwd() == script.parent.resolve()
        assert (script.parent / "imblearn" / "over_sampling.py").is_file()
    assert Path.cwd() == before


def test_a_run_that_was_stopped_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def counted(workspace: Workspace, program: Program, effort: Effort, version: str) -> Any:
        if len(seen) == 3 and program.id not in seen:
            seen.append(program.id)
            raise KeyboardInterrupt
        seen.append(program.id)
        return {
            "id": program.id,
            "tlfix": version,
            "program": program.digest,
            "mode": effort.repair,
            "half": program.half,
            "base": program.base,
            "planted": [],
            "allowed": [],
            "verdict": "healthy",
            "causes": [],
            "seconds": 1.0,
        }

    monkeypatch.setattr(module, "examine", counted)
    monkeypatch.setattr(Workspace, "prepare", lambda self: None)
    arguments = ["--only=kfold*", "--no-repair", "--version=v", f"--cache={tmp_path}"]
    arguments += [f"--into={tmp_path}"]
    with pytest.raises(KeyboardInterrupt):
        run.main(arguments)
    assert len(load(tmp_path / "results.jsonl")) == 3
    assert run.main(arguments) == 0
    done = load(tmp_path / "results.jsonl")
    assert set(done) == {each.id for each in programs() if each.base == "kfold"}
    assert len(seen) == len(done) + 1, "only the one that was stopped ran twice"
    assert (tmp_path / "RESULTS.md").is_file()
    assert run.main([*arguments, "--report"]) == 0
    assert len(seen) == len(done) + 1, "a report runs nothing"
