"""What a network nobody knows was trained on, recovered from the statistics in its BatchNorms.

Whatever the images it was trained on were, its first BatchNorm layers have stored what arrived
there. The scaling per channel that brings the images at hand closest to that is found by gradient
descent: the mean over the layers of log(1 + J) is minimised, J the divergence of
:func:`tlfix_agent.door.gaussian_divergence`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlfix_agent import models
from tlfix_agent.forward import as_array, tensorflow_of
from tlfix_agent.scalings import Scaling

LAYERS = 6
IMAGES, STEPS, SECONDS = 64, 60, 30.0
RATE = 0.1
"""Adam's rate, for factors of about 1 in units of the images' own spread."""

ALIKE = 0.25
"""Losses this close are alike. Of MobileNetV2 0.35, trained on drawn textures, on photographs: the
right scaling leaves 0.18, the best one found 0.06, /255 2.3, raw pixels 3.3."""


@dataclass(frozen=True)
class Recovered:
    """``scaling`` of raw pixels that fits best, with the loss it leaves and that of the images as
    fed. ``mean`` and ``std`` (channels,) are what it subtracts and divides by, in grey levels, and
    ``*_error`` how far two halves of the images disagree."""

    scaling: Scaling
    loss: float
    as_fed: float
    mean: np.ndarray
    std: np.ndarray
    mean_error: np.ndarray
    std_error: np.ndarray
    images: int

    def as_event(self) -> dict[str, Any]:
        """As an event (``RecoveredSeen``)."""
        return {name: value for name, value in vars(self).items() if name != "scaling"}


def recover(
    network: Any, images: np.ndarray, fed: Scaling, known: dict[str, Scaling]
) -> Recovered | None:
    """The scaling that ``network`` was trained on, from ``images`` (n, height, width, 3) that it
    is fed, which ``fed`` made of raw pixels.

    One of the ``known`` ones, or ``fed`` itself, where that fits as well. None for networks off
    TensorFlow, without BatchNorm, or whose graph is not known.
    """
    layers = [x for x in models.batchnorms(network) if x.built][:LAYERS]
    tensorflow = tensorflow_of(layers[0].moving_mean) if layers else None
    if tensorflow is None or images.ndim != 4 or images.shape[-1] != 3:
        return None
    chosen = np.unique(np.linspace(0, len(images) - 1, IMAGES).astype(int))
    raw = fed.invert(images[chosen])
    search = _Search(tensorflow, network, layers, time.monotonic() + SECONDS)
    candidates = {"as fed": fed, **known}
    losses = {name: search.loss(each.apply(raw)) for name, each in candidates.items()}
    own = _own(raw)
    starts = [candidates[min(losses, key=lambda name: losses[name])], own, _reversed(own)]
    start = min(starts, key=lambda each: search.loss(each.apply(raw)))
    best, loss = search.descend(raw, start, STEPS)
    halves = [search.descend(raw[i::2], best, STEPS // 2)[0] for i in range(2)]
    fine = [name for name, value in losses.items() if value <= loss + ALIKE]
    if fine:
        # The simplest that fits: what is fed, else a known one.
        name = "as fed" if "as fed" in fine else min(fine, key=lambda each: losses[each])
        best, loss = candidates[name], losses[name]
    if min(best.scale) <= 0:
        return None  # no preprocessing turns black and white round
    (mean, std), (one, other) = _moments(best), (_moments(half) for half in halves)
    return Recovered(
        best,
        loss,
        losses["as fed"],
        mean,
        std,
        np.abs(one[0] - other[0]),
        np.abs(one[1] - other[1]),
        len(raw),
    )


class _Search:
    """The loss of a scaled batch, and its descent."""

    def __init__(self, tensorflow: Any, network: Any, layers: list[Any], until: float) -> None:
        self._tensorflow, self._until = tensorflow, until
        keras = models.keras_of(network)
        self._front = keras.Model(network.inputs, [layer.input for layer in layers])
        self._stored = [
            (as_array(layer.moving_mean), as_array(layer.moving_variance)) for layer in layers
        ]
        self._axes = [models.axes_but_channels(layer, len(layer.input.shape)) for layer in layers]

    def loss(self, images: np.ndarray) -> float:
        """Mean of log(1 + J) over the layers."""
        return float(self._loss(self._tensorflow.constant(images)))

    def _loss(self, images: Any) -> Any:
        tensorflow = self._tensorflow
        arrived = self._front(images, training=False)
        arrived = arrived if isinstance(arrived, (list, tuple)) else [arrived]
        parts = []
        for tensor, (stored, spread), axes in zip(arrived, self._stored, self._axes, strict=True):
            mean, variance = tensorflow.nn.moments(tensor, axes)
            variance, spread = variance + 1e-3, spread + 1e-3
            gap = (mean - stored) ** 2
            each = ((variance + gap) / spread + (spread + gap) / variance) / 2 - 1
            parts.append(tensorflow.math.log1p(tensorflow.reduce_mean(each)))
        return tensorflow.reduce_mean(tensorflow.stack(parts))

    def descend(self, raw: np.ndarray, start: Scaling, steps: int) -> tuple[Scaling, float]:
        """From ``start`` downhill by Adam, on two numbers a channel; the best met and its loss."""
        tensorflow = self._tensorflow
        pixels = raw[..., list(start.source)]
        mean, std = pixels.mean((0, 1, 2)), pixels.std((0, 1, 2)) + 1e-3
        plain = tensorflow.constant((pixels - mean) / std, tensorflow.float32)
        gain = np.array(start.scale) * std
        size = float(np.mean(np.abs(gain))) or 1.0
        shift = (np.array(start.scale) * mean + np.array(start.offset)) / size
        point = np.concatenate([gain / size, shift]).astype(np.float32)

        def measured(values: Any) -> Any:
            with tensorflow.GradientTape() as tape:
                tape.watch(values)
                loss = self._loss(size * (plain * values[:3] + values[3:]))
            return loss, tape.gradient(loss, values)

        step = tensorflow.function(measured, autograph=False)
        best, lowest = point, float("inf")
        first, second = np.zeros(6), np.zeros(6)
        for number in range(1, steps + 1):
            loss, gradient = (as_array(each) for each in step(tensorflow.constant(point)))
            if not np.isfinite(loss) or not np.isfinite(gradient).all():
                break
            if loss < lowest:
                best, lowest = point, float(loss)
            first = 0.9 * first + 0.1 * gradient
            second = 0.999 * second + 0.001 * gradient**2
            move = (first / (1 - 0.9**number)) / (np.sqrt(second / (1 - 0.999**number)) + 1e-8)
            rate = RATE * (1 - (number - 1) / steps)
            point = (point - rate * move).astype(np.float32)
            if time.monotonic() > self._until:
                break
        scale = size * best[:3] / std
        offset = size * best[3:] - scale * mean
        found = tuple(map(float, scale)), tuple(map(float, offset))
        return Scaling("recovered", found[0], found[1], start.source), lowest  # type: ignore[arg-type]


def _own(raw: np.ndarray) -> Scaling:
    """The images' own mean and deviation per channel brought to 0 and 1."""
    mean, std = raw.mean((0, 1, 2)), raw.std((0, 1, 2)) + 1e-3
    return Scaling("own", tuple(map(float, 1 / std)), tuple(map(float, -mean / std)))  # type: ignore[arg-type]


def _reversed(scaling: Scaling) -> Scaling:
    """The same numbers for blue, green, red."""
    return Scaling(scaling.name, scaling.scale[::-1], scaling.offset[::-1], (2, 1, 0))


def _moments(scaling: Scaling) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation that a scaling brings to 0 and 1, in grey levels per channel."""
    scale, offset = np.array(scaling.scale), np.array(scaling.offset)
    return -offset / scale, 1 / scale
