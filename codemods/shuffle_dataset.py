"""Shuffle a ``tf.data`` pipeline before it is batched."""

from __future__ import annotations

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import ParentNodeProvider, PositionProvider

from tlfix.codemods.arguments import choose
from tlfix.codemods.base import Declined, Position
from tlfix.codemods.tree import Edits, Tree


class Codemod(VisitorBasedCodemodCommand):
    """Turns ``dataset.batch(n)`` into ``dataset.shuffle(buffer).batch(n)``.

    Arguments:
        batch: where the call of ``batch`` starts (with all that it is called on).
        end: where that call ends.
        buffer: source text of the number of elements to shuffle among.
    """

    DESCRIPTION = "Shuffle a tf.data pipeline before it is batched."
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(
        self, context: CodemodContext, batch: Position, end: Position, buffer: str
    ) -> None:
        super().__init__(context)
        self.batch, self.end, self.buffer = batch, end, buffer
        self.edits = Edits()

    def visit_Module(self, node: cst.Module) -> None:
        """Plan the call of ``shuffle``."""
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        calls = [(call, tree.positions[call]) for call in tree.calls("batch")]
        call = choose(calls, self.batch, self.end, "batch_size")
        function = call.func
        assert isinstance(function, cst.Attribute)
        if any(
            isinstance(inner, cst.Call)
            and isinstance(inner.func, cst.Attribute)
            and inner.func.attr.value == "shuffle"
            for inner in tree.nodes(function.value)
        ):
            raise Declined("the pipeline is shuffled already")
        shuffled = cst.Call(
            # A chain of one call per line goes on as it is written.
            function.with_changes(attr=cst.Name("shuffle")),
            [cst.Arg(cst.parse_expression(self.buffer))],
        )
        self.edits.replace[call] = call.with_changes(
            func=function.with_changes(value=shuffled, dot=_uncommented(function.dot))
        )

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        """Put the planned change in place."""
        return self.edits.apply(original_node, super().on_leave(original_node, updated_node))


def _uncommented(dot: cst.Dot) -> cst.Dot:
    """The dot of a call on a line of its own, without the comment of the line above."""
    blank = dot.whitespace_before
    if not isinstance(blank, cst.ParenthesizedWhitespace):
        return dot
    first = cst.TrailingWhitespace(newline=blank.first_line.newline)
    return dot.with_changes(whitespace_before=blank.with_changes(first_line=first, empty_lines=[]))
