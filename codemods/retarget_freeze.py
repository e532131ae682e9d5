"""Make a statement that freezes the whole model freeze its backbone only."""

from __future__ import annotations

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import ParentNodeProvider, PositionProvider

from tlfix.codemods.base import Declined, Position
from tlfix.codemods.freezing import freezes
from tlfix.codemods.tree import Edits, Tree


class Codemod(VisitorBasedCodemodCommand):
    """Turns ``model.trainable = False`` or ``for layer in model.layers`` into the backbone's.

    ``statement`` is where the assignment or the loop starts, ``backbone`` the variable that holds
    the backbone.
    """

    DESCRIPTION = "Freeze the backbone only, not the whole model."
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self, context: CodemodContext, statement: Position, backbone: str) -> None:
        super().__init__(context)
        self.statement = statement
        self.backbone = backbone
        self.edits = Edits()

    def visit_Module(self, node: cst.Module) -> None:
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        functions = [None, *(n for n in tree.nodes() if isinstance(n, cst.FunctionDef))]
        found = [
            change
            for function in functions
            for change in freezes(tree, function)
            if tree.start(change.statement) == self.statement
        ]
        if not found:
            raise Declined(f"line {self.statement.line} does not set `trainable`")
        bound = tree.bindings(self.backbone) if "." not in self.backbone else []
        if len(found) > 1 or (bound and not tree.visible(self.backbone, found[0].value)):
            raise Declined(f"`{self.backbone}` cannot stand in line {self.statement.line}")
        for change in found:
            where: cst.CSTNode = change.statement
            if isinstance(where, cst.For):
                where = where.iter
            owner = next(
                n
                for n in tree.nodes(where)
                if isinstance(n, cst.BaseExpression) and tree.code(n) == change.owner
            )
            if change.owner != self.backbone:
                self.edits.replace[owner] = cst.parse_expression(self.backbone)

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        return self.edits.apply(original_node, super().on_leave(original_node, updated_node))
