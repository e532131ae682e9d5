from __future__ import annotations

import time
from io import StringIO

from tlfix.probe.runner import Progress
from tlfix.report.progress import describe, shown


def test_a_log_gets_a_line_per_phase() -> None:
    log = StringIO()
    with shown(log) as listener:
        listener(Progress("importing", "train.py"))
        for step in range(50):
            listener(Progress("training", "fit 1", step=step, total=150, loss=1.93, accuracy=0.31))
        listener(Progress("linear probe"))
    lines = [line.partition("] ")[2] for line in log.getvalue().splitlines()]
    assert lines == [
        "starting",
        "importing train.py",
        "training fit 1, step 0/150, loss 1.93, accuracy 0.31",
        "linear probe",
    ]


def test_a_silent_phase_is_repeated() -> None:
    log = StringIO()
    with shown(log, heartbeat=0.05) as listener:
        listener(Progress("importing", "train.py"))
        time.sleep(0.4)
    assert log.getvalue().count("importing train.py") >= 2


def test_a_terminal_gets_one_live_line() -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    with shown(terminal) as listener:
        listener(Progress("training", "data[1].py", step=3))
        time.sleep(0.3)
    assert "training data[1].py, step 3" in terminal.getvalue()


def test_unknown_numbers_are_left_out() -> None:
    assert describe(Progress("training")) == "training"
