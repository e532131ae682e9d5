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


def test_nothing_is_written_before_anything_has_begun() -> None:
    log = StringIO()
    with shown(log):
        assert log.getvalue() == ""
    assert log.getvalue() == ""


def test_between_the_import_of_keras_and_the_first_training_the_script_runs() -> None:
    assert describe(Progress("building")) == "running the script"
    assert describe(Progress("trial 2, freeze, seed 1: building")) == (
        "trial 2, freeze, seed 1: running the script"
    )


def test_a_full_disk_behind_the_log_ends_nothing() -> None:
    class Full(StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    with shown(Full(), heartbeat=0.01) as listener:
        listener(Progress("training"))
        time.sleep(0.05)


def test_unknown_numbers_are_left_out() -> None:
    assert describe(Progress("training")) == "training"
