"""What form the labels have, and how predictions are scored against them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tlfix_agent.feed import Feed


def kind_of(labels: np.ndarray | None) -> str:
    """``integer``, ``binary``, ``one-hot``, ``multi-hot``, ``soft``, ``continuous`` or ``none``."""
    if labels is None or labels.size == 0 or labels.dtype.kind not in "biuf":
        return "none"
    values = labels.astype(np.float64)
    if labels.ndim == 2 and labels.shape[1] > 1:
        sums = values.sum(1)
        if np.isin(values, (0.0, 1.0)).all():
            return "one-hot" if (sums == 1).all() else "multi-hot"
        return "soft" if (values >= 0).all() and np.allclose(sums, 1, atol=1e-3) else "continuous"
    if labels.ndim > 2:
        return "continuous"
    whole = np.isfinite(values).all() and bool((values == np.round(values)).all())
    if not whole:
        return "continuous"
    return "binary" if np.isin(values, (0.0, 1.0)).all() else "integer"


def classes_of(labels: np.ndarray, kind: str) -> np.ndarray | None:
    """The class index of each label (n,), or None where labels are not single classes."""
    if kind in {"one-hot", "soft"}:
        return np.asarray(labels.argmax(1))
    if kind in {"integer", "binary"}:
        return labels.reshape(-1).astype(np.int64)
    return None


def describe(feed: Feed, split: str) -> dict[str, Any]:
    """One split as an event (``DataSeen``)."""
    sample = feed.sample
    seen: dict[str, Any] = {
        "split": split,
        "kind": feed.kind,
        "sites": feed.sites,
        "samples": feed.total,
        "batch_size": feed.batch_size,
        "class_names": feed.class_names,
        "class_indices": feed.class_indices,
        "shuffled": feed.shuffled,
        "images": feed.images,
        "order": feed.order,
        "repeats_exactly": feed.repeats_exactly,
        "augmentation": feed.augmentation,
    }
    if sample is None:
        return seen
    shape: list[int | None] = [int(n) for n in sample.inputs.shape[1:]]
    seen.update(
        sampled=len(sample), input_shape=[None, *shape], input_dtype=str(sample.inputs.dtype)
    )
    if sample.inputs.dtype.kind in "biuf":
        seen.update(minimum=float(sample.inputs.min()), maximum=float(sample.inputs.max()))
    labels = sample.labels
    if labels is None:
        return seen
    kind = kind_of(labels)
    seen.update(
        label_shape=[None, *labels.shape[1:]], label_dtype=str(labels.dtype), label_kind=kind
    )
    if labels.dtype.kind in "biuf":
        seen.update(label_minimum=float(labels.min()), label_maximum=float(labels.max()))
    everything = feed.all_labels
    counted = None
    if everything is not None and everything.dtype.kind in "biuf" and len(everything):
        counted = classes_of(everything, kind_of(everything))
    source = "all"
    if counted is None:
        counted, source = classes_of(labels, kind), "sample"
    if counted is not None and len(counted):
        values, counts = np.unique(counted, return_counts=True)
        seen.update(
            histogram={str(v): int(c) for v, c in zip(values, counts, strict=True)},
            histogram_of="all" if feed.sample and feed.sample.complete else source,
        )
    width = labels.shape[1] if kind in {"one-hot", "soft"} else None
    named = (
        len(feed.class_indices)
        if feed.class_indices
        else (len(feed.class_names) if feed.class_names else None)
    )
    seen["classes"] = (
        width
        or named
        or (int(max(counted.max() + 1, 2)) if counted is not None and len(counted) else None)
    )
    return seen


@dataclass(frozen=True)
class Score:
    """Predicted against true classes, both (n,)."""

    true: np.ndarray
    predicted: np.ndarray

    def as_event(self) -> dict[str, Any]:
        """Accuracy, balanced accuracy, majority share and confusion matrix."""
        classes = int(max(self.true.max(), self.predicted.max()) + 1)
        classes = max(classes, 2)
        event: dict[str, Any] = {
            "n": len(self.true),
            "accuracy": float((self.true == self.predicted).mean()),
            "balanced_accuracy": balanced(self.true, self.predicted),
            "majority": float(np.bincount(self.true).max() / len(self.true)),
            "classes": len(np.unique(self.true)),
            "correct": self.true == self.predicted,
        }
        if classes <= 200:
            confusion = np.zeros((classes, classes), int)
            np.add.at(confusion, (self.true, self.predicted), 1)
            event["confusion"] = confusion
        return event


def balanced(true: np.ndarray, predicted: np.ndarray) -> float:
    """Mean recall over the classes that occur."""
    return float(np.mean([(predicted[true == c] == c).mean() for c in np.unique(true)]))


def score(outputs: np.ndarray, labels: np.ndarray | None, from_logits: bool) -> Score | None:
    """Outputs (n, units) against labels; None where they are not single classes.

    One unit is read as a binary classifier, cut at 0.5 (or 0 for logits).
    """
    kind = kind_of(labels)
    if labels is None or outputs.ndim != 2 or len(outputs) == 0:
        return None
    true = classes_of(labels, kind)
    if true is None or true.min() < 0:
        return None
    if outputs.shape[1] == 1:
        predicted = (outputs[:, 0] > (0.0 if from_logits else 0.5)).astype(np.int64)
    else:
        predicted = np.where(np.isfinite(outputs).all(1), outputs.argmax(1), 0)
    return Score(true, predicted)
