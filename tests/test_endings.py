"""How a run ends when the world around it does: signals, full disks, closed streams."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.test_cli import SICK_SCRIPT

TLFIX = (sys.executable, "-m", "tlfix")


def shell(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """``command`` in Bash, with ``tlfix`` as a function."""
    prepared = f'tlfix() {{ {sys.executable} -m tlfix "$@"; }}\n{command}'
    return subprocess.run(
        ["bash", "-c", prepared], cwd=folder, capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(SICK_SCRIPT)
    return tmp_path


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGHUP, 129), (signal.SIGTERM, 143)], ids=["hangup", "terminate"]
)
def test_an_ended_run_leaves_no_folder_and_no_child(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "train.py").write_text(
        "import os\n"
        f"print(os.getpid(), file=open({str(tmp_path / 'child')!r}, 'w'), flush=True)\n"
        "os.read(os.pipe()[0], 1)\n"  # for ever; a probe cuts sleeps short
    )
    with subprocess.Popen(
        [*TLFIX, "diagnose", "train.py", "--sandbox", "none"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path / "scratch")},
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    ) as run:
        limit = time.monotonic() + 60
        while not (tmp_path / "child").exists() or not (tmp_path / "child").read_text().strip():
            assert time.monotonic() < limit
            time.sleep(0.05)
        assert list((tmp_path / "scratch").iterdir())
        run.send_signal(number)
        _, errors = run.communicate(timeout=30)
    assert run.returncode == code
    assert list((tmp_path / "scratch").iterdir()) == []
    assert b"Traceback" not in errors
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "child").read_text()), 0)


def test_under_nohup_a_closed_terminal_ends_nothing(tmp_path: Path) -> None:
    code = (
        "import signal\nfrom tlfix.cli import main\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "try:\n    main(['--version'])\n"
        "finally:\n    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    "command", ["check train.py", "explain TL201", "causes", "diagnose --no-probe train.py"]
)
def test_a_full_disk_behind_stdout_is_told_in_one_line(folder: Path, command: str) -> None:
    done = shell(folder, f"tlfix {command} > /dev/full")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "tlfix: the result could not be written to standard output: No space left on device."
    )
    assert "internal error" not in done.stderr and "Exception ignored" not in done.stderr


def test_help_on_a_full_disk(folder: Path) -> None:
    done = shell(folder, "tlfix --help > /dev/full")
    assert done.returncode == 2
    assert "a file could not be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_output_without_room_is_removed_and_the_old_one_stays(folder: Path) -> None:
    (folder / "found.json").write_text("the one before")
    before = sorted(path.name for path in folder.iterdir())
    done = shell(folder, "ulimit -f 1; tlfix check train.py --output json=found.json")
    assert done.returncode == 2
    assert done.stderr == "tlfix: found.json could not be written: File too large.\n"
    assert (folder / "found.json").read_text() == "the one before"
    assert sorted(path.name for path in folder.iterdir()) == before


def test_closed_stderr_costs_only_the_remarks(folder: Path) -> None:
    open_, closed = (shell(folder, f"tlfix check train.py {end}") for end in ("", "2>&-"))
    assert closed.returncode == open_.returncode == 1
    assert closed.stdout.splitlines()[:-1] == open_.stdout.splitlines()[:-1]
    assert shell(folder, "tlfix diagnose gone.py 2>&-").returncode == 2


def test_progress_does_not_land_in_a_file_when_stderr_is_closed(folder: Path) -> None:
    (folder / "train.py").write_text("raise ValueError\n")
    done = shell(folder, "tlfix diagnose train.py --format json --output text=a.txt 2>&-")
    assert done.returncode == 3
    assert done.stdout.startswith("{") and done.stdout.endswith("}\n")
    assert (folder / "a.txt").read_text().startswith("Crashed: ")


def test_closed_stdout_is_refused_before_anything_runs(folder: Path) -> None:
    done = shell(folder, "tlfix diagnose train.py >&-")
    assert done.returncode == 2
    assert done.stderr.startswith("tlfix: standard output is closed")
    assert "starting" not in done.stderr


def test_no_folder_for_temporary_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import tempfile, sys\nfrom tlfix import cli\n"
        "def full(*_, **__):\n    raise OSError(28, 'No space left on device')\n"
        "tempfile.mkdtemp = full\ncli.main(['diagnose', 'train.py'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 2
    assert "a file could not be written: No space left on device. Make room" in done.stderr
