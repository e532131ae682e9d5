"""Set the learning rate of the optimizer that a ``compile`` call gets."""

from __future__ import annotations

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import ParentNodeProvider, PositionProvider

from tlfix.codemods.arguments import find, with_argument
from tlfix.codemods.base import Declined, Position
from tlfix.codemods.optimizers import (
    bound_value,
    named,
    number,
    optimizer_of,
    rate_place,
    with_rate,
)
from tlfix.codemods.tree import Edits, Tree, dotted


class Codemod(VisitorBasedCodemodCommand):
    """Sets the rate where it is written: in the optimizer's call, or at the constant it names.

    ``compile`` is where the ``compile`` call starts. A name, a key of a dict or an argparse default
    is changed where it is defined if nothing else uses it, else the call gets the number.
    """

    DESCRIPTION = "Set the learning rate of a compile call's optimizer."
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self, context: CodemodContext, compile: Position, rate: float) -> None:
        super().__init__(context)
        self.compile = compile
        self.rate = rate
        self.edits = Edits()

    def visit_Module(self, node: cst.Module) -> None:
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        call = tree.call_at(self.compile, "compile")
        optimizer = optimizer_of(tree, call)
        if optimizer is None or isinstance(optimizer, cst.SimpleString):
            name = "rmsprop" if optimizer is None else str(optimizer.evaluated_value)
            new = named(tree, name, self.rate, self.edits, call)
            self.edits.replace[call] = with_argument(call, "optimizer", 0, new)
        elif isinstance(optimizer, cst.Call):
            self._change(tree, optimizer)
        else:
            raise Declined(f"the optimizer `{tree.code(optimizer)}` is not made in this file")

    def _change(self, tree: Tree, optimizer: cst.Call) -> None:
        place = rate_place(optimizer)
        if place is not None:
            value = optimizer.args[place].value
            if isinstance(value, cst.Call):
                raise Declined(f"the rate follows a schedule, `{tree.code(value)}`")
            if _is(value, self.rate):
                return
            source = _definition(tree, value)
            if isinstance(source, cst.Call):
                raise Declined(f"the rate follows a schedule, `{tree.code(source)}`")
            if source is not None:
                if not _is(source, self.rate):
                    self.edits.replace[source] = cst.parse_expression(number(self.rate))
                return
        self.edits.replace[optimizer] = with_rate(optimizer, self.rate)

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        return self.edits.apply(original_node, super().on_leave(original_node, updated_node))


def _is(value: cst.CSTNode, rate: float) -> bool:
    return isinstance(value, cst.Float | cst.Integer) and value.evaluated_value == rate


def _definition(tree: Tree, value: cst.BaseExpression) -> cst.BaseExpression | None:
    """The number or schedule behind ``LR``, ``CONFIG["lr"]``, ``args.lr``, if used only once."""
    try:
        if isinstance(value, cst.Name):
            source = bound_value(tree, value.value, value)
            used = sum(isinstance(n, cst.Name) and n.value == value.value for n in tree.nodes())
            if isinstance(source, cst.Call):
                return source
            return source if isinstance(source, cst.Float | cst.Integer) and used == 2 else None
        if isinstance(value, cst.Subscript):
            return _dict_value(tree, value)
        if isinstance(value, cst.Attribute):
            return _argparse_default(tree, value)
    except Declined:
        return None
    return None


def _dict_value(tree: Tree, value: cst.Subscript) -> cst.BaseExpression | None:
    name, index = dotted(value.value), value.slice[0].slice
    key = index.value if isinstance(index, cst.Index) else None
    if name is None or not isinstance(key, cst.SimpleString):
        return None
    source = bound_value(tree, name, value)
    uses = [
        node
        for node in tree.nodes()
        if isinstance(node, cst.SimpleString) and node.evaluated_value == key.evaluated_value
    ]
    if not isinstance(source, cst.Dict) or len(uses) != 2:
        return None
    for element in source.elements:
        if isinstance(element, cst.DictElement) and element.key in uses:
            constant = element.value
            return constant if isinstance(constant, cst.Float | cst.Integer) else None
    return None


def _argparse_default(tree: Tree, value: cst.Attribute) -> cst.BaseExpression | None:
    uses = [
        node
        for node in tree.nodes()
        if isinstance(node, cst.Attribute)
        and node.attr.value == value.attr.value
        and dotted(node) == dotted(value)
    ]
    flag = "--" + value.attr.value
    for call in tree.calls("add_argument"):
        first = call.args[0].value if call.args else None
        given = first.evaluated_value if isinstance(first, cst.SimpleString) else None
        if isinstance(given, str) and given.replace("-", "_") == flag.replace("-", "_"):
            place = find(call, "default", None)
            constant = None if place is None else call.args[place].value
            known = isinstance(constant, cst.Float | cst.Integer)
            return constant if known and len(uses) == 1 else None
    return None
