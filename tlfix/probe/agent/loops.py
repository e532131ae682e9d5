"""Custom training loops (``GradientTape``): seen through the model, the loss and the optimizer.

The program's own step function may be compiled, so values are handed out of the graph with
``tf.numpy_function``; a call of the model followed by an ``apply`` of the optimizer was a training
step, one that was not followed by any was validation.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import numpy as np

from tlfix_agent import fed, models, places
from tlfix_agent.channel import Channel, number
from tlfix_agent.data import Feed
from tlfix_agent.fits import Fit, Fits
from tlfix_agent.forward import as_array
from tlfix_agent.limits import Budget
from tlfix_agent.steps import Watch


class Loops:
    """Watches whatever trains outside ``Model.fit``."""

    def __init__(self, channel: Channel, budget: Budget, fits: Fits) -> None:
        self._channel, self._budget, self._fits = channel, budget, fits
        self._model: Any = None
        self._depth = 0
        self._pending: tuple[np.ndarray | None, np.ndarray | None, float | None] = (None,) * 3
        self._kept: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {
            "training": [],
            "validation": [],
        }
        self._logits = False
        self._fit: Fit | None = None
        self._watch: Watch | None = None
        self._place: dict[str, Any] | None = None
        self._optimizer: Any = None
        self._loss: Any = None

    def watch_keras(self, keras: Any) -> None:
        """Replace the calls of models, losses and optimizers by watched ones."""
        self._watch_call(keras.Model)
        self._watch_loss(keras.losses.Loss)
        self._watch_metric(getattr(keras.metrics, "MeanMetricWrapper", None))
        self._watch_apply(keras.optimizers.Optimizer)

    def _outside(self) -> bool:
        return not self._fits.inside

    def _watch_call(self, model: Any) -> None:
        original = model.__call__

        @functools.wraps(original)
        def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            self._depth += 1
            try:
                result = original(layer, *args, **kwargs)
            finally:
                self._depth -= 1
            if (
                self._depth == 0
                and self._outside()
                and args
                and _is_tensor(args[0])
                and layer.trainable_weights
            ):
                self._model = layer
                _hand_out(self._on_inputs, args[0])
            return result

        model.__call__ = call

    def _watch_loss(self, loss: Any) -> None:
        original = loss.__call__

        @functools.wraps(original)
        def call(this: Any, y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(this, y_true, y_pred, *args, **kwargs)
            if self._outside() and _is_tensor(y_pred):
                self._logits = bool(models.from_logits(this))
                self._loss = this
                _hand_out(self._on_loss, y_true, result)
            return result

        loss.__call__ = call

    def _watch_metric(self, metric: Any) -> None:
        """Validation often takes no loss: then a metric tells the labels."""
        if metric is None:
            return
        original = metric.update_state

        @functools.wraps(original)
        def update(this: Any, y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(this, y_true, y_pred, *args, **kwargs)
            if self._outside() and _is_tensor(y_true):
                _hand_out(self._on_metric, y_true)
            return result

        metric.update_state = update

    def _watch_apply(self, optimizer: Any) -> None:
        original = getattr(optimizer, "apply", None)
        if original is None:
            return

        @functools.wraps(original)
        def apply(this: Any, grads: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(this, grads, *args, **kwargs)
            if self._outside() and self._model is not None:
                self._optimizer = this
                self._place = self._place or places.here()
                _hand_out(self._on_apply)
            return result

        optimizer.apply = apply

    def _on_inputs(self, inputs: np.ndarray) -> None:
        self._settle("validation")
        self._pending = (np.array(inputs), None, None)

    def _on_loss(self, true: np.ndarray, loss: np.ndarray) -> None:
        self._pending = (self._pending[0], np.array(true), float(np.mean(loss)))

    def _on_metric(self, true: np.ndarray) -> None:
        inputs, known, loss = self._pending
        if known is None:
            self._pending = (inputs, np.array(true), loss)

    def _on_apply(self) -> None:
        loss = self._pending[2]
        self._settle("training")
        if self._watch is None:
            self._start()
        assert self._watch is not None
        self._watch.on_step(0, {"loss": loss} if loss is not None else {}, fresh=True)
        if self._watch.reason or self._budget.exhausted:
            self._budget.used_steps = max(self._budget.used_steps, self._budget.steps)
            self._budget.end()

    def _settle(self, split: str) -> None:
        """The batch that was waiting turns out to belong to ``split``."""
        inputs, true, _ = self._pending
        self._pending = (None, None, None)
        kept = self._kept[split]
        if (
            inputs is not None
            and true is not None
            and len(inputs) == len(true)
            and sum(len(x) for x, _ in kept) < self._budget.images
        ):
            kept.append((inputs, true))

    def _feed(self, split: str) -> Feed:
        return fed.feed(self._kept[split], "custom-loop", self._fits.instruments)

    def _start(self) -> None:
        rate = self._optimizer.learning_rate
        self._fit = self._fits.begin_loop(
            self._model,
            self._feed("training"),
            self._place,
            {
                "optimizer": type(self._optimizer).__name__,
                "loss": models.loss_name(self._loss),
                "from_logits": self._logits,
                "learning_rate": None if callable(rate) else number(as_array(rate)),
            },
        )
        self._watch = Watch(self._channel, self._budget, self._fit.index, self._model)

    def close(self) -> None:
        """After the script: hand over what the loop was fed, and score the model."""
        if self._fit is None or self._watch is None:
            return
        self._settle("validation")
        self._fits.end_loop(
            self._fit, self._watch, self._feed("training"), self._feed("validation")
        )


def _is_tensor(value: Any) -> bool:
    return (
        hasattr(value, "shape")
        and hasattr(value, "dtype")
        and "KerasTensor" not in str(type(value).__name__)
    )


def _hand_out(receive: Any, *values: Any) -> None:
    """Call ``receive`` with the values as arrays, now or whenever the graph runs."""
    tensorflow = sys.modules.get("tensorflow")
    symbolic = tensorflow is not None and not tensorflow.executing_eagerly()
    if not symbolic:
        receive(*(as_array(v) for v in values))
        return
    assert tensorflow is not None

    def out(*arrays: np.ndarray) -> np.int32:
        receive(*arrays)
        return np.int32(0)

    tensorflow.numpy_function(out, list(values), tensorflow.int32, stateful=True)
