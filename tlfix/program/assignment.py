"""Assignment: to names, attributes, subscripts; and ``trainable``, which is where freezing is."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tlfix.program import expressions, results
from tlfix.program.meaning import constant, either
from tlfix.program.model import UNKNOWN, Call, Site, TrainableChange
from tlfix.program.values import (
    Attribute,
    Class,
    Either,
    Element,
    Instance,
    Item,
    Made,
    Mapping,
    Opaque,
    Sequence,
    Value,
)

if TYPE_CHECKING:
    from tlfix.program.walk import Walker


def names(walker: Walker, target: ast.expr) -> tuple[str, ...]:
    """The source of what is assigned to, a tuple's elements one by one."""
    if isinstance(target, ast.Tuple | ast.List):
        return tuple(name for each in target.elts for name in names(walker, each))
    return (walker.text.source(target),)


def statement(walker: Walker, targets: list[ast.expr], value: ast.expr) -> None:
    """``a = b = value``; ``x, y = x / 255, y / 255`` element by element."""
    first = targets[0]
    if (
        len(targets) == 1
        and isinstance(first, ast.Tuple | ast.List)
        and isinstance(value, ast.Tuple | ast.List)
        and len(first.elts) == len(value.elts)
        and not any(isinstance(each, ast.Starred) for each in (*first.elts, *value.elts))
    ):
        found = [
            _valued(walker, names(walker, target), each)
            for target, each in zip(first.elts, value.elts, strict=True)
        ]
        for target, each_value in zip(first.elts, found, strict=True):
            assign(walker, target, each_value, value)
        return
    every = tuple(name for target in targets for name in names(walker, target))
    result = _valued(walker, every, value)
    for target in targets:
        assign(walker, target, result, value)


def _valued(walker: Walker, targets: tuple[str, ...], node: ast.expr) -> Value:
    walker.targets[id(node)] = targets
    count = len(walker.facts)
    value = walker.evaluate(node)
    tag(walker, count, targets, walker.text.site(node))
    return value


def tag(walker: Walker, count: int, targets: tuple[str, ...], site: Site) -> None:
    """Of the scalings found since there were ``count`` of them, ``site`` goes to ``targets``."""
    end = site.end_line, site.end_column
    for fact in walker.facts[count:]:
        if (fact.site.end_line, fact.site.end_column) == end and not fact.targets:
            fact.targets = targets


def assign(walker: Walker, target: ast.expr, value: Value, node: ast.expr | None = None) -> None:
    """Bind ``value`` to a target."""
    if isinstance(target, ast.Name):
        walker.scope.bind(target.id, value)
    elif isinstance(target, ast.Tuple | ast.List):
        for index, each in enumerate(target.elts):
            if isinstance(each, ast.Starred):
                assign(walker, each.value, Opaque())
            else:
                assign(walker, each, results.element(walker, value, index, target), node)
    elif isinstance(target, ast.Attribute):
        _attribute(walker, target, value, node)
    elif isinstance(target, ast.Subscript):
        _subscript(walker, target, value)


def _attribute(walker: Walker, target: ast.Attribute, value: Value, node: ast.expr | None) -> None:
    base = walker.evaluate(target.value)
    if target.attr == "trainable":
        _trainable(walker, target, base, value, node)
    if isinstance(base, Instance | Class):
        base.attributes[target.attr] = value
    else:
        walker.sink(value)


def _subscript(walker: Walker, target: ast.Subscript, value: Value) -> None:
    base = walker.evaluate(target.value)
    key = (
        UNKNOWN if isinstance(target.slice, ast.Slice) else constant(walker.evaluate(target.slice))
    )
    walker.sink(value)
    if isinstance(base, Mapping):
        try:
            base.items[key] = value
        except TypeError:
            base.open = True
        base.open = base.open or key is UNKNOWN or walker.loops > 0
    elif isinstance(base, Sequence):
        base.open = True


def loop(walker: Walker, target: ast.expr, iterable: ast.expr, site: Site | None) -> None:
    """Bind a loop's variables."""
    if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Name):
        name = iterable.func.id
        builtin = isinstance(expressions.name(walker, iterable.func), Opaque)
        if builtin and name == "enumerate" and iterable.args and isinstance(target, ast.Tuple):
            assign(walker, target.elts[0], Opaque())
            loop(walker, target.elts[-1], iterable.args[0], site)
            return
        if builtin and name == "zip" and isinstance(target, ast.Tuple):
            for each, inner in zip(target.elts, iterable.args, strict=False):
                loop(walker, each, inner, site)
            return
        if builtin and name == "reversed" and iterable.args:
            iterable = iterable.args[0]
    value = walker.evaluate(iterable)
    if isinstance(value, Sequence) and value.parts:
        items = [part.value for part in value.parts]
        assign(walker, target, either(*items, *((Opaque(),) if value.open else ())))
        return
    if (
        isinstance(value, Made)
        and value.call.name in {".items", ".values"}
        and isinstance(value.receiver, Mapping)
        and value.receiver.items
    ):
        found = either(*value.receiver.items.values())
        if value.call.name == ".values":
            assign(walker, target, found)
            return
        if isinstance(target, ast.Tuple) and len(target.elts) == 2:
            assign(walker, target.elts[0], Opaque())
            assign(walker, target.elts[1], found)
            return
    assign(walker, target, Element(value, iterable, site))


def _trainable(
    walker: Walker, target: ast.Attribute, base: Value, value: Value, node: ast.expr | None
) -> None:
    site = walker.text.site(target)
    if node is not None:
        end = walker.text.site(node)
        site = Site(site.path, site.line, site.column, end.end_line, end.end_column)
    changed = target.value
    if isinstance(base, Element) and base.node is not None:
        changed = base.node
        site = base.loop or site
    walker.trainable.append(
        TrainableChange(
            site,
            walker.text.source(changed),
            _root(changed, walker),
            constant(value),
            len(walker.made),
            walker.scope.name,
            walker.tests[-1] if walker.tests else None,
            _origin(base),
        )
    )


def _root(node: ast.expr, walker: Walker) -> str | None:
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id == "self":
                return walker.text.source(node)
            node = node.value
        elif isinstance(node, ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return None
    return node.id


def _origin(value: Value) -> Call | None:
    while True:
        if isinstance(value, Item | Element | Attribute):
            value = value.base
        elif isinstance(value, Instance):
            return value.made.call if value.made is not None else None
        elif isinstance(value, Made):
            if value.call.name.endswith(".get_layer") and value.receiver is not None:
                value = value.receiver
            else:
                return value.call
        elif isinstance(value, Either):
            origins = {id(call): call for call in map(_origin, value.options) if call}
            return next(iter(origins.values())) if len(origins) == 1 else None
        else:
            return None
