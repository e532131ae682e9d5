"""Scale pixels inside the model with a ``Rescaling`` layer."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand

from tlfix.codemods.arguments import with_argument
from tlfix.codemods.base import Declined
from tlfix.codemods.keras_names import spell
from tlfix.codemods.scaling_edits import ScalingEdits, Span, is_add
from tlfix.codemods.tree import Tree


class Codemod(VisitorBasedCodemodCommand):
    """Sets the factors of ``Rescaling`` layers, or puts one before a backbone in a ``Sequential``.

    Arguments:
        scale, offset: source text of ``Rescaling(scale, offset=offset)``.
        layers: spans of ``Rescaling(…)`` calls to correct.
        before: spans of elements of a ``Sequential`` before which a layer is put.
        input_shape: source text of the shape that the new layer takes, as the first one must.
        removals: spans of other scalings on the path, to take away.
    """

    DESCRIPTION = "Scale pixels inside the model with a Rescaling layer."

    def __init__(
        self,
        context: CodemodContext,
        scale: str,
        offset: str,
        layers: Sequence[Span] = (),
        before: Sequence[Span] = (),
        input_shape: str | None = None,
        removals: Sequence[Span] = (),
    ) -> None:
        super().__init__(context)
        self.scale, self.offset, self.input_shape = scale, offset, input_shape
        self.layers, self.before, self.removals = layers, before, removals

    def visit_Module(self, node: cst.Module) -> None:
        assert self.context.wrapper is not None
        self.edits = ScalingEdits(Tree.of(self.context.wrapper))
        arguments = f"{self.scale}, offset={self.offset}"
        if self.input_shape is not None:
            arguments += f", input_shape={self.input_shape}"
        for span in self.layers:
            self._correct(span)
        for span in self.before:
            self._insert(span, arguments)
        for span in self.removals:
            self.edits.remove(span)

    def _correct(self, span: Span) -> None:
        call = self.edits.at(span)
        if not isinstance(call, cst.Call):
            return

        def changed(updated: cst.CSTNode) -> object:
            assert isinstance(updated, cst.Call)
            updated = with_argument(updated, "scale", 0, self.edits.parse(self.scale))
            return with_argument(updated, "offset", 1, self.edits.parse(self.offset))

        self.edits.change(call, changed)

    def _insert(self, span: Span, arguments: str) -> None:
        node = self.edits.at(span)
        if node is None:
            return
        around = self.edits.parent(node)
        name = spell(self.edits.tree, "layers.Rescaling", self.edits.edits, node)
        layer = f"{name}({arguments})"
        if isinstance(around, cst.Element):
            self._insert_element(around, layer)
        elif isinstance(around, cst.Arg) and is_add(self.edits.parent(around)):
            add = self.edits.parent(around)
            assert isinstance(add, cst.Call)
            line = self.edits.tree.statement(add)
            code = f"{self.edits.tree.code(add.func)}({layer})"
            new = cst.parse_statement(code, config=self.edits.tree.module.config_for_parsing)
            self.edits.change(line, lambda updated: cst.FlattenSentinel([new, updated]))
        else:
            raise Declined(f"line {self.edits.tree.line(node)}: not an element of a Sequential")

    def _insert_element(self, element: cst.Element, layer: str) -> None:
        listing = self.edits.parent(element)
        if not isinstance(listing, cst.List):
            raise Declined(f"line {self.edits.tree.line(element)}: not an element of a list")
        place = next(i for i, e in enumerate(listing.elements) if e is element)
        blank: cst.BaseParenthesizableWhitespace = cst.SimpleWhitespace(" ")
        comma = listing.elements[place - 1].comma if place > 0 else None
        if isinstance(comma, cst.Comma):
            blank = comma.whitespace_after
        elif isinstance(listing.lbracket.whitespace_after, cst.ParenthesizedWhitespace):
            blank = listing.lbracket.whitespace_after.with_changes(
                first_line=cst.TrailingWhitespace(
                    newline=listing.lbracket.whitespace_after.first_line.newline
                ),
                empty_lines=[],
            )
        new = cst.Element(self.edits.parse(layer), comma=cst.Comma(whitespace_after=blank))
        self.edits.change(element, lambda updated: cst.FlattenSentinel([new, updated]))

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        return self.edits.apply(original_node, super().on_leave(original_node, updated_node))
