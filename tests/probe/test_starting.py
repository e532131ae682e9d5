"""A probe that is forked from a waiting process sees and does what a fresh one does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tlfix.probe.runner import probe, quiet_environment
from tlfix.probe.starting import Warm
from tlfix.probe.trace import Trace

REPORTS = """\
import os, sys, tempfile
import json as known
print(os.getpgid(0) == os.getpid(), sys.argv[1:], __name__, os.environ.get("COLOUR"))
print(os.getcwd() == os.path.dirname(os.path.abspath(__file__)), sys.stdin.read() == "")
print(tempfile.gettempdir() == os.environ["TMPDIR"])
sys.exit(3)
"""


def run(script: Path, starter: Warm | None = None, **other: object) -> Trace:
    return probe(script, ["--fast"], cwd=script.parent, starter=starter, **other)  # type: ignore[arg-type]


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "report.py"
    path.write_text(REPORTS)
    return path


def test_a_forked_probe_is_like_a_fresh_one(script: Path) -> None:
    fresh = run(script, environment={"COLOUR": "red"})
    with Warm(sys.executable, ["json", "tempfile"], quiet_environment(0)) as warm:
        first = run(script, warm, environment={"COLOUR": "red"})
        second = run(script, warm, environment={"COLOUR": "blue"})
    assert first.status == fresh.status == "crashed"
    assert first.reason == fresh.reason
    assert "True ['--fast'] __main__ red / True True / True" in str(first.reason)
    assert "blue" in str(second.reason)


def test_the_exit_status_of_a_forked_process_arrives(tmp_path: Path) -> None:
    script = tmp_path / "leave.py"
    script.write_text("import os\nprint('leaving', flush=True)\nos._exit(7)\n")
    with Warm(sys.executable, [], quiet_environment(0)) as warm:
        trace = run(script, warm)
    assert trace.status == "crashed"
    assert "with exit status 7" in str(trace.reason)
    assert "leaving" in str(trace.reason)


def test_without_a_process_to_fork_the_start_is_fresh(script: Path) -> None:
    with Warm(sys.executable, ["there_is_no_such_module"], quiet_environment(0)) as warm:
        trace = run(script, warm)
    assert "__main__" in str(trace.reason)


def test_an_interpreter_that_cannot_be_started(script: Path, tmp_path: Path) -> None:
    missing = str(tmp_path / "python")
    with Warm(missing, [], quiet_environment(0)) as warm:
        trace = probe(script, python=missing, starter=warm)
    assert trace.status == "skipped"
    assert missing in str(trace.reason)


def test_nothing_is_left_running(script: Path) -> None:
    with Warm(sys.executable, [], quiet_environment(0)) as warm:
        run(script, warm)
        server = warm._server
        folder = warm._folder
    assert server is not None
    assert server.returncode is not None
    assert not os.path.exists(folder)
