"""Instrument 2: what could be learned from the backbone's features, in seconds.

Features are computed once per scaling and a ridge classifier is fitted on them in closed form, its
strength chosen by leave-one-out error (Hastie, Tibshirani & Friedman 2009, section 7.10).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlfix_agent.forward import Forward
from tlfix_agent.labels import balanced

STRENGTHS = tuple(10.0**e for e in range(-1, 5))
"""Ridge strengths, for a kernel whose diagonal is about 1. Weaker ones overfit a few hundred
images: with 1e-3 among them MobileNetV2 0.35's features of raw drawn textures gave .29, where a
head trained by Adam for 20 epochs reached .49; from 0.1 on they give .46."""

FLOOR = 0.05
"""Differences between features smaller than this share of their usual (median) spread are lost.

Standardising alone blows up whatever still differs: of scans scaled twice, whose features differ by
3 % of what they should, it got .92 right, where 80 epochs of Adam got .33 and rightly scaled scans
.90. With noise of this size: .77, and .90 for the right scaling. On photographs .57 before, .38
with it, Adam .23; right scaling .81 and .82, /255 .77 and .74, raw .59 and .59."""


@dataclass(frozen=True)
class Fitted:
    """A classifier's result on held-out images, ``predicted`` and ``true`` classes (m,)."""

    predicted: np.ndarray
    true: np.ndarray
    train_accuracy: float
    training: int
    features: int

    @property
    def accuracy(self) -> float:
        """Share of the held-out images that are right."""
        return float((self.predicted == self.true).mean())

    def as_event(
        self, scaling: str, weights: str, head: str = "linear", variant: str | None = None
    ) -> dict[str, Any]:
        """The result as an event (``LinearProbe``)."""
        return {
            "scaling": scaling,
            "weights": weights,
            "head": head,
            "variant": variant,
            "accuracy": self.accuracy,
            "balanced_accuracy": balanced(self.true, self.predicted),
            "chance": float(np.bincount(self.true).max() / len(self.true)),
            "training": self.training,
            "validation": len(self.true),
            "correct": self.predicted == self.true,
            "train_accuracy": self.train_accuracy,
            "features": self.features,
        }


def of_images(
    network: Forward,
    images: np.ndarray,
    seconds: float,
    change: Callable[[np.ndarray], np.ndarray] | None = None,
) -> np.ndarray:
    """Globally average-pooled features (n, d) by ``network``; fewer rows if time runs out.

    ``change`` is applied to each batch of ``images`` on its way, so that no second copy of them all
    is held.
    """
    features = []
    start = time.monotonic()
    for first in range(0, len(images), 64):
        batch = images[first : first + 64]
        outputs = network(batch if change is None else change(batch))
        axes = tuple(range(1, outputs.ndim - 1))
        features.append(outputs.mean(axes) if axes else outputs)
        if time.monotonic() - start > seconds:
            break
    return np.concatenate(features)


def spread_floor(features: np.ndarray) -> float:
    """The size of the differences between ``features`` (n, d) that are too small to count."""
    spread = np.nan_to_num(features.astype(np.float64)).std(0)
    return float(FLOOR * np.median(spread[spread > 0])) if (spread > 0).any() else 0.0


def standardised(
    train: np.ndarray, test: np.ndarray, floor: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Both centred and divided by the spread of ``train``, after differences smaller than ``floor``
    were drowned in noise of that size (the same every time)."""
    rng = np.random.default_rng(0)
    train = train + floor * rng.standard_normal(train.shape)
    test = test + floor * rng.standard_normal(test.shape)
    mean, spread = train.mean(0), train.std(0) + 1e-6
    return np.nan_to_num((train - mean) / spread), np.nan_to_num((test - mean) / spread)


def ridge(
    train: np.ndarray,
    true: np.ndarray,
    test: np.ndarray,
    test_true: np.ndarray,
    floor: float = 0.0,
) -> Fitted:
    """A ridge classifier on standardised features; one-hot targets, argmax of the scores.

    Args:
        train: (n, d) features, ``true`` their classes (n,).
        test: (m, d) features of held-out images, ``test_true`` their classes (m,).
        floor: differences below this do not count (:func:`spread_floor`), in the features' unit.
    """
    a, b = standardised(train, test, floor)
    classes = np.unique(true)
    targets = (true[:, None] == classes).astype(np.float64)
    centre = targets.mean(0)
    kernel = a @ a.T / a.shape[1]
    values, vectors = np.linalg.eigh(kernel)
    values = np.maximum(values, 0.0)
    projected = vectors.T @ (targets - centre)
    best = None
    for strength in STRENGTHS:
        shrink = 1.0 / (values + strength)
        dual = vectors @ (shrink[:, None] * projected)
        diagonal = (vectors**2) @ shrink
        left_out = targets - dual / np.maximum(diagonal, 1e-12)[:, None]
        error = float((classes[left_out.argmax(1)] != true).mean())
        loss = float(np.mean((left_out - targets) ** 2))
        if best is None or (error, loss) < best[:2]:
            best = (error, loss, dual, left_out)
    assert best is not None
    scores = (b @ a.T / a.shape[1]) @ best[2] + centre
    return Fitted(classes[scores.argmax(1)], test_true, 1.0 - best[0], len(a), a.shape[1])


def folded(
    features: np.ndarray,
    true: np.ndarray,
    floor: float = 0.0,
    fit: Callable[..., Fitted] = ridge,
) -> Fitted:
    """``fit`` by five-fold cross-validation, where there is no validation data."""
    order = np.random.default_rng(0).permutation(len(features))
    predicted = np.empty_like(true)
    accuracy = []
    for fold in range(5):
        test = order[fold::5]
        train = np.setdiff1d(order, test)
        part = fit(features[train], true[train], features[test], true[test], floor)
        predicted[test] = part.predicted
        accuracy.append(part.train_accuracy)
    return Fitted(
        predicted, true, float(np.mean(accuracy)), len(features) * 4 // 5, features.shape[1]
    )


def similarity(features: np.ndarray) -> dict[str, Any] | None:
    """Whether the features (n, d) tell images apart, as an event (``FeaturesSeen``).

    The mean cosine similarity over all pairs of different images, from the length of the sum of the
    unit vectors. A dimension is constant if it varies by less than a hundred-thousandth of the
    features' mean size, which is rounding. None for fewer than two images or values not finite.
    """
    n = len(features)
    values = features.astype(np.float64)
    if n < 2 or not np.isfinite(values).all():
        return None
    unit = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    pairs = float(np.sum(unit.sum(0) ** 2) - np.sum(unit**2))
    size = float(np.abs(values).mean())
    return {
        "n": n,
        "dimensions": features.shape[1],
        "similarity": pairs / (n * (n - 1)),
        "constant": float((values.std(0) <= 1e-5 * size).mean()),
    }
