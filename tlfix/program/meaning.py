"""Asking a value what it is: a constant, the result of which call, an object of which class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tlfix.program.model import UNKNOWN
from tlfix.program.values import (
    Class,
    Either,
    Instance,
    Item,
    Known,
    Made,
    Mapping,
    Opaque,
    Ref,
    Sequence,
    Value,
)

MODEL: Final = "keras.Model"
DATASET: Final = "tf.data.Dataset"
GENERATOR: Final = "keras.preprocessing.image.ImageDataGenerator"
ITERATOR: Final = "keras.preprocessing.image.Iterator"
PYDATASET: Final = "keras.utils.PyDataset"
PYTHON_GENERATOR: Final = "generator"
_MODELS: Final = {"keras.Model", "keras.Sequential"}
_SPLITTING: Final = {"tensorflow_datasets.load", "keras.utils.image_dataset_from_directory"}

# Elements of a constant list or dict that are looked at, those of its own lists included.
_LARGEST: Final = 2_000
# Lists within lists that are looked at; a list may hold itself.
_DEEPEST: Final = 20


def constant(value: Value | None) -> object:
    """The constant a value is, UNKNOWN if it is none (or is very large)."""
    if isinstance(value, Known):
        return value.value
    if isinstance(value, Sequence | Mapping | Either):
        return _constant(value, [_LARGEST], 0)
    return UNKNOWN


def _constant(value: Value, left: list[int], depth: int) -> object:
    left[0] -= 1
    if isinstance(value, Known):
        return value.value
    if left[0] < 0 or depth > _DEEPEST:
        return UNKNOWN
    if isinstance(value, Sequence) and not value.open:
        items: list[object] = []
        for part in value.parts:
            items.append(_constant(part.value, left, depth + 1))
            if items[-1] is UNKNOWN:
                return UNKNOWN
        return tuple(items) if value.kind == "tuple" else items
    if isinstance(value, Mapping) and not value.open:
        pairs: dict[object, object] = {}
        for key, each in value.items.items():
            pairs[key] = _constant(each, left, depth + 1)
            if pairs[key] is UNKNOWN:
                return UNKNOWN
        return pairs
    if isinstance(value, Either):
        found = [_constant(option, left, depth + 1) for option in value.options]
        if all(same_constant(found[0], other) for other in found[1:]):
            return found[0]
    return UNKNOWN


def same_constant(one: object, other: object) -> bool:
    """Whether two constants are equal and of one type; UNKNOWN equals only itself."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    try:
        return bool(one == other)
    except (TypeError, ValueError, RecursionError):
        return False


def options(value: Value | None) -> Iterator[Value]:
    """The values a value may be, one by one."""
    if isinstance(value, Either):
        for option in value.options:
            yield from options(option)
    elif value is not None:
        yield value


def either(*values: Value) -> Value:
    """One value for several possible ones; the same value twice counts once, six at most."""
    distinct: list[Value] = []
    for value in values:
        for option in options(value):
            if not any(option is seen or _same(option, seen) for seen in distinct):
                distinct.append(option)
    if len(distinct) == 1:
        return distinct[0]
    if not distinct or len(distinct) > 6:
        return Opaque()
    return Either(tuple(distinct))


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, Known) and isinstance(other, Known):
        return same_constant(one.value, other.value)
    if isinstance(one, Ref) and isinstance(other, Ref):
        return one.raw == other.raw
    if isinstance(one, Opaque) and isinstance(other, Opaque):
        return one.name == other.name
    return False


def made_by(value: Value | None) -> Made | None:
    """The call that made a value, if there is exactly one."""
    if not isinstance(value, Either):
        return _made(value) if value is not None else None
    found = {id(made): made for made in map(_made, options(value)) if made is not None}
    return next(iter(found.values())) if len(found) == 1 else None


def _made(value: Value) -> Made | None:
    if isinstance(value, Made):
        return value
    return value.made if isinstance(value, Instance) else None


def kind_of(value: Value | None) -> str | None:
    """The class of a value where it is known and the same on every branch."""
    if not isinstance(value, Either):
        return _kind(value) if value is not None else None
    kinds = {_kind(option) for option in options(value)}
    return kinds.pop() if len(kinds) == 1 else None


def _kind(value: Value) -> str | None:
    if isinstance(value, Made):
        return value.kind
    if isinstance(value, Instance):
        return instance_kind(value.of)
    if isinstance(value, Item):
        base: Value = value
        while isinstance(base, Item):
            base = base.base
        # ``train, val = tfds.load(...)`` and ``image_dataset_from_directory(subset="both")``.
        if isinstance(base, Made) and base.kind == DATASET and base.call.name in _SPLITTING:
            return DATASET
    return None


def instance_kind(of: Class) -> str:
    """The class that names the methods of an object of the script's own class."""
    for base in of.bases:
        if base in _MODELS:
            return MODEL
    for base in of.bases:
        if base.rsplit(".", 1)[-1] in {"Sequence", "PyDataset"} and base.startswith("keras."):
            return PYDATASET
    return of.name
