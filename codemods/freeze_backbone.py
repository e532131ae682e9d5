"""Freeze a backbone, so that only the head trains."""

from __future__ import annotations

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import ParentNodeProvider, PositionProvider

from tlfix.codemods.base import Position
from tlfix.codemods.freezing import backbone_variable, freeze
from tlfix.codemods.tree import Edits, Tree

_END = Position(1 << 31, 0)


class Codemod(VisitorBasedCodemodCommand):
    """Adds ``base.trainable = False`` behind the backbone, or turns a True into it.

    ``backbone`` is where the call that makes it starts; ``until``, where given, is the place of the
    first training: what is said about ``trainable`` after it stays as it is.
    """

    DESCRIPTION = "Freeze a backbone."
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(
        self, context: CodemodContext, backbone: Position, until: Position | None = None
    ) -> None:
        super().__init__(context)
        self.backbone = backbone
        self.until = until or _END
        self.edits = Edits()

    def visit_Module(self, node: cst.Module) -> None:
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        made, variable = backbone_variable(tree, tree.call_at(self.backbone))
        freeze(tree, made, variable, self.until, self.edits)

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        return self.edits.apply(original_node, super().on_leave(original_node, updated_node))
