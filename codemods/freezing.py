"""What a program says about ``trainable`` of a backbone, and the edits that freeze it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from tlfix.codemods.base import Declined, Position
from tlfix.codemods.tree import Edits, Tree, dotted


@dataclass(frozen=True)
class Freeze:
    """``owner.trainable = value``, or a loop that does so for ``owner.layers`` (or a part of them).

    ``value`` is the node to replace; ``known`` its truth, None if not a plain True or False.
    """

    statement: cst.SimpleStatementLine | cst.For
    owner: str
    value: cst.BaseExpression
    known: bool | None
    part: bool


def backbone_variable(tree: Tree, backbone: cst.Call) -> tuple[cst.SimpleStatementLine, str]:
    """The statement that makes the backbone, and the variable that holds it.

    Raises:
        Declined: no variable does, or it is made in a loop.
    """
    if tree.loop(backbone) is not None:
        raise Declined("the backbone is built in a loop")
    parent = tree.parents[backbone]
    if isinstance(parent, cst.Assign) and len(parent.targets) == 1:
        name = dotted(parent.targets[0].target)
        if name is not None:
            return tree.statement(backbone), name
    raise Declined("no variable holds the backbone")


def layer_variable(tree: Tree) -> str:
    """A name for the loops over layers: ``layer``, unless the program keeps something under it."""
    kept = [b for b in tree.bindings("layer") if not isinstance(b, cst.For)]
    return tree.free("layer") if kept else "layer"


def freezes(tree: Tree, function: cst.CSTNode | None) -> Iterator[Freeze]:
    """Everything in ``function`` that sets ``trainable``, in source order."""
    for node in tree.nodes():
        if not (
            isinstance(node, cst.AssignTarget)
            and isinstance(node.target, cst.Attribute)
            and node.target.attr.value == "trainable"
            and tree.function(node) is function
        ):
            continue
        assign = tree.parents[node]
        assert isinstance(assign, cst.Assign)
        yield _freeze(tree, node.target.value, assign)


def _freeze(tree: Tree, target: cst.BaseExpression, assign: cst.Assign) -> Freeze:
    known = {"True": True, "False": False}.get(dotted(assign.value) or "")
    statement = tree.statement(assign)
    loop = tree.loop(assign)
    if isinstance(loop, cst.For) and dotted(loop.target) == dotted(target):
        layers, part = loop.iter, False
        if isinstance(layers, cst.Subscript):
            layers, part = layers.value, True
        if isinstance(layers, cst.Attribute) and layers.attr.value == "layers":
            if len(loop.body.body) != 1 or tree.parents[statement] is not loop.body:
                known = None
            return Freeze(loop, tree.code(layers.value), assign.value, known, part)
    part = not isinstance(target, cst.Name | cst.Attribute)
    return Freeze(statement, tree.code(target), assign.value, known if loop is None else None, part)


def freeze(
    tree: Tree, made: cst.SimpleStatementLine, variable: str, until: Position, edits: Edits
) -> None:
    """Plan the edits that leave the backbone frozen at ``until``, where training is set up.

    ``made`` is the statement that makes the backbone. Nothing is planned where it is frozen.

    Raises:
        Declined: the program decides layer by layer, or freezes another model.
    """
    frozen, anchor = False, made
    contradicting: cst.BaseExpression | None = None
    for change in freezes(tree, tree.function(made)):
        if not tree.start(made) < tree.start(change.statement) < until:
            continue
        line = tree.line(change.statement)
        if change.known is None or change.part:
            raise Declined(f"line {line} decides for each layer of `{change.owner}` by itself")
        if change.owner == variable:
            frozen = change.known is False
            contradicting = None if frozen else change.value
        elif change.known:
            # Unfreezing the whole model unfreezes the backbone in it: freeze after that.
            if tree.parents[change.statement] is not tree.parents[made]:
                raise Declined(f"line {line} unfreezes `{change.owner}` in another block")
            frozen, contradicting, anchor = False, None, change.statement  # type: ignore[assignment]
        else:
            raise Declined(f"line {line} freezes `{change.owner}`")
    if frozen:
        return
    if contradicting is not None:
        edits.replace[contradicting] = cst.Name("False")
    else:
        edits.insert_after(anchor, cst.parse_statement(f"{variable}.trainable = False\n"))
