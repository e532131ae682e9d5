"""Instrument 1: what enters the pretrained network, against what it was trained on.

The tensor at the backbone's input is compared with what its own ``preprocess_input`` makes of the
same images, and its effect at the first BatchNorm layers with the statistics stored there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tlfix_agent import models
from tlfix_agent.forward import as_array
from tlfix_agent.models import Backbone


class _Seen(Exception):
    """Stops a forward pass once the tensor of interest has been seen."""


@contextmanager
def replaced_call(layer: Any, call: Callable[..., Any]) -> Iterator[None]:
    """``layer.call`` replaced on this one instance for a while."""
    object.__setattr__(layer, "call", call)
    try:
        yield
    finally:
        object.__delattr__(layer, "call")


def capture(
    model: Any, backbone: Backbone, inputs: np.ndarray, training: bool = False
) -> np.ndarray | None:
    """The tensor (n, height, width, channels) that enters the backbone for ``inputs``, or None
    where it cannot be reached.

    In inference mode, unless ``training``: then the program's own random layers before the backbone
    do their work.
    """
    if backbone.nested:
        return _nested(model, backbone.network, inputs, training)
    if backbone.tensor is not None:
        keras = models.keras_of(model)
        try:
            part = keras.Model(model.inputs, backbone.tensor)
        except Exception:  # built on a tensor that is not part of this model's graph
            return None
        return as_array(part(inputs, training=training))
    entry = backbone.network.inputs[0] if getattr(backbone.network, "inputs", None) else None
    own = getattr(model, "inputs", None) or []
    if entry is None or any(entry is tensor for tensor in own) or model is backbone.network:
        return np.asarray(inputs, np.float32)
    first = next((x for x in models.layers_below(backbone.network) if x.weights), None)
    return None if first is None else np.asarray(inputs, np.float32)


def _nested(model: Any, network: Any, inputs: np.ndarray, training: bool) -> np.ndarray | None:
    seen: list[np.ndarray] = []

    def watch(x: Any, *_args: Any, **_kwargs: Any) -> Any:
        seen.append(as_array(x))
        raise _Seen

    for first in range(0, len(inputs), 64):
        try:
            with replaced_call(network, watch):
                model(inputs[first : first + 64], training=training)
        except _Seen:
            continue
        except Exception as error:
            if not _caused_by(error, _Seen):
                raise
    return np.concatenate(seen) if seen else None


def _caused_by(error: BaseException | None, kind: type) -> bool:
    while error is not None:
        if isinstance(error, kind) or kind.__name__ in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def divergence(backbone: Backbone, tensor: np.ndarray) -> float | None:
    """Symmetric Gaussian divergence between what arrives at the first BatchNorm layer for
    ``tensor`` and its stored statistics, averaged over channels; None without BatchNorm.

    J = ((s^2 + d^2) / v + (v + d^2) / s^2) / 2 - 1 with the batch's mean and variance (m, s^2), the
    stored ones (mu, v) and d = m - mu. Zero for equal statistics.
    """
    first = models.batchnorms(backbone.network)[:1]
    if not first:
        return None
    layer = first[0]
    seen: list[np.ndarray] = []

    def watch(x: Any, *_args: Any, **_kwargs: Any) -> Any:
        seen.append(as_array(x))
        raise _Seen

    for start in range(0, len(tensor), 64):
        try:
            with replaced_call(layer, watch):
                backbone.network(tensor[start : start + 64], training=False)
        except _Seen:
            continue
        except Exception as error:
            if not _caused_by(error, _Seen):
                return None
    if not seen:
        return None
    arrived = np.concatenate(seen).astype(np.float64)
    axes = models.axes_but_channels(layer, arrived.ndim)
    return gaussian_divergence(
        arrived.mean(axes),
        arrived.var(axes),
        as_array(layer.moving_mean),
        as_array(layer.moving_variance),
    )


def gaussian_divergence(
    mean: np.ndarray, variance: np.ndarray, stored: np.ndarray, spread: np.ndarray
) -> float:
    """The symmetric divergence of two Gaussians per channel, given by their means and variances
    (channels,), averaged over channels. Keras' own epsilon of 1e-3 is added to the variances."""
    variance, spread = np.float64(1e-3) + variance, np.float64(1e-3) + spread
    gap = (np.asarray(mean, np.float64) - stored) ** 2
    value = ((variance + gap) / spread + (spread + gap) / variance) / 2 - 1
    return float(value.mean())
