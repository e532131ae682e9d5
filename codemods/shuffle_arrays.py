"""Put the arrays of a ``fit`` in one random order."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import ParentNodeProvider, PositionProvider

from tlfix.codemods.arguments import find
from tlfix.codemods.base import Declined, Position
from tlfix.codemods.keras_names import Imports, spell_numpy
from tlfix.codemods.tree import Edits, Tree, statements


class Codemod(VisitorBasedCodemodCommand):
    """Indexes all ``arrays`` by one permutation in a statement before the ``fit`` at ``fit``.

    Arguments:
        fit: where the call of ``fit`` starts.
        arrays: the names of images and labels, aligned row by row.
        convert: for each, whether it must be made a numpy array first (lists, tensors, frames).
    """

    DESCRIPTION = "Shuffle the images and labels of a fit together."
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(
        self,
        context: CodemodContext,
        fit: Position,
        arrays: Sequence[str],
        convert: Sequence[bool],
    ) -> None:
        super().__init__(context)
        self.fit, self.arrays, self.convert = fit, arrays, convert
        self.edits = Edits()
        self.before: dict[cst.CSTNode, list[cst.BaseStatement]] = {}

    def visit_Module(self, node: cst.Module) -> None:
        """Plan the statements, and the import that they need."""
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        call = tree.call_at(self.fit, "fit")
        if find(call, "sample_weight", 10) is not None or any(a.star for a in call.args):
            raise Declined("the fit is given weights of single images, or arguments in a *argument")
        if tree.loop(call) is not None:
            raise Declined("the fit is called in a loop")
        if not all(name.isidentifier() for name in self.arrays):
            raise Declined("images and labels are not plain variables")
        statement = tree.statement(call)
        for name in self.arrays:
            tree.check_own(name, statement)
        numpy = self._numpy(tree, statement)
        order = tree.free("order")
        values = [
            f"{numpy}.asarray({name})[{order}]" if convert else f"{name}[{order}]"
            for name, convert in zip(self.arrays, self.convert, strict=True)
        ]
        self.before[statement] = statements(
            f"{order} = {numpy}.random.default_rng(0).permutation(len({self.arrays[-1]}))\n"
            f"{', '.join(self.arrays)} = {', '.join(values)}\n"
        )

    def _numpy(self, tree: Tree, place: cst.CSTNode) -> str:
        """The program's name for numpy; plans its import where there is none."""
        name = spell_numpy(tree, place)
        if name is not None:
            return name
        last = Imports.of(tree, place).last
        if last is None:
            raise Declined("there is no import beside which `import numpy as np` could stand")
        self.edits.insert_after(last, *statements("import numpy as np\n"))
        return "np"

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        """Put the planned changes in place."""
        updated = self.edits.apply(original_node, super().on_leave(original_node, updated_node))
        added = self.before.get(original_node)
        if added is None or not isinstance(updated, cst.SimpleStatementLine):
            return updated
        # What stood above the fit (a blank line, a comment) now stands above the shuffling.
        first, *others = added
        return cst.FlattenSentinel(
            [
                first.with_changes(leading_lines=updated.leading_lines),
                *others,
                updated.with_changes(leading_lines=[]),
            ]
        )
