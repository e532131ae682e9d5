"""Scores a model on a sample, without compiling anything and without changing its weights."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from tlfix_agent import labels, models
from tlfix_agent.channel import number
from tlfix_agent.data import Sample
from tlfix_agent.forward import Forward, as_array, inference

BATCH = 64


def run(
    model: Any, inputs: np.ndarray, training: bool, seconds: float = 60.0, batch: int = BATCH
) -> np.ndarray:
    """Outputs (n, ...) for ``inputs``; fewer rows if ``seconds`` run out."""
    outputs = []
    start = time.monotonic()
    forward = Forward(model, training=True) if training else inference(model)
    for first in range(0, len(inputs), batch):
        outputs.append(forward(inputs[first : first + batch]))
        if time.monotonic() - start > seconds:
            break
    return np.concatenate(outputs)


def evaluate(
    model: Any,
    sample: Sample,
    split: str,
    mode: str,
    from_logits: bool,
    seconds: float = 60.0,
    batch: int = BATCH,
) -> dict[str, Any] | None:
    """The model's score on ``sample`` as an event (``Evaluation``), after training.

    In training mode BatchNorm updates its statistics; they are put back. ``batchnorm_updates``
    tells whether any did. BatchNorm then sees whole batches, as ``fit`` mixes them: a sample in the
    order of its classes would give it one class at a time.
    """
    training = mode == "training"
    order = np.arange(len(sample.inputs))
    if training:
        order = np.random.default_rng(0).permutation(order)
    statistics = (
        [
            v
            for layer in models.layers_below(model)
            if models.is_batchnorm(layer)
            for v in (layer.moving_mean, layer.moving_variance)
        ]
        if training
        else []
    )
    kept = models.snapshot(model.non_trainable_variables) if training else []
    before = models.snapshot(statistics[:40])
    moved = False
    try:
        inputs = sample.inputs[order] if training else sample.inputs
        outputs = run(model, inputs, training, seconds, batch)
        moved = any(
            np.any(a != b) for a, b in zip(models.snapshot(statistics[:40]), before, strict=True)
        )
    finally:
        if training:
            models.restore(model.non_trainable_variables, kept)
    seen = order[: len(outputs)]
    outputs = outputs[np.argsort(seen)]
    event: dict[str, Any] = {
        "split": split,
        "mode": mode,
        "when": "after",
        "n": len(outputs),
        "finite": bool(np.isfinite(outputs).all()),
    }
    if training:
        event["batchnorm_updates"] = moved
    target = None if sample.labels is None else sample.labels[np.sort(seen)]
    score = labels.score(outputs, target, from_logits)
    if score is not None:
        event.update(score.as_event())
    event["loss"] = loss_of(model, target, outputs)
    return event


def loss_of(model: Any, target: np.ndarray | None, outputs: np.ndarray) -> float | None:
    """The compiled loss over a sample, regularisation apart; None if it cannot be computed."""
    if target is None:
        return None
    function = loss_function(model)
    try:
        return None if function is None else number(np.mean(as_array(function(target, outputs))))
    except Exception:  # whatever does not fit here fails in the program too, where it is recorded
        return None


def loss_function(model: Any) -> Any:
    """The model's single compiled loss, taking labels and outputs; None without one."""
    loss = getattr(model, "loss", None)
    if isinstance(loss, str):
        try:
            return models.keras_of(model).losses.get(loss)
        except ValueError:
            return None
    return loss if callable(loss) else None
