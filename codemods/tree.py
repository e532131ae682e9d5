"""Where things stand in a LibCST module: calls by position, their statements, functions, loops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, ParentNodeProvider, PositionProvider

from tlfix.codemods.base import Declined, Position

_Function = (cst.FunctionDef, cst.Lambda, cst.ClassDef)
_Binding = (
    *(cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.NamedExpr),
    *(cst.For, cst.Del),
)


@dataclass(frozen=True)
class Tree:
    """A module with its positions and parents."""

    module: cst.Module
    positions: Mapping[cst.CSTNode, CodeRange]
    parents: Mapping[cst.CSTNode, cst.CSTNode]

    @staticmethod
    def of(wrapper: MetadataWrapper) -> Tree:
        """The tree of a wrapped module."""
        return Tree(
            wrapper.module, wrapper.resolve(PositionProvider), wrapper.resolve(ParentNodeProvider)
        )

    def start(self, node: cst.CSTNode) -> Position:
        """Where ``node`` starts."""
        start = self.positions[node].start
        return Position(start.line, start.column)

    def line(self, node: cst.CSTNode) -> int:
        """The line where ``node`` starts, from 1."""
        return self.positions[node].start.line

    def code(self, node: cst.CSTNode) -> str:
        """The source of ``node``."""
        return self.module.code_for_node(node)

    def nodes(self, top: cst.CSTNode | None = None) -> Iterator[cst.CSTNode]:
        """``top`` (the module if none is given) and all nodes below it, in source order."""
        pending: list[cst.CSTNode] = [self.module if top is None else top]
        while pending:
            node = pending.pop()
            yield node
            pending.extend(reversed(node.children))

    def calls(self, *methods: str) -> Iterator[cst.Call]:
        """Calls of one of ``methods`` (``receiver.method(...)``), or all calls if none is given."""
        for node in self.nodes():
            if isinstance(node, cst.Call) and (
                not methods
                or (isinstance(node.func, cst.Attribute) and node.func.attr.value in methods)
            ):
                yield node

    def call_at(self, position: Position, *methods: str) -> cst.Call:
        """The call that starts at ``position``: of ``methods``, or else the innermost there.

        Raises:
            Declined: no such call starts there.
        """
        found = [c for c in self.calls(*methods) if self.start(c) == position]
        if not found:
            what = f"`{'` or `'.join(methods)}` " if methods else ""
            raise Declined(f"no {what}call starts at line {position.line}")
        return found[0] if methods else found[-1]

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes around ``node``, innermost first."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def statement(self, node: cst.CSTNode) -> cst.SimpleStatementLine:
        """The statement line that contains ``node``.

        Raises:
            Declined: it is part of a compound statement's head, shares its line with another, or
                does not run once with that line (in a lambda or a comprehension).
        """
        for ancestor in self.ancestors(node):
            if isinstance(ancestor, cst.Lambda | cst.BaseComp):
                what = "lambda" if isinstance(ancestor, cst.Lambda) else "comprehension"
                raise Declined(f"line {self.line(node)} stands in a {what}")
            if isinstance(ancestor, cst.SimpleStatementLine):
                if len(ancestor.body) > 1:
                    raise Declined(f"line {self.line(ancestor)} holds several statements")
                return ancestor
            if isinstance(ancestor, cst.BaseCompoundStatement | cst.SimpleStatementSuite):
                break
        raise Declined(f"line {self.line(node)} is not a statement of its own")

    def function(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The innermost function, lambda or class around ``node``; None in the module itself."""
        return next((a for a in self.ancestors(node) if isinstance(a, _Function)), None)

    def loop(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The innermost loop or comprehension around ``node`` inside its function."""
        for ancestor in self.ancestors(node):
            if isinstance(ancestor, _Function):
                return None
            if isinstance(ancestor, cst.For | cst.While | cst.BaseComp):
                return ancestor
        return None

    def within(self, node: cst.CSTNode, outer: cst.CSTNode) -> bool:
        """True if ``outer`` is around ``node``."""
        return any(ancestor is outer for ancestor in self.ancestors(node))

    @cached_property
    def _bound(self) -> Mapping[str, list[cst.CSTNode]]:
        found: dict[str, list[cst.CSTNode]] = {}
        for node in self.nodes():
            for name in _bound_by(node):
                found.setdefault(name, []).append(node)
        return found

    def bindings(self, name: str) -> list[cst.CSTNode]:
        """What gives ``name`` a meaning or takes it away, in source order.

        Assignments and ``del``, loop heads, parameters, definitions, imports and the like, in all
        functions; the variables of comprehensions, which end with them, are left out.
        """
        return self._bound.get(name, [])

    def scopes(self, node: cst.CSTNode) -> list[cst.CSTNode | None]:
        """The functions around ``node``, innermost first; last None, the module."""
        return [*(a for a in self.ancestors(node) if isinstance(a, _Function)), None]

    def visible(self, name: str, node: cst.CSTNode) -> bool:
        """True if ``name`` has been given a meaning that can be seen where ``node`` stands."""
        here = self.function(node)
        return any(
            self.function(binding) in self.scopes(node)
            and (self.function(binding) is not here or self.start(binding) < self.start(node))
            for binding in self.bindings(name)
        )

    def check_own(self, name: str, node: cst.CSTNode) -> None:
        """Make sure that a statement put at ``node`` may bind the variable ``name`` anew.

        Raises:
            Declined: it is another function's, and would become a local without a value.
        """
        function = self.function(node)
        own = [b for b in self.bindings(name) if self.function(b) is function]
        if function is not None and not any(self.start(b) < self.start(node) for b in own):
            line = self.line(node)
            raise Declined(f"`{name}` is not a variable of the function that holds line {line}")

    def free(self, name: str) -> str:
        """``name``, with underscores added until nothing in the module is called so."""
        taken = {node.value for node in self.nodes() if isinstance(node, cst.Name)}
        while name in taken:
            name += "_"
        return name


def _bound_by(node: cst.CSTNode) -> Iterator[str]:
    if isinstance(node, _Binding):
        yield from _targets(node.target)
    elif isinstance(node, cst.AsName):
        yield from _targets(node.name)
    elif isinstance(node, cst.FunctionDef | cst.ClassDef | cst.Param | cst.NameItem):
        yield node.name.value
    elif isinstance(node, cst.ImportAlias) and node.asname is None:
        yield node.evaluated_name.split(".")[0]


def _targets(target: cst.BaseExpression) -> Iterator[str]:
    if isinstance(target, cst.Tuple | cst.List):
        for element in target.elements:
            yield from _targets(element.value)
    elif (name := dotted(target)) is not None:
        yield name


def dotted(node: cst.CSTNode | None) -> str | None:
    """``a.b.c`` of a name or attribute chain, None of anything else."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        head = dotted(node.value)
        return None if head is None else f"{head}.{node.attr.value}"
    return None


class Edits:
    """Changes to make in one traversal: nodes to replace, statements to add after others."""

    def __init__(self) -> None:
        self.replace: dict[cst.CSTNode, cst.CSTNode] = {}
        self.after: dict[cst.CSTNode, list[cst.BaseStatement]] = {}

    def insert_after(self, anchor: cst.CSTNode, *statements: cst.BaseStatement) -> None:
        """Add ``statements`` behind the statement ``anchor``."""
        self.after.setdefault(anchor, []).extend(statements)

    def apply(self, original: cst.CSTNode, updated: object) -> object:
        """``updated`` with the changes planned for ``original``; to be called in ``on_leave``."""
        if original in self.replace:
            updated = self.replace[original]
        if original in self.after and isinstance(updated, cst.BaseStatement):
            return cst.FlattenSentinel([updated, *self.after[original]])
        return updated


def statements(source: str) -> list[cst.BaseStatement]:
    """The statements of ``source``, to be inserted; a blank or comment line stays with the next."""
    module = cst.parse_module(source)
    body: list[cst.BaseStatement] = list(module.body)
    # A blank line shall stay blank in an indented block too.
    header = [h if h.comment else h.with_changes(indent=False) for h in module.header]
    if header and body:
        first = body[0]
        body[0] = first.with_changes(leading_lines=[*header, *getattr(first, "leading_lines", ())])
    return body
