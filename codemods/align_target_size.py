"""Give every data-loading call the same image size."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
import libcst.matchers as m
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import PositionProvider

from tlfix.codemods.arguments import choose, with_argument
from tlfix.codemods.base import Position


class Codemod(VisitorBasedCodemodCommand):
    """Sets the size argument of data-loading calls.

    Arguments:
        calls: where each call starts.
        keyword: ``target_size`` or ``image_size``.
        index: the argument's place among the positional ones.
        size: source text of the size, (height, width) in pixels.
    """

    DESCRIPTION = "Give every data-loading call the same image size."
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(
        self,
        context: CodemodContext,
        calls: Sequence[Position],
        keyword: str,
        index: int | None,
        size: str,
    ) -> None:
        super().__init__(context)
        self.calls, self.keyword, self.index, self.size = calls, keyword, index, size
        self.found: set[cst.Call] = set()

    def visit_Module(self, node: cst.Module) -> None:
        calls = [
            (call, self.get_metadata(PositionProvider, call))
            for call in m.findall(node, m.Call())
            if isinstance(call, cst.Call)
        ]
        self.found = {choose(calls, start, None, self.keyword) for start in self.calls}

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if original_node not in self.found:
            return updated_node
        value = cst.parse_expression(self.size, config=self.module.config_for_parsing)
        return with_argument(updated_node, self.keyword, self.index, value)
