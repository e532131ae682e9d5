"""How a probe ends when the script would rather not, and what it then says."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tlfix.probe.agent.launch import load_package
from tlfix.probe.recorder import Recorder
from tlfix.probe.runner import Budget, probe
from tlfix.probe.trace import Trace

DEAF = """\
import time
while True:
    try:
        time.sleep(0.1)
    except BaseException:
        continue
"""


def run(folder: Path, text: str, sandbox: str = "auto", timeout: float = 30) -> Trace:
    (folder / "train.py").write_text(text)
    budget = Budget(timeout=timeout)
    return probe(folder / "train.py", budget=budget, cwd=folder, sandbox=sandbox)


def test_a_script_that_catches_everything_is_left(tmp_path: Path) -> None:
    trace = run(tmp_path, DEAF, timeout=2)
    assert trace.status == "timed-out" and "--timeout" in (trace.reason or "")
    assert trace.seconds < 40  # a process that does not react is killed after 60 s more
    assert any("catches every exception" in note for note in trace.notes)


def test_one_that_only_tidies_up_is_not_hurried(tmp_path: Path) -> None:
    text = "try:\n    while True:\n        pass\nfinally:\n    print('tidy')\n"
    trace = run(tmp_path, text, timeout=2)
    assert trace.status == "timed-out" and trace.notes == ()


def test_a_question_asked_for_ever_ends_the_script(tmp_path: Path) -> None:
    trace = run(tmp_path, "while input('Go on (y/n)? ') not in ('y', 'n'):\n    pass\n")
    assert trace.crash is not None and trace.crash.type == "EOFError"
    assert "asks for input ('Go on (y/n)?')" in trace.crash.message
    assert trace.seconds < 15


def test_a_question_is_answered(tmp_path: Path) -> None:
    trace = run(tmp_path, "name = input('Name of the run: ') or 'run'\nassert name == 'run'\n")
    assert trace.status == "completed" and trace.crash is None


REFUSED = {
    "another user's": "raise PermissionError(13, 'Permission denied', '/proc/1/environ')\n",
    "out of bounds": "raise PermissionError(13, 'Permission denied', '/opt/not-there/a')\n",
    "data": "open('missing.csv')\n",
    "by a library": (
        "import os\nos.makedirs('/opt/not-there/1')\n"
        "raise FileNotFoundError(2, 'No such file or directory', '/opt/not-there/1/log')\n"
    ),
    "in a chain": (
        "try:\n    raise PermissionError(13, 'Permission denied', '/opt/not-there/a')\n"
        "except OSError as error:\n    raise RuntimeError('cannot save') from error\n"
    ),
    "h5py": (
        "raise OSError(\"Unable to create file (unable to open file: name = '/opt/h.h5', \"\n"
        "    \"errno = 13, error message = 'Permission denied', flags = 13)\")\n"
    ),
    "tensorflow": (
        "class PermissionDeniedError(Exception):\n    pass\n"
        "raise PermissionDeniedError('/opt/not-there/logs; Permission denied')\n"
    ),
}
OURS = {"out of bounds", "by a library", "in a chain", "h5py", "tensorflow"}


@pytest.mark.parametrize("what", REFUSED)
def test_a_write_that_tlfix_refused_is_not_the_scripts_fault(tmp_path: Path, what: str) -> None:
    trace = run(tmp_path, REFUSED[what])
    assert trace.crash is not None
    told = "--sandbox none" in (trace.reason or "")
    assert told == (what in OURS), trace.reason
    assert any("is confined" in note for note in trace.notes) == told


def test_unconfined_nothing_is_put_down_to_tlfix(tmp_path: Path) -> None:
    trace = run(tmp_path, REFUSED["out of bounds"], sandbox="none")
    assert trace.reason == "The script raised PermissionError."


def test_the_reason_of_a_crash_carries_the_explanation() -> None:
    recorder = Recorder(seed=0)
    event = {"event": "crash", "type": "OSError", "message": "", "confined": "It is confined."}
    recorder.add(json.dumps(event).encode())
    recorder.ended(0, "")
    assert recorder.trace(1.0).reason == "The script raised OSError. It is confined."


class Events:
    """A channel that keeps what is sent."""

    broken = busy = False

    def __init__(self) -> None:
        self.sent: list[tuple[str, str | None]] = []

    def send(self, event: str, **fields: str) -> None:
        self.sent.append((event, fields.get("phase")))


def test_a_script_that_prepares_for_long_is_said_to_run() -> None:
    session = _session(Events())
    channel = session._channel
    session._beat(100.0)
    session._built = 101.0
    session._beat(105.0)
    session._beat(110.0)
    session._beat(115.0)
    alive, running = ("alive", None), ("phase", "running the script")
    assert channel.sent == [alive, alive, alive, running, alive]


def test_while_it_trains_no_other_phase_is_sent() -> None:
    session = _session(Events())
    session._built = 101.0
    session._fits.inside = True
    session._beat(110.0)
    assert session._channel.sent == [("alive", None)]


def _session(channel: Events) -> Any:
    if "tlfix_agent" not in sys.modules:
        load_package()
    session: Any = importlib.import_module("tlfix_agent.session")
    budget = {"steps": 1, "seconds": 1, "images": 1, "timeout": 1}
    config = {"budget": budget, "instruments": True, "scratch": "/tmp", "writable": []}
    return session.Session(config, channel)
