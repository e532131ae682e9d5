"""Weight the classes of a ``fit`` by the inverse of their frequency in its training labels."""

from __future__ import annotations

from typing import cast

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import ParentNodeProvider, PositionProvider

from tlfix.codemods.arguments import appended, find
from tlfix.codemods.base import Declined, Position
from tlfix.codemods.keras_names import Imports
from tlfix.codemods.tree import Edits, Tree, statements


class Codemod(VisitorBasedCodemodCommand):
    """Counts the labels before the ``fit`` at ``fit`` and hands it ``class_weight``.

    ``labels`` is the source of an array of training labels that can be evaluated there: class
    numbers, or with ``rows`` one row per image. The weight of a class is n / (classes * count).
    """

    DESCRIPTION = "Give a fit class weights computed from its training labels."
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self, context: CodemodContext, fit: Position, labels: str, rows: bool) -> None:
        super().__init__(context)
        self.fit = fit
        self.labels = labels
        self.rows = rows
        self.edits = Edits()
        self.before: dict[cst.CSTNode, list[cst.BaseStatement]] = {}

    def visit_Module(self, node: cst.Module) -> None:
        """Plan the counting, the argument, and the import they need."""
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        call = tree.call_at(self.fit, "fit", "fit_generator")
        if find(call, "class_weight", None) is not None or find(call, "sample_weight", None):
            raise Declined("the fit is given weights already")
        if any(argument.star == "**" for argument in call.args):
            raise Declined("a **argument may already hold class_weight")
        statement = tree.statement(call)
        taken = {n.value for n in tree.nodes() if isinstance(n, cst.Name)}
        numpy = self._numpy(Imports.of(node))
        counts = _free("counts", taken)
        weights = _free("class_weight", taken - _keywords(tree))
        count = f"{numpy}.sum({self.labels}, axis=0)" if self.rows else (
            f"{numpy}.bincount({self.labels})"
        )
        total = f"{counts}.sum() / (len({counts}) * n)"
        lines = statements(
            f"{counts} = {count}\n"
            "# A class weighs the more the fewer images it has; on average an image weighs 1.\n"
            f"{weights} = {{i: {total} for i, n in enumerate({counts}) if n}}\n"
        )
        blank = [line for line in statement.leading_lines if line.comment is None]
        kept = [line for line in statement.leading_lines if line.comment is not None]
        if isinstance(lines[0], cst.SimpleStatementLine):
            lines[0] = lines[0].with_changes(leading_lines=blank)
        self.before[statement] = lines
        self.kept = {statement: kept}
        self.edits.replace[call] = appended(call, "class_weight", cst.Name(weights))

    def _numpy(self, imports: Imports) -> str:
        for local, qualified in imports.names.items():
            if qualified == "numpy":
                return local
        if imports.last is None:
            raise Declined("there is no import beside which `import numpy as np` could stand")
        if imports.names.get("np", "numpy") != "numpy":
            raise Declined("`np` names something other than numpy")
        anchor = imports.first or imports.last
        self.before[anchor] = statements("import numpy as np\n")
        return "np"

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        """Put the planned changes in place."""
        updated = self.edits.apply(original_node, super().on_leave(original_node, updated_node))
        return updated


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _keywords(tree: Tree) -> set[str]:
    return {
        node.keyword.value
        for node in tree.nodes()
        if isinstance(node, cst.Arg) and node.keyword is not None
    }
