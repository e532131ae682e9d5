"""A small neural head on cached features: does one hidden layer reach more than a linear one?

The features are turned to their principal axes first, which changes nothing for a layer that mixes
them all and makes a head on a few hundred images a matter of a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tlfix_agent.features import Fitted, standardised

HIDDEN = 128
BATCH = 32
RATE = 1e-3  # Adam's default (Kingma & Ba 2015, arXiv:1412.6980)
DECAYS = (1e-2, 1.0)  # decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101)
EPOCHS = 60
PATIENCE = 8
HELD_OUT = 5  # every fifth training image decides when to stop


def mlp(
    train: np.ndarray,
    true: np.ndarray,
    test: np.ndarray,
    test_true: np.ndarray,
    floor: float = 0.0,
) -> Fitted:
    """One hidden layer of 128 ReLU units, trained by Adam with weight decay and early stopping.

    The number of epochs and the decay are chosen on a fifth of the training images; the head is
    then trained again on all of them, so that it has as many as the linear one. Arguments as those
    of :func:`tlfix_agent.features.ridge`.
    """
    a, b = _principal(*standardised(train, test, floor))
    classes = np.unique(true)
    targets = (true[:, None] == classes).astype(np.float32)
    order = np.random.default_rng(0).permutation(len(a))
    kept, held = np.setdiff1d(order, order[::HELD_OUT]), order[::HELD_OUT]
    best = (np.inf, DECAYS[0], EPOCHS)
    for decay in DECAYS:
        head = _Head.fresh(a.shape[1], len(classes))
        for epoch in range(1, EPOCHS + 1):
            head.epoch(a[kept], targets[kept], decay, epoch)
            loss = head.loss(a[held], targets[held])
            if loss < best[0]:
                best = (loss, decay, epoch)
            elif epoch - best[2] >= PATIENCE:
                break
    head = _Head.fresh(a.shape[1], len(classes))
    for epoch in range(1, best[2] + 1):
        head.epoch(a, targets, best[1], epoch)
    right = float((classes[head.outputs(a).argmax(1)] == true).mean())
    predicted = classes[head.outputs(b).argmax(1)]
    return Fitted(predicted, test_true, right, len(a), train.shape[1])


def _principal(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both in the principal axes of ``train`` (n, d): at most n columns; mean square about 1."""
    values, vectors = np.linalg.eigh(train @ train.T)
    kept = values > 1e-9 * max(float(values[-1]), 1e-12)
    size = np.sqrt(values[kept])
    axes = train.T @ (vectors[:, kept] / size)
    scale = np.sqrt(np.mean(train**2) * train.shape[1] / max(int(kept.sum()), 1)) or 1.0
    return (
        (train @ axes / scale).astype(np.float32),
        (test @ axes / scale).astype(np.float32),
    )


@dataclass
class _Head:
    """Weights, and Adam's two moments of each."""

    weights: list[np.ndarray]
    first: list[np.ndarray]
    second: list[np.ndarray]
    steps: int = 0

    @classmethod
    def fresh(cls, inputs: int, outputs: int) -> _Head:
        """He's initialisation (He et al. 2015, arXiv:1502.01852), the same every time."""
        rng = np.random.default_rng(0)
        weights = [
            rng.normal(0, np.sqrt(2 / inputs), (inputs, HIDDEN)).astype(np.float32),
            np.zeros(HIDDEN, np.float32),
            rng.normal(0, np.sqrt(1 / HIDDEN), (HIDDEN, outputs)).astype(np.float32),
            np.zeros(outputs, np.float32),
        ]
        return cls(
            weights, [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
        )

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Class probabilities (n, classes) for ``x`` (n, inputs)."""
        return self._forward(x)[1]

    def loss(self, x: np.ndarray, targets: np.ndarray) -> float:
        """Mean cross-entropy."""
        return float(-np.log(np.sum(self.outputs(x) * targets, 1) + 1e-12).mean())

    def epoch(self, x: np.ndarray, targets: np.ndarray, decay: float, number: int) -> None:
        """One pass over the images in an order of its own."""
        order = np.random.default_rng(number).permutation(len(x))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            self._step(x[rows], targets[rows], decay)

    def _forward(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        hidden = np.maximum(x @ self.weights[0] + self.weights[1], 0)
        scores = hidden @ self.weights[2] + self.weights[3]
        scores = np.exp(scores - scores.max(1, keepdims=True))
        return hidden, scores / scores.sum(1, keepdims=True)

    def _step(self, x: np.ndarray, targets: np.ndarray, decay: float) -> None:
        hidden, outputs = self._forward(x)
        error = (outputs - targets) / len(x)
        back = (error @ self.weights[2].T) * (hidden > 0)
        gradients = [x.T @ back, back.sum(0), hidden.T @ error, error.sum(0)]
        self.steps += 1
        for i, gradient in enumerate(gradients):
            self.first[i] += 0.1 * (gradient - self.first[i])
            self.second[i] += 0.001 * (gradient**2 - self.second[i])
            mean = self.first[i] / (1 - 0.9**self.steps)
            spread = np.sqrt(self.second[i] / (1 - 0.999**self.steps)) + 1e-7
            if gradient.ndim == 2:
                self.weights[i] *= 1 - RATE * decay
            self.weights[i] -= RATE * mean / spread
