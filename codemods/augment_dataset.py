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
        tree.check_own(self.dataset, statement)
        if self._used_elsewhere(tree, call, statement):
            raise Declined(f"`{self.dataset}` is used after the fit, where it shall stay as it is")
        name = tree.free("augmentation")
        sequential, flip, rotation = (
            spell(tree, symbol, self.edits, statement)
            for symbol in ("models.Sequential", "layers.RandomFlip", "layers.RandomRotation")
        )
        self.before[statement] = statements(
            "# Of the training images only; each epoch sees them another way.\n"
            f'{name} = {sequential}([{flip}("horizontal"), {rotation}(0.1)])\n'
            f"{self.dataset} = {self.dataset}.map(lambda x, y: ({name}(x, training=True), y))\n"
        )

    def _used_elsewhere(
        self, tree: Tree, call: cst.Call, statement: cst.SimpleStatementLine
    ) -> bool:
        """True if what follows sees the data set, other than as what ``fit`` trains on."""
        trained = [fit.args[0] for fit in tree.calls("fit") if fit.args]
        trained += [a for fit in tree.calls("fit") for a in fit.args if _is(a.keyword, "x")]
        return any(
            _is(node, self.dataset)
            and (tree.start(node) > tree.start(statement) or tree.function(node) is not here)
            and not any(tree.within(node, argument) for argument in trained)
            for here in [tree.function(call)]
            for node in tree.nodes()
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


def _is(node: cst.CSTNode | None, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name
