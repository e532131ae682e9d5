"""Put images and labels in one random order where only one of them was shuffled."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import ParentNodeProvider, PositionProvider

from tlfix.codemods.base import Declined, Position
from tlfix.codemods.keras_names import Imports
from tlfix.codemods.tree import Edits, Tree, dotted, statements


class Codemod(VisitorBasedCodemodCommand):
    """Replaces a shuffling of one by a shuffling of both.

    Arguments:
        shuffle: where the call stands: ``np.random.shuffle(x)`` or ``random.shuffle(x)`` as a
            statement, or ``x = shuffle(x)`` of scikit-learn.
        images, labels: the names of the two, aligned before that call.
        listed: whether both are Python lists (else arrays), for the forms in place.
        drop: calls that shuffled the other one by itself, to be removed.
    """

    DESCRIPTION = "Shuffle images and labels together."
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(
        self,
        context: CodemodContext,
        shuffle: Position,
        images: str,
        labels: str,
        listed: bool,
        drop: Sequence[Position] = (),
    ) -> None:
        super().__init__(context)
        self.shuffle, self.images, self.labels = shuffle, images, labels
        self.listed, self.drop = listed, drop
        self.edits = Edits()
        self.instead: dict[cst.CSTNode, list[cst.BaseStatement]] = {}
        self.dropped: set[cst.CSTNode] = set()

    def visit_Module(self, node: cst.Module) -> None:
        """Plan the new statements, or decline before anything is changed."""
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        call = tree.call_at(self.shuffle)
        line = tree.statement(call)
        if tree.parents[call] is not line.body[0]:
            raise Declined(f"line {tree.line(call)} does more than shuffle")
        for name in (self.images, self.labels):
            tree.check_own(name, call)
        if isinstance(line.body[0], cst.Expr):
            self.instead[line] = statements(self._in_place(tree, call))
        elif isinstance(line.body[0], cst.Assign):
            self._assigned(tree, call, line.body[0])
        else:
            raise Declined(f"line {tree.line(call)} does more than shuffle")
        for position in self.drop:
            other = tree.statement(tree.call_at(position))
            apart = tree.parents[other] is not tree.parents[line]
            if apart or other.leading_lines:
                raise Declined(f"line {tree.line(other)} cannot be removed by itself")
            self.dropped.add(other)

    def _in_place(self, tree: Tree, call: cst.Call) -> str:
        """Statements for ``np.random.shuffle(x)``."""
        both = f"{self.images}, {self.labels}"
        function = tree.code(call.func)
        if self.listed:
            pairs = tree.free("pairs")
            return (
                f"{pairs} = list(zip({both}))\n"
                f"{function}({pairs})\n"
                f"{both} = map(list, zip(*{pairs}))\n"
            )
        order = tree.free("order")
        if not isinstance(call.func, cst.Attribute):
            raise Declined(f"line {tree.line(call)}: what shuffles there is not plain")
        owner = tree.code(call.func.value)
        names = Imports.of(tree, call).names
        if names.get(owner) == "random":
            # The random module swaps rows of an array wrongly; numpy's own order is meant.
            numpy = next((local for local, whole in names.items() if whole == "numpy"), None)
            if numpy is None:
                raise Declined("numpy is not imported")
            owner = f"{numpy}.random"
        return (
            f"{order} = {owner}.permutation(len({self.images}))\n"
            f"{both} = {self.images}[{order}], {self.labels}[{order}]\n"
        )

    def _assigned(self, tree: Tree, call: cst.Call, assign: cst.Assign) -> None:
        """``x = shuffle(x)`` becomes ``x, y = shuffle(x, y)``."""
        target = assign.targets[0].target
        given = call.args[0].value if call.args and not call.args[0].star else None
        if len(assign.targets) != 1 or dotted(target) != dotted(given) or dotted(target) is None:
            raise Declined(f"line {tree.line(call)} gives the shuffled rows another name")
        names = [cst.Arg(cst.Name(self.images)), cst.Arg(cst.Name(self.labels))]
        self.edits.replace[target] = cst.Tuple(
            [cst.Element(cst.Name(self.images)), cst.Element(cst.Name(self.labels))],
            lpar=[],
            rpar=[],
        )
        names[-1] = names[-1].with_changes(comma=call.args[0].comma)
        self.edits.replace[call] = call.with_changes(args=[*names, *call.args[1:]])

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        """Put the planned changes in place."""
        if original_node in self.dropped:
            return cst.RemoveFromParent()
        updated = self.edits.apply(original_node, super().on_leave(original_node, updated_node))
        new = self.instead.get(original_node)
        if new is None or not isinstance(updated, cst.SimpleStatementLine):
            return updated
        result = list(new)
        result[0] = result[0].with_changes(leading_lines=updated.leading_lines)
        result[-1] = result[-1].with_changes(trailing_whitespace=updated.trailing_whitespace)
        return cst.FlattenSentinel(result)
