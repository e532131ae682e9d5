"""In which order training meets the classes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tlfix_agent import labels

LENGTH = 1024  # classes kept
MORE_SECONDS = 1.0


def permuted(batches: int) -> np.ndarray:
    """An order of batches as Keras might draw it; always the same one."""
    return np.random.default_rng(0).permutation(batches)


def classes(targets: list[np.ndarray]) -> list[int]:
    """The classes of batches of labels, in order; empty where labels are not single classes."""
    targets = [np.asarray(t) for t in targets]
    if not targets or any(t.ndim == 0 or t.shape[1:] != targets[0].shape[1:] for t in targets):
        return []
    joined = np.concatenate(targets)[:LENGTH]
    found = labels.classes_of(joined, labels.kind_of(joined))
    return [] if found is None else [int(c) for c in found]


def of_rows(targets: np.ndarray, size: int, shuffle: Any) -> list[int]:
    """The order of rows that are stored in a known one, in batches of ``size``.

    ``shuffle`` is what happens to them on the way: False, ``batch`` (whole batches change places),
    or True (then no order is known).
    """
    if shuffle is True or len(targets) == 0:
        return []
    if shuffle:
        starts = permuted(-(-len(targets) // size)) * size
        starts = starts[: -(-LENGTH // size) + 1]
        targets = np.concatenate([targets[s : s + size] for s in starts])
    return classes([targets])


def clustered(found: list[int]) -> bool:
    """True if neighbours differ less than half as often as in a random order of these classes."""
    if len(found) < 2:
        return False
    values = np.asarray(found)
    _, counts = np.unique(values, return_counts=True)
    expected = 1.0 - float(np.sum((counts / len(values)) ** 2))
    return len(counts) == 1 or float(np.mean(values[1:] != values[:-1])) < 0.5 * expected


class Noted:
    """Lets a stream of batches pass and keeps the first of them and the first labels.

    ``targets`` gives the labels of a batch (n, ...) or None.
    """

    def __init__(self, stream: Iterator[Any], targets: Callable[[Any], Any]) -> None:
        self._stream, self._targets = stream, targets
        self._labels: list[np.ndarray] = []
        self._count = 0
        self.first: Any = None

    def __iter__(self) -> Iterator[Any]:
        for batch in self._stream:
            self._note(batch)
            yield batch

    def _note(self, batch: Any) -> None:
        if self.first is None:
            self.first = batch
        if self._count >= LENGTH:
            return
        targets = self._targets(batch)
        if targets is not None and targets.ndim:
            self._labels.append(targets)
            self._count += len(targets)

    def order(self, further: bool = False) -> list[int]:
        """The order so far. ``further``: where one class follows another suspiciously seldom,
        more batches are asked for, as a sample from the start of ordered data may hold one class
        alone."""
        found = classes(self._labels)
        if further and clustered(found):
            start = time.monotonic()
            for batch in self._stream:
                self._note(batch)
                if self._count >= LENGTH or time.monotonic() - start > MORE_SECONDS:
                    break
            found = classes(self._labels)
        return found
