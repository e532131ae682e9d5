"""Statements: assignments, branches, loops, definitions, imports."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from tlfix.program import arithmetic, assignment, calls
from tlfix.program.meaning import constant, either, options
from tlfix.program.model import UNKNOWN
from tlfix.program.values import Class, Function, Known, Made, Opaque, Ref, Returns, Scope, Value

if TYPE_CHECKING:
    from tlfix.program.walk import Walker


# Decorators that give a parameter its default on the command line.
_OPTIONS: Final = frozenset({"click.option"})


def run(walker: Walker, node: ast.stmt) -> bool:
    """Read one statement; False if control does not go on behind it."""
    handler = _HANDLERS.get(type(node))
    if handler is None:
        return True
    return handler(walker, node) is not False


def _import(walker: Walker, node: ast.Import) -> None:
    for alias in node.names:
        walker.import_sites.append((alias.name, walker.text.site(alias)))
        local = alias.asname or alias.name.partition(".")[0]
        reference = calls.resolve(alias.name if alias.asname else local)
        walker.scope.bind(local, reference)
        walker.imports[local] = reference.name


def _import_from(walker: Walker, node: ast.ImportFrom) -> None:
    module = "." * node.level + (node.module or "")
    for alias in node.names:
        if alias.name == "*":
            walker.stars.append(module)
            walker.import_sites.append((f"{module}.*", walker.text.site(node)))
            continue
        reference = calls.resolve(f"{module}.{alias.name}")
        walker.import_sites.append((reference.raw, walker.text.site(alias)))
        local = alias.asname or alias.name
        walker.scope.bind(local, reference)
        walker.imports[local] = reference.name


def _qualified(walker: Walker, name: str) -> str:
    return f"{walker.scope.name}.{name}" if walker.scope.name else name


def _function(walker: Walker, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    function = Function(node, _qualified(walker, node.name), walker.scope)
    for decorator in node.decorator_list:
        made = walker.evaluate(decorator)
        if isinstance(made, Made) and made.call.name in _OPTIONS:
            calls.add_argument(made, made)
            function.bound_keywords.update(made.results)
    if not walker.scope.is_class:
        walker.functions.append(function)
    walker.scope.bind(node.name, function)


def _class(walker: Walker, node: ast.ClassDef) -> None:
    bases: list[str] = []
    inherited: dict[str, Value] = {}
    for each in node.bases:
        for base in options(walker.evaluate(each)):
            if isinstance(base, Ref):
                bases.append(base.name)
            elif isinstance(base, Class):
                bases.extend(base.bases)
                inherited.update(base.attributes)
    outer = walker.scope
    scope = Scope(_qualified(walker, node.name), outer, dict(inherited), is_class=True)
    walker.scope = scope
    walker.run(node.body)
    walker.scope = outer
    of = Class(node, scope.name, tuple(bases), scope.variables)
    walker.classes.append(of)
    outer.bind(node.name, of)


def _if(walker: Walker, node: ast.If) -> bool:
    test = constant(walker.evaluate(node.test))
    if isinstance(node.test, ast.Constant) and not node.test.value:
        return walker.run(node.orelse)
    text = walker.text.source(node.test)
    before = dict(walker.scope.variables)
    walker.tests.append(text)
    on, one = _arm(walker, node.body)
    walker.tests[-1] = f"not ({text})"
    after = dict(walker.scope.variables)
    _restore(walker, before)
    otherwise, another = _arm(walker, node.orelse)
    walker.tests.pop()
    if test is UNKNOWN:
        walker.returns[-1].add(*one.values, *another.values)
    else:
        taken = one if test else another
        walker.returns[-1].add(*taken.values)
        walker.returns[-1].closed |= taken.closed or bool(
            taken.values and not (on if test else otherwise)
        )
    other = dict(walker.scope.variables)
    if test is not UNKNOWN and (on if test else otherwise):
        _restore(walker, after if test else other)
    elif on and otherwise:
        _restore(walker, _merged(after, other))
    elif on:
        _restore(walker, after)
    return on or otherwise


def _arm(walker: Walker, body: list[ast.stmt]) -> tuple[bool, Returns]:
    """Read one arm of a branch: whether it goes on behind the branch, and what it returns."""
    walker.returns.append(Returns())
    goes_on = walker.run(body)
    return goes_on, walker.returns.pop()


def _restore(walker: Walker, variables: dict[str, Value]) -> None:
    # In place: functions defined here hold on to the same dict.
    kept = dict(variables)
    walker.scope.variables.clear()
    walker.scope.variables.update(kept)


def _merged(*branches: dict[str, Value]) -> dict[str, Value]:
    names = dict.fromkeys(name for branch in branches for name in branch)
    merged: dict[str, Value] = {}
    for name in names:
        found = [branch[name] for branch in branches if name in branch]
        first = found[0]
        merged[name] = first if all(each is first for each in found) else either(*found)
    return merged


def _widen(walker: Walker, body: Iterable[ast.stmt]) -> None:
    """Forget constants that a loop changes: its first round says nothing about the others."""
    for statement in body:
        for node in ast.walk(statement):
            if not isinstance(node, ast.Name) or isinstance(node.ctx, ast.Load):
                continue
            if isinstance(walker.scope.variables.get(node.id), Known):
                walker.scope.variables[node.id] = Opaque(node.id)


def _for(walker: Walker, node: ast.For | ast.AsyncFor) -> None:
    _widen(walker, node.body)
    assignment.loop(walker, node.target, node.iter, walker.text.site(node))
    walker.loops += 1
    walker.run(node.body)
    walker.loops -= 1
    walker.run(node.orelse)


def _while(walker: Walker, node: ast.While) -> None:
    _widen(walker, node.body)
    walker.evaluate(node.test)
    walker.loops += 1
    walker.run(node.body)
    walker.loops -= 1
    walker.run(node.orelse)


def _try(walker: Walker, node: ast.Try) -> bool:
    before = dict(walker.scope.variables)
    on = walker.run(node.body) and walker.run(node.orelse)
    ends = [dict(walker.scope.variables)] if on else []
    for handler in node.handlers:
        _restore(walker, before)
        if handler.name is not None:
            walker.scope.bind(handler.name, Opaque(handler.name))
        if walker.run(handler.body):
            ends.append(dict(walker.scope.variables))
    if ends:
        _restore(walker, _merged(*ends))
    return walker.run(node.finalbody) and bool(ends)


def _with(walker: Walker, node: ast.With | ast.AsyncWith) -> bool:
    for item in node.items:
        if item.optional_vars is not None:
            walker.targets[id(item.context_expr)] = assignment.names(walker, item.optional_vars)
        value = walker.evaluate(item.context_expr)
        if item.optional_vars is not None:
            assignment.assign(walker, item.optional_vars, value)
    return walker.run(node.body)


def _match(walker: Walker, node: ast.Match) -> None:
    walker.evaluate(node.subject)
    before = dict(walker.scope.variables)
    ends = [before]
    for case in node.cases:
        _restore(walker, before)
        if walker.run(case.body):
            ends.append(dict(walker.scope.variables))
    _restore(walker, _merged(*ends))


def _assign(walker: Walker, node: ast.Assign) -> None:
    assignment.statement(walker, node.targets, node.value)


def _annotated(walker: Walker, node: ast.AnnAssign) -> None:
    if node.value is not None:
        assignment.statement(walker, [node.target], node.value)


def _augmented(walker: Walker, node: ast.AugAssign) -> None:
    value = walker.evaluate(node.value)
    current = walker.evaluate(node.target)
    count = len(walker.facts)
    site = walker.text.site(node)
    result = arithmetic.combine(walker, node.op, (current, node.target), (value, node.value), site)
    assignment.tag(walker, count, assignment.names(walker, node.target), site)
    if isinstance(node.target, ast.Subscript):
        walker.sink(result)
    else:
        assignment.assign(walker, node.target, result)


def _return(walker: Walker, node: ast.Return) -> bool:
    value = walker.evaluate(node.value) if node.value is not None else Known(None)
    walker.returns[-1].add(value)
    return False


def _raise(walker: Walker, node: ast.Raise) -> bool:
    if node.exc is not None:
        walker.evaluate(node.exc)
    return False


def _expression(walker: Walker, node: ast.Expr) -> None:
    walker.evaluate(node.value)


def _assert(walker: Walker, node: ast.Assert) -> None:
    walker.evaluate(node.test)


def _global(walker: Walker, node: ast.Global) -> None:
    walker.scope.globals.update(node.names)


def _leave(walker: Walker, node: ast.stmt) -> bool:
    return False


_HANDLERS: Final[dict[type[ast.stmt], Callable[[Walker, Any], bool | None]]] = {
    ast.AnnAssign: _annotated,
    ast.Assert: _assert,
    ast.Assign: _assign,
    ast.AsyncFor: _for,
    ast.AsyncFunctionDef: _function,
    ast.AsyncWith: _with,
    ast.AugAssign: _augmented,
    ast.Break: _leave,
    ast.ClassDef: _class,
    ast.Continue: _leave,
    ast.Expr: _expression,
    ast.For: _for,
    ast.FunctionDef: _function,
    ast.Global: _global,
    ast.If: _if,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Match: _match,
    ast.Raise: _raise,
    ast.Return: _return,
    ast.Try: _try,
    ast.TryStar: _try,
    ast.While: _while,
    ast.With: _with,
}
