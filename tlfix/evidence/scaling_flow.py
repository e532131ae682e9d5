"""Which statements a value comes from: a backward slice over one script.

The slice does not know which assignment replaces which; it only knows that nothing behind the place
of use counts, unless a loop leads back to it. It may hold too much, so its readers ask only what a
too large slice cannot get wrong.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import product
from typing import TypeVar

from tlfix.evidence.branches import Arm, Arms
from tlfix.program.model import Site

Found = TypeVar("Found")

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Node = ast.expr | ast.stmt
_APPENDING = {"append", "extend", "add", "insert"}
_ANYWHERE = 10**9
# Branches on the way of a value that are looked into, and those of them that may make a difference.
_MOST_BRANCHES = 24
_MOST_DECIDING = 4


@dataclass(frozen=True)
class Flow:
    """One assignment: the name gets what ``node`` computes.

    ``until`` is the last line of its body that may run before it: its own, or that of a loop's end.
    """

    name: str
    node: _Node
    uses: frozenset[str]
    until: int


@dataclass
class Scope:
    """The assignments and functions of a module or a function body, nested bodies apart."""

    node: ast.Module | Function
    flows: list[Flow] = field(default_factory=list)
    functions: dict[str, Function] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Slice:
    """The nodes that a value comes from, and the names met on the way."""

    nodes: tuple[_Node, ...]
    names: frozenset[str]
    open_names: frozenset[str]
    """Names that nothing in the script binds."""
    without: tuple[ast.AST, ...] = ()
    """What is left out, within ``nodes`` too: it stands in arms of branches that are not taken."""


class Source:
    """A parsed script that can be sliced."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.lines = text.splitlines(keepends=True)
        try:
            self.tree: ast.Module | None = ast.parse(text)
        except (SyntaxError, ValueError):
            self.tree = None
        self.scopes: dict[int, Scope] = {}
        self.module = Scope(ast.Module([], []))
        if self.tree is not None:
            self.module = self._scope(self.tree)
            for node in ast.walk(self.tree):
                if isinstance(node, Function):
                    self.scopes[id(node)] = self._scope(node)

    # Places -------------------------------------------------------------------------------------

    def site(self, node: _Node) -> Site:
        """The place of ``node``, columns in characters."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        return Site(
            self.path,
            node.lineno,
            self._column(node.lineno, node.col_offset),
            end_line,
            self._column(end_line, end_column),
        )

    def _column(self, line: int, offset: int) -> int:
        text = self.lines[line - 1]
        return offset if text.isascii() else len(text.encode()[:offset].decode(errors="ignore"))

    def code(self, node: _Node) -> str:
        """The source of ``node``."""
        return ast.get_source_segment(self.text, node) or ""

    def call_at(self, site: Site) -> ast.Call | None:
        """The call that covers exactly ``site``."""
        for node in ast.walk(self.tree) if self.tree else ():
            if isinstance(node, ast.Call) and same_span(self.site(node), site):
                return node
        return None

    def scope_at(self, line: int) -> Scope:
        """The innermost function body around ``line``, or the module."""
        best = self.module
        for scope in self.scopes.values():
            node = scope.node
            if (
                isinstance(node, Function)
                and node.lineno <= line <= (node.end_lineno or node.lineno)
                and (best is self.module or node.lineno > getattr(best.node, "lineno", 0))
            ):
                best = scope
        return best

    # Slicing ------------------------------------------------------------------------------------

    def slice(
        self, start: _Node, line: int | None = None, skipped: frozenset[Arm] = frozenset()
    ) -> Slice:
        """What ``start`` is computed from; in its own body nothing behind ``line`` counts.

        ``skipped`` are arms of branches that are taken not to run.
        """
        scope = self.scope_at(start.lineno)
        limit = line if line is not None else start.lineno
        nodes: dict[int, _Node] = {id(start): start}
        seen: dict[tuple[int, str], int] = {}
        unbound: set[str] = set()
        without = self.arms.inside(skipped) if skipped else []
        out = frozenset(map(id, without))

        def runs(node: _Node) -> bool:
            return not skipped or not self.arms.around(node) & skipped

        # Only here do parameters lead to the callers: elsewhere the call itself is in the slice.
        outward = {id(scope)}
        pending = [(scope, name, limit) for name in used(start, out)]
        while pending:
            where, name, limit = pending.pop()
            if seen.get((id(where), name), -1) >= limit:
                continue
            seen[id(where), name] = limit
            found = [f for f in where.flows if f.name == name and f.node.lineno <= limit]
            for flow in (f for f in found if runs(f.node)):
                nodes[id(flow.node)] = flow.node
                uses = used(flow.node, out) if out else flow.uses
                pending.extend((where, use, min(limit, flow.until)) for use in uses)
            function = where.functions.get(name) or self.module.functions.get(name)
            if function is not None:
                for node in filter(runs, results(function)):
                    nodes[id(node)] = node
                    inner = self.module if node is function else self.scopes[id(function)]
                    pending.extend((inner, use, _ANYWHERE) for use in used(node, out))
            elif name in where.parameters and id(where) in outward:
                for outer, use, line_of_call in self._arguments(where, name):
                    outward.add(id(outer))
                    pending.append((outer, use, line_of_call))
            elif name in where.parameters:
                continue
            elif not found and where is not self.module:
                pending.append((self.module, name, _ANYWHERE))
            elif not found:
                unbound.add(name)
        names = frozenset(name for _, name in seen)
        return Slice(tuple(nodes.values()), names, frozenset(unbound), tuple(without))

    @cached_property
    def arms(self) -> Arms:
        """The branches of the script."""
        return Arms(self.tree or ast.Module([], []))

    def ways(
        self, start: _Node, line: int, found: Callable[[Slice], Found]
    ) -> tuple[Found, ...] | None:
        """What ``found`` gives for each way through the branches on which it depends.

        None if there are too many to tell apart.
        """
        fixed = frozenset(
            other for arm in self.arms.around(start) for other in self.arms.others(arm)
        )
        whole = self.slice(start, line, fixed)
        usual = found(whole)
        taken = {branch for branch, _ in self.arms.around(start)}
        open_ = [branch for branch in self.arms.touched(whole.nodes) if branch not in taken]
        if len(open_) > _MOST_BRANCHES:
            return None

        def along(*arms: Arm) -> Found:
            others = (other for arm in arms for other in self.arms.others(arm))
            return found(self.slice(start, line, fixed.union(others)))

        deciding = [
            arms for arms in map(self.arms.of, open_) if any(along(arm) != usual for arm in arms)
        ]
        if len(deciding) > _MOST_DECIDING:
            return None
        return tuple(dict.fromkeys(along(*arms) for arms in product(*deciding)))

    def _arguments(self, scope: Scope, parameter: str) -> Iterator[tuple[Scope, str, int]]:
        """The names given for ``parameter`` wherever the function of ``scope`` is called."""
        function = scope.node
        if not isinstance(function, ast.FunctionDef) or self.tree is None:
            return
        place = scope.parameters.index(parameter)
        method = scope.parameters[0] == "self"
        for call in ast.walk(self.tree):
            if not isinstance(call, ast.Call) or _called(call, method) != function.name:
                continue
            given = [k.value for k in call.keywords if k.arg == parameter]
            given += call.args[place - method : place - method + 1] if place >= method else []
            outer = self.scope_at(call.lineno)
            for value in given:
                for name in used(value):
                    yield outer, name, call.lineno

    # Reading ------------------------------------------------------------------------------------

    def _scope(self, node: ast.Module | Function) -> Scope:
        scope = Scope(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            every = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            scope.parameters = tuple(a.arg for a in every)
        self._statements(node.body, scope)
        return scope

    def _statements(self, body: list[ast.stmt], scope: Scope, loop: int = 0) -> None:
        """Read a body; ``loop`` is the last line of the outermost loop around it, 0 without one."""
        for node in body:
            until = loop or node.end_lineno or node.lineno
            if isinstance(node, Function):
                scope.functions[node.name] = node
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    self._assign(target, node.value, scope, until)
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                self._assign(node.target, node.value, scope, until)
            elif isinstance(node, ast.AugAssign):
                self._assign(node.target, node, scope, until)
            elif isinstance(node, ast.For):
                self._assign(node.target, node.iter, scope, until)
            elif isinstance(node, ast.With):
                for item in node.items:
                    if item.optional_vars is not None:
                        self._assign(item.optional_vars, item.context_expr, scope, until)
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                method = node.value.func
                if isinstance(method, ast.Attribute) and method.attr in _APPENDING:
                    self._assign(method.value, node.value, scope, until)
            inside = until if isinstance(node, ast.For | ast.AsyncFor | ast.While) else loop
            for part in ("body", "orelse", "finalbody"):
                inner = getattr(node, part, None)
                if isinstance(inner, list) and not isinstance(node, Function):
                    self._statements(inner, scope, inside)
            for other in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
                self._statements(other.body, scope, inside)

    def _assign(self, target: ast.expr, value: _Node, scope: Scope, until: int) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts):
                for one, other in zip(target.elts, value.elts, strict=True):
                    self._assign(one, other, scope, until)
            else:
                for one in target.elts:
                    self._assign(one, value, scope, until)
            return
        while isinstance(target, ast.Subscript | ast.Attribute | ast.Starred):
            target = target.value
        if isinstance(target, ast.Name):
            scope.flows.append(Flow(target.id, value, frozenset(used(value)), until))


def _called(call: ast.Call, method: bool) -> str | None:
    """The name under which a function, or a method of whatever object, is called."""
    if method:
        return call.func.attr if isinstance(call.func, ast.Attribute) else None
    return call.func.id if isinstance(call.func, ast.Name) else None


@lru_cache(maxsize=2)
def source_of(path: str, text: str) -> Source:
    """The script, parsed once for all causes that slice it."""
    return Source(path, text)


def results(function: Function) -> list[_Node]:
    """What a function gives back, of pairs the first half (images before labels); else itself."""
    found: list[_Node] = []
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        if isinstance(node, Function | ast.Lambda):
            continue
        if isinstance(node, ast.Return | ast.Yield) and node.value is not None:
            found.append(image_part(node.value))
        pending.extend(ast.iter_child_nodes(node))
    return [function] if isinstance(function, ast.ClassDef) or not found else found


def image_part(value: ast.expr) -> ast.expr:
    """The first half of ``images, labels``."""
    return value.elts[0] if isinstance(value, ast.Tuple) and value.elts else value


def label_parts(node: _Node) -> list[ast.expr]:
    """What lambdas in ``node`` give back beside the images."""
    return [
        part
        for inner in ast.walk(node)
        if isinstance(inner, ast.Lambda) and isinstance(inner.body, ast.Tuple)
        for part in inner.body.elts[1:]
    ]


def used(node: _Node, without: frozenset[int] = frozenset()) -> set[str]:
    """The names that ``node`` reads from outside itself; ``without`` are parts left out, by id."""
    inside = list(_walk(node, without))
    names = {n.id for n in inside if isinstance(n, ast.Name)}
    for inner in inside:
        if isinstance(inner, ast.Lambda):
            names -= {a.arg for a in inner.args.args}
        elif isinstance(inner, ast.comprehension):
            names -= {n.id for n in ast.walk(inner.target) if isinstance(n, ast.Name)}
    if isinstance(node, Function):
        for inner in inside:
            if isinstance(inner, ast.arg):
                names.discard(inner.arg)
            elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                names.discard(inner.id)
    return names


def _walk(node: ast.AST, without: frozenset[int]) -> Iterator[ast.AST]:
    if not without:
        yield from ast.walk(node)
        return
    pending = [node]
    while pending:
        each = pending.pop()
        if id(each) not in without:
            yield each
            pending.extend(ast.iter_child_nodes(each))


def same_span(one: Site, other: Site) -> bool:
    """True if both cover the same characters."""
    return (one.line, one.column, one.end_line, one.end_column) == (
        other.line,
        other.column,
        other.end_line,
        other.end_column,
    )


def covers(outer: Site, inner: Site) -> bool:
    """True if ``inner`` lies within ``outer``."""
    return (outer.line, outer.column) <= (inner.line, inner.column) and (
        inner.end_line,
        inner.end_column,
    ) <= (outer.end_line, outer.end_column)


def within(site: Site, sites: list[Site]) -> bool:
    """True if ``site`` lies within one of ``sites``."""
    return any(covers(outer, site) for outer in sites)
