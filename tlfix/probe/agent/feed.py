"""The data of one split, as ``fit`` was given them and as far as they were looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Sample:
    """Images of one split, as numpy arrays: ``inputs`` (n, ...), ``labels`` (n, ...) or None.

    ``complete`` tells that it is the whole split.
    """

    inputs: np.ndarray
    labels: np.ndarray | None
    complete: bool = False

    def __len__(self) -> int:
        return len(self.inputs)

    def batches(self, size: int) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """The sample in batches of at most ``size``."""
        for start in range(0, len(self), size):
            stop = start + size
            yield self.inputs[start:stop], None if self.labels is None else self.labels[start:stop]


@dataclass
class Feed:
    """One data argument of ``fit``: what to pass on, the sample, and what is known beforehand.

    ``given`` is what ``fit`` got, ``x`` what goes on in its place. ``order`` is empty where
    training draws another order every epoch; see ``DataSeen`` for the rest.
    """

    x: Any
    y: Any
    kind: str
    sample: Sample | None = None
    total: int | None = None
    batch_size: int | None = None
    all_labels: np.ndarray | None = None
    class_indices: dict[str, int] | None = None
    class_names: list[str] | None = None
    shuffled: bool | None = None
    sites: list[dict[str, Any]] = field(default_factory=list)
    variable_shapes: bool = False
    problem: str | None = None  # why there is no sample
    given: Any = None
    images: dict[str, Any] | None = None
    order: list[int] = field(default_factory=list)
    repeats_exactly: bool | None = None
    augmentation: dict[str, Any] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)  # what else could not be found out
