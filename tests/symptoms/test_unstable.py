"""The symptoms of swinging losses and of features that are all alike."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

from tests.traces import backbone, data, evaluation, falling, fit, flat, probe, trace
from tlfix.probe.trace import FeaturesSeen, Trace
from tlfix.symptoms.registry import measure_all


def descent(rate: float, batch: int, steps: int = 60) -> list[float]:
    """The batch losses of softmax regression on eight overlapping classes, by plain SGD."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(8, 16))
    weights = np.zeros((16, 8))
    losses = []
    for _ in range(steps):
        labels = rng.integers(0, 8, batch)
        images = centres[labels] + rng.normal(size=(batch, 16))
        scores = images @ weights
        scores -= scores.max(axis=1, keepdims=True)
        shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        losses.append(float(-np.log(shares[np.arange(batch), labels] + 1e-7).mean()))
        shares[np.arange(batch), labels] -= 1
        weights -= rate * images.T @ shares / batch
    return losses


def unstable(losses: list[float], **other: Any) -> bool:
    return "unstable-loss" in measure_all(trace(fit(losses, **other)))


class TestUnstableLoss:
    def test_a_rate_far_too_high(self) -> None:
        losses = descent(rate=30.0, batch=8)
        seen = trace(fit(losses, training=data("training", batch_size=32)))
        symptom = measure_all(seen)["unstable-loss"]
        assert symptom.measured[0].n == 60
        value, threshold = symptom.measured[0].value, symptom.measured[0].threshold
        assert value is not None and threshold is not None and value > threshold

    @pytest.mark.parametrize("batch", [2, 4, 8, 16, 32, 64])
    def test_the_noise_of_batches_is_no_swing(self, batch: int) -> None:
        losses = descent(rate=0.1, batch=batch)
        assert not unstable(losses, training=data("training", batch_size=batch))

    def test_alternating(self) -> None:
        assert unstable([1.0 + 4.0 * (i % 2) for i in range(60)])

    def test_too_short_to_tell(self) -> None:
        assert not unstable([1.0 + 4.0 * (i % 2) for i in range(29)])

    def test_two_spikes(self) -> None:
        losses = falling(60)
        losses[20] = losses[45] = 30.0
        assert not unstable(losses)

    def test_a_steep_fall(self) -> None:
        assert not unstable([12 * math.exp(-i / 4) + 0.3 for i in range(60)])

    def test_far_below_guessing_a_few_hard_images_make_the_difference(self) -> None:
        rng = random.Random(3)
        assert not unstable([rng.expovariate(20.0) for _ in range(60)])

    def test_class_weights_swing_by_themselves(self) -> None:
        losses = [1.0 + 4.0 * (i % 2) for i in range(60)]
        assert not unstable(losses, class_weight={"0": 0.5, "1": 10.0})

    def test_an_unknown_batch_size_tells_nothing(self) -> None:
        losses = [1.0 + 4.0 * (i % 2) for i in range(60)]
        assert not unstable(losses, training=data("training", batch_size=None))


def seen_features(
    similarity: float,
    constant: float = 0.0,
    *,
    reference: float | None = 0.14,
    status: str = "pretrained",
    accuracy: float = 0.13,
    **other: Any,
) -> Trace:
    fields: dict[str, Any] = {"n": 128, "dimensions": 1280, "weights": "initial"}
    features = FeaturesSeen(similarity=similarity, constant=constant, **(fields | other))
    weights = features.weights
    return trace(
        fit(
            flat(30),
            features=(features,),
            probes=() if reference is None else (probe("as-is", reference, weights=weights),),
            evaluations=(evaluation("training", accuracy, loss=2.1),),
        ),
        backbones=(backbone(weights_status=status),),
    )


def collapsed(seen: Trace) -> bool:
    return "feature-collapse" in measure_all(seen)


class TestFeatureCollapse:
    def test_all_alike(self) -> None:
        found = measure_all(seen_features(0.9998))["feature-collapse"]
        assert "before training" in found.summary
        assert found.measured[0].n == 128

    def test_most_features_dead(self) -> None:
        assert collapsed(seen_features(0.9, 0.97))

    def test_after_training(self) -> None:
        found = measure_all(seen_features(0.9998, weights="trained", status="random"))
        assert "after training" in found["feature-collapse"].summary

    @pytest.mark.parametrize(
        "seen",
        [
            seen_features(0.64, 0.01),
            seen_features(0.985, 0.4),
            # Alike, and yet the small differences tell the classes.
            seen_features(0.995, reference=0.9),
            seen_features(0.995, reference=None, accuracy=0.8),
            seen_features(0.9998, n=20),
            seen_features(0.9998, status="random"),
            seen_features(0.9998, status="missing"),
        ],
        ids=["photographs", "narrow", "probe", "model", "few", "random", "missing"],
    )
    def test_otherwise_nothing(self, seen: Trace) -> None:
        assert not collapsed(seen)

    def test_without_a_probe_the_model_at_chance_decides(self) -> None:
        assert collapsed(seen_features(0.9998, reference=None))
