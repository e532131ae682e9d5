"""Takes a sample of the data given to ``fit`` without disturbing it, and describes it."""

from __future__ import annotations

import inspect
import itertools
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from tlfix_agent import looking, orders, passes, pipelines
from tlfix_agent.feed import Feed, Sample
from tlfix_agent.looking import First

__all__ = ["Feed", "Sample", "is_structure", "kind_of", "take"]

SAMPLE_BYTES = 96 * 2**20  # per split: two splits stay within the memory budget of 300 MB


def kind_of(x: Any) -> str:
    """Which of the kinds of data that Keras accepts ``x`` is."""
    module, name = type(x).__module__, type(x).__name__
    if hasattr(x, "element_spec") and hasattr(x, "as_numpy_iterator"):
        return "tf.data"
    if pipelines.is_iterator(x):
        return name
    if (
        hasattr(x, "__getitem__")
        and hasattr(x, "__len__")
        and (
            "dataset" in module
            or any(c.__name__ in {"PyDataset", "Sequence"} for c in type(x).__mro__)
        )
    ):
        return "sequence"
    if module.startswith("torch.utils.data"):
        return "torch"
    if inspect.isgenerator(x) or (hasattr(x, "__next__") and not hasattr(x, "shape")):
        return "generator"
    return "arrays"


def take(
    x: Any,
    y: Any,
    batch_size: int | None,
    images: int,
    seconds: float,
    whole: bool = False,
    *,
    shuffle: Any = None,
    look: bool = False,
) -> Feed:
    """Sample up to ``images`` items of ``x`` (and ``y``) in at most about ``seconds``.

    ``whole`` spreads the sample over the entire data (validation); otherwise the items that
    training meets first are enough where the data cannot be indexed. ``shuffle`` is what ``fit``
    does to them: True, False, ``batch``, or None if unknown. With ``look`` it is found out too what
    the images hold, in which order they come, and whether they come the same again. Random states
    are put back afterwards.
    """
    feed = Feed(x, y, kind_of(x), batch_size=batch_size, given=x)
    shuffle = shuffle if shuffle is None or shuffle == "batch" else bool(shuffle)
    first = First()
    with passes.undisturbed():
        try:
            _fill(feed, first, images, seconds, whole, shuffle, look)
        except Exception as error:  # the program's own fit is to say what is wrong with its data
            feed.sample = None
            feed.problem = f"{type(error).__name__}: {error}"
        if look and feed.sample is not None:
            looking.look(feed, first, shuffle)
    return feed


def _fill(
    feed: Feed, first: First, images: int, seconds: float, whole: bool, shuffle: Any, look: bool
) -> None:
    x, kind = feed.x, feed.kind
    if kind == "arrays":
        _from_arrays(feed, images)
        feed.shuffled = None if shuffle is None else bool(shuffle)
    elif kind == "generator":
        taken = list(itertools.islice(_timed(x, seconds, images), 10_000))
        feed.x = _again(taken, x)
        feed.sample = _join(feed, taken, images)
        first.labels = lambda: orders.classes(_each_labels(taken))
    elif kind in {"tf.data", "torch"}:
        limit = None if whole else images
        stream = iter(x)
        noted = orders.Noted(stream, _labels)
        passing = iter(noted) if look else stream
        feed.sample = _join(feed, list(_spread(_timed(passing, seconds, limit), images)), images)
        feed.total = _cardinality(x, feed.sample)
        feed.shuffled = pipelines.shuffles(x)
        first.labels, first.batch = (lambda: noted.order(further=not whole)), noted.first
    else:
        _from_indexed(feed, first, images, seconds, shuffle)
    feed.sites = pipelines.sites(x)
    names = getattr(x, "class_names", None)
    feed.class_names = list(names) if names else pipelines.class_names(x)
    if feed.sample is not None and len(feed.sample) == 0:
        feed.sample = None


def _again(first: list[Any], rest: Iterator[Any]) -> Iterator[Any]:
    """What was taken, then the rest: a true generator, as Keras wants it."""
    yield from first
    yield from rest


def is_structure(value: Any) -> bool:
    """True for several tensors in a dict, tuple or list, as against one tensor (or its rows)."""
    if isinstance(value, (dict, tuple)):
        return not isinstance(value, tuple) or not value or np.ndim(value[0]) > 0
    return (
        isinstance(value, list)
        and bool(value)
        and hasattr(value[0], "shape")
        and np.ndim(value[0]) > 0
    )


