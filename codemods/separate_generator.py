"""Give some flows of an ImageDataGenerator a copy of it without certain arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import ParentNodeProvider, PositionProvider

from tlfix.codemods.arguments import choose, find, without_argument
from tlfix.codemods.base import Declined, Position
from tlfix.codemods.tree import Edits, Tree

_FLOWS = ("flow", "flow_from_directory", "flow_from_dataframe")
_FITTED = (("featurewise_center", 0), ("featurewise_std_normalization", 2), ("zca_whitening", 4))


class Span(TypedDict):
    """Where a call starts and ends."""

    start: Position
    end: Position


class Codemod(VisitorBasedCodemodCommand):
    """Adds a second generator behind the first and takes the given flows from it.

    Arguments:
        generator: where the call of ImageDataGenerator starts, and ``end`` where it ends; it must
            be assigned to one name.
        flows: the calls of ``flow*`` on that name that are to use the copy.
        arguments: name and place among the positional ones of each argument the copy loses.
    """

    DESCRIPTION = "Give validation flows a generator of their own."
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(
        self,
        context: CodemodContext,
        generator: Position,
        end: Position,
        flows: Sequence[Span],
        arguments: Sequence[tuple[str, int]],
    ) -> None:
        super().__init__(context)
        self.generator, self.end, self.flows, self.lost = generator, end, flows, arguments
        self.edits = Edits()

    def visit_Module(self, node: cst.Module) -> None:
        """Plan the second generator and the flows that change to it."""
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        calls = [(call, tree.positions[call]) for call in tree.calls()]
        made = choose(calls, self.generator, self.end, self.lost[0][0])
        if any(argument.star for argument in made.args):
            raise Declined("a *argument hides what the generator is given")
        if any(find(made, name, index) is not None for name, index in _FITTED):
            raise Declined("the generator computes statistics of its data, a copy would lack them")
        statement = tree.statement(made)
        assign = statement.body[0]
        if not (
            isinstance(assign, cst.Assign)
            and assign.value is made
            and len(assign.targets) == 1
            and isinstance(target := assign.targets[0].target, cst.Name)
        ):
            raise Declined("the generator is not assigned to a name")
        if len(tree.bindings(target.value)) > 1:
            raise Declined(f"`{target.value}` names more than one thing")
        name = _free(target.value, {n.value for n in tree.nodes() if isinstance(n, cst.Name)})
        flows = [(call, span) for call, span in calls if call in set(tree.calls(*_FLOWS))]
        for span in self.flows:
            flow = choose(flows, span["start"], span["end"], "subset")
            function = flow.func
            if not isinstance(function, cst.Attribute) or not (
                isinstance(function.value, cst.Name) and function.value.value == target.value
            ):
                raise Declined(f"line {tree.line(flow)} does not use `{target.value}` itself")
            self.edits.replace[function.value] = cst.Name(name)
        copy = made
        for argument, index in self.lost:
            copy = without_argument(copy, argument, index)
        self.edits.insert_after(
            statement,
            statement.with_changes(
                leading_lines=[],
                trailing_whitespace=cst.TrailingWhitespace(),
                body=[
                    assign.with_changes(
                        targets=[assign.targets[0].with_changes(target=cst.Name(name))], value=copy
                    )
                ],
            ),
        )

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        """Put the planned changes in place."""
        return self.edits.apply(original_node, super().on_leave(original_node, updated_node))


def _free(name: str, taken: set[str]) -> str:
    """A name for the copy: ``datagen`` and ``train_datagen`` give ``validation_datagen``."""
    for prefix in ("training_", "train_"):
        name = name.removeprefix(prefix)
    name = f"validation_{name}"
    while name in taken:
        name += "_"
    return name
