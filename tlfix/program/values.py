"""What an expression may stand for while a script is read without running it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Literal

from tlfix.program.model import Call, Site


@dataclass(slots=True, eq=False, repr=False)
class Known:
    """A constant."""

    value: object


@dataclass(slots=True, eq=False, repr=False)
class Ref:
    """Something imported: ``raw`` as the script spells it, ``name`` normalised."""

    raw: str
    name: str


@dataclass(slots=True, eq=False, repr=False)
class Function:
    """A function of the script; ``bound`` are arguments already given (``self``, ``partial``)."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    name: str
    scope: Scope
    bound: tuple[Value, ...] = ()
    bound_keywords: dict[str, Value] = field(default_factory=dict)


@dataclass(slots=True, eq=False, repr=False)
class Class:
    """A class of the script. ``bases`` are qualified names, its own ancestors' included."""

    node: ast.ClassDef
    name: str
    bases: tuple[str, ...]
    attributes: dict[str, Value]


@dataclass(slots=True, eq=False, repr=False)
class Instance:
    """An object of one of the script's classes; ``made`` is None for one nobody constructed."""

    of: Class
    attributes: dict[str, Value]
    made: Made | None = None


@dataclass(slots=True, eq=False, repr=False)
class Part:
    """An element of a list or of a ``Sequential``, and where it stands."""

    value: Value
    site: Site


@dataclass(slots=True, eq=False, repr=False)
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


@dataclass(slots=True, eq=False, repr=False)
class Item:
    """``base[key]``, or the ``key``-th of an unpacked tuple; ``key`` is UNKNOWN for a slice."""

    base: Value
    key: object


@dataclass(slots=True, eq=False, repr=False)
class Element:
    """What iterating ``base`` gives; ``node`` is the iterable's source, ``loop`` the loop."""

    base: Value
    node: ast.expr | None = None
    loop: Site | None = None


@dataclass(slots=True, eq=False, repr=False)
class Attribute:
    """``base.name``; ``site`` is where it was read."""

    base: Value
    name: str
    site: Site


@dataclass(slots=True, eq=False, repr=False)
class Sequence:
    """A list, tuple or set display. ``open`` if it may hold more than is seen."""

    kind: Literal["list", "tuple"]
    parts: list[Part]
    open: bool = False


@dataclass(slots=True, eq=False, repr=False)
class Mapping:
    """A dict whose keys are constants. ``open`` if it may hold more than is seen."""

    items: dict[object, Value]
    open: bool = False


@dataclass(slots=True, eq=False, repr=False)
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


@dataclass(slots=True, eq=False, repr=False)
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


@dataclass(slots=True, eq=False, repr=False)
class Mixed:
    """The result of an operation on several values none of which is a constant."""

    parts: tuple[Value, ...]


@dataclass(slots=True, eq=False, repr=False)
class Either:
    """One of several values, by the branch taken."""

    options: tuple[Value, ...]


@dataclass(slots=True, eq=False, repr=False)
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


@dataclass(slots=True, eq=False, repr=False)
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


@dataclass(slots=True)
class Returns:
    """What a function returns, as far as it is read; no more once ``closed``."""

    values: list[Value] = field(default_factory=list)
    closed: bool = False

    def add(self, *values: Value) -> None:
        """Add what one more ``return`` gives."""
        if not self.closed:
            self.values.extend(values)
