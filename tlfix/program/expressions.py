"""What an expression stands for. Every call met on the way is recorded by the walker."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tlfix.program import arithmetic, calls, constants, results
from tlfix.program.imports import star_member
from tlfix.program.meaning import constant, either
from tlfix.program.model import UNKNOWN
from tlfix.program.values import (
    Element,
    Function,
    Item,
    Known,
    Made,
    Mapping,
    Mixed,
    Opaque,
    Part,
    Sequence,
    Value,
)

if TYPE_CHECKING:
    from tlfix.program.walk import Walker

_BUILTINS: Final = frozenset(dir(builtins))


def evaluate(walker: Walker, node: ast.expr) -> Value:
    """The value of an expression at this point of the script."""
    handler = _HANDLERS.get(type(node))
    return handler(walker, node) if handler is not None else Opaque()


def _constant(walker: Walker, node: ast.Constant) -> Value:
    return Opaque() if node.value is Ellipsis else Known(node.value)


def name(walker: Walker, node: ast.Name) -> Value:
    """The value bound to a name here, or what a star import may have brought."""
    found = walker.scope.find(node.id)
    if found is not None:
        return found
    if node.id not in _BUILTINS:
        for module in reversed(walker.stars):
            if star_member(module, node.id):
                return calls.resolve(f"{module}.{node.id}")
    return Opaque(node.id)


def _attribute(walker: Walker, node: ast.Attribute) -> Value:
    base = walker.evaluate(node.value)
    value = calls.attribute(walker, base, node.attr, node)
    walker.access(value, base, node)
    return value


def _call(walker: Walker, node: ast.Call) -> Value:
    receiver: Value | None = None
    if isinstance(node.func, ast.Attribute):
        receiver = walker.evaluate(node.func.value)
        callee = calls.attribute(walker, receiver, node.func.attr, node.func)
    else:
        callee = walker.evaluate(node.func)
        if isinstance(callee, Made):
            receiver = callee
    called = calls.name_of(callee, node.func)
    if called == "getattr" and len(node.args) > 1:
        key = constant(walker.evaluate(node.args[1]))
        if isinstance(key, str):
            return calls.attribute(walker, walker.evaluate(node.args[0]), key, node)
    return walker.call(node, callee, receiver, called)


def _binary(walker: Walker, node: ast.BinOp) -> Value:
    left, right = walker.evaluate(node.left), walker.evaluate(node.right)
    site = walker.text.site(node)
    return arithmetic.combine(walker, node.op, (left, node.left), (right, node.right), site)


def _unary(walker: Walker, node: ast.UnaryOp) -> Value:
    operand = walker.evaluate(node.operand)
    value = constants.unary(node.op, constant(operand))
    return Mixed((operand,)) if value is UNKNOWN else Known(value)


def _boolean(walker: Walker, node: ast.BoolOp) -> Value:
    values = [walker.evaluate(each) for each in node.values]
    for value in values[:-1]:
        known = constant(value)
        if known is UNKNOWN:
            return either(*values)
        if bool(known) == isinstance(node.op, ast.Or):
            return value
    return values[-1]


def _compare(walker: Walker, node: ast.Compare) -> Value:
    values = [walker.evaluate(each) for each in (node.left, *node.comparators)]
    if len(values) != 2:
        return Opaque()
    found = constants.compare(node.ops[0], constant(values[0]), constant(values[1]))
    return Opaque() if found is UNKNOWN else Known(found)


def _conditional(walker: Walker, node: ast.IfExp) -> Value:
    walker.pass_targets(node, node.body, node.orelse)
    test = constant(walker.evaluate(node.test))
    body, other = walker.evaluate(node.body), walker.evaluate(node.orelse)
    if test is UNKNOWN:
        return either(body, other)
    return body if test else other


def _sequence(walker: Walker, node: ast.List | ast.Tuple | ast.Set) -> Value:
    parts: list[Part] = []
    opened = False
    for each in node.elts:
        if isinstance(each, ast.Starred):
            value = walker.evaluate(each.value)
            if isinstance(value, Sequence):
                parts.extend(value.parts)
                opened = opened or value.open
            else:
                opened = True
        else:
            parts.append(Part(walker.evaluate(each), walker.text.site(each)))
    return Sequence("tuple" if isinstance(node, ast.Tuple) else "list", parts, opened)


def _dict(walker: Walker, node: ast.Dict) -> Value:
    mapping = Mapping({})
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        value = walker.evaluate(value_node)
        if key_node is None:
            if isinstance(value, Mapping):
                mapping.items.update(value.items)
            mapping.open = mapping.open or not isinstance(value, Mapping) or value.open
            continue
        key = constant(walker.evaluate(key_node))
        try:
            mapping.items[key] = value
        except TypeError:
            mapping.open = True
        if key is UNKNOWN:
            mapping.open = True
    return mapping


def _subscript(walker: Walker, node: ast.Subscript) -> Value:
    base = walker.evaluate(node.value)
    if isinstance(node.slice, ast.Slice):
        bounds = [
            constant(walker.evaluate(each)) if each is not None else None
            for each in (node.slice.lower, node.slice.upper, node.slice.step)
        ]
        known = constant(base)
        if known is not UNKNOWN and UNKNOWN not in bounds:
            cut = constants.item(known, slice(*bounds))
            return constants.lift(cut, walker.text.site(node))
        return Item(base, UNKNOWN)
    key = constant(walker.evaluate(node.slice))
    walker.subscript(base, key, node)
    return results.element(walker, base, key, node)


def _joined(walker: Walker, node: ast.JoinedStr) -> Value:
    texts: list[str] = []
    known = True
    for part in node.values:
        inner = part.value if isinstance(part, ast.FormattedValue) else part
        value = constant(walker.evaluate(inner))
        formatted = isinstance(part, ast.FormattedValue) and (
            part.format_spec is not None or part.conversion != -1
        )
        known = known and isinstance(value, str | int | float) and not formatted
        texts.append(str(value))
    return Known("".join(texts)) if known else Opaque()


def _lambda(walker: Walker, node: ast.Lambda) -> Value:
    function = Function(node, "<lambda>", walker.scope)
    walker.functions.append(function)
    return function


def _comprehension(
    walker: Walker, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
) -> Value:
    with walker.inner_scope():
        for generator in node.generators:
            walker.bind_loop(generator.target, generator.iter)
            for test in generator.ifs:
                walker.evaluate(test)
        walker.loops += 1
        if isinstance(node, ast.DictComp):
            walker.evaluate(node.key)
            value_node = node.value
        else:
            value_node = node.elt
        value = walker.evaluate(value_node)
        walker.loops -= 1
    if isinstance(node, ast.DictComp):
        return Mapping({UNKNOWN: value}, open=True)
    return Sequence("list", [Part(value, walker.text.site(value_node))], open=True)


def _yield(walker: Walker, node: ast.Yield) -> Value:
    value = walker.evaluate(node.value) if node.value is not None else Known(None)
    if walker.yields:
        walker.yields[-1].append(value)
    walker.sink(value)
    return Opaque()


def _inner(walker: Walker, node: ast.Await | ast.YieldFrom | ast.Starred) -> Value:
    value = walker.evaluate(node.value)
    if isinstance(node, ast.YieldFrom) and walker.yields:
        walker.yields[-1].append(Element(value))
    return value


def _named(walker: Walker, node: ast.NamedExpr) -> Value:
    walker.targets[id(node.value)] = (node.target.id,)
    value = walker.evaluate(node.value)
    walker.scope.bind(node.target.id, value)
    return value


_HANDLERS: Final[dict[type[ast.expr], Callable[[Walker, Any], Value]]] = {
    ast.Attribute: _attribute,
    ast.Await: _inner,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.Call: _call,
    ast.Compare: _compare,
    ast.Constant: _constant,
    ast.Dict: _dict,
    ast.DictComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.IfExp: _conditional,
    ast.JoinedStr: _joined,
    ast.Lambda: _lambda,
    ast.List: _sequence,
    ast.ListComp: _comprehension,
    ast.Name: name,
    ast.NamedExpr: _named,
    ast.Set: _sequence,
    ast.SetComp: _comprehension,
    ast.Starred: _inner,
    ast.Subscript: _subscript,
    ast.Tuple: _sequence,
    ast.UnaryOp: _unary,
    ast.Yield: _yield,
    ast.YieldFrom: _inner,
}
