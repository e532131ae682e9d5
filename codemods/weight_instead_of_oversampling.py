"""Take the resampling of images out and weight the classes instead."""

from __future__ import annotations

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider

from tlfix.codemods import add_class_weight
from tlfix.codemods.arguments import choose, find
from tlfix.codemods.base import Declined, Position
from tlfix.codemods.keras_names import spell_numpy
from tlfix.codemods.tree import Tree, dotted


class Codemod(VisitorBasedCodemodCommand):
    """Replaces ``sampler.fit_resample(x, y)`` by ``x, y``; gives the fit class weights.

    The sampler and its import go too where nothing else uses them.

    Arguments:
        resample: where the call of ``fit_resample`` starts, and ``end`` where it ends.
        fit: where the call of ``fit`` starts.
        labels: source of the class numbers at the fit; ``{numpy}`` stands for the module.
    """

    DESCRIPTION = "Weight the classes instead of oversampling pixels."
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(
        self,
        context: CodemodContext,
        resample: Position,
        end: Position,
        fit: Position,
        labels: str,
    ) -> None:
        super().__init__(context)
        if fit <= resample:
            raise Declined("the fit does not come after the resampling")
        self.resample, self.end, self.fit = resample, end, fit
        self.weights = add_class_weight.Codemod(CodemodContext(), fit, labels, rows=False)
        self.blank: dict[cst.CSTNode, list[cst.EmptyLine]] = {}
        self.replaced: dict[cst.CSTNode, cst.CSTNode | cst.RemovalSentinel] = {}

    def transform_module(self, tree: cst.Module) -> cst.Module:
        """Add the weights first: they stand below the resampling, so that its place stays."""
        whole = Tree.of(MetadataWrapper(tree, unsafe_skip_copy=True))
        if spell_numpy(whole, whole.call_at(self.fit, "fit", "fit_generator")) is None:
            raise Declined("numpy is not imported, with which the classes are counted")
        return super().transform_module(self.weights.transform_module(tree))

    def visit_Module(self, node: cst.Module) -> None:
        """Find what goes."""
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        calls = [(c, tree.positions[c]) for c in tree.calls("fit_resample", "fit_sample")]
        call = choose(calls, self.resample, self.end, "X")
        rows, labels = (_argument(call, name, index) for index, name in enumerate(("X", "y")))
        statement = tree.statement(call)
        assign = statement.body[0]
        if not (isinstance(assign, cst.Assign) and assign.value is call):
            raise Declined("the result of the resampling is not assigned as it is")
        if not all(
            isinstance(t.target, cst.Tuple) and len(t.target.elements) == 2 for t in assign.targets
        ):
            raise Declined("the result of the resampling is not taken apart into two names")
        self.replaced[call] = cst.Tuple([cst.Element(rows), cst.Element(labels)], lpar=[], rpar=[])
        sampler = call.func.value if isinstance(call.func, cst.Attribute) else None
        gone: list[cst.CSTNode] = [call]
        if isinstance(sampler, cst.Name):
            made = tree.bindings(sampler.value)
            if (
                len(made) == 1
                and isinstance(made[0], cst.AssignTarget)
                and len(tree.parents[made[0]].children) == 2
                and isinstance(made[0].target, cst.Name)
                and not _used(tree, sampler.value, [call, made[0]])
            ):
                line = tree.statement(made[0])
                self.replaced[line] = cst.RemoveFromParent()
                gone.append(line)
                self._keep_blank(tree, line, statement)
        self._drop_import(tree, gone)

    def _keep_blank(
        self, tree: Tree, gone: cst.SimpleStatementLine, statement: cst.SimpleStatementLine
    ) -> None:
        """A blank line above the sampler, which goes with its comment, stays above what follows."""
        body = list(tree.parents[gone].children)
        if body.index(gone) + 1 == (body.index(statement) if statement in body else -1):
            self.blank[statement] = [line for line in gone.leading_lines if line.comment is None]

    def _drop_import(self, tree: Tree, gone: list[cst.CSTNode]) -> None:
        for line in tree.module.body:
            if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
                continue
            statement = line.body[0]
            if (
                isinstance(statement, cst.ImportFrom)
                and (dotted(statement.module) or "").split(".")[0] == "imblearn"
                and not isinstance(statement.names, cst.ImportStar)
                and not line.leading_lines
                and not any(
                    _used(tree, alias.evaluated_alias or alias.evaluated_name, [*gone, line])
                    for alias in statement.names
                )
            ):
                self.replaced[line] = cst.RemoveFromParent()

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        """Put the planned changes in place."""
        updated = super().on_leave(original_node, updated_node)
        if original_node in self.blank and isinstance(updated, cst.SimpleStatementLine):
            lines = [*self.blank[original_node], *updated.leading_lines]
            return updated.with_changes(leading_lines=lines)
        return self.replaced.get(original_node, updated)


def _argument(call: cst.Call, name: str, index: int) -> cst.BaseExpression:
    place = find(call, name, index)
    if place is None or len(call.args) != 2:
        raise Declined("the resampling is not given just images and labels")
    return call.args[place].value


def _used(tree: Tree, name: str, apart: list[cst.CSTNode]) -> bool:
    """True if ``name`` stands anywhere outside the nodes ``apart``."""
    return any(
        isinstance(node, cst.Name)
        and node.value == name
        and not any(tree.within(node, outer) for outer in apart)
        for node in tree.nodes()
    )
