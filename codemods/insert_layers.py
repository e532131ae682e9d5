"""Put layers in front of a given layer: in a ``Sequential``, behind ``.add``, or functionally."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import libcst as cst
import libcst.matchers as m
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand

from tlfix.codemods.base import Declined
from tlfix.codemods.keras_names import spell
from tlfix.codemods.scaling_edits import ScalingEdits, Span, is_add
from tlfix.codemods.tree import Tree


class NewLayer(TypedDict):
    """A layer to insert: ``symbol`` as ``layers.Dropout``, ``arguments`` as source text."""

    symbol: str
    arguments: str


class Codemod(VisitorBasedCodemodCommand):
    """Inserts layers before the layer made at ``before``.

    ``before`` is the span of the layer as it stands in the model: an element of a list, the
    argument of ``.add``, or the constructor in ``Dense(8)(x)``. ``layers`` come in order of
    application.
    """

    DESCRIPTION = "Insert layers in front of a given layer of a model."

    def __init__(self, context: CodemodContext, before: Span, layers: Sequence[NewLayer]) -> None:
        super().__init__(context)
        self.before, self.layers = before, layers

    def visit_Module(self, node: cst.Module) -> None:
        assert self.context.wrapper is not None
        self.edits = ScalingEdits(Tree.of(self.context.wrapper))
        layer = self.edits.at(self.before)
        if layer is None:
            raise Declined(f"no layer stands at line {self.before['start'].line}")
        around = self.edits.parent(layer)
        if isinstance(around, cst.Element):
            self._in_list(around, self._written(layer))
        elif isinstance(around, cst.Arg) and is_add(self.edits.parent(around)):
            self._by_add(self.edits.parent(around), self._written(layer))
        elif isinstance(around, cst.Call) and around.func is layer:
            self._in_call(around, layer)
        else:
            raise Declined(
                f"line {self.edits.tree.line(layer)}: how the layer is used is not plain"
            )

    def _written(self, anchor: cst.CSTNode) -> list[str]:
        """The source of every new layer, its strings in the quotes that ``anchor`` uses."""
        strings = [
            s for s in m.findall(anchor, m.SimpleString()) if isinstance(s, cst.SimpleString)
        ]
        single = bool(strings) and strings[0].quote == "'"
        written = []
        for layer in self.layers:
            name = spell(self.edits.tree, layer["symbol"], self.edits.edits, anchor)
            arguments = layer["arguments"].replace('"', "'") if single else layer["arguments"]
            written.append(f"{name}({arguments})")
        return written

    def _in_list(self, element: cst.Element, written: list[str]) -> None:
        listing = self.edits.parent(element)
        if not isinstance(listing, cst.List):
            raise Declined(f"line {self.edits.tree.line(element)}: not an element of a list")
        place = next(i for i, e in enumerate(listing.elements) if e is element)
        blank: cst.BaseParenthesizableWhitespace = cst.SimpleWhitespace(" ")
        comma = listing.elements[place - 1].comma if place > 0 else None
        if isinstance(comma, cst.Comma):
            blank = _bare(comma.whitespace_after)
        elif place == 0:
            blank = _bare(listing.lbracket.whitespace_after, blank)
        new = [
            cst.Element(self.edits.parse(code), comma=cst.Comma(whitespace_after=blank))
            for code in written
        ]
        self.edits.change(element, lambda updated: cst.FlattenSentinel([*new, updated]))

    def _by_add(self, add: cst.CSTNode, written: list[str]) -> None:
        assert isinstance(add, cst.Call)
        line = self.edits.tree.statement(add)
        self._before_statement(line, [f"{self.edits.tree.code(add.func)}({w})" for w in written])

    def _in_call(self, call: cst.Call, layer: cst.CSTNode) -> None:
        if not call.args or call.args[0].star or call.args[0].keyword is not None:
            raise Declined(f"line {self.edits.tree.line(call)}: the layer's input is not plain")
        given = call.args[0].value
        written = self._written(layer)
        line = self._own_statement(call, given)
        if line is not None:
            assert isinstance(given, cst.Name)
            self._before_statement(line, [f"{given.value} = {w}({given.value})" for w in written])
            return
        code = self.edits.tree.code(given)
        for layer_code in written:
            code = f"{layer_code}({code})"
        value = self.edits.parse(code)

        def changed(updated: cst.CSTNode) -> object:
            assert isinstance(updated, cst.Call)
            first = updated.args[0].with_changes(value=value)
            return updated.with_changes(args=[first, *updated.args[1:]])

        self.edits.change(call, changed)

    def _own_statement(
        self, call: cst.Call, given: cst.BaseExpression
    ) -> cst.SimpleStatementLine | None:
        """The assignment of the call's result, if its input's name may be bound anew before it.

        Not so if the name is used again: what follows would get the new layers' output too.
        """
        tree = self.edits.tree
        assign = self.edits.parent(call)
        if not isinstance(given, cst.Name) or not isinstance(assign, cst.Assign):
            return None
        if tree.loop(call) is not None:
            return None
        if any(
            isinstance(target.target, cst.Name) and target.target.value == given.value
            for target in assign.targets
        ):
            return tree.statement(call)
        function = tree.function(call)
        if function is not None and not any(
            tree.function(b) is function for b in tree.bindings(given.value)
        ):
            return None
        end = tree.positions[call].end
        for node in tree.nodes():
            if isinstance(node, cst.Name) and node.value == given.value:
                start = tree.positions[node].start
                inner = tree.function(node) is not function
                if inner and function is None:
                    # A function body that reads the module's variable of this name.
                    return None
                if not inner and (start.line, start.column) > (end.line, end.column):
                    return None
        return tree.statement(call)

    def _before_statement(self, line: cst.SimpleStatementLine, codes: list[str]) -> None:
        config = self.edits.tree.module.config_for_parsing
        new = [cst.parse_statement(code, config=config) for code in codes]
        # What stands above the statement is about the whole: it stays above.
        first = new[0]
        if line.leading_lines and isinstance(first, cst.SimpleStatementLine):
            new[0] = first.with_changes(leading_lines=line.leading_lines)

        def changed(updated: cst.CSTNode) -> object:
            assert isinstance(updated, cst.SimpleStatementLine)
            return cst.FlattenSentinel([*new, updated.with_changes(leading_lines=[])])

        self.edits.change(line, changed)

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        return self.edits.apply(original_node, super().on_leave(original_node, updated_node))


def _bare(
    blank: cst.BaseParenthesizableWhitespace,
    default: cst.BaseParenthesizableWhitespace | None = None,
) -> cst.BaseParenthesizableWhitespace:
    """``blank`` without the comment and the empty lines in it; ``default`` for one on a line."""
    if not isinstance(blank, cst.ParenthesizedWhitespace):
        return default if default is not None else blank
    first = cst.TrailingWhitespace(newline=blank.first_line.newline)
    return blank.with_changes(first_line=first, empty_lines=[])
