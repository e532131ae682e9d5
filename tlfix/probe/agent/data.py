"""Takes a sample of the data given to ``fit`` without disturbing it, and describes it."""

from __future__ import annotations

import inspect
import itertools
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tlfix_agent import births, places

SAMPLE_BYTES = 96 * 2**20  # per split: two splits stay within the memory budget of 300 MB


@dataclass
class Sample:
    """Images of one split, as numpy arrays: ``inputs`` (n, ...), ``labels`` (n, ...) or None.

    ``complete`` tells that it is the whole split. ``order`` are the labels in the order in which
    the program meets them, for the first batches.
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
    """One data argument of ``fit``: what to pass on, the sample, and what is known beforehand."""

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


def kind_of(x: Any) -> str:
    """Which of the kinds of data that Keras accepts ``x`` is."""
    module, name = type(x).__module__, type(x).__name__
    if hasattr(x, "element_spec") and hasattr(x, "as_numpy_iterator"):
        return "tf.data"
    if hasattr(x, "image_data_generator") or (hasattr(x, "_get_batches_of_transformed_samples")):
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
    x: Any, y: Any, batch_size: int | None, images: int, seconds: float, whole: bool = False
) -> Feed:
    """Sample up to ``images`` items of ``x`` (and ``y``) in at most about ``seconds``.

    ``whole`` spreads the sample over the entire data (validation); otherwise the items that
    training meets first are enough where the data cannot be indexed. Random states of ``random``
    and ``numpy.random`` are put back afterwards.
    """
    state = random.getstate(), np.random.get_state()
    feed = Feed(x, y, kind_of(x), batch_size=batch_size)
    try:
        _fill(feed, images, seconds, whole)
    except Exception as error:  # the program's own fit is to say what is wrong with its data
        feed.sample = None
        feed.problem = f"{type(error).__name__}: {error}"
    finally:
        random.setstate(state[0])
        np.random.set_state(state[1])
    return feed


def _fill(feed: Feed, images: int, seconds: float, whole: bool) -> None:
    x, kind = feed.x, feed.kind
    if kind == "arrays":
        _from_arrays(feed, images)
    elif kind == "generator":
        first = list(itertools.islice(_timed(x, seconds, images), 10_000))
        feed.x = _again(first, x)
        feed.sample = _join(feed, first, images)
    elif kind in {"tf.data", "torch"}:
        limit = None if whole else images
        feed.sample = _join(feed, list(_spread(_timed(iter(x), seconds, limit), images)), images)
        feed.total = _cardinality(x, feed.sample)
        feed.shuffled = _shuffles(x)
    else:
        _from_indexed(feed, images, seconds)
    feed.sites = _sites(x)
    names = getattr(x, "class_names", None)
    feed.class_names = list(names) if names else _class_names(x)
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
    feed.total, feed.all_labels, feed.shuffled = total, labels, True
    feed.batch_size = feed.batch_size or 32


def _gather(x: Any, chosen: np.ndarray) -> Any:
    try:
        return x[chosen]
    except Exception:
        return np.stack([_array(x[int(i)]) for i in chosen])


def _from_indexed(feed: Feed, images: int, seconds: float) -> None:
    x = feed.x
    batches = []
    count = 0
    start = time.monotonic()
    order = np.random.default_rng(0).permutation(len(x))
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
    feed.shuffled = getattr(x, "shuffle", None)
    getattr(x, "reset", lambda: None)()


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


def _chain(x: Any) -> Iterator[Any]:
    seen = 0
    pending = [x]
    while pending and seen < 60:
        node = pending.pop()
        seen += 1
        yield node
        if hasattr(node, "_inputs"):
            pending.extend(node._inputs())


def _shuffles(x: Any) -> bool | None:
    if not hasattr(x, "_inputs"):
        return None
    return any("Shuffle" in type(node).__name__ for node in _chain(x))


def _class_names(x: Any) -> list[str] | None:
    for node in _chain(x):
        names = getattr(node, "class_names", None)
        if names:
            return [str(name) for name in names]
    return None


def _sites(x: Any) -> list[dict[str, Any]]:
    """The chain of the user's calls that made ``x``, the outermost last."""
    sites: list[dict[str, Any]] = []
    for node in _chain(x):
        birth = births.of(node)
        if birth is None or birth.place is None:
            continue
        entry: dict[str, Any] = {"kind": birth.function, "site": birth.place}
        function = getattr(getattr(node, "_map_func", None), "_func", None)
        if function is not None:
            entry["function_site"] = places.of_function(function)
        generator = getattr(node, "image_data_generator", None)
        if generator is not None:
            made = births.of(generator)
            entry["generator_site"] = made.place if made else None
            entry["settings"] = {
                key: _setting(getattr(generator, key, None))
                for key in (
                    "rescale",
                    "preprocessing_function",
                    "featurewise_center",
                    "featurewise_std_normalization",
                    "samplewise_center",
                    "samplewise_std_normalization",
                )
            }
        if not sites or sites[-1]["site"] != entry["site"] or sites[-1]["kind"] != entry["kind"]:
            sites.append(entry)
    return sites[::-1]


def _setting(value: Any) -> Any:
    if callable(value):
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__name__', '')}"
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)
