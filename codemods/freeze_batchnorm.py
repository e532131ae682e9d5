"""Freeze the BatchNorm layers of a backbone, so that they keep their pretrained statistics.

A frozen BatchNormalization layer runs in inference mode: https://keras.io/guides/transfer_learning/
So it does where ``training=False`` is overridden, in functional models of Keras 3.0 to 3.15.
"""

from __future__ import annotations

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import ParentNodeProvider, PositionProvider

from tlfix.codemods.base import Declined, Position
from tlfix.codemods.freezing import Freeze, backbone_variable, freezes, layer_variable
from tlfix.codemods.keras_names import spell
from tlfix.codemods.tree import Edits, Tree, statements

_FREEZE = """\
for {layer} in {base}.layers:
    if isinstance({layer}, {batchnorm}):
        {layer}.trainable = False  # keep the pretrained statistics
"""


class Codemod(VisitorBasedCodemodCommand):
    """Adds a loop that freezes them, behind the last statement that unfreezes the backbone.

    ``backbone`` and ``fit`` are where these calls start; the loop goes in front of the ``compile``
    that is in force at ``fit``.
    """

    DESCRIPTION = "Freeze the BatchNorm layers of a backbone."
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self, context: CodemodContext, backbone: Position, fit: Position) -> None:
        super().__init__(context)
        self.backbone = backbone
        self.fit = fit
        self.edits = Edits()

    def visit_Module(self, node: cst.Module) -> None:
        """Find the place, or decline before anything is changed."""
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        made, variable = backbone_variable(tree, tree.call_at(self.backbone))
        fit = tree.call_at(self.fit, "fit", "fit_generator")
        if tree.loop(fit) is not None:
            raise Declined("fit stands in a loop")
        own = [b for b in tree.bindings(variable) if tree.function(b) is tree.function(made)]
        if any(not tree.within(b, made) for b in own):
            raise Declined(f"`{variable}` is bound more than once")
        until = _compiled(tree, fit)
        changes = [
            change
            for change in freezes(tree, tree.function(made))
            if tree.start(made) < tree.start(change.statement) < tree.start(fit)
        ]
        _check_elsewhere(tree, made)
        for change in changes:
            _check(tree, change, until)
        anchor = changes[-1].statement if changes else made
        if tree.parents[anchor] is not tree.parents[made]:
            raise Declined(f"line {tree.line(anchor)} decides upon `trainable` in another block")
        batchnorm = spell(tree, "layers.BatchNormalization", self.edits, anchor)
        loop = statements(
            _FREEZE.format(base=variable, batchnorm=batchnorm, layer=layer_variable(tree))
        )
        self.edits.insert_after(anchor, *loop)

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        return self.edits.apply(original_node, super().on_leave(original_node, updated_node))


def _compiled(tree: Tree, fit: cst.Call) -> Position:
    """Where the ``compile`` in force at ``fit`` stands."""
    assert isinstance(fit.func, cst.Attribute)
    model = tree.code(fit.func.value)
    found = [
        tree.start(call)
        for call in tree.calls("compile")
        if isinstance(call.func, cst.Attribute)
        and tree.code(call.func.value) == model
        and tree.function(call) is tree.function(fit)
        and tree.start(call) < tree.start(fit)
    ]
    if not found:
        raise Declined(f"`{model}.compile` does not stand in the same function as its fit")
    return found[-1]


def _check_elsewhere(tree: Tree, made: cst.SimpleStatementLine) -> None:
    """No other function may unfreeze what is frozen in the one that makes the backbone."""
    assigned = {tree.function(node) for node in tree.nodes() if isinstance(node, cst.AssignTarget)}
    for function in assigned - {tree.function(made)}:
        for change in freezes(tree, function):
            if change.known is not False:
                line = tree.line(change.statement)
                raise Declined(f"line {line} unfreezes `{change.owner}` in another function")


def _check(tree: Tree, change: Freeze, until: Position) -> None:
    """The changes there are must be plain, and in front of the compile."""
    line = tree.line(change.statement)
    if "BatchNorm" in tree.code(change.statement):
        raise Declined(f"line {line} decides upon BatchNorm already")
    if change.known is None:
        raise Declined(f"line {line} decides for each layer of `{change.owner}` by itself")
    if tree.start(change.statement) > until:
        raise Declined(f"line {line} changes `trainable` after compile")
