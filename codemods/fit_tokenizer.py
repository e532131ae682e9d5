"""Fit a Keras tokenizer before its first use."""

from __future__ import annotations

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import ParentNodeProvider, PositionProvider

from tlfix.codemods.arguments import find
from tlfix.codemods.base import Declined, Position
from tlfix.codemods.tree import Tree, dotted

_USES = ("texts_to_sequences", "texts_to_sequences_generator", "texts_to_matrix")


class Codemod(VisitorBasedCodemodCommand):
    """Puts ``tokenizer.fit_on_texts(texts)`` before the statement of the call at ``use``.

    Arguments:
        use: where the first ``tokenizer.texts_to_sequences(texts)`` starts.
    """

    DESCRIPTION = "Fit a tokenizer before its first use."
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self, context: CodemodContext, use: Position) -> None:
        super().__init__(context)
        self.use = use
        self.before: dict[cst.CSTNode, cst.SimpleStatementLine] = {}

    def visit_Module(self, node: cst.Module) -> None:
        """Plan the statement."""
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        call = tree.call_at(self.use, *_USES)
        place = find(call, "texts", 0)
        tokenizer = dotted(call.func.value) if isinstance(call.func, cst.Attribute) else None
        if place is None or tokenizer is None:
            raise Declined("the tokenizer or its texts are not written as plain names")
        if tree.loop(call) is not None:
            raise Declined("the tokenizer is used in a loop, where it would be fitted anew")
        texts = call.args[place].value
        if dotted(texts) is None:
            raise Declined(
                "the texts are not a plain variable, which could be walked through twice"
            )
        statement = tree.statement(call)
        self.before[statement] = cst.SimpleStatementLine(
            [
                cst.Expr(
                    cst.Call(cst.parse_expression(f"{tokenizer}.fit_on_texts"), [cst.Arg(texts)])
                )
            ],
            leading_lines=statement.leading_lines,
        )

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        """Put the planned statement in place."""
        updated = super().on_leave(original_node, updated_node)
        added = self.before.get(original_node)
        if added is None or not isinstance(updated, cst.SimpleStatementLine):
            return updated
        return cst.FlattenSentinel([added, updated.with_changes(leading_lines=[])])
