"""Let class numbers start at 0 wherever labels are handed over."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import PositionProvider

from tlfix.codemods.base import Declined, Position
from tlfix.codemods.scaling_edits import Span


class Codemod(VisitorBasedCodemodCommand):
    """Replaces each label expression ``y`` at ``labels`` by ``y - offset``.

    ``factor`` above 1 divides what is left by it: ``(y - offset) // factor``, so that labels -1
    and 1 become 0 and 1 with ``offset=-1, factor=2``.
    """

    DESCRIPTION = "Let class numbers start at 0 wherever labels are handed over."
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(
        self, context: CodemodContext, labels: Sequence[Span], offset: int, factor: int = 1
    ) -> None:
        super().__init__(context)
        self.offset, self.factor = offset, factor
        self.pending = {(span["start"], span["end"]) for span in labels}
        self.found: set[cst.CSTNode] = set()

    def visit_Module(self, node: cst.Module) -> None:
        """Find all labels, or decline: splits that count differently would be worse than before."""
        self._look(node)
        if self.pending:
            line = min(start.line for start, _ in self.pending)
            raise Declined(f"no labels stand at the place given in line {line}")

    def _look(self, node: cst.CSTNode) -> None:
        if isinstance(node, cst.Arg) and node.star:
            return  # `*pair`: not the labels themselves
        if isinstance(node, cst.BaseExpression):
            span = self.get_metadata(PositionProvider, node)
            key = (
                Position(span.start.line, span.start.column),
                Position(span.end.line, span.end.column),
            )
            if key in self.pending:
                self.pending.discard(key)
                self.found.add(node)
                return
        for child in node.children:
            self._look(child)

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        """Wrap the labels."""
        updated = super().on_leave(original_node, updated_node)
        if original_node not in self.found or not isinstance(updated, cst.BaseExpression):
            return updated
        inner = updated if _binds_tightly(updated) else _in_parentheses(updated)
        changed = _operation(inner, cst.Add if self.offset < 0 else cst.Subtract, abs(self.offset))
        if self.factor == 1:
            return changed
        return _operation(_in_parentheses(changed), cst.FloorDivide, self.factor)


def _binds_tightly(node: cst.BaseExpression) -> bool:
    return bool(node.lpar) or isinstance(node, cst.Name | cst.Attribute | cst.Subscript | cst.Call)


def _in_parentheses(node: cst.BaseExpression) -> cst.BaseExpression:
    return node.with_changes(
        lpar=[cst.LeftParen(), *node.lpar], rpar=[*node.rpar, cst.RightParen()]
    )


def _operation(
    left: cst.BaseExpression,
    operator: type[cst.Add] | type[cst.Subtract] | type[cst.FloorDivide],
    number: int,
) -> cst.BaseExpression:
    return cst.BinaryOperation(left=left, operator=operator(), right=cst.Integer(str(number)))
