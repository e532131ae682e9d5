"""Set the loss of given ``compile`` calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import ParentNodeProvider, PositionProvider

from tlfix.codemods.arguments import with_argument
from tlfix.codemods.base import Position
from tlfix.codemods.keras_names import spell
from tlfix.codemods.tree import Edits, Tree


class Edit(TypedDict):
    """The loss of the ``compile`` that starts at ``compile``, in snake_case."""

    compile: Position
    loss: str
    from_logits: bool


class Codemod(VisitorBasedCodemodCommand):
    """Names the loss by string, or makes the loss object where it must say ``from_logits=True``."""

    DESCRIPTION = "Set the loss of given compile calls."
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self, context: CodemodContext, edits: Sequence[Edit]) -> None:
        super().__init__(context)
        self.wanted = edits
        self.edits = Edits()

    def visit_Module(self, node: cst.Module) -> None:
        """Plan the new loss of every compile call asked for."""
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        for edit in self.wanted:
            call = tree.call_at(edit["compile"], "compile")
            text = f'"{edit["loss"]}"'
            if edit["from_logits"]:
                title = "".join(word.capitalize() for word in edit["loss"].split("_"))
                text = f"{spell(tree, f'losses.{title}', self.edits, call)}(from_logits=True)"
            value = cst.parse_expression(text, config=node.config_for_parsing)
            self.edits.replace[call] = with_argument(call, "loss", 1, value)

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        """Put the planned changes in place."""
        return self.edits.apply(original_node, super().on_leave(original_node, updated_node))
