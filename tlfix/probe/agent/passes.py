"""Whether a second pass over a split gives the same pixels: random transforms in the pipeline.

Nothing is compared but what belongs to the same image: rows of an iterator, one batch of a
sequence, the functions of a tf.data ``map`` on one and the same element. Shuffling is no transform.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tlfix_agent import content, pipelines

ROWS = 16  # images of an iterator made twice; a flip of one in two misses all with 2 ** -16
_OPAQUE = ("PyFunc", "PyFuncStateless", "EagerPyFunc")
# Random operations that do not have the word in their name.
_RANDOM = ("SampleDistortedBoundingBox", "TruncatedNormal", "Multinomial", "StatefulUniform")


@contextmanager
def undisturbed() -> Iterator[None]:
    """Puts the random states of Python, numpy and TensorFlow's eager operations back."""
    state = random.getstate(), np.random.get_state()
    eager = _eager_state() or random.Random()
    kept = eager.getstate()
    try:
        yield
    finally:
        random.setstate(state[0])
        np.random.set_state(state[1])
        eager.setstate(kept)


def _eager_state() -> random.Random | None:
    """The generator that seeds TensorFlow's eager random operations, once a seed was set."""
    module: Any = sys.modules.get("tensorflow.python.eager.context")
    try:
        found = module.context()._rng
    except AttributeError:
        return None
    return found if isinstance(found, random.Random) else None


def of_iterator(x: Any) -> bool | None:
    """For an ``ImageDataGenerator``'s iterator: the same rows, twice."""
    if getattr(x, "save_to_dir", None):
        return None  # it would write what it makes
    rows = np.unique(np.linspace(0, x.n - 1, min(ROWS, x.n)).astype(int))
    made = [_first(x._get_batches_of_transformed_samples(rows)) for _ in range(2)]
    return np.array_equal(made[0], made[1], equal_nan=made[0].dtype.kind == "f")


def of_batches(first: Any, second: Any) -> bool | None:
    """Two batches that should hold the same images; None where they may be other images.

    The same labels in the same order tell that they are the same images, if so many equal labels
    are no chance.
    """
    one, two = _first(first), _first(second)
    if one.shape != two.shape or one.dtype != two.dtype:
        return None
    if np.array_equal(one, two, equal_nan=one.dtype.kind == "f"):
        return True
    if sorted(content.digests(one)) == sorted(content.digests(two)):
        return True  # the same images in another order
    labels = [np.asarray(b[1]) if _labelled(b) else None for b in (first, second)]
    if labels[0] is None or labels[1] is None or not np.array_equal(labels[0], labels[1]):
        return None
    return False if _telling(labels[0]) else None


def _labelled(batch: Any) -> bool:
    return isinstance(batch, (tuple, list)) and len(batch) > 1


def _first(batch: Any) -> np.ndarray:
    return np.asarray(batch[0] if isinstance(batch, (tuple, list)) else batch)


def _telling(labels: np.ndarray) -> bool:
    """True if another draw gives these labels in this order with a probability below 1e-4."""
    _, counts = np.unique(labels.reshape(len(labels), -1), axis=0, return_counts=True)
    shares = counts / counts.sum()
    return float(np.sum(counts * np.log10(shares))) < -4


def of_dataset(x: Any, first: Any) -> bool | None:
    """For tf.data: whether any function in it transforms at random.

    The graphs of the functions tell whether there is anything random, and each that has is called
    twice on one element. What lies before a ``cache`` is fixed after the first pass. ``first`` is
    the first batch of an earlier pass: where only running can tell, another is held against it.
    """
    unknown = False
    for node in _after_caches(x):
        name = type(node).__name__
        if "Generator" in name or name.strip("_") == "RandomDataset":
            unknown = True
            continue
        operations = operations_of(node)
        if not any(is_random(op) or op in _OPAQUE for op in operations):
            continue
        opaque = any(op in _OPAQUE for op in operations)
        same = _twice(node, opaque) if "flat" not in name.lower() else None
        if same is False:
            return False
        unknown = unknown or same is None
    if not unknown:
        return True
    if first is None or pipelines.shuffles(x) or any(_is_cache(n) for n in pipelines.chain(x)):
        return None
    return of_batches(first, next(iter(x)))


def _is_cache(node: Any) -> bool:
    return "Cache" in type(node).__name__


def _after_caches(x: Any) -> Iterator[Any]:
    pending = [x]
    for _ in range(60):
        if not pending:
            return
        node = pending.pop()
        if _is_cache(node):
            continue
        yield node
        if hasattr(node, "_inputs"):
            pending.extend(node._inputs())


def is_random(operation: str) -> bool:
    """True for the TensorFlow operations that draw random numbers, by their type."""
    return operation.startswith(_RANDOM) or (
        "Random" in operation and "Dataset" not in operation and operation != "RandomShuffleQueue"
    )


def operations_of(node: Any) -> set[str]:
    """The types of all operations in the function of a tf.data step, nested functions included."""
    function = getattr(getattr(node, "_map_func", None), "function", None)
    if function is None:
        return set()
    graph = function.graph.as_graph_def()
    inner = (op for f in graph.library.function for op in f.node_def)
    return {op.op for op in (*graph.node, *inner)}


def _twice(node: Any, opaque: bool) -> bool | None:
    """Whether the function of a ``map`` step makes the same of one element twice."""
    inputs = node._inputs()
    if len(inputs) != 1:
        return None
    function = node._map_func.function
    known = [variable.numpy() for variable in function.graph.variables]
    same: bool | None = None  # stays so without an element to try
    try:
        for element in _elements(inputs[0], opaque):
            made = [[np.asarray(t) for t in function(*element)] for _ in range(2)]
            pairs = [(a, b) for a, b in zip(*made, strict=True) if a.ndim >= 3]
            if not pairs:
                return None
            same = all(np.array_equal(a, b) for a, b in pairs)
            if not same:
                break
    finally:  # the seeds of Keras' random layers are variables
        for variable, value in zip(function.graph.variables, known, strict=True):
            variable.assign(value)
    return same


def _elements(source: Any, opaque: bool) -> Iterator[list[Any]]:
    """Elements to try a ``map`` on, as flat lists of tensors.

    The real first one where it is cheap; else noise of the same form in both ranges that images
    come in, as some transforms clip to [0, 1]. Python functions are not given noise.
    """
    tensorflow: Any = sys.modules["tensorflow"]
    flatten = tensorflow.nest.flatten
    if not any(_costly(node) for node in pipelines.chain(source)):
        yield [tensorflow.convert_to_tensor(t) for t in flatten(next(iter(source)))]
        return
    if opaque:
        return
    rng = np.random.default_rng(0)
    for scale in (1.0, 255.0):
        made = []
        for spec in flatten(source.element_spec):
            if spec.shape.rank is None:
                return
            channel = spec.shape.rank - 1
            shape = [n or (3 if i == channel else 32) for i, n in enumerate(spec.shape)]
            values = rng.uniform(0, scale, shape) if len(shape) >= 3 else np.zeros(shape)
            made.append(tensorflow.cast(values, spec.dtype))
        yield made


def _costly(node: Any) -> bool:
    """True for what must read many images before it gives one, or must be read to its end."""
    if _is_cache(node):
        return True
    ranks = [s.shape.rank for s in _flat(node.element_spec) if hasattr(s, "shape")]
    return "Shuffle" in type(node).__name__ and any(rank is None or rank >= 3 for rank in ranks)


def _flat(spec: Any) -> list[Any]:
    return list(sys.modules["tensorflow"].nest.flatten(spec))
