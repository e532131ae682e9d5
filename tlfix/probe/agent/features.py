"""Instrument 2: what could be learned from the backbone's features, in seconds.

Features are computed once per scaling and a ridge classifier is fitted on them in closed form, its
strength chosen by leave-one-out error (Hastie, Tibshirani & Friedman 2009, section 7.10).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlfix_agent.evaluation import as_array
from tlfix_agent.labels import balanced

STRENGTHS = tuple(10.0**e for e in range(-3, 5))


@dataclass(frozen=True)
class Fitted:
    """A linear probe's result on held-out images."""

    predicted: np.ndarray
    true: np.ndarray
    train_accuracy: float
    training: int
    features: int

    def as_event(self, scaling: str, weights: str) -> dict[str, Any]:
        """The result as an event (``LinearProbe``)."""
        return {
            "scaling": scaling,
            "weights": weights,
            "accuracy": float((self.predicted == self.true).mean()),
            "balanced_accuracy": balanced(self.true, self.predicted),
            "chance": float(np.bincount(self.true).max() / len(self.true)),
            "training": self.training,
            "validation": len(self.true),
            "correct": self.predicted == self.true,
            "train_accuracy": self.train_accuracy,
            "features": self.features,
        }


def of_images(network: Any, images: np.ndarray, seconds: float) -> np.ndarray:
    """Globally average-pooled features (n, d) in inference mode; fewer rows if time runs out."""
    features = []
    start = time.monotonic()
    for first in range(0, len(images), 64):
        outputs = as_array(network(images[first : first + 64], training=False))
        axes = tuple(range(1, outputs.ndim - 1))
        features.append(outputs.mean(axes) if axes else outputs)
        if time.monotonic() - start > seconds:
            break
    return np.concatenate(features)


def ridge(train: np.ndarray, true: np.ndarray, test: np.ndarray, test_true: np.ndarray) -> Fitted:
    """A ridge classifier on standardised features; one-hot targets, argmax of the scores.

    Args:
        train: (n, d) features, ``true`` their classes (n,).
        test: (m, d) features of held-out images, ``test_true`` their classes (m,).
    """
    mean, spread = train.mean(0), train.std(0) + 1e-6
    a, b = (train - mean) / spread, (test - mean) / spread
    a, b = np.nan_to_num(a.astype(np.float64)), np.nan_to_num(b.astype(np.float64))
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


def folded(features: np.ndarray, true: np.ndarray) -> Fitted:
    """The same by five-fold cross-validation, where there is no validation data."""
    order = np.random.default_rng(0).permutation(len(features))
    predicted = np.empty_like(true)
    accuracy = []
    for fold in range(5):
        test = order[fold::5]
        train = np.setdiff1d(order, test)
        part = ridge(features[train], true[train], features[test], true[test])
        predicted[test] = part.predicted
        accuracy.append(part.train_accuracy)
    return Fitted(
        predicted, true, float(np.mean(accuracy)), len(features) * 4 // 5, features.shape[1]
    )
