"""Set, add or remove arguments of given calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import libcst as cst
import libcst.matchers as m
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import PositionProvider

from tlfix.codemods.arguments import choose, with_argument, without_argument
from tlfix.codemods.base import Position


class Edit(TypedDict):
    """One argument of one call.

    ``call`` is where the call starts and ``end`` where it ends (needed where two calls start at
    one place, as in ``Dense(2)(x)``); ``index`` is the argument's place when given by position;
    ``value`` is its new source text, None to remove it.
    """

    call: Position
    end: NotRequired[Position | None]
    keyword: str
    index: int | None
    value: str | None


class Codemod(VisitorBasedCodemodCommand):
    """Sets, adds or removes arguments of calls told by position."""

    DESCRIPTION = "Set, add or remove arguments of given calls."
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, context: CodemodContext, edits: Sequence[Edit]) -> None:
        super().__init__(context)
        self.edits = edits
        self.found: dict[cst.Call, list[Edit]] = {}

    def visit_Module(self, node: cst.Module) -> None:
        """Find the calls, or decline before anything is changed."""
        calls = [
            (call, self.get_metadata(PositionProvider, call))
            for call in m.findall(node, m.Call())
            if isinstance(call, cst.Call)
        ]
        for edit in self.edits:
            call = choose(calls, edit["call"], edit.get("end"), edit["keyword"])
            self.found.setdefault(call, []).append(edit)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        """Make the changes asked of this call."""
        for edit in self.found.get(original_node, ()):
            keyword, index, text = edit["keyword"], edit["index"], edit["value"]
            if text is None:
                updated_node = without_argument(updated_node, keyword, index)
            else:
                value = cst.parse_expression(text, config=self.module.config_for_parsing)
                updated_node = with_argument(updated_node, keyword, index, value)
        return updated_node
