"""What an expression may stand for while a script is read without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from tlfix.program.model import UNKNOWN, Call, Site


@dataclass(slots=True, eq=False)
class Known:
    """A constant."""

    value: object


@dataclass(slots=True, eq=False)
class Ref:
    """Something imported: ``raw`` as the script spells it, ``name`` normalised."""

    raw: str
    name: str


@dataclass(slots=True, eq=False)
class Function:
    """A function of the script; ``bound`` are arguments already given (``self``, ``partial``)."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    name: str
    scope: Scope
    bound: tuple[Value, ...] = ()
    bound_keywords: dict[str, Value] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Class:
    """A class of the script. ``bases`` are qualified names, its own ancestors' included."""

    node: ast.ClassDef
    name: str
    bases: tuple[str, ...]
    attributes: dict[str, Value]


@dataclass(slots=True, eq=False)
class Instance:
    """An object of one of the script's classes; ``made`` is None for one nobody constructed."""

    of: Class
    attributes: dict[str, Value]
    made: Made | None = None


@dataclass(slots=True, eq=False)
class Part:
    """An element of a list or of a ``Sequential``, and where it stands."""

    value: Value
    site: Site


@dataclass(slots=True, eq=False)
class Made:
    """What a call returned. ``kind`` is the class of the result where that is known.

    ``parts`` are the layers added to a ``Sequential``; ``results`` holds what functions handed
    over return (by parameter name), and a parser's arguments.
    """

    call: Call
    kind: str | None
    callee: Value
    receiver: Value | None
    arguments: tuple[Value, ...]
    keywords: dict[str, Value]
    parts: list[Part] = field(default_factory=list)
    results: dict[str, Value] = field(default_factory=dict)
    display: bool = False
    owner: Site | None = None

    def given(self, keyword: str, position: int | None = None) -> Value | None:
        """The value of an argument, None if it is absent."""
        if keyword in self.keywords:
            return self.keywords[keyword]
        if position is not None and position < len(self.arguments):
            return self.arguments[position]
        return None


@dataclass(slots=True, eq=False)
class Item:
    """``base[key]``, or the ``key``-th of an unpacked tuple; ``key`` is UNKNOWN for a slice."""

    base: Value
    key: object


@dataclass(slots=True, eq=False)
class Element:
    """What iterating ``base`` gives; ``node`` is the iterable's source, ``loop`` the loop."""

    base: Value
    node: ast.expr | None = None
    loop: Site | None = None


@dataclass(slots=True, eq=False)
class Attribute:
    """``base.name``; ``site`` is where it was read."""

    base: Value
    name: str
    site: Site


@dataclass(slots=True, eq=False)
class Sequence:
    """A list, tuple or set display. ``open`` if it may hold more than is seen."""

    kind: Literal["list", "tuple"]
    parts: list[Part]
    open: bool = False


@dataclass(slots=True, eq=False)
class Mapping:
    """A dict whose keys are constants. ``open`` if it may hold more than is seen."""

    items: dict[object, Value]
    open: bool = False


@dataclass(slots=True, eq=False)
class Fact:
    """Arithmetic on pixels, while it is still growing; see :class:`tlfix.program.model.Scaling`."""

    site: Site
    scale: float | None
    offset: float | None
    operand_text: str
    operand_site: Site
    scope: str
    owner: Site | None
    statement: int = 0
    statements: int = 1
    targets: tuple[str, ...] = ()
    previous: Fact | None = None
    born_displayed: bool = False
    shown: bool = False
    used: bool = False
    extended: bool = False


@dataclass(slots=True, eq=False)
class Affine:
    """``scale * base + offset``; None where a factor is unknown or differs per channel.

    ``operand`` is the source of ``base``, ``statement`` the number of the statement it is from.
    """

    base: Value
    scale: float | None
    offset: float | None
    operand_text: str
    operand_site: Site
    site: Site
    statement: int
    fact: Fact | None = None


@dataclass(slots=True, eq=False)
class Mixed:
    """The result of an operation on several values none of which is a constant."""

    parts: tuple[Value, ...]


@dataclass(slots=True, eq=False)
class Either:
    """One of several values, by the branch taken."""

    options: tuple[Value, ...]


@dataclass(slots=True, eq=False)
class Opaque:
    """Anything else. ``name`` is the name it was looked up by, "" if there is none."""

    name: str = ""


Value = (
    Known
    | Ref
    | Function
    | Class
    | Instance
    | Made
    | Item
    | Element
    | Attribute
    | Sequence
    | Mapping
    | Affine
    | Mixed
    | Either
    | Opaque
)


@dataclass(slots=True, eq=False)
class Scope:
    """The names of a module, class or function. Class scopes are invisible to inner functions."""

    name: str
    parent: Scope | None = None
    variables: dict[str, Value] = field(default_factory=dict)
    is_class: bool = False
    globals: set[str] = field(default_factory=set)

    def find(self, name: str) -> Value | None:
        """The value bound to ``name`` here or outside."""
        scope: Scope | None = self
        while scope is not None:
            if (scope is self or not scope.is_class) and name in scope.variables:
                return scope.variables[name]
            scope = scope.parent
        return None

    def module(self) -> Scope:
        """The outermost scope."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def bind(self, name: str, value: Value) -> None:
        """Assign in this scope, or in the module's if the name was declared ``global``."""
        scope = self.module() if name in self.globals else self
        scope.variables[name] = value


# Elements of a constant list or dict that are looked at, those of its own lists included.
_LARGEST = 2_000


def constant(value: Value | None) -> object:
    """The constant a value is, UNKNOWN if it is none (or is very large)."""
    if isinstance(value, Known):
        return value.value
    if isinstance(value, Sequence | Mapping | Either):
        return _constant(value, [_LARGEST])
    return UNKNOWN


def _constant(value: Value, left: list[int]) -> object:
    left[0] -= 1
    if isinstance(value, Known):
        return value.value
    if left[0] < 0:
        return UNKNOWN
    if isinstance(value, Sequence) and not value.open:
        items: list[object] = []
        for part in value.parts:
            items.append(_constant(part.value, left))
            if items[-1] is UNKNOWN:
                return UNKNOWN
        return tuple(items) if value.kind == "tuple" else items
    if isinstance(value, Mapping) and not value.open:
        pairs: dict[object, object] = {}
        for key, each in value.items.items():
            pairs[key] = _constant(each, left)
            if pairs[key] is UNKNOWN:
                return UNKNOWN
        return pairs
    if isinstance(value, Either):
        found = [_constant(option, left) for option in value.options]
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


MODEL = "keras.Model"
DATASET = "tf.data.Dataset"
GENERATOR = "keras.preprocessing.image.ImageDataGenerator"
ITERATOR = "keras.preprocessing.image.Iterator"
PYDATASET = "keras.utils.PyDataset"
PYTHON_GENERATOR = "generator"
_MODELS = {"keras.Model", "keras.Sequential"}
_SPLITTING = {"tensorflow_datasets.load", "keras.utils.image_dataset_from_directory"}
