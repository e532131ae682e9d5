"""The budget of a probe: steps, training seconds, images, and the wall clock."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

AGAIN = 2.0  # seconds until the script is told again that it must end
PATIENCE = 3  # times it may catch that, and go on


class Finished(BaseException):
    """Raised to end the user's script once everything worth measuring has been seen."""


@dataclass
class Budget:
    """What may be spent.

    ``steps`` and ``seconds`` (of training, compilation apart) are shared by the program's
    ``fits``; ``images`` bounds each sample kept in memory; ``timeout`` bounds the whole script;
    ``idle`` is how long the script may go on after a fit before it is ended.
    """

    steps: int
    seconds: float
    images: int
    timeout: float
    fits: int = 1
    idle: float = 15.0
    started: float = field(default_factory=time.monotonic)
    used_steps: int = 0
    used_seconds: float = 0.0
    ran_out: bool = False
    told: int = 0
    leave: Callable[[], None] | None = None
    """Ends the process from within: what is called once the script has caught :class:`Finished`
    more than ``PATIENCE`` times (it has a bare ``except`` in a loop). It returns if it cannot."""

    def steps_for_fit(self) -> int:
        """Steps the next fit may take: its share, or all that is left for the last one."""
        share = max(self.steps // max(self.fits, 1), 1)
        return max(min(share, self.steps - self.used_steps), 0)

    def seconds_for_fit(self) -> float:
        """Training seconds the next fit may take."""
        return max(min(self.seconds / max(self.fits, 1), self.seconds - self.used_seconds), 0.0)

    @property
    def left(self) -> float:
        """Wall seconds left before the script must end."""
        return self.timeout - (time.monotonic() - self.started)

    @property
    def exhausted(self) -> bool:
        """True once no further step may be taken."""
        return self.used_steps >= self.steps or self.used_seconds >= self.seconds

    def watch(self) -> None:
        """Arrange that :class:`Finished` is raised in the script when the wall time is over."""
        signal.signal(signal.SIGALRM, self._on_alarm)
        self._alarm_in(self.left)

    def watch_idle(self) -> None:
        """After a fit: the script has ``idle`` seconds (at most) to begin another."""
        self._alarm_in(min(self.idle, self.left))

    def stop_watching(self) -> None:
        """No more alarms: what follows is measured, not the user's script."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def end(self) -> None:
        """Raise :class:`Finished`, or leave if the script will not hear.

        Raises:
            Finished: always, if it returns at all.
        """
        self.told += 1
        if self.told > PATIENCE and self.leave is not None:
            self.leave()
        raise Finished

    @staticmethod
    def _alarm_in(seconds: float) -> None:
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.1), AGAIN)

    def _on_alarm(self, _signal: int, _frame: FrameType | None) -> None:
        self.ran_out = self.ran_out or self.left <= 0.5
        self.end()
