"""Learning-rate range test, and a short fine-tuning trial: runs from saved weights.

The range test follows Smith (2017, arXiv:1506.01186) in spirit; but instead of one run with a
growing rate, each rate gets a short run of its own from the same initial weights, so that the
losses can be compared with each other and with the program's own rate.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tlfix_agent import evaluation, labels, models
from tlfix_agent.channel import number
from tlfix_agent.data import Sample

FACTORS = (1.0, 0.1, 10.0)
HIGHEST, LOWEST = 10.0, 1e-7
ALIKE, STANDS = 0.2, 0.05
"""Shares of the initial loss: of runs that end this close to each other neither is better (single
batches at the end of equal runs spread over .15 of it), and one this close to it has not moved."""
RUNS = 12
STEPS = 20

TUNE_RATE = 1e-3
"""Adam's rate for a fine-tuning of ``TUNE_EPOCHS`` passes over some 256 images, BatchNorm frozen.

Measured on MobileNetV2 0.35, 64 steps, validation accuracy of the head alone against the top third
tuned at 1e-4, 3e-4 and 1e-3: gradient images .71 against .69, .73, .76; Fourier spectra .49 against
.45, .50, .58. Lower rates cannot move the backbone in so few steps."""
TUNE_EPOCHS = 8
GAIN = 0.03  # accuracy (0..1): what a tuned backbone must gain to be looked at again


def range_test(
    model: Any,
    fit: Callable[..., Any],
    initial: list[np.ndarray],
    sample: Sample,
    batch_size: int,
    seconds: float,
    corrected: bool,
) -> dict[str, Any] | None:
    """Short runs of ``STEPS`` steps at the program's rate and powers of ten around it.

    Which, :class:`_Search` decides, until ``seconds`` run out. The model's weights are left as the
    last run left them.
    """
    current = models.learning_rate(model)
    if current is None or current <= 0 or sample.labels is None:
        return None
    models.restore(model.weights, initial)
    before = evaluation.evaluate(model, sample, "training", "inference", False)
    start = before["loss"] if before else None
    runs = _Runs(model, initial, _Search(current, start), seconds)
    repeats = -(-STEPS * batch_size // len(sample))
    order = np.concatenate(
        [np.random.default_rng(i).permutation(len(sample)) for i in range(repeats)]
    )[: STEPS * batch_size]
    fit(
        model,
        sample.inputs[order],
        sample.labels[order],
        batch_size=batch_size,
        shuffle=False,
        epochs=RUNS,
        verbose=0,
        callbacks=[runs.callback(models.keras_of(model))],
    )
    done = [
        (rate, losses)
        for rate, losses in zip(runs.rates, runs.losses, strict=True)
        if len(losses) >= max(3, min(STEPS, len(order) // batch_size) // 2)
    ]
    if len(done) < 2:
        return None
    done.sort(key=lambda pair: pair[0])
    return {
        "rates": [rate for rate, _ in done],
        "losses": [_late(losses) for _, losses in done],
        "initial": start,
        "current": current,
        "steps": STEPS,
        "corrected": corrected,
    }


def _late(losses: list[float]) -> float | None:
    """Median loss of the last quarter of a run; None once it was not finite."""
    if not np.isfinite(losses).all():
        return None
    return float(np.median(losses[-max(len(losses) // 4, 3) :]))


class _Search:
    """Which rate to try next, given the losses at those tried.

    The program's own and its neighbours first. Then upwards while the highest rate is as good as
    the best and the loss has not risen, and downwards while the lowest rate is and moves it.
    """

    def __init__(self, current: float, initial: float | None) -> None:
        inside = (current * factor for factor in FACTORS)
        self._waiting = [r for r in inside if LOWEST <= r <= HIGHEST or r == current]
        self._initial = initial if initial is not None else 1e9  # not finite: any loss is less
        self._tried: dict[float, float] = {}

    def tried(self, rate: float, loss: float | None) -> None:
        """A run at ``rate`` ended at ``loss`` (None: not finite)."""
        self._tried[rate] = float("inf") if loss is None else loss

    def next(self) -> float | None:
        """The next rate, or None when the search is over."""
        if self._waiting:
            return self._waiting.pop(0)
        highest, lowest = max(self._tried), min(self._tried)
        risen = self._tried[highest] > (1 + STANDS) * self._initial
        if highest * 10 <= HIGHEST and self._open(highest) and not risen:
            return highest * 10
        stands = abs(self._tried[lowest] - self._initial) < STANDS * self._initial
        if lowest / 10 >= LOWEST and self._open(lowest) and not stands:
            return lowest / 10  # where the loss stands, a still lower rate moves it less
        return None

    def _open(self, rate: float) -> bool:
        """True if a rate beyond this one may be better: it is as good as the best, as losses
        spread."""
        best = min(self._tried.values())
        return self._tried[rate] <= best + ALIKE * self._initial


class _Runs:
    """One ``fit`` whose every epoch is a fresh run at the next rate."""

    def __init__(
        self, model: Any, initial: list[np.ndarray], search: _Search, seconds: float
    ) -> None:
        self._model, self._initial, self._search = model, initial, search
        self._until = time.monotonic() + seconds
        self.rates: list[float] = []
        self._following = search.next()
        self.losses: list[list[float]] = []
        self._mean = PerBatch()

    def callback(self, keras: Any) -> Any:
        """A Keras callback that drives the runs."""
        callback = keras.callbacks.Callback()
        callback.on_epoch_begin = self._begin
        callback.on_train_batch_end = self._step
        callback.on_epoch_end = self._end
        return callback

    def _end(self, epoch: int, logs: Any = None) -> None:
        self._search.tried(self.rates[-1], _late(self.losses[-1]))
        self._following = self._search.next()
        if self._following is None:
            self._model.stop_training = True

    def _begin(self, epoch: int, logs: Any = None) -> None:
        models.restore(self._model.weights, self._initial)
        optimizer = self._model.optimizer
        for variable in optimizer.variables:
            variable.assign(variable * 0)
        assert self._following is not None
        optimizer.learning_rate = self._following
        self.rates.append(self._following)
        self.losses.append([])
        self._mean = PerBatch()

    def _step(self, batch: int, logs: Any = None) -> None:
        self.losses[-1].append(self._mean.of("loss", (logs or {}).get("loss"), batch))
        if time.monotonic() > self._until:
            self._model.stop_training = True


class PerBatch:
    """Keras reports running means over the epoch; this gives the value of each batch."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}

    def of(self, name: str, mean: Any, batch: int) -> float:
        """The batch's own value, from the running ``mean`` after ``batch`` (from 0)."""
        value = float(mean) if mean is not None else float("nan")
        total = value * (batch + 1)
        own = total - self._sums.get(name, 0.0)
        self._sums[name] = total
        return own


