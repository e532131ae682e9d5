"""What calls and subscripts give back."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from tlfix.program import arithmetic, calls, constants, functions
from tlfix.program.meaning import constant, either
from tlfix.program.model import UNKNOWN
from tlfix.program.values import (
    Either,
    Element,
    Function,
    Item,
    Known,
    Made,
    Mapping,
    Opaque,
    Sequence,
    Value,
)

if TYPE_CHECKING:
    from tlfix.program.walk import Walker

# Calls whose result is read as their first argument: the wrapper changes nothing that matters.
_TRANSPARENT: Final = frozenset({"iter", "vars", "tqdm.tqdm", "tqdm.auto.tqdm", "list", "tuple"})


def returned(walker: Walker, node: ast.Call, made: Made) -> Value:
    """What a call that is not of the script's own functions gives back."""
    called = made.call.name
    if called in arithmetic.FUNCTIONS and len(node.args) == len(made.arguments) == 2:
        op = arithmetic.FUNCTIONS[called]()
        left, right = made.arguments
        site = walker.text.site(node)
        return arithmetic.combine(walker, op, (left, node.args[0]), (right, node.args[1]), site)
    if called == "dict" and not made.arguments and "**" not in made.keywords:
        return Mapping({key: value for key, value in made.keywords.items()})
    if called in _TRANSPARENT and len(made.arguments) == 1:
        first = made.arguments[0]
        return first if not isinstance(first, Known) else made
    if called == "functools.partial" and made.arguments:
        function = made.arguments[0]
        return functions.partial(function, made) if isinstance(function, Function) else function
    if called in {"next", ".next", ".__next__"} or called.endswith(("Iterator.next", ".get_next")):
        base = made.arguments[0] if made.arguments else made.receiver
        return Element(base) if base is not None else made
    if called == ".get" and isinstance(made.receiver, Mapping) and made.arguments:
        return lookup(made.receiver, constant(made.arguments[0]), made.given("default", 1))
    plain = [constant(argument) for argument in made.arguments]
    if not made.keywords and plain:
        value = constants.builtin(called, plain)
        if value is not UNKNOWN:
            return constants.lift(value, made.call.site)
    return made


def lookup(mapping: Mapping, key: object, default: Value | None = None) -> Value:
    """``mapping[key]``."""
    try:
        if key is not UNKNOWN and key in mapping.items:
            return mapping.items[key]
    except TypeError:
        return Opaque()
    if key is UNKNOWN and mapping.items:
        return either(*mapping.items.values(), *((Opaque(),) if mapping.open else ()))
    return default if default is not None and not mapping.open else Opaque()


def element(walker: Walker, base: Value, key: object, node: ast.expr) -> Value:
    """``base[key]``."""
    if isinstance(base, Either):
        return either(*(element(walker, option, key, node) for option in base.options))
    if isinstance(base, Sequence) and base.parts:
        if isinstance(key, int) and not base.open and -len(base.parts) <= key < len(base.parts):
            return base.parts[key].value
        return either(*(part.value for part in base.parts), *((Opaque(),) if base.open else ()))
    if isinstance(base, Mapping):
        return lookup(base, key)
    if isinstance(base, Known):
        return constants.lift(constants.item(base.value, key), walker.text.site(node))
    if isinstance(base, Made) and base.kind == "argparse.Namespace" and isinstance(key, str):
        return calls.attribute(walker, base, key, node)
    return Item(base, key)
