"""Reads what a data set tells of itself: the calls that made it, its settings and its files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tlfix_agent import births, places

_NODES = 60  # of a tf.data chain; real ones have about ten
_GENERATOR = (
    "rescale",
    "preprocessing_function",
    "featurewise_center",
    "featurewise_std_normalization",
    "samplewise_center",
    "samplewise_std_normalization",
)
_ITERATOR = ("shuffle", "subset", "class_mode", "batch_size", "directory")
# tf.data steps that keep every element and add none (repetitions apart), by part of their names.
_WHOLE = ("map", "batch", "prefetch", "cache", "shuffle", "repeat", "options", "cardinality")


def is_iterator(x: Any) -> bool:
    """True for the iterators that an ``ImageDataGenerator`` makes."""
    return hasattr(x, "image_data_generator") or hasattr(x, "_get_batches_of_transformed_samples")


def chain(x: Any) -> Iterator[Any]:
    """``x`` and, for tf.data, every data set that it was made from, the outermost first."""
    seen = 0
    pending = [x]
    while pending and seen < _NODES:
        node = pending.pop()
        seen += 1
        yield node
        if hasattr(node, "_inputs"):
            pending.extend(node._inputs())


def shuffles(x: Any) -> bool | None:
    """Whether a tf.data set has a ``shuffle`` in it; None for anything else."""
    if not hasattr(x, "_inputs"):
        return None
    return any("Shuffle" in type(node).__name__ for node in chain(x))


def repeats(x: Any, kind: str) -> bool:
    """True where one pass may give the same image several times: generators, ``repeat``."""
    names = [type(node).__name__ for node in chain(x)]
    return kind == "generator" or any("Repeat" in n or "FlatMap" in n for n in names)


def class_names(x: Any) -> list[str] | None:
    """The names of the classes, where the data set or one it was made from knows them."""
    for node in chain(x):
        names = getattr(node, "class_names", None)
        if names:
            return [str(name) for name in names]
    return None


def sites(x: Any) -> list[dict[str, Any]]:
    """The chain of the user's calls that made ``x``, the outermost last."""
    found: list[dict[str, Any]] = []
    for node in chain(x):
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
                **{key: setting(getattr(generator, key, None)) for key in _GENERATOR},
                **{key: setting(getattr(node, key)) for key in _ITERATOR if hasattr(node, key)},
            }
        if not found or found[-1]["site"] != entry["site"] or found[-1]["kind"] != entry["kind"]:
            found.append(entry)
    return found[::-1]


def setting(value: Any) -> Any:
    """A setting as JSON can hold it; a function by its full name."""
    if callable(value):
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__name__', '')}"
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)


def files(x: Any) -> list[str] | None:
    """The image file behind each element of ``x``, every one of them; None where it cannot tell.

    A tf.data set knows them where ``image_dataset_from_directory`` made it, or slices of paths,
    and nothing between there and ``x`` leaves elements out (``take``, ``filter`` …).
    """
    if is_iterator(x):
        try:
            return _paths(x.filepaths)
        except (AttributeError, NotImplementedError):
            return None
    node = x
    for _ in range(_NODES):
        known = getattr(node, "file_paths", None)
        if known:
            return _paths(known)
        if not hasattr(node, "_inputs"):
            return None
        name, inputs = type(node).__name__.lower(), node._inputs()
        if not inputs:
            return _sliced(node) if "tensorslice" in name else None
        if "zip" in name:
            told = [paths for paths in map(files, inputs) if paths]
            return told[0] if len(told) == 1 else None
        if len(inputs) != 1 or "flat" in name or not any(part in name for part in _WHOLE):
            return None
        node = inputs[0]
    return None


def _paths(values: Any) -> list[str] | None:
    return [str(value) for value in values] or None


def _sliced(node: Any) -> list[str] | None:
    """The strings of ``from_tensor_slices(paths)`` if they look like paths of files."""
    for tensor in getattr(node, "_tensors", ()):
        if getattr(tensor.dtype, "name", "") == "string" and len(tensor.shape) == 1:
            values = [bytes(value).decode("utf-8", "surrogateescape") for value in tensor.numpy()]
            if values and all("." in value for value in values):
                return values
    return None
