"""Let every path into a backbone apply the ``preprocess_input`` it was trained with."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand

from tlfix.codemods.preprocess_names import spell_preprocess_input
from tlfix.codemods.scaling_edits import ScalingEdits, Span, in_parentheses
from tlfix.codemods.tree import Tree


class Codemod(VisitorBasedCodemodCommand):
    """Replaces scalings by ``preprocess_input`` of one submodule of ``keras.applications``.

    Arguments are the places, each a :class:`Span`:
        module: the submodule (``mobilenet_v2``).
        generators: ImageDataGenerator calls; get ``preprocessing_function=``, lose ``rescale=``.
        expressions: scaling expressions with their ``operand``, which alone stays, preprocessed.
        renames: calls of, or references to, another network's ``preprocess_input``.
        wraps: expressions to wrap: a backbone's input, an array given to ``fit``.
        datasets: ``tf.data`` expressions to ``.map``.
        layers: ``Rescaling(…)(x)`` calls; become ``preprocess_input(x)``.
        removals: scalings to take away, because another one on their path is replaced.
        rescale, preprocessing: ImageDataGenerator calls that lose ``rescale=`` or
            ``preprocessing_function=``.
    """

    DESCRIPTION = "Apply the backbone's own preprocess_input on every path into it."

    def __init__(
        self,
        context: CodemodContext,
        module: str,
        generators: Sequence[Span] = (),
        expressions: Sequence[Span] = (),
        renames: Sequence[Span] = (),
        wraps: Sequence[Span] = (),
        datasets: Sequence[Span] = (),
        layers: Sequence[Span] = (),
        removals: Sequence[Span] = (),
        rescale: Sequence[Span] = (),
        preprocessing: Sequence[Span] = (),
    ) -> None:
        super().__init__(context)
        self.submodule = module
        self.generators, self.expressions, self.renames = generators, expressions, renames
        self.wraps, self.datasets, self.layers = wraps, datasets, layers
        self.removals, self.rescale, self.preprocessing = removals, rescale, preprocessing

    def visit_Module(self, node: cst.Module) -> None:
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        self.edits = ScalingEdits(tree)
        spans = (*self.generators, *self.expressions, *self.renames, *self.wraps, *self.datasets)
        places = [at for span in (*spans, *self.layers) if (at := self.edits.at(span))]
        function = spell_preprocess_input(tree, self.submodule, self.edits.edits, places)
        for span in self.generators:
            self.edits.generator(span, function)
        for span in self.expressions:
            self.edits.preprocess(span, function)
        for span in self.renames:
            self.edits.rename(span, function)
        for span in self.wraps:
            self.edits.wrap(span, function)
        for span in self.datasets:
            self._map(span, function)
        for span in self.layers:
            self.edits.preprocess_layer(span, function)
        for span in self.removals:
            self.edits.remove(span)
        for span in self.rescale:
            self.edits.remove_argument(span, "rescale")
        for span in self.preprocessing:
            self.edits.remove_argument(span, "preprocessing_function")
        if not self.edits.changes:
            # Nothing to change at the places told: then no import either.
            self.edits.edits.after.clear()

    def _map(self, span: Span, function: str) -> None:
        """Add ``.map(lambda x, y: (function(x), y))`` to a data set, before a final prefetch."""
        node = self.edits.at(span)
        if not isinstance(node, cst.BaseExpression):
            return
        step = f".map(lambda x, y: ({function}(x), y))"
        if (
            isinstance(node, cst.Call)
            and isinstance(node.func, cst.Attribute)
            and node.func.attr.value == "prefetch"
        ):
            inner: cst.BaseExpression = node.func.value
        else:
            inner = node
        if step not in self.edits.tree.code(inner):
            self.edits.change(inner, lambda updated: self._mapped(updated, step))

    def _mapped(self, updated: cst.CSTNode, step: str) -> cst.CSTNode:
        call = self.edits.parse(f"x{step}")
        assert isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute)
        return call.with_changes(func=call.func.with_changes(value=in_parentheses(updated)))

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        return self.edits.apply(original_node, super().on_leave(original_node, updated_node))
