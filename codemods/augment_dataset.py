"""Transform the images of a ``tf.data`` pipeline at random before they reach ``fit``."""

from __future__ import annotations

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import ParentNodeProvider, PositionProvider

from tlfix.codemods.base import Declined, Position
from tlfix.codemods.keras_names import spell
from tlfix.codemods.tree import Edits, Tree, statements


class Codemod(VisitorBasedCodemodCommand):
    """Maps ``RandomFlip("horizontal")`` and ``RandomRotation(0.1)`` onto ``dataset``.

    Arguments:
        fit: where the call of ``fit`` starts; the statements go before its statement.
        dataset: the variable given to it, a ``tf.data.Dataset`` of (images, labels).
    """

    DESCRIPTION = "Augment the training pipeline of a fit."
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self, context: CodemodContext, fit: Position, dataset: str) -> None:
        super().__init__(context)
        self.fit, self.dataset = fit, dataset
        self.edits = Edits()
        self.before: dict[cst.CSTNode, list[cst.BaseStatement]] = {}

    def visit_Module(self, node: cst.Module) -> None:
        """Plan the layers, the ``map``, and the imports that they need."""
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        call = tree.call_at(self.fit, "fit")
        if tree.loop(call) is not None:
            raise Declined("the fit is called in a loop")
        statement = tree.statement(call)
        later = (
            node
            for node in tree.nodes()
            if isinstance(node, cst.Name)
            and node.value == self.dataset
            and tree.line(node) > tree.line(statement)
        )
        fits = list(tree.calls("fit"))
        if any(not any(tree.within(node, fit) for fit in fits) for node in later):
            raise Declined(f"`{self.dataset}` is used after the fit, where it shall stay as it is")
        taken = {n.value for n in tree.nodes() if isinstance(n, cst.Name)}
        name = "augmentation"
        while name in taken:
            name += "_"
        sequential = spell(tree.module, "models.Sequential", self.edits)
        flip = spell(tree.module, "layers.RandomFlip", self.edits)
        rotation = spell(tree.module, "layers.RandomRotation", self.edits)
        self.before[statement] = statements(
            "# Of the training images only; each epoch sees them another way.\n"
            f'{name} = {sequential}([{flip}("horizontal"), {rotation}(0.1)])\n'
            f"{self.dataset} = {self.dataset}.map(lambda x, y: ({name}(x, training=True), y))\n"
        )

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        """Put the planned changes in place."""
        updated = self.edits.apply(original_node, super().on_leave(original_node, updated_node))
        added = self.before.get(original_node)
        if added is None or not isinstance(updated, cst.SimpleStatementLine):
            return updated
        # Blank lines stay above the group, comments with the statement they speak of.
        blank = [line for line in updated.leading_lines if line.comment is None]
        comments = [line for line in updated.leading_lines if line.comment is not None]
        first, *others = added
        assert isinstance(first, cst.SimpleStatementLine)
        return cst.FlattenSentinel(
            [
                first.with_changes(leading_lines=[*blank, *first.leading_lines]),
                *others,
                updated.with_changes(leading_lines=comments),
            ]
        )
