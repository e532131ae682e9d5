"""Bring images read by OpenCV into the order red, green, blue."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
import libcst.matchers as m
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import ParentNodeProvider, PositionProvider

from tlfix.codemods.base import Declined, Position
from tlfix.codemods.tree import Edits, Tree, dotted, statements


class Codemod(VisitorBasedCodemodCommand):
    """Converts what each ``cv2.imread`` call at ``calls`` gives.

    ``image = cv2.imread(path)`` gets a ``cvtColor`` line behind it, or behind the test for an image
    that could not be read; a call inside a larger expression is wrapped.
    """

    DESCRIPTION = "Convert images read by OpenCV from BGR to RGB."
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self, context: CodemodContext, calls: Sequence[Position]) -> None:
        super().__init__(context)
        self.calls = calls
        self.edits = Edits()
        self.inside: dict[cst.CSTNode, list[cst.BaseStatement]] = {}
        self.wrapped: dict[cst.CSTNode, str] = {}

    def visit_Module(self, node: cst.Module) -> None:
        """Plan every change, or decline before anything is changed."""
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        for position in self.calls:
            self._plan(tree, tree.call_at(position, "imread"))

    def _plan(self, tree: Tree, call: cst.Call) -> None:
        module = dotted(call.func.value) if isinstance(call.func, cst.Attribute) else None
        if module is None:
            raise Declined(f"line {tree.line(call)}: the name of OpenCV is not plain there")
        around = tree.parents[call]
        target = _target(around, call)
        if target is None:
            if isinstance(around, cst.Arg) and _is_conversion(tree.parents[around]):
                raise Declined(f"line {tree.line(call)} converts its image already")
            if isinstance(around, cst.NamedExpr):
                raise Declined(f"line {tree.line(call)} may test the image where it is assigned")
            self.wrapped[call] = module
            return
        line = tree.statement(call)
        convert = f"{target} = {module}.cvtColor({target}, {module}.COLOR_BGR2RGB)\n"
        after = _following(tree, line, target)
        if after is not None and _converts(after, target):
            raise Declined(f"the image of line {tree.line(call)} is converted already")
        if isinstance(after, cst.If) and _mentions(after.test, target):
            if _leaves(after):
                self.edits.insert_after(after, *statements(convert))
            elif not isinstance(after.body, cst.IndentedBlock):
                raise Declined(f"line {tree.line(after)} holds several statements")
            elif dotted(after.test) or " is not None" in tree.code(after.test):
                self.inside[after.body] = statements(convert)
            else:
                raise Declined(f"line {tree.line(after)} tests the image in a way of its own")
        elif after is not None and m.matches(after, m.SimpleStatementLine([m.Assert()])):
            self.edits.insert_after(after, *statements(convert))
        else:
            self.edits.insert_after(line, *statements(convert))

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        """Wrap the calls that stand inside an expression."""
        module = self.wrapped.get(original_node)
        if module is None:
            return updated_node
        convert = cst.parse_expression(f"{module}.cvtColor(_, {module}.COLOR_BGR2RGB)")
        assert isinstance(convert, cst.Call)
        first, *rest = convert.args
        return convert.with_changes(args=[first.with_changes(value=updated_node), *rest])

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        """Add the planned lines."""
        updated = self.edits.apply(original_node, super().on_leave(original_node, updated_node))
        added = self.inside.get(original_node)
        if added is not None and isinstance(updated, cst.IndentedBlock):
            return updated.with_changes(body=[*added, *updated.body])
        return updated


def _target(around: cst.CSTNode, call: cst.Call) -> str | None:
    """The name that the call's result is assigned to, if that is all the statement does."""
    if isinstance(around, cst.Assign) and around.value is call and len(around.targets) == 1:
        return dotted(around.targets[0].target)
    return dotted(around.target) if isinstance(around, cst.AnnAssign) else None


def _following(tree: Tree, line: cst.CSTNode, name: str) -> cst.CSTNode | None:
    """The first statement below ``line`` in its block that uses the variable ``name``."""
    body = list(getattr(tree.parents[line], "body", ()))
    below = body[body.index(line) + 1 :] if line in body else []
    return next((s for s in below if _mentions(s, name)), None)


def _converts(node: cst.CSTNode, name: str) -> bool:
    """True for ``name = cv2.cvtColor(name, …)``."""
    return bool(
        m.findall(
            node,
            m.Assign(
                targets=[m.AssignTarget(m.MatchIfTrue(lambda target: dotted(target) == name))],
                value=m.Call(m.Attribute(attr=m.Name("cvtColor"))),
            ),
        )
    )


def _is_conversion(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Call) and (dotted(node.func) or "").endswith("cvtColor")


def _mentions(node: cst.CSTNode, name: str) -> bool:
    return dotted(node) == name or any(_mentions(child, name) for child in node.children)


def _leaves(node: cst.If) -> bool:
    """True if nothing after the ``if`` runs when its test holds."""
    last = node.body.body[-1] if node.body.body else None
    if isinstance(last, cst.SimpleStatementLine):
        last = last.body[-1]
    return node.orelse is None and isinstance(
        last, cst.Continue | cst.Return | cst.Raise | cst.Break
    )
