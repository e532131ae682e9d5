"""Changes to the places where a program scales its pixels; shared by the scaling codemods.

A place is told by its span, ``{"start": Position, "end": Position}``, because ``x / 255.0`` and
``x`` start together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NotRequired, TypedDict

import libcst as cst

from tlfix.codemods.arguments import commented_as, find, with_argument, without_argument
from tlfix.codemods.base import Declined, Position
from tlfix.codemods.keras_names import Imports
from tlfix.codemods.tree import Edits, Tree, dotted

Change = Callable[[cst.CSTNode], object]


class Span(TypedDict):
    """A node of the source.

    ``operand`` is the part of it that is scaled (``x`` in ``x / 255.0``), ``cast`` how that part
    must be made floating point first: ``array`` (NumPy), ``tensor``, or None if it is already.
    """

    start: Position
    end: Position
    operand: NotRequired[Span | None]
    cast: NotRequired[str | None]


class ScalingEdits:
    """Plans changes on a tree; :meth:`apply` makes them on the way back up a traversal."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.edits = Edits()
        self.changes: dict[cst.CSTNode, list[Change]] = {}
        self.dropped: set[cst.CSTNode] = set()

    def apply(self, original: cst.CSTNode, updated: object) -> object:
        """``updated`` with the changes planned for ``original``; to be called in ``on_leave``."""
        if original in self.dropped:
            return cst.RemoveFromParent()
        for change in self.changes.get(original, ()):
            if isinstance(updated, cst.CSTNode):
                updated = change(updated)
        return self.edits.apply(original, updated)

    def change(self, node: cst.CSTNode, change: Change) -> None:
        """Plan ``change`` for ``node``; several are made in the order they are planned."""
        self.changes.setdefault(node, []).append(change)

    def at(self, span: Span) -> cst.CSTNode | None:
        """The expression (or augmented assignment) that covers exactly ``span``."""
        for node in self.tree.nodes():
            if isinstance(node, cst.BaseExpression | cst.AugAssign):
                found = self.tree.positions[node]
                if (found.start.line, found.start.column) == (
                    span["start"].line,
                    span["start"].column,
                ) and (found.end.line, found.end.column) == (span["end"].line, span["end"].column):
                    return node
        return None

    def parent(self, node: cst.CSTNode) -> cst.CSTNode:
        """The node around ``node``."""
        return self.tree.parents[node]

    # Removing -----------------------------------------------------------------------------------

    def remove(self, span: Span) -> None:
        """Take away one scaling: an expression, a layer, or a ``preprocess_input`` call.

        Raises:
            Declined: it stands where nothing can take its place.
        """
        node = self.at(span)
        if isinstance(node, cst.AugAssign):
            self.drop_statement(node)
        elif isinstance(node, cst.Call) and span.get("operand") is None:
            self._remove_call(node)
        elif isinstance(node, cst.BaseExpression):
            operand = self._operand(span)
            if self._assigns_itself(node, operand):
                self.drop_statement(node)
            else:
                self.change(node, lambda updated: _lend_parentheses(updated, operand))

    def _remove_call(self, node: cst.Call) -> None:
        around = self.parent(node)
        if isinstance(around, cst.Call) and around.func is node and around.args:
            # layers.Rescaling(1/255)(inputs): the call of the layer becomes what it was called on.
            inner = around.args[0].value
            if self._assigns_itself(around, inner):
                self.drop_statement(around)
            else:
                self.change(around, lambda updated: inner)
        elif isinstance(around, cst.Element):
            self._drop_element(around)
        elif isinstance(around, cst.Arg) and is_add(self.parent(around)):
            self.drop_statement(self.parent(around))
        elif node.args and not _is_class(node.func):
            inner = node.args[0].value
            if self._assigns_itself(node, inner):
                self.drop_statement(node)
            else:
                self.change(node, lambda updated: inner)
        else:
            self._remove_variable(node)

    def _drop_element(self, element: cst.Element) -> None:
        """Remove one element; what closed the list behind the last one stays behind its heir."""
        self.dropped.add(element)
        elements = list(getattr(self.parent(element), "elements", ()))
        if len(elements) > 1 and element is elements[-1]:
            comma, heir = element.comma, elements[-2]
            own = heir.comma.whitespace_after if isinstance(heir.comma, cst.Comma) else None
            bracket = getattr(self.parent(element), "rbracket", None)
            if isinstance(comma, cst.Comma):
                blank = commented_as(comma.whitespace_after, own)
                comma = comma.with_changes(whitespace_after=blank)
            if isinstance(bracket, cst.RightSquareBracket):
                blank = commented_as(bracket.whitespace_before, own)
                self.change(bracket, lambda updated: updated.with_changes(whitespace_before=blank))
            self.change(heir, lambda updated: updated.with_changes(comma=comma))

    def _remove_variable(self, node: cst.Call) -> None:
        """A layer in a variable: every use of it goes, then the variable."""
        for use in self._uses(node):
            around = self.parent(use)
            if isinstance(around, cst.Element):
                self._drop_element(around)
            elif self._called_on_one(use):
                assert isinstance(around, cst.Call)
                if self._assigns_itself(around, around.args[0].value):
                    self.drop_statement(around)
                else:
                    self.change(around, _first_argument)
            else:
                raise Declined(f"line {self.tree.line(use)}: the scaling is handed over")
        self.drop_statement(node)

    def _uses(self, node: cst.Call) -> list[cst.Name]:
        """Where the variable that holds what ``node`` makes is named again.

        Raises:
            Declined: it is kept otherwise, or its name stands for other things too.
        """
        assign = self.parent(node)
        target = assign.targets[0].target if isinstance(assign, cst.Assign) else None
        if not isinstance(target, cst.Name) or len(assign.children) != 2:
            raise Declined(f"line {self.tree.line(node)}: the scaling is not kept in a variable")
        uses = []
        for name in self.tree.nodes():
            if not isinstance(name, cst.Name) or name.value != target.value or name is target:
                continue
            around = self.parent(name)
            if isinstance(around, cst.Attribute) and around.attr is name:
                continue
            if isinstance(around, cst.Arg) and around.keyword is name:
                continue
            if isinstance(around, cst.AssignTarget | cst.Param | cst.Global | cst.NameItem):
                raise Declined(f"line {self.tree.line(name)}: {name.value} is something else here")
            uses.append(name)
        return uses

    def _called_on_one(self, use: cst.Name) -> bool:
        call = self.parent(use)
        return (
            isinstance(call, cst.Call)
            and call.func is use
            and len(call.args) == 1
            and not call.args[0].star
        )

    def remove_argument(self, span: Span, keyword: str, index: int | None = None) -> None:
        """Take an argument of the call at ``span`` away."""
        call = self.at(span)
        if isinstance(call, cst.Call):
            self.change(call, lambda updated: _without(updated, keyword, index))

    def _operand(self, span: Span) -> cst.BaseExpression:
        inner = span.get("operand")
        node = self.at(inner) if inner else None
        if not isinstance(node, cst.BaseExpression):
            raise Declined(f"line {span['start'].line}: what is scaled there is not plain")
        return node

    def _assigns_itself(self, node: cst.BaseExpression, operand: cst.BaseExpression) -> bool:
        assign = self.parent(node)
        return (
            isinstance(assign, cst.Assign)
            and len(assign.targets) == 1
            and self.tree.code(assign.targets[0].target) == self.tree.code(operand)
        )

    def _following(self, line: cst.SimpleStatementLine) -> cst.CSTNode | None:
        block = self.parent(line)
        body = list(block.body) if isinstance(block, cst.Module | cst.IndentedBlock) else []
        places = [i for i, statement in enumerate(body) if statement is line]
        if not places or places[0] + 1 >= len(body):
            return None
        return body[places[0] + 1]

    # Replacing and adding -----------------------------------------------------------------------

    def preprocess(self, span: Span, function: str) -> None:
        """Replace a scaling expression by ``function(operand)``, or an augmented assignment."""
        node = self.at(span)
        if isinstance(node, cst.AugAssign):
            target = self.tree.code(node.target)
            call = f"{target} = {function}({_cast(target, span.get('cast'), self, node)})"
            statement = cst.parse_statement(call)
            assert isinstance(statement, cst.SimpleStatementLine)
            self.change(node, lambda updated: statement.body[0])
        elif isinstance(node, cst.BaseExpression):
            operand = self._operand(span)
            code = self.tree.code(operand)
            if operand.lpar and code.startswith("("):
                bare = operand.with_changes(lpar=operand.lpar[1:], rpar=operand.rpar[:-1])
                code = cst.Module([]).code_for_node(bare)
            text = f"{function}({_cast(code, span.get('cast'), self, node)})"
            self.change(node, lambda updated: self.parse(text))

    def wrap(self, span: Span, function: str) -> None:
        """Replace an expression ``e`` by ``function(e)``; nothing if it is that already."""
        node = self.at(span)
        if node is not None and isinstance(around := self.parent(node), cst.Arg) and around.star:
            raise Declined(f"line {self.tree.line(node)}: what is handed over there is not plain")
        if isinstance(node, cst.BaseExpression) and not _is_call_of(node, function):
            text = f"{function}({_cast(self.tree.code(node), span.get('cast'), self, node)})"
            self.change(node, lambda updated: self.parse(text))

    def rename(self, span: Span, function: str) -> None:
        """Let a call, or a bare reference, name ``function`` instead."""
        node = self.at(span)
        if isinstance(node, cst.Call):
            self.change(node, lambda updated: _calling(updated, self.parse(function)))
        elif isinstance(node, cst.BaseExpression):
            self.change(node, lambda updated: self.parse(function))

    def generator(self, span: Span, function: str) -> None:
        """Give an ImageDataGenerator ``preprocessing_function=`` instead of ``rescale=``."""
        call = self.at(span)
        if not isinstance(call, cst.Call):
            return
        # ImageDataGenerator(preprocess_input) binds featurewise_center, which nobody meant.
        misplaced = find(call, "featurewise_center", 0)
        if misplaced is not None and "preprocess_input" not in self.tree.code(call.args[misplaced]):
            misplaced = None

        def changed(updated: cst.CSTNode) -> object:
            if misplaced is not None:
                updated = _without(updated, "featurewise_center", 0)
            assert isinstance(updated, cst.Call)
            place = find(updated, "rescale", None)
            if place is not None and find(updated, "preprocessing_function", None) is None:
                args = list(updated.args)
                args[place] = args[place].with_changes(
                    keyword=cst.Name("preprocessing_function"), value=self.parse(function)
                )
                return updated.with_changes(args=args)
            rest = _without(updated, "rescale", None)
            return with_argument(rest, "preprocessing_function", None, self.parse(function))

        self.change(call, changed)

    def preprocess_layer(self, span: Span, function: str) -> None:
        """Replace ``Rescaling(…)(x)`` by ``function(x)``; ``span`` is the layer's constructor.

        Raises:
            Declined: the layer is kept in a variable that is not only called.
        """
        node = self.at(span)
        if node is None:
            return
        around = self.parent(node)
        if isinstance(around, cst.Call) and around.func is node and around.args:
            text = f"{function}({self.tree.code(around.args[0].value)})"
            self.change(around, lambda updated: self.parse(text))
        elif isinstance(node, cst.Call) and all(map(self._called_on_one, self._uses(node))):
            self.change(node, lambda updated: self.parse(function))
        else:
            raise Declined(f"line {self.tree.line(node)}: the layer is used as one")

    def drop_statement(self, node: cst.CSTNode) -> None:
        """Remove the statement around ``node``; a comment above it stays.

        Raises:
            Declined: nothing would be left of its block.
        """
        line = self.tree.statement(node)
        block = self.parent(line)
        if isinstance(block, cst.IndentedBlock) and len(block.body) == 1:
            raise Declined(f"line {self.tree.line(node)} is the only one of its block")
        if line.leading_lines:
            # Comments above a removed line belong to the reader; they move to the next one.
            following = self._following(line)
            if following is None:
                raise Declined(f"line {self.tree.line(node)} ends its block under a comment")
            self.change(following, lambda updated: _under(updated, line.leading_lines))
        self.dropped.add(line)

    def parse(self, code: str) -> cst.BaseExpression:
        """An expression of the module's own line ends."""
        return cst.parse_expression(code, config=self.tree.module.config_for_parsing)