def fine_tune(
    model: Any,
    network: Any,
    fit: Callable[..., Any],
    training: Sample,
    validation: Sample,
    frozen: np.ndarray,
    batch_size: int,
    seconds: float,
    from_logits: bool,
) -> dict[str, Any] | None:
    """Unfreezes the top third of ``network`` (BatchNorm kept frozen) and trains on the sample.

    Where that beats ``frozen`` (flags of the validation images that frozen features get right) by
    ``GAIN``, the head alone is trained for as many steps from the same weights: a gain that it
    makes too owes nothing to the backbone.

    Returns a ``FineTuneTrial``; None for a model without a loss of its own, which a training loop
    keeps to itself, or where the outputs are not finite.
    """
    if getattr(model, "loss", None) is None:
        return None
    start = models.snapshot(model.weights)
    layers = list(network.layers)
    until = time.monotonic() + seconds

    def train(first_trainable: int, steps: int | None) -> tuple[np.ndarray | None, int]:
        models.restore(model.weights, start)
        network.trainable = True
        for index, layer in enumerate(layers):
            layer.trainable = index >= first_trainable and not models.is_batchnorm(layer)
        optimizer = models.keras_of(model).optimizers.Adam(TUNE_RATE)
        model.compile(optimizer=optimizer, loss=model.loss)
        stop = _Stop(models.keras_of(model), model, until, steps)
        fit(
            model,
            training.inputs,
            training.labels,
            batch_size=batch_size,
            epochs=TUNE_EPOCHS,
            verbose=0,
            callbacks=[stop.callback],
        )
        outputs = evaluation.run(model, validation.inputs, False)
        score = labels.score(outputs, validation.labels, from_logits)
        if score is None or number(outputs.sum()) is None:
            return None, stop.steps
        return score.true == score.predicted, stop.steps

    tuned, steps = train(len(layers) * 2 // 3, None)
    if tuned is None or len(tuned) != len(frozen):
        return None
    if tuned.mean() - frozen.mean() >= GAIN:
        until += seconds
        alone, _ = train(len(layers), steps)
        if alone is not None and alone.mean() > frozen.mean():
            frozen = alone
    return {
        "frozen_accuracy": float(frozen.mean()),
        "frozen_correct": frozen,
        "tuned_accuracy": float(tuned.mean()),
        "tuned_correct": tuned,
        "steps": steps,
        "learning_rate": TUNE_RATE,
        "validation": len(tuned),
    }


class _Stop:
    """Ends a training after ``steps`` steps or at the time ``until``."""

    def __init__(self, keras: Any, model: Any, until: float, steps: int | None) -> None:
        self.steps = 0
        self._model, self._until, self._limit = model, until, steps
        self.callback = keras.callbacks.Callback()
        self.callback.on_train_batch_end = self._step

    def _step(self, batch: int, logs: Any = None) -> None:
        self.steps += 1
        if self.steps == self._limit or time.monotonic() > self._until:
            self._model.stop_training = True
