"""The batches that the program itself gave to its model, one by one."""

from __future__ import annotations

from typing import Any

import numpy as np

from tlfix_agent import content, data, orders
from tlfix_agent.data import Feed, Sample
from tlfix_agent.forward import as_array

Pairs = list[tuple[np.ndarray, np.ndarray]]


def feed(pairs: Pairs, kind: str, look: bool) -> Feed:
    """Batches of (images, labels), in the order in which they came, as one split.

    Batches whose images have another shape than the first one's are left out. With ``look`` it
    tells what the images hold and in which order the classes came.
    """
    if not pairs:
        return Feed(None, None, kind)
    alike = [pair for pair in pairs if pair[0].shape[1:] == pairs[0][0].shape[1:]]
    sample = Sample(np.concatenate([x for x, _ in alike]), np.concatenate([y for _, y in alike]))
    made = Feed(None, None, kind, sample=sample, batch_size=len(alike[0][0]))
    if look:
        made.images = content.inputs_seen(sample.inputs, made.batch_size)
        made.order = orders.classes([y for _, y in alike])
    return made


class Kept:
    """The first batches given to ``train_on_batch`` for one model, up to ``images`` images."""

    def __init__(self, images: int) -> None:
        self._images = images
        self.pairs: Pairs = []

    def add(self, x: Any, y: Any) -> None:
        """One batch; several tensors at once are left out."""
        if data.is_structure(x) or data.is_structure(y) or y is None:
            return
        if sum(len(kept) for kept, _ in self.pairs) < self._images:
            self.pairs.append((np.array(as_array(x)), np.array(as_array(y))))
