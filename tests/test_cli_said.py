"""What the commands say beside their result: where it rests on nothing, and what comes next."""

from __future__ import annotations

import json
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tests.report.cases import SICK
from tests.test_cli import SICK_SCRIPT, git, kept, run  # noqa: F401
from tests.test_cli import Run as Runs
from tlfix import api
from tlfix.cli import _next
from tlfix.probe.trace import Crash, Trace
from tlfix.store import Stored, save

CRASHED = Trace(
    status="crashed",
    reason="The script raised ValueError.",
    crash=Crash(type="ValueError", message="Shapes differ\nmore", during="fit"),
)


def kept_crashed(script: Path, trace: Trace) -> None:
    script.write_text(SICK_SCRIPT)
    stored = Stored(
        script=script.name,
        arguments=(),
        sha256=sha256(script.read_bytes()).hexdigest(),
        python=sys.executable,
        diagnosis=SICK,
        trace=trace,
    )
    assert save(script, stored) is None


@pytest.mark.parametrize(
    ("trace", "said"),
    [
        (CRASHED, "crashed when it was diagnosed (ValueError during training: Shapes differ)"),
        (
            Trace(status="crashed", reason="The probed process ended by signal 9."),
            "crashed when it was diagnosed (The probed process ended by signal 9)",
        ),
        (Trace(status="skipped", reason="No Keras."), "was not run when it was diagnosed (No K"),
        (Trace(status="completed"), "reached no training when it was diagnosed"),
    ],
    ids=["exception", "killed", "skipped", "no training"],
)
def test_an_unverified_patch_of_what_never_ran_says_so(
    run: Runs,  # noqa: F811
    tmp_path: Path,
    trace: Trace,
    said: str,
) -> None:
    kept_crashed(tmp_path / "train.py", trace)
    command = ("apply", "train.py", "--diff", "--no-verify", "--only", "TL201")
    shown = " ".join(run(*command).err.split())
    assert said in shown
    assert "nothing shows that it runs" in shown
    notes = json.loads(run(*command, "--format", "json").out)["notes"]
    assert said in notes[0] and "nothing shows that it runs" in notes[0]


def test_an_unverified_patch_of_what_ran_says_no_more(run: Runs, tmp_path: Path) -> None:  # noqa: F811
    from tests.traces import healthy

    kept_crashed(tmp_path / "train.py", healthy())
    ran = run("apply", "train.py", "--diff", "--no-verify", "--only", "TL201", "--format", "json")
    assert json.loads(ran.out)["notes"] == []


def test_no_branch_of_the_users_is_to_be_deleted(run: Runs, tmp_path: Path) -> None:  # noqa: F811
    kept(tmp_path / "train.py", SICK_SCRIPT)
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "add", "train.py")
    git(tmp_path, "commit", "-qm", "first")
    ran = run("apply", "train.py", "--branch", "main", "--no-verify")
    assert ran.code == 2
    assert "The branch main exists already" in ran.err and "--branch NAME" in ran.err
    assert "git branch -D" not in ran.err


def test_usage_errors_come_before_any_progress(run: Runs, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "train.py").write_text("def f(:\n")
    kept(tmp_path / "sick.py", SICK_SCRIPT)
    for command in (
        ["diagnose", "train.py"],
        ["diagnose", "gone.py"],
        ["apply", "train.py", "--diff"],
        ["apply", "sick.py", "--diff", "--only", "weights-random"],
    ):
        ran = run(*command)
        assert ran.code == 2
        assert "starting" not in ran.err and "[0.0 s]" not in ran.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (api.Options(), "tlfix apply train.py --branch"),
        (api.Options(arguments=()), "tlfix apply train.py --branch"),
        (
            api.Options(arguments=("--data", "my flowers")),
            "tlfix apply train.py --branch -- --data 'my flowers'",
        ),
        (
            api.Options(python="env/bin/python", sandbox="none", arguments=("-q",)),
            "tlfix apply train.py --branch --python env/bin/python --sandbox none -- -q",
        ),
        (api.Options(arguments=("a\n\x1b'",)), "tlfix apply train.py --branch -- $'a\\n\\x1b\\''"),
    ],
)
def test_what_comes_next_runs_the_script_the_same_way(options: api.Options, said: str) -> None:
    result = api.DiagnoseResult(SICK, (), None, {}, options.arguments or ())
    assert _next(Path("train.py"), result, options) == said


def test_check_of_a_named_file_that_cannot_be_examined_exits_2(
    run: Runs,  # noqa: F811
    tmp_path: Path,
) -> None:
    (tmp_path / "bad.py").write_text("import keras\nx = (\n")
    ran = run("check", "bad.py")
    assert ran.code == 2
    assert ran.out.splitlines()[-1].startswith("1 file was not examined (")
    assert "Nothing found" not in ran.out
    ran = run("check", "bad.py", "--format", "json")
    assert ran.code == 2
    assert json.loads(ran.out)["files"][0]["skipped"].startswith("bad.py is not valid Python 3")
    assert ran.err.startswith("tlfix: bad.py: not examined: ")


def test_check_of_a_folder_tells_what_it_passed_over(run: Runs, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "bad.py").write_text("import keras\nx = (\n")
    (tmp_path / "good.py").write_text("x = 1\n")
    ran = run("check")
    assert ran.code == 0
    assert "bad.py: not examined: " in ran.out
    assert "1 file was not examined; nothing found in 1 file" in ran.out
    (tmp_path / "good.py").write_text(SICK_SCRIPT)
    ran = run("check", ".")
    assert ran.code == 1
    assert " in 1 file (" in ran.out and ran.out.endswith(". 1 file was not examined.\n")


def test_unknown_names_in_comments_are_told(run: Runs, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "train.py").write_text(SICK_SCRIPT + "x = 1  # tlfix: ignore[nosuch]\n")
    said = "line 9: tlfix: ignore[nosuch] silences nothing: no such cause"
    assert f"train.py: note: {said}" in run("check", "train.py").out
    shown = json.loads(run("check", "train.py", "--format", "json").out)
    assert shown["files"][0]["notes"] == [said]
    shown = json.loads(run("diagnose", "--no-probe", "train.py", "--format", "json").out)
    assert f"train.py, {said}." in shown["notes"]


def test_help_says_that_no_sandbox_means_no_redirection(run: Runs) -> None:  # noqa: F811
    shown = " ".join(run("diagnose", "--help").out.split())
    assert "writes are not redirected: the script changes files as it would alone" in shown
