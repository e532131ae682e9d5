"""Compile a model again before a ``fit``, so that changes of ``trainable`` count."""

from __future__ import annotations

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import ParentNodeProvider, PositionProvider

from tlfix.codemods.arguments import find, with_argument
from tlfix.codemods.base import Declined, Position
from tlfix.codemods.optimizers import optimizer_of
from tlfix.codemods.tree import Edits, Tree, dotted


class Codemod(VisitorBasedCodemodCommand):
    """Adds a copy of the last ``compile`` in front of the ``fit`` that starts at ``fit``.

    The optimizer is made anew: Keras refuses one that was built for other variables.
    """

    DESCRIPTION = "Compile again before a fit."
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self, context: CodemodContext, fit: Position) -> None:
        super().__init__(context)
        self.fit = fit
        self.edits = Edits()

    def visit_Module(self, node: cst.Module) -> None:
        """Find the places, or decline before anything is changed."""
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        fit = tree.call_at(self.fit, "fit", "fit_generator")
        if tree.loop(fit) is not None:
            raise Declined("fit stands in a loop")
        compiled = _last_compile(tree, fit)
        anchor = _before(tree, fit)
        if any(c is compiled for c in tree.nodes(anchor)):
            raise Declined("the model is compiled right before fit already")
        again = cst.SimpleStatementLine([cst.Expr(_fresh(tree, compiled).deep_clone())])
        self.edits.insert_after(anchor, again)

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        return self.edits.apply(original_node, super().on_leave(original_node, updated_node))


def _receiver(call: cst.Call) -> str | None:
    return dotted(call.func.value) if isinstance(call.func, cst.Attribute) else None


def _last_compile(tree: Tree, fit: cst.Call) -> cst.Call:
    """The ``compile`` of the same model last before ``fit``, in the same function."""
    model = _receiver(fit)
    if model is None:
        raise Declined("no variable holds the model that is fitted")
    found = [
        call
        for call in tree.calls("compile")
        if _receiver(call) == model
        and tree.function(call) is tree.function(fit)
        and tree.start(call) < tree.start(fit)
    ]
    if not found:
        raise Declined(f"`{model}.compile` does not stand in the same function as its fit")
    chosen = found[-1]
    if tree.loop(chosen) is not None:
        raise Declined("the model is compiled in a loop")
    for around in tree.ancestors(chosen):
        if isinstance(around, cst.With | cst.If | cst.Try) and not tree.within(fit, around):
            kind = type(around).__name__.lower()
            raise Declined(f"the model is compiled in a `{kind}` block that ends before fit")
    for binding in tree.bindings(model):
        if tree.start(chosen) < tree.start(binding) < tree.start(fit):
            raise Declined(f"`{model}` is another model since it was compiled")
    return chosen


def _before(tree: Tree, fit: cst.Call) -> cst.BaseStatement:
    """The statement in front of the one that fits, in its block."""
    statement = tree.statement(fit)
    block = tree.parents[statement]
    if not isinstance(block, cst.Module | cst.IndentedBlock):
        raise Declined(f"line {tree.line(statement)} is not a statement of its own")
    body = list(block.body)
    place = next(i for i, one in enumerate(body) if one is statement)
    if place == 0:
        raise Declined("fit is the first statement of its block")
    before = body[place - 1]
    assert isinstance(before, cst.BaseStatement)
    return before


def _fresh(tree: Tree, compiled: cst.Call) -> cst.Call:
    """The ``compile`` call with an optimizer of its own."""
    place = find(compiled, "optimizer", 0)
    if place is None:
        return compiled
    written = compiled.args[place].value
    if isinstance(written, cst.SimpleString | cst.Call):
        return compiled
    optimizer = optimizer_of(tree, compiled)
    if isinstance(optimizer, cst.SimpleString):
        return compiled
    if not isinstance(optimizer, cst.Call):
        raise Declined(f"the optimizer `{tree.code(written)}` cannot be made anew")
    return with_argument(compiled, "optimizer", 0, optimizer.deep_clone())
