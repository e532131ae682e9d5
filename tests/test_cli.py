"""The command line as its user meets it: what is said, on which stream, and the exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from io import StringIO
from pathlib import Path

import pytest

from tests.report.cases import SICK
from tlfix import api
from tlfix.cli import main
from tlfix.lookup import known_causes
from tlfix.probe.trace import Trace
from tlfix.store import Stored, save

SICK_SCRIPT = """\
import tensorflow as tf

train = tf.keras.utils.image_dataset_from_directory("train", label_mode="int")
base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg")
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(3, activation="softmax")])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train, epochs=5)
"""


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ran:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        shown = capsys.readouterr()
        code = left.value.code
        assert isinstance(code, int)
        return Ran(code, shown.out, shown.err)

    return run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["diagnose"], "Missing argument 'SCRIPT'"),
        (["diagnos", "train.py"], "No such command 'diagnos'"),
        (["diagnose", "train.py", "--epochs", "3"], "Options of the script itself go after --"),
        (["diagnose", "train.py", "--format", "sarif"], "not part of this version yet"),
        (["diagnose", "train.py", "--format", "jsn"], 'did you mean "json"?'),
        (["diagnose", "train.py", "--output", "json"], "should be FORMAT=FILE"),
        (["diagnose", "train.py", "--output", "json=no/such/a.json"], "cannot be written"),
        (["diagnose", "train.py", "--steps", "0"], "--steps"),
        (["diagnose", "train.py", "--steps", "-3"], "--steps"),
        (["diagnose", "train.py", "--timeout", "nan"], "nan is not a finite number of seconds"),
        (["diagnose", "train.py", "--timeout", "inf"], "inf is not a finite number of seconds"),
        (["diagnose", "train.py", "--timeout", "-1"], "--timeout"),
        (["diagnose", "train.py", "--budget", "nan"], "nan is not a finite number of seconds"),
        (["diagnose", "train.py", "--budget", "0"], "--budget"),
        (["diagnose", "train.py", "--seed", "-1"], "-1 is not in the range 0<=x<=4294967295"),
        (["apply", "train.py", "--seed", "4294967296"], "not in the range 0<=x<=4294967295"),
        (["diagnose", "/dev/zero", "--no-probe"], "/dev/zero is not a regular file"),
        (["diagnose", "train.py", "--python", "no-such-python"], "is no interpreter"),
        (["diagnose", "train.py", "--sandbox", "chroot"], "--sandbox"),
        (["diagnose", "missing.py"], "missing.py"),
        (["check", "missing.py"], "missing.py"),
        (["apply", "missing.py", "--diff"], "missing.py"),
        (["apply", "train.py", "--diff", "--in-place"], "choose one of"),
        (["apply", "train.py", "--seeds", "2"], "--seeds"),
        (["apply", "train.py", "--only", "nothing-trainabel"], 'mean "nothing-trainable"?'),
        (["explain", "preprocesing-mismatch"], 'mean "preprocessing-mismatch"?'),
        (["explain", "chance-validatoin"], 'mean "chance-validation"?'),
    ],
)
def test_wrong_usage_is_explained_and_exits_2(
    run: Run, tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "train.py").write_text(SICK_SCRIPT)
    ran = run(*arguments)
    assert ran.code == 2
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""


@pytest.mark.parametrize("command", [["diagnose"], ["diagnose", "--no-probe"], ["apply"]])
def test_a_link_that_leads_to_itself_exits_2(run: Run, tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "loop.py").symlink_to("loop.py")
    ran = run(*command, "loop.py")
    assert ran.code == 2
    assert "loop.py is a symbolic link that leads back to itself" in ran.err


def test_wrong_settings_exit_2_with_key_and_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SICK_SCRIPT)
    (tmp_path / "pyproject.toml").write_text("[tool.tlfix]\nselct = []\n")
    for command in (["check", "train.py"], ["diagnose", "train.py"], ["apply", "train.py"]):
        ran = run(*command)
        assert ran.code == 2
        assert 'pyproject.toml: [tool.tlfix] selct: unknown key; did you mean "select"?' in ran.err


def test_check_finds_and_exits_1(run: Run, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SICK_SCRIPT)
    ran = run("check")
    assert ran.code == 1
    assert "train.py:7:" in ran.out
    assert "TL201 class-mode-loss-mismatch" in ran.out
    assert ran.err == ""


def test_check_of_what_is_no_training_exits_0(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tool.py").write_text("print('hello')\n")
    ran = run("check", "tool.py")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Nothing found in 1 file")


def test_settings_silence_a_cause(run: Run, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SICK_SCRIPT)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.tlfix]\nper-file-ignores = { "train.py" = ["TL201"] }\n'
    )
    assert "TL201" not in run("check", "train.py").out


def test_check_prints_json_alone_and_other_formats_to_files(run: Run, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SICK_SCRIPT)
    ran = run("check", "train.py", "--format", "json", "--output", "text=found.txt")
    shown = json.loads(ran.out)
    assert shown["schema"] == "tlfix.check/1"
    assert shown["files"][0]["causes"][0]["code"] == "TL201"
    assert "TL201" in (tmp_path / "found.txt").read_text()


@pytest.mark.parametrize("name", ["class-mode-loss-mismatch", "TL201", "tl201"])
def test_explain_takes_ids_and_codes(run: Run, name: str) -> None:
    ran = run("explain", name)
    assert ran.code == 0
    assert ran.out.startswith("class-mode-loss-mismatch (TL201)\n")
    assert "Why it hurts" in ran.out
    assert "+model.compile(" in ran.out


def test_explain_takes_symptoms(run: Run) -> None:
    assert run("explain", "flat-loss").out.startswith("flat-loss (symptom)")


def test_causes_lists_the_whole_catalogue(run: Run) -> None:
    ran = run("causes")
    assert ran.code == 0
    for code in known_causes().values():
        assert f"\n{code} " in ran.out


def test_reading_alone_needs_no_run(run: Run, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SICK_SCRIPT)
    ran = run("diagnose", "train.py", "--no-probe", "--format", "json")
    shown = json.loads(ran.out)
    assert ran.code == 1
    assert shown["probe"]["status"] == "skipped"
    assert "class-mode-loss-mismatch" in [cause["id"] for cause in shown["causes"]]
    assert not (tmp_path / ".tlfix").exists()


def test_a_script_that_is_no_python_exits_2(run: Run, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("def f(:\n")
    ran = run("diagnose", "train.py")
    assert ran.code == 2
    assert "train.py" in ran.err
    assert "Traceback" not in ran.err


def test_a_script_that_fails_at_once_exits_3_and_is_still_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import sys\n\nraise ValueError(sys.argv[1])\n")
    ran = run("diagnose", "train.py", "--format", "json", "--output", "text=a.txt", "--", "--x")
    shown = json.loads(ran.out)
    assert ran.code == 3
    assert shown["probe"]["status"] == "crashed"
    assert "ValueError" in shown["probe"]["reason"]
    assert "--x" in shown["symptoms"][0]["summary"]
    assert "starting" in ran.err
    assert (tmp_path / "a.txt").read_text().startswith("Crashed: ")
    assert (tmp_path / ".tlfix" / ".gitignore").exists()


def kept(script: Path, text: str) -> None:
    script.write_text(text)
    digest = sha256(script.read_bytes()).hexdigest()
    stored = Stored(
        script=script.name,
        arguments=(),
        sha256=digest,
        python=sys.executable,
        diagnosis=SICK,
        trace=Trace(status="completed"),
    )
    assert save(script, stored) is None


def test_apply_without_a_diagnosis_says_so(run: Run) -> None:
    ran = run("apply")
    assert ran.code == 2
    assert "run tlfix diagnose SCRIPT first" in ran.err


def test_apply_refuses_a_stale_diagnosis(run: Run, tmp_path: Path) -> None:
    kept(tmp_path / "train.py", SICK_SCRIPT)
    (tmp_path / "train.py").write_text(SICK_SCRIPT + "# changed\n")
    ran = run("apply", "--diff")
    assert ran.code == 2
    assert "train.py has changed since it was diagnosed" in ran.err


def test_apply_prints_the_patch_alone(run: Run, tmp_path: Path) -> None:
    kept(tmp_path / "train.py", SICK_SCRIPT)
    ran = run("apply", "--diff", "--no-verify", "--only", "TL201")
    assert ran.code == 0
    assert ran.out.startswith("--- ")
    assert '+model.compile(optimizer="adam", loss="sparse_categorical_crossentropy"' in ran.out
    assert "using the kept diagnosis of train.py" in ran.err
    assert "Proposed, nothing is written; not verified by a rerun." in ran.err
    assert "Applied" not in ran.err
    assert (tmp_path / "train.py").read_text() == SICK_SCRIPT


def test_apply_outside_git_says_so(run: Run, tmp_path: Path) -> None:
    kept(tmp_path / "train.py", SICK_SCRIPT)
    ran = run("apply", "train.py", "--branch", "--no-verify")
    assert ran.code == 2
    assert "git" in ran.err
    assert "Traceback" not in ran.err


MARKS = "open('ran', 'w').close()\n"


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("prepared", "branch", "said"),
    [
        ((), "", "is not in a git repository"),
        (("init", "add", "commit", "branch"), "taken", "taken"),
        (("init", "add", "commit", "dirty"), "", "has uncommitted changes"),
    ],
    ids=["no-git", "branch-exists", "dirty"],
)
def test_a_branch_that_cannot_be_made_is_refused_before_the_script_runs(
    run: Run, tmp_path: Path, prepared: tuple[str, ...], branch: str, said: str
) -> None:
    script = tmp_path / "train.py"
    script.write_text(MARKS)
    steps = {"init": ["--quiet"], "add": ["."], "commit": ["-qm", "first"], "branch": ["taken"]}
    for step in prepared:
        if step == "dirty":
            script.write_text(MARKS + "# changed\n")
        else:
            git(tmp_path, step, *steps[step])
    ran = run("apply", "train.py", *(["--branch", branch] if branch else []))
    assert ran.code == 2
    assert said in ran.err
    assert "starting" not in ran.err
    assert not (tmp_path / "ran").exists() and not (tmp_path / ".tlfix").exists()


def test_branch_does_not_swallow_the_script(run: Run, tmp_path: Path) -> None:
    kept(tmp_path / "train.py", SICK_SCRIPT)
    ran = run("apply", "--branch", "train.py", "--no-verify")
    assert "using the kept diagnosis of train.py" in ran.err


def test_a_defect_of_tlfix_exits_4_with_the_traceback_in_a_file(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the sky fell")

    monkeypatch.setattr(api, "check", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ran = run("check", ".")
    assert ran.code == 4
    assert "internal error: RuntimeError: the sky fell" in ran.err
    assert "Traceback" not in ran.err
    (log,) = tmp_path.glob("tlfix-*.log")
    assert str(log) in ran.err
    assert "in broken" in log.read_text()
    monkeypatch.setenv("TLFIX_DEBUG", "1")
    assert "Traceback" in run("check", ".").err


def test_control_c_ends_the_probe_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import time\n\ntime.sleep(60)\n")
    command = [sys.executable, "-m", "tlfix", "diagnose", "train.py", "--sandbox", "none"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A job in the background of a shell inherits an ignored SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as child:
        assert child.stderr is not None
        child.stderr.readline()
        os.kill(child.pid, signal.SIGINT)
        out, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert err.splitlines()[-1] == "tlfix: stopped."
    assert "Traceback" not in err
    assert out == ""


def test_check_starts_without_the_heavy_libraries(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SICK_SCRIPT)
    code = (
        "import sys\nfrom tlfix.cli import main\n"
        "try:\n    main(['check', 'train.py'])\n"
        "finally:\n    print(sorted({n.partition('.')[0] for n in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1, done.stderr
    loaded = set(json.loads(done.stderr.strip().splitlines()[-1].replace("'", '"')))
    assert "pydantic" in loaded
    assert not loaded & {"tensorflow", "keras", "scipy", "git", "rich", "jinja2", "sklearn"}


def test_a_reader_that_closes_early_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m tlfix causes | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("code")


def test_each_fix_is_asked_about(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(tmp_path / "train.py", SICK_SCRIPT)
    monkeypatch.setattr("sys.stdin", StringIO("y\n" + "n\n" * 9))
    ran = run("apply", "train.py", "--diff", "--no-verify", "-i")
    assert "Try this fix?" in ran.err
    assert "sparse_categorical_crossentropy" in ran.out
    monkeypatch.setattr("sys.stdin", StringIO("n\n" * 9))
    ran = run("apply", "train.py", "--diff", "--no-verify", "-i")
    assert (ran.code, ran.out) == (1, "")
    assert "no fix was chosen" in ran.err
