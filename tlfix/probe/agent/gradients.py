"""Gradients layer by layer, and ReLU units that never fire: where a training that failed broke.

On TensorFlow only: its gradients need no second compilation of the model.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

import numpy as np

from tlfix_agent import models
from tlfix_agent.channel import number
from tlfix_agent.door import replaced_call
from tlfix_agent.evaluation import loss_function
from tlfix_agent.feed import Sample
from tlfix_agent.forward import as_array, as_tensor, tensorflow_of

BATCHES = 2
LAYERS = 200  # with weights or ReLU; of deeper networks the ones nearest the input and the output


def measure(
    model: Any,
    backbones: list[models.Backbone],
    sample: Sample,
    batch_size: int,
    weights: str,
    seconds: float,
) -> dict[str, Any] | None:
    """Gradients of the compiled loss over ``BATCHES`` batches, in training mode as ``fit`` takes
    them, from the weights that ``model`` has now; as an event (``GradientsSeen``).

    Weights, statistics and trainable flags are as before afterwards. None off TensorFlow, without
    a compiled loss, or without trainable weights.
    """
    loss = loss_function(model)
    trainable = list(model.trainable_variables)
    if loss is None or sample.labels is None or not trainable:
        return None
    tensorflow = tensorflow_of(trainable[0])
    if tensorflow is None:
        return None
    order = np.random.default_rng(0).permutation(len(sample))
    gradients: list[list[float]] = []
    kept = models.snapshot(model.non_trainable_variables)
    until = time.monotonic() + seconds
    try:
        for i in range(BATCHES):
            rows = order[i * batch_size : (i + 1) * batch_size]
            if len(rows) == 0 or (gradients and time.monotonic() > until):
                break
            with tensorflow.GradientTape() as tape:
                outputs = model(sample.inputs[rows], training=True)
                labels = sample.labels[rows]
                if labels.size == np.prod(outputs.shape):  # (n,) against one unit's (n, 1)
                    labels = labels.reshape(tuple(outputs.shape))
                value = tensorflow.reduce_mean(loss(labels, outputs))
                for penalty in getattr(model, "losses", None) or ():
                    value += tensorflow.cast(penalty, value.dtype)
            found = tape.gradient(value, [as_tensor(v) for v in trainable])
            gradients.append([_norm(g) for g in found])
    finally:
        models.restore(model.non_trainable_variables, kept)
    dead = dead_units(model, sample.inputs[order[: max(batch_size, 32)]])
    norms = {id(v): [g[i] for g in gradients] for i, v in enumerate(trainable)}
    inside = {id(x) for b in backbones for x in models.layers_below(b.network)}
    layers = [
        _layer(layer, norms, dead.get(id(layer)), id(layer) in inside)
        for layer in leaves(model)
        if id(layer) in dead or any(id(v) in norms for v in layer.weights)
    ]
    if len(layers) > LAYERS:
        layers = layers[: LAYERS // 2] + layers[-LAYERS // 2 :]
    return {"weights": weights, "batches": len(gradients), "layers": layers}


def leaves(model: Any) -> list[Any]:
    """The layers inside ``model`` that hold no other with weights, in order of application."""
    flatten = getattr(model, "_flatten_layers", None)
    direct = model.layers if flatten is None else flatten(include_self=False, recursive=False)
    found: dict[int, Any] = {}
    for layer in direct:
        inside = any(inner.weights for inner in models.layers_below(layer) if inner is not layer)
        for leaf in leaves(layer) if inside else [layer]:
            found.setdefault(id(leaf), leaf)
    return list(found.values())


def _norm(gradient: Any) -> float:
    """The sum of squares; NaN where there is no finite one, 0 for a weight the loss ignores."""
    if gradient is None:
        return 0.0
    values = as_array(gradient.values if hasattr(gradient, "values") else gradient)
    return float(np.sum(np.square(values, dtype=np.float64)))


def _layer(
    layer: Any, norms: dict[int, list[float]], dead: float | None, in_backbone: bool
) -> dict[str, Any]:
    own = [v for v in layer.weights if id(v) in norms]
    event: dict[str, Any] = {
        "layer": layer.name,
        "kind": type(layer).__name__,
        "part": "backbone" if in_backbone else "head",
        "dead": dead,
    }
    if own:
        squares = np.sum([norms[id(v)] for v in own], axis=0)
        values = [as_array(v).astype(np.float64) for v in own]
        size = float(np.sqrt(sum(np.sum(v**2) for v in values)))
        norm = float(np.mean(np.sqrt(squares)))
        event.update(
            norm=number(norm),
            weight_norm=number(size),
            finite=bool(np.isfinite(norm) and np.isfinite(size)),
        )
    return event


def is_relu(layer: Any) -> bool:
    """True for a ReLU layer and for a layer with ``activation="relu"`` (or ReLU6)."""
    if type(layer).__name__ == "ReLU":
        return not getattr(layer, "negative_slope", 0.0)
    activation = getattr(layer, "activation", None)
    return getattr(activation, "__name__", "") in {"relu", "relu6"}


def dead_units(model: Any, inputs: np.ndarray) -> dict[int, float]:
    """For each ReLU layer (by id) the share of its units that are zero for all ``inputs``.

    A unit of a convolution is a channel, dead if it is zero everywhere in every image. Inference
    mode; layers the pass does not reach are left out.
    """
    highest: dict[int, np.ndarray] = {}

    def watched(layer: Any) -> Any:
        original = layer.call

        def call(*args: Any, **kwargs: Any) -> Any:
            outputs = original(*args, **kwargs)
            values = as_array(outputs)
            values = values.reshape(-1, values.shape[-1]).max(0)
            highest[id(layer)] = np.maximum(highest.get(id(layer), values), values)
            return outputs

        return call

    with ExitStack() as stack:
        for layer in leaves(model):
            if is_relu(layer):
                stack.enter_context(replaced_call(layer, watched(layer)))
        model(inputs, training=False)
    return {key: float((values <= 0).mean()) for key, values in highest.items()}
