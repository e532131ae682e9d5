"""Take superfluous scalings of pixels away."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand

from tlfix.codemods.scaling_edits import ScalingEdits, Span
from tlfix.codemods.tree import Tree


class Codemod(VisitorBasedCodemodCommand):
    """Removes scalings told by their places.

    Arguments:
        removals: spans of expressions (with ``operand``), of ``Rescaling`` layers, of
            ``preprocess_input`` calls.
        rescale: spans of ImageDataGenerator calls that lose ``rescale=``.
        preprocessing: spans of ImageDataGenerator calls that lose ``preprocessing_function=``.
    """

    DESCRIPTION = "Remove superfluous scalings of pixels."

    def __init__(
        self,
        context: CodemodContext,
        removals: Sequence[Span] = (),
        rescale: Sequence[Span] = (),
        preprocessing: Sequence[Span] = (),
    ) -> None:
        super().__init__(context)
        self.removals, self.rescale, self.preprocessing = removals, rescale, preprocessing

    def visit_Module(self, node: cst.Module) -> None:
        assert self.context.wrapper is not None
        self.edits = ScalingEdits(Tree.of(self.context.wrapper))
        for span in self.removals:
            self.edits.remove(span)
        for span in self.rescale:
            self.edits.remove_argument(span, "rescale")
        for span in self.preprocessing:
            self.edits.remove_argument(span, "preprocessing_function")

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        return self.edits.apply(original_node, super().on_leave(original_node, updated_node))
