"""Replace ``Flatten()`` by ``GlobalAveragePooling2D()``, spelled as ``Flatten`` is."""

from __future__ import annotations

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand

from tlfix.codemods.base import Declined
from tlfix.codemods.keras_names import Imports, spell
from tlfix.codemods.scaling_edits import ScalingEdits, Span
from tlfix.codemods.tree import Tree

_OLD, _NEW = "Flatten", "GlobalAveragePooling2D"


class Codemod(VisitorBasedCodemodCommand):
    """Makes the ``Flatten`` at a span a ``GlobalAveragePooling2D``; its arguments fit both.

    Where it is imported by name, the import follows: renamed if nothing else uses it, else one
    name longer.
    """

    DESCRIPTION = "Pool feature maps globally instead of flattening them."

    def __init__(self, context: CodemodContext, flatten: Span) -> None:
        super().__init__(context)
        self.flatten = flatten

    def visit_Module(self, node: cst.Module) -> None:
        assert self.context.wrapper is not None
        self.edits = ScalingEdits(Tree.of(self.context.wrapper))
        call = self.edits.at(self.flatten)
        if not isinstance(call, cst.Call):
            raise Declined(f"no call stands at line {self.flatten['start'].line}")
        name = call.func
        if isinstance(name, cst.Attribute) and name.attr.value == _OLD:
            self.edits.change(name.attr, lambda updated: cst.Name(_NEW))
        elif isinstance(name, cst.Name):
            new = self._imported(name)
            self.edits.change(name, lambda updated: self.edits.parse(new))
        else:
            raise Declined(f"line {self.edits.tree.line(call)}: this is not a Flatten layer")

    def _imported(self, name: cst.Name) -> str:
        tree = self.edits.tree
        alias = next((a for a in _aliases(tree) if _local(a) == name.value), None)
        known = Imports.of(tree, name).names
        if alias is None or any(local == _NEW for local in known):
            return spell(tree, f"layers.{_NEW}", self.edits.edits, name)
        if alias.evaluated_name != _OLD:
            raise Declined(f"line {tree.line(name)}: `{name.value}` is not a Flatten layer")
        uses = sum(isinstance(n, cst.Name) and n.value == name.value for n in tree.nodes())
        new = cst.Name(_NEW)
        if uses == 2:
            self.edits.change(alias, lambda updated: updated.with_changes(name=new, asname=None))
            return _NEW
        added = cst.ImportAlias(new, comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
        self.edits.change(alias, lambda updated: cst.FlattenSentinel([added, updated]))
        return _NEW

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        return self.edits.apply(original_node, super().on_leave(original_node, updated_node))


def _aliases(tree: Tree) -> list[cst.ImportAlias]:
    return [
        alias
        for node in tree.nodes()
        if isinstance(node, cst.ImportFrom) and not isinstance(node.names, cst.ImportStar)
        for alias in node.names
    ]


def _local(alias: cst.ImportAlias) -> str:
    return alias.evaluated_alias or alias.evaluated_name
