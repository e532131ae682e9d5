"""Weight the classes of a ``fit`` by the inverse of their frequency in its training labels."""

from __future__ import annotations

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import ParentNodeProvider, PositionProvider

from tlfix.codemods.arguments import appended, find
from tlfix.codemods.base import Declined, Position
from tlfix.codemods.keras_names import Imports, spell_numpy
from tlfix.codemods.tree import Edits, Tree, statements

_PLACES = {
    "fit": (("class_weight", 9), ("sample_weight", 10)),
    "fit_generator": (("class_weight", 8), ("sample_weight", None)),
}
"""Where the weights stand among the positional arguments."""


class Codemod(VisitorBasedCodemodCommand):
    """Counts the labels before the ``fit`` at ``fit`` and hands it ``class_weight``.

    ``labels`` is the source of an array of training labels that can be evaluated there: class
    numbers, or with ``rows`` one row per image. The weight of a class is n / (classes * count),
    scikit-learn's "balanced" (King & Zeng 2001). ``{numpy}`` in ``labels`` stands for the module.
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
        assert isinstance(call.func, cst.Attribute)
        place = _PLACES[call.func.attr.value]
        if any(find(call, *argument) is not None for argument in place):
            raise Declined("the fit is given weights already")
        if any(argument.star == "**" for argument in call.args):
            raise Declined("a **argument may already hold class_weight")
        statement = tree.statement(call)
        numpy = self._numpy(tree, statement)
        taken = _names(tree)
        counts, weights = _free("counts", taken), _free("class_weight", taken)
        labels = self.labels.replace("{numpy}", numpy)
        count = f"{numpy}.sum({labels}, axis=0)" if self.rows else f"{numpy}.bincount({labels})"
        total = f"{counts}.sum() / (len({counts}) * n)"
        self.before[statement] = statements(
            f"{counts} = {count}\n"
            "# A class weighs the more the fewer images it has; on average an image weighs 1.\n"
            f"{weights} = {{i: {total} for i, n in enumerate({counts}) if n}}\n"
        )
        self.edits.replace[call] = appended(call, "class_weight", cst.Name(weights))

    def _numpy(self, tree: Tree, place: cst.CSTNode) -> str:
        """The program's name for numpy; plans its import where there is none."""
        name = spell_numpy(tree, place)
        if name is not None:
            return name
        first = Imports.of(tree, place).first_keras
        if not isinstance(first, cst.SimpleStatementLine):
            raise Declined("there is no import beside which `import numpy as np` could stand")
        self.before[first] = statements("import numpy as np\n")
        return "np"

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        """Put the planned changes in place."""
        updated = self.edits.apply(original_node, super().on_leave(original_node, updated_node))
        added = self.before.get(original_node)
        if added is None or not isinstance(updated, cst.SimpleStatementLine):
            return updated
        # Blank lines stay above the group, comments with the statement they speak of.
        blank = [line for line in updated.leading_lines if line.comment is None]
        comments = [line for line in updated.leading_lines if line.comment is not None]
        first, *others = added
        return cst.FlattenSentinel(
            [
                first.with_changes(leading_lines=blank),
                *others,
                updated.with_changes(leading_lines=comments),
            ]
        )


def _names(tree: Tree) -> set[str]:
    """Every name the module uses, names of arguments and attributes aside."""
    return {
        node.value
        for node in tree.nodes()
        if isinstance(node, cst.Name)
        and not (isinstance(parent := tree.parents[node], cst.Arg) and parent.keyword is node)
        and not (isinstance(parent, cst.Attribute) and parent.attr is node)
    }


def _free(name: str, taken: set[str]) -> str:
    """``name``, with underscores added until it collides with nothing."""
    while name in taken:
        name += "_"
    return name
