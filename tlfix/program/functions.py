"""The script's own functions and classes: how arguments are bound and objects made."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tlfix.program.meaning import PYTHON_GENERATOR, either, instance_kind
from tlfix.program.values import Class, Function, Instance, Made, Opaque, Scope, Value

if TYPE_CHECKING:
    from tlfix.program.walk import Walker


def bind(
    walker: Walker, function: Function, arguments: Sequence[Value], keywords: Mapping[str, Value]
) -> Scope:
    """The scope of a function's body, its parameters bound: given, default, or unknown."""
    scope = Scope(function.name, function.scope)
    spec = function.node.args
    ordered = (*spec.posonlyargs, *spec.args)
    nodes: dict[str, ast.expr | None] = {argument.arg: None for argument in ordered}
    for argument, default in zip(reversed(ordered), reversed(spec.defaults), strict=False):
        nodes[argument.arg] = default
    nodes.update(
        (argument.arg, default)
        for argument, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
    )
    given = dict(zip(nodes, (*function.bound, *arguments), strict=False))
    given.update(function.bound_keywords)
    given.update(keywords)
    outer, walker.scope = walker.scope, function.scope
    for name, node in nodes.items():
        if name in given:
            scope.variables[name] = given[name]
        else:
            scope.variables[name] = walker.evaluate(node) if node is not None else Opaque(name)
    walker.scope = outer
    for extra in (spec.vararg, spec.kwarg):
        if extra is not None:
            scope.variables[extra.arg] = Opaque(extra.arg)
    return scope


def follow(walker: Walker, function: Function, made: Made) -> Value:
    """What a call of a function returns; a generator function's call stands for itself."""
    walker.yields.append([])
    result = walker.invoke(function, made.arguments, made.keywords)
    yielded = walker.yields.pop()
    if yielded:
        made.kind = PYTHON_GENERATOR
        made.results["yield"] = either(*yielded)
        return made
    return made if isinstance(result, Opaque) else result


def partial(function: Function, made: Made) -> Function:
    """``functools.partial(function, …)``."""
    return Function(
        function.node,
        function.name,
        function.scope,
        (*function.bound, *made.arguments[1:]),
        {**function.bound_keywords, **made.keywords},
    )


def instantiate(walker: Walker, of: Class, made: Made) -> Value:
    """An object of one of the script's classes, its ``__init__`` read."""
    instance = Instance(of, {}, made)
    made.kind = instance_kind(of)
    walker.instances.setdefault(id(of.node), instance)
    initialise = of.attributes.get("__init__")
    if isinstance(initialise, Function):
        walker.invoke(_method(initialise, instance), made.arguments, made.keywords)
    else:
        # A dataclass: its fields may be given by keyword.
        instance.attributes.update(made.keywords)
    return instance


def forward(walker: Walker, instance: Instance, made: Made) -> None:
    """``net(x)`` runs ``call``."""
    method = instance.of.attributes.get("call")
    if isinstance(method, Function):
        result = walker.invoke(_method(method, instance), made.arguments, made.keywords)
        made.results["call"] = result
        walker.call_returns.append((instance, result))


def _method(function: Function, instance: Instance) -> Function:
    return Function(function.node, function.name, function.scope, (instance,))


def finish(walker: Walker) -> None:
    """Read the functions and methods that nothing called, with their defaults."""
    for of in walker.classes:
        instance = walker.instances.get(id(of.node))
        if instance is None:
            instance = Instance(of, {})
            _unread(walker, instance, of.attributes.get("__init__"))
        for attribute in list(of.attributes.values()):
            _unread(walker, instance, attribute)
    for function in walker.functions:
        # The list grows while it is read: functions inside functions.
        if id(function.node) not in walker.walked:
            walker.sink(walker.invoke(function))


def _unread(walker: Walker, instance: Instance, attribute: Value | None) -> None:
    if not isinstance(attribute, Function) or id(attribute.node) in walker.walked:
        return
    result = walker.invoke(_method(attribute, instance))
    walker.sink(result)
    name = getattr(attribute.node, "name", "")
    if name == "__getitem__" and instance.made is not None:
        instance.made.results["yield"] = result
    if name == "call":
        walker.call_returns.append((instance, result))