def _from_arrays(feed: Feed, images: int) -> None:
    x = feed.x
    if is_structure(x):
        return  # several inputs: the instruments look at single tensors only
    total = len(x) if hasattr(x, "__len__") else int(x.shape[0])
    labels = None if feed.y is None or is_structure(feed.y) else _array(feed.y)
    each = max(int(np.prod(getattr(x, "shape", (1, 1))[1:], dtype=np.int64)) * 4, 1)
    count = max(min(images, total, SAMPLE_BYTES // each), min(total, 8))
    chosen = np.sort(np.random.default_rng(0).choice(total, count, replace=False))
    rows = x.iloc[chosen] if hasattr(x, "iloc") else None
    inputs = _array(
        rows
        if rows is not None
        else _array(x)[chosen]
        if isinstance(x, (list, tuple))
        else _gather(x, chosen)
    )
    feed.sample = Sample(inputs, None if labels is None else labels[chosen], count == total)
    feed.total, feed.all_labels = total, labels
    feed.batch_size = feed.batch_size or 32


def _gather(x: Any, chosen: np.ndarray) -> Any:
    try:
        return x[chosen]
    except Exception:
        return np.stack([_array(x[int(i)]) for i in chosen])


def _from_indexed(feed: Feed, first: First, images: int, seconds: float, shuffle: Any) -> None:
    x = feed.x
    batches = []
    count = 0
    start = time.monotonic()
    order = orders.permuted(len(x))
    for index in order:
        batch = x[int(index)]
        batches.append(batch)
        count += _length(batch)
        if count >= images or time.monotonic() - start > seconds:
            break
    feed.sample = _join(feed, batches, images)
    if feed.sample is not None:
        feed.sample.complete = len(batches) == len(x) and len(feed.sample) == count
    feed.total = getattr(x, "n", None) or getattr(x, "samples", None)
    feed.batch_size = getattr(x, "batch_size", None) or (_length(batches[0]) if batches else None)
    if feed.total is None and feed.batch_size:
        feed.total = len(x) * feed.batch_size
    labels = getattr(x, "labels", None)
    labels = getattr(x, "y", None) if labels is None else labels
    if getattr(x, "class_mode", "") != "input" and labels is not None:
        feed.all_labels = _array(labels)
    feed.class_indices = getattr(x, "class_indices", None)
    shuffled = getattr(x, "shuffle", None)
    feed.shuffled = bool(shuffled) if isinstance(shuffled, (bool, int, np.bool_)) else None
    getattr(x, "reset", lambda: None)()
    if batches:
        first.batch, first.index = batches[0], int(order[0])
        first.labels = lambda: _sequence_order(x, order, batches, images, shuffle)


def _sequence_order(
    x: Any, order: np.ndarray, batches: list[Any], images: int, shuffle: Any
) -> list[int]:
    """The classes as a sequence gives them: by index, or in an order of batches Keras might draw
    (which is that of the sample)."""
    if not shuffle:
        place = np.argsort(order[: len(batches)])
        whole = len(batches) == len(x)
        if not whole and shuffle is None:
            return []
        batches = (
            [batches[i] for i in place]
            if whole
            else list(_timed((x[i] for i in range(len(x))), 1.0, images))
        )
    return orders.classes(_each_labels(batches))


def _timed(stream: Any, seconds: float, images: int | None) -> Iterator[Any]:
    start = time.monotonic()
    count = 0
    for batch in stream:
        yield batch
        count += _length(batch)
        if (images is not None and count >= images) or time.monotonic() - start > seconds:
            return


def _spread(batches: Iterator[Any], images: int) -> Iterator[Any]:
    """Batches spread evenly over the stream: whenever too many are held, every other is let go."""
    held: list[Any] = []
    stride, size = 1, 0
    for index, batch in enumerate(batches):
        if index % stride == 0:
            held.append(_numpy(batch))
            size = max(_length(batch), 1)
        if len(held) * size > 2 * max(images, size):
            held = held[::2]
            stride *= 2
    yield from held


def _length(batch: Any) -> int:
    first = batch[0] if isinstance(batch, (tuple, list)) else batch
    while isinstance(first, (dict, list, tuple)):
        first = next(iter(first.values())) if isinstance(first, dict) else first[0]
    try:
        return int(np.shape(first)[0])
    except (IndexError, TypeError):
        return 1


def _array(value: Any) -> np.ndarray:
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    if hasattr(value, "numpy") and not isinstance(value, np.ndarray):
        value = value.numpy()
    return np.asarray(value)


def _numpy(batch: Any) -> tuple[Any, Any]:
    if isinstance(batch, (tuple, list)):
        x, y = batch[0], batch[1] if len(batch) > 1 else None
    else:
        x, y = batch, None
    if is_structure(x) or is_structure(y):
        return None, None
    return _array(x), None if y is None else _array(y)


def _labels(batch: Any) -> np.ndarray | None:
    """The labels of one batch, or None if it has none or several."""
    if not isinstance(batch, (tuple, list)) or len(batch) < 2 or is_structure(batch[1]):
        return None
    return None if batch[1] is None else _array(batch[1])


def _each_labels(batches: list[Any]) -> list[np.ndarray]:
    return [found for found in map(_labels, batches) if found is not None]


def _join(feed: Feed, batches: list[Any], images: int) -> Sample | None:
    pairs = [_numpy(batch) for batch in batches]
    pairs = [(x, y) for x, y in pairs if x is not None and x.ndim > 0]
    if not pairs:
        return None
    feed.batch_size = feed.batch_size or len(pairs[0][0])
    if len({x.shape[1:] for x, _ in pairs}) > 1:
        feed.variable_shapes = True
        pairs = [pair for pair in pairs if pair[0].shape[1:] == pairs[0][0].shape[1:]]
    inputs = np.concatenate([x for x, _ in pairs])
    labels = None if pairs[0][1] is None else np.concatenate([y for _, y in pairs])
    each = max(inputs.nbytes // max(len(inputs), 1), 1)
    count = max(min(images, len(inputs), SAMPLE_BYTES // each), min(len(inputs), 8))
    if count < len(inputs):
        chosen = np.unique(np.linspace(0, len(inputs) - 1, count).astype(int))
        inputs, labels = inputs[chosen], None if labels is None else labels[chosen]
    return Sample(inputs, labels)


def _cardinality(x: Any, sample: Sample | None) -> int | None:
    batches = int(x.cardinality()) if hasattr(x, "cardinality") else len(x)
    if batches < 0 or sample is None:
        return None
    spec = getattr(x, "element_spec", None)
    first = spec[0] if isinstance(spec, tuple) else spec
    size = first.shape[0] if first is not None and getattr(first, "shape", None) else None
    node: Any = x
    while size is None and node is not None:
        size = getattr(node, "_batch_size", None)
        size = int(size) if size is not None else None
        inputs = node._inputs() if hasattr(node, "_inputs") else []
        node = inputs[0] if inputs else None
    return batches * size if size else None
