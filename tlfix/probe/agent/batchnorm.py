"""BatchNorm layers of a trained model: what their moving statistics are, and what new ones change.

Recalibrating means computing each layer's statistics anew from images, in inference mode and from
the first layer to the last, as in AdaBN (Li et al. 2016, arXiv:1603.04779). No weight is touched.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from tlfix_agent import labels, models
from tlfix_agent.door import gaussian_divergence, replaced_call
from tlfix_agent.evaluation import run
from tlfix_agent.feed import Sample
from tlfix_agent.forward import as_array

BATCHES, BATCH = 4, 64


class Statistics:
    """The moving statistics of all BatchNorm layers of ``network``, in the order of its layers."""

    def __init__(self, network: Any) -> None:
        self.layers = [
            layer
            for layer in models.batchnorms(network)
            if getattr(layer, "moving_mean", None) is not None
        ]
        self._variables = [v for x in self.layers for v in (x.moving_mean, x.moving_variance)]

    def values(self) -> list[np.ndarray]:
        """Copies of means and variances in turn."""
        return models.snapshot(self._variables)

    def within(self, variables: Any, snapshot: list[np.ndarray]) -> list[np.ndarray]:
        """The same from a snapshot of a model's ``variables``."""
        positions = {id(v): i for i, v in enumerate(variables)}
        return [snapshot[positions[id(v)]] for v in self._variables]

    def restore(self, values: list[np.ndarray]) -> None:
        """Put values taken by :meth:`values` back."""
        models.restore(self._variables, values)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Whatever is done to the statistics inside is undone at the end."""
        values = self.values()
        try:
            yield
        finally:
            self.restore(values)


def updating(before: list[np.ndarray], after: list[np.ndarray]) -> int:
    """The number of layers whose statistics differ, each list holding mean and variance in turn."""
    return sum(
        not (np.array_equal(before[i], after[i]) and np.array_equal(before[i + 1], after[i + 1]))
        for i in range(0, len(before), 2)
    )


def divergence(before: list[np.ndarray], after: list[np.ndarray]) -> float | None:
    """Mean symmetric Gaussian divergence of the layers' statistics; None if it is not finite."""
    values = [
        gaussian_divergence(before[i], before[i + 1], after[i], after[i + 1])
        for i in range(0, len(before), 2)
    ]
    mean = float(np.mean(values)) if values else float("nan")
    return mean if np.isfinite(mean) else None


def recalibrate(network: Any, statistics: Statistics, batches: list[np.ndarray]) -> None:
    """Give every layer of ``statistics`` the mean and variance of what arrives at it when
    ``network`` sees ``batches``, each layer before it having done the same.

    Means are averaged over the batches, and the variance of a batch's mean is added to the mean of
    its variances, so that few batches do not understate it.
    """
    collected: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in statistics.layers]
    with ExitStack() as stack:
        for layer, seen in zip(statistics.layers, collected, strict=True):
            stack.enter_context(replaced_call(layer, _normalise_by_batch(layer, seen)))
        for batch in batches:
            network(batch, training=False)
    for layer, seen in zip(statistics.layers, collected, strict=True):
        if not seen:
            continue
        means, variances = (np.stack(part) for part in zip(*seen, strict=True))
        layer.moving_mean.assign(means.mean(0))
        layer.moving_variance.assign(variances.mean(0) + means.var(0))


def _normalise_by_batch(layer: Any, seen: list[tuple[np.ndarray, np.ndarray]]) -> Any:
    original = layer.call

    def call(x: Any, *_args: Any, **_kwargs: Any) -> Any:
        mean, variance = _moments(layer, x)
        seen.append((mean, variance))
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(variance)
        return original(x, training=False)

    return call


def _moments(layer: Any, x: Any) -> tuple[np.ndarray, np.ndarray]:
    axes = models.axes_but_channels(layer, len(x.shape))
    ops = getattr(models.keras_of(layer), "ops", None)
    if ops is not None and hasattr(ops, "moments"):
        mean, variance = ops.moments(ops.cast(x, "float32"), axes)
    elif "tensorflow" in sys.modules:
        mean, variance = sys.modules["tensorflow"].nn.moments(x, axes)
    else:
        values = as_array(x)
        mean, variance = values.mean(axes), values.var(axes)
    return as_array(mean).copy(), as_array(variance).copy()


def mixed(images: np.ndarray, batches: int = BATCHES, size: int = BATCH) -> list[np.ndarray]:
    """Up to ``batches`` batches of ``images`` in random order, so that classes are mixed."""
    order = np.random.default_rng(0).permutation(len(images))
    count = max(min(batches, len(order) // min(size, len(order))), 1)
    return [images[order[i * size : (i + 1) * size]] for i in range(count)]


def describe(
    model: Any, initial: list[np.ndarray] | None, final: list[np.ndarray] | None
) -> dict[str, Any] | None:
    """The facts about a model's BatchNorm layers and one fit, as an event (``BatchNormSeen``).

    Args:
        initial: all weights of ``model`` before the fit.
        final: the same after it. Without either, only the layers are counted.

    None for a model without BatchNorm.
    """
    statistics = Statistics(model)
    if not statistics.layers:
        return None
    momenta = [float(getattr(layer, "momentum", 0.0)) for layer in statistics.layers]
    event: dict[str, Any] = {
        "layers": len(statistics.layers),
        "updating": 0,
        "momentum": max(momenta),
    }
    if initial is not None and final is not None:
        before = statistics.within(model.weights, initial)
        after = statistics.within(model.weights, final)
        event["updating"] = updating(before, after)
        event["drift"] = divergence(before, after)
    return event


def scores(
    model: Any, training: Sample, scored: Sample, split: str, from_logits: bool, seconds: float
) -> dict[str, Any]:
    """The model's accuracy on ``scored`` as it stands and after its statistics were computed anew
    from ``training``, as part of an event (``BatchNormSeen``); empty without single classes, and
    where ``seconds`` do not suffice for a pass over ``scored``."""
    statistics = Statistics(model)
    outputs = run(model, scored.inputs, False, seconds)
    if len(outputs) != len(scored):
        return {}  # The time ran out.
    stands = labels.score(outputs, scored.labels, from_logits)
    if stands is None or len(stands.true) != len(scored):
        return {}
    with statistics.kept():
        recalibrate(model, statistics, mixed(training.inputs))
        outputs = run(model, scored.inputs, False, seconds)
    if len(outputs) != len(scored):
        return {}
    renewed = labels.score(outputs, scored.labels, from_logits)
    if renewed is None or len(renewed.true) != len(scored):
        return {}
    correct, again = stands.true == stands.predicted, renewed.true == renewed.predicted
    return {
        "split": split,
        "accuracy": float(correct.mean()),
        "recalibrated": float(again.mean()),
        "correct": correct,
        "recalibrated_correct": again,
    }
