"""What is found out of a split beyond its sample: its images, their order, random transforms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tlfix_agent import content, orders, passes, pipelines, transforms
from tlfix_agent.feed import Feed


@dataclass
class First:
    """The first batches of a pass: the order of their labels, and one batch to compare with.

    ``index`` is the place of ``batch`` in a sequence.
    """

    labels: Callable[[], list[int]] = list
    batch: Any = None
    index: int | None = None


def look(feed: Feed, first: First, shuffle: Any) -> None:
    """Complete ``feed``; each failure costs its own result only, and is told."""
    assert feed.sample is not None
    inputs = feed.sample.inputs
    again = feed.batch_size if pipelines.repeats(feed.given, feed.kind) else None
    findings: tuple[tuple[str, str, Callable[[], Any]], ...] = (
        ("images", "content of the images", lambda: content.inputs_seen(inputs, again)),
        ("order", "order of the classes", lambda: _order(feed, first, shuffle)),
        ("repeats_exactly", "second pass over the images", lambda: _repeats(feed, first)),
        ("augmentation", "random transforms", lambda: transforms.of_data(feed.given)),
    )
    for name, what, find in findings:
        try:
            setattr(feed, name, find())
        except Exception as error:
            feed.troubles.append(f"The {what} could not be read: {type(error).__name__}: {error}")


def _order(feed: Feed, first: First, shuffle: Any) -> list[int]:
    size = feed.batch_size or 32
    if feed.kind == "arrays":
        known = feed.all_labels
        return [] if known is None or shuffle is None else orders.of_rows(known, size, shuffle)
    if pipelines.is_iterator(feed.given):
        if feed.shuffled is not False or feed.all_labels is None:
            return []
        # Keras draws an order of whole batches, unless told not to.
        return orders.of_rows(feed.all_labels, size, "batch" if shuffle else False)
    return first.labels()


def _repeats(feed: Feed, first: First) -> bool | None:
    x = feed.given
    if feed.kind == "arrays":
        return True
    if pipelines.is_iterator(x):
        return passes.of_iterator(x)
    if feed.kind == "tf.data":
        return passes.of_dataset(x, first.batch)
    if first.index is not None:
        return passes.of_batches(first.batch, x[first.index])
    return None