def _cast(code: str, cast: str | None, edits: ScalingEdits, place: cst.CSTNode) -> str:
    if cast == "array" and ".astype(" not in code:
        return f'{code}.astype("float32")' if _atom(code) else f'({code}).astype("float32")'
    if cast == "tensor":
        for name, qualified in Imports.of(edits.tree, place).names.items():
            if qualified == "tensorflow":
                return f"{name}.cast({code}, {name}.float32)"
        raise Declined("TensorFlow is not imported under a name of its own, to cast images with")
    return code


def in_parentheses(node: cst.CSTNode) -> cst.CSTNode:
    """``node`` as something can be called on it or taken of it."""
    tight = isinstance(node, cst.Name | cst.Attribute | cst.Subscript | cst.Call)
    if tight or getattr(node, "lpar", False):
        return node
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def _atom(code: str) -> bool:
    expression = cst.parse_expression(code)
    return isinstance(expression, cst.Name | cst.Attribute | cst.Subscript | cst.Call)


def is_add(node: cst.CSTNode) -> bool:
    """True for ``something.add(…)``."""
    return (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Attribute)
        and node.func.attr.value == "add"
    )


def _is_class(function: cst.BaseExpression) -> bool:
    """True for ``layers.Rescaling``, as against ``preprocess_input`` under any name."""
    name = (dotted(function) or "").rsplit(".", 1)[-1]
    return name[:1].isupper()


def _first_argument(call: cst.CSTNode) -> cst.BaseExpression:
    assert isinstance(call, cst.Call)
    return call.args[0].value


def _is_call_of(node: cst.CSTNode, function: str) -> bool:
    return isinstance(node, cst.Call) and dotted(node.func) == function


def _calling(updated: cst.CSTNode, function: cst.BaseExpression) -> cst.CSTNode:
    return updated.with_changes(func=function)


def _without(updated: cst.CSTNode, keyword: str, index: int | None) -> cst.Call:
    assert isinstance(updated, cst.Call)
    return without_argument(updated, keyword, index)


def _lend_parentheses(node: cst.CSTNode, operand: cst.BaseExpression) -> cst.CSTNode:
    """``operand`` where ``node`` stood, in the parentheses that ``node`` had."""
    if isinstance(node, cst.BaseExpression) and node.lpar and not operand.lpar:
        return operand.with_changes(lpar=node.lpar, rpar=node.rpar)
    return operand


def _under(updated: cst.CSTNode, lines: object) -> cst.CSTNode:
    assert isinstance(lines, tuple | list)
    return updated.with_changes(leading_lines=[*lines, *getattr(updated, "leading_lines", ())])
