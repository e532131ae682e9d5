"""Change the numbers that state the size of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import PositionProvider

from tlfix.codemods.base import Declined, Position


class Number(TypedDict):
    """A whole number in the source, by its span, and the one to stand there."""

    start: Position
    end: Position
    value: str


class Codemod(VisitorBasedCodemodCommand):
    """Replaces whole numbers, in sizes or where a name for a size is assigned."""

    DESCRIPTION = "Change the numbers that state the size of images."
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, context: CodemodContext, edits: Sequence[Number]) -> None:
        super().__init__(context)
        self.pending = {(edit["start"], edit["end"]): edit["value"] for edit in edits}

    def leave_Integer(
        self, original_node: cst.Integer, updated_node: cst.Integer
    ) -> cst.BaseExpression:
        """Put the new number where an edit asks for it."""
        span = self.get_metadata(PositionProvider, original_node)
        start = Position(span.start.line, span.start.column)
        value = self.pending.pop((start, Position(span.end.line, span.end.column)), None)
        return updated_node if value is None else updated_node.with_changes(value=value)

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        """Decline unless all were found: half a change of size would stop the program."""
        if self.pending:
            line = min(start.line for start, _ in self.pending)
            raise Declined(f"no whole number stands at the place given in line {line}")
        return updated_node
