"""Counts the steps of one training call and ends it with its share of the budget."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from tlfix_agent.channel import Channel, number
from tlfix_agent.limits import Budget
from tlfix_agent.rates import PerBatch


class Watch:
    """Counts steps, streams losses, and ends the fit when its share of the budget is used."""

    EVERY = 0.5  # seconds between two messages

    def __init__(self, channel: Channel, budget: Budget, index: int, model: Any) -> None:
        self._channel, self._budget, self._index, self._model = channel, budget, index, model
        self._steps, self._seconds = budget.steps_for_fit(), budget.seconds_for_fit()
        self._start: float | None = None
        self._pending: list[dict[str, Any]] = []
        self._sent = time.monotonic()
        self._batches = PerBatch()
        self._epoch = 0
        self._taken = 0
        self.epochs = 0.0
        self.reason: str | None = None
        self.losses: list[float] = []

    def callback(self, keras: Any) -> Any:
        """A Keras callback that watches."""
        callback = keras.callbacks.Callback()
        callback.on_epoch_begin = self._epoch_begin
        callback.on_train_batch_end = self.on_step
        callback.on_epoch_end = self._epoch_end
        return callback

    def _epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch
        self._batches = PerBatch()

    def on_step(self, batch: int, logs: Any = None, fresh: bool = False) -> None:
        """After one step; ``fresh`` if the logs are of this batch alone."""
        logs = logs or {}
        now = time.monotonic()
        if self._start is None:
            self._start = now  # the first step compiles: it is not counted
        self._taken += 1
        self._budget.used_steps += 1
        name = next((n for n in logs if "acc" in n and not n.startswith("val_")), None)

        def own(key: str) -> float:
            value = logs[key]
            return float(value) if fresh else self._batches.of(key, value, batch)

        loss = own("loss") if "loss" in logs else None
        accuracy = own(name) if name else None
        if loss is not None:
            self.losses.append(loss)
        self._pending.append(
            {
                "step": self._taken,
                "epoch": self._epoch,
                "loss": number(loss),
                "accuracy": number(accuracy),
                "finite": loss is None or bool(np.isfinite(loss)),
            }
        )
        if now - self._sent > self.EVERY:
            self.flush()
        if self._taken >= self._steps:
            self._stop("budget")
        elif now - self._start >= self._seconds or self._budget.left < 20:
            self._stop("time")

    @property
    def learned(self) -> bool:
        """False if the loss ended where it began, or higher, or not finite."""
        losses = self.losses
        if len(losses) < 6:
            return True
        late = float(np.median(losses[-max(len(losses) // 4, 3) :]))
        return bool(np.isfinite(losses).all()) and late < losses[0]

    def _stop(self, reason: str) -> None:
        self.reason = self.reason or reason
        self._model.stop_training = True

    def _epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epochs = epoch + 1.0
        self.flush()
        self._channel.send(
            "epoch", index=self._index, logs={k: number(v) for k, v in (logs or {}).items()}
        )
        if self.reason:
            self._model.stop_training = True

    def close(self) -> None:
        """The fit is over: send what is left, and account for its time."""
        self.flush()
        if self._start is not None:
            self._budget.used_seconds += time.monotonic() - self._start
            self._start = None

    def flush(self) -> None:
        """Send the steps not sent yet."""
        self._sent = time.monotonic()
        if self._pending:
            self._channel.send("steps", index=self._index, steps=self._pending, total=self._steps)
            self._pending = []
