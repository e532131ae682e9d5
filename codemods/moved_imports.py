"""Imports of names that live in another module now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from tlfix.codemods.base import Declined, Position
from tlfix.codemods.tree import Tree, dotted


@dataclass(frozen=True)
class Move:
    """One imported name, and the module and name it has now. ``alias`` is None for a star."""

    statement: cst.Import | cst.ImportFrom
    alias: cst.ImportAlias | None
    module: str
    name: str

    @staticmethod
    def at(tree: Tree, position: Position, old: str, new: str) -> Move | None:
        """The import at ``position`` (of the name; for a star, of the statement), if one is."""
        module, _, name = new.rpartition(".")
        for node in tree.nodes():
            if not isinstance(node, cst.Import | cst.ImportFrom):
                continue
            if isinstance(node.names, cst.ImportStar):
                if tree.start(node) == position:
                    return Move(node, None, module, "*")
                continue
            for alias in node.names:
                if tree.start(alias) == position and _imports(node, alias) == old:
                    return Move(node, alias, module, name)
        return None


def moved(
    tree: Tree, moves: Sequence[Move]
) -> Iterator[tuple[cst.SimpleStatementLine, cst.FlattenSentinel[cst.BaseStatement]]]:
    """Each line of imports that changes, and the lines it becomes.

    Raises:
        Declined: a module is imported whole and used by its full name.
    """
    statements = dict.fromkeys(move.statement for move in moves)
    for statement in statements:
        line = tree.statement(statement)
        mine = [move for move in moves if move.statement is statement]
        yield line, cst.FlattenSentinel(_lines(line, statement, mine))


def _imports(node: cst.Import | cst.ImportFrom, alias: cst.ImportAlias) -> str:
    if isinstance(node, cst.Import):
        return alias.evaluated_name
    return f"{dotted(node.module)}.{alias.evaluated_name}"


def _lines(
    line: cst.SimpleStatementLine, statement: cst.Import | cst.ImportFrom, moves: list[Move]
) -> list[cst.BaseStatement]:
    if isinstance(statement, cst.Import):
        return [_whole_module(line, statement, moves)]
    modules = {move.module for move in moves}
    names = statement.names
    gone = [move.alias for move in moves]
    kept = [] if isinstance(names, cst.ImportStar) else [a for a in names if a not in gone]
    same = all(move.alias is None or move.alias.evaluated_name == move.name for move in moves)
    whole = modules == {f"tensorflow.{dotted(statement.module)}"}
    if len(modules) == 1 and same and (whole or not kept):
        # TensorFlow's copy of a module has the names that stay as well.
        module = _expression(modules.pop())
        return [line.with_changes(body=[statement.with_changes(module=module)])]
    added = [_import(move) for move in moves]
    if not kept:
        first = line.with_changes(body=added[0].body)
        return [first, *added[1:]]
    if statement.lpar is None:
        kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return [line.with_changes(body=[statement.with_changes(names=kept)]), *added]


def _import(move: Move) -> cst.SimpleStatementLine:
    assert move.alias is not None
    local = move.alias.evaluated_alias or move.alias.evaluated_name
    renamed = "" if local == move.name else f" as {local}"
    statement = cst.parse_statement(f"from {move.module} import {move.name}{renamed}")
    assert isinstance(statement, cst.SimpleStatementLine)
    return statement


def _whole_module(
    line: cst.SimpleStatementLine, statement: cst.Import, moves: list[Move]
) -> cst.SimpleStatementLine:
    names = []
    for alias in statement.names:
        for move in moves:
            if move.alias is alias:
                if alias.asname is None:
                    raise Declined(f"`{alias.evaluated_name}` is used by its full name")
                alias = alias.with_changes(name=_expression(f"{move.module}.{move.name}"))
        names.append(alias)
    return line.with_changes(body=[statement.with_changes(names=names)])


def _expression(name: str) -> cst.BaseExpression:
    return cst.parse_expression(name.strip("."))
