"""What is going on, on stderr: a live line on a terminal, plain lines elsewhere.

A plain line appears when the phase changes and at least every ten seconds, so that a log never
looks stalled.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from typing import IO, TYPE_CHECKING

from tlfix.report.numbers import number, seconds

if TYPE_CHECKING:
    from tlfix.probe.runner import Progress

HEARTBEAT = 10.0
"""Seconds after which a plain log repeats where it is."""

Listener = Callable[["Progress"], None]


@contextmanager
def shown(stream: IO[str], *, heartbeat: float = HEARTBEAT) -> Iterator[Listener]:
    """A listener for ``on_progress`` that writes to ``stream`` until the block ends."""
    with _live(stream) if stream.isatty() else _plain(stream, heartbeat) as listener:
        yield listener


def describe(progress: Progress) -> str:
    """One line: ``training fit 1, step 12/150, loss 1.93, accuracy 0.31``."""
    # With Keras imported, what goes on until the first training is the script's own affair.
    phase = f"{progress.phase} {progress.detail}".strip()
    parts = [re.sub(r"\bbuilding$", "running the script", phase)]
    if progress.step is not None:
        total = "" if progress.total is None else f"/{progress.total:,}"
        parts.append(f"step {progress.step:,}{total}")
    if progress.loss is not None:
        parts.append(f"loss {number(progress.loss)}")
    if progress.accuracy is not None:
        parts.append(f"accuracy {progress.accuracy:.2f}")
    return ", ".join(parts)


@contextmanager
def _live(stream: IO[str]) -> Iterator[Listener]:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(file=stream, highlight=False)
    columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda progress: bar.update(task, description=describe(progress))


@contextmanager
def _plain(stream: IO[str], heartbeat: float) -> Iterator[Listener]:
    log = _Log(stream)
    done = Event()

    def beat() -> None:
        while not done.wait(min(1.0, heartbeat)):
            log.repeat(heartbeat)

    thread = Thread(target=beat, name="tlfix-progress", daemon=True)
    thread.start()
    try:
        yield log.hear
    finally:
        done.set()
        thread.join()


class _Log:
    """The last thing heard and when something was last written; two threads use it."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream
        self.began = self.wrote = time.monotonic()
        self.phase = ""
        self.line = "starting"
        self.lock = Lock()

    def hear(self, progress: Progress) -> None:
        with self.lock:
            self.line = describe(progress)
            if progress.phase != self.phase:
                self.phase = progress.phase
                self._write()

    def repeat(self, after: float) -> None:
        with self.lock:
            if time.monotonic() - self.wrote >= after:
                self._write()

    def _write(self) -> None:
        self.wrote = time.monotonic()
        with suppress(OSError):  # a full disk or a closed terminal must not end the run
            self.stream.write(f"[{seconds(self.wrote - self.began)}] {self.line}\n")
            self.stream.flush()
