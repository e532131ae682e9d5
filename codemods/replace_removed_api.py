"""Replace what Keras 3 removed by the current call. https://keras.io/guides/migrating_to_keras_3/"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import ParentNodeProvider, PositionProvider

from tlfix.codemods.arguments import find, without_argument
from tlfix.codemods.base import Declined, Position
from tlfix.codemods.removed_imports import replaced_import
from tlfix.codemods.tree import Tree, dotted

RENAMED_ARGUMENTS: Mapping[str, str] = {
    "lr": "learning_rate",
    "nb_epoch": "epochs",
    "nb_val_samples": "validation_steps",
}
DROPPED_ARGUMENTS = ("decay", "workers", "use_multiprocessing", "max_queue_size", "max_q_size")

# Positional parameters as tf.keras 2 declared them, until it removed the methods.
_QUEUE = ("max_queue_size", "workers", "use_multiprocessing")
SIGNATURES: Mapping[str, tuple[str, ...]] = {
    "fit_generator": (
        *("generator", "steps_per_epoch", "epochs", "verbose", "callbacks", "validation_data"),
        *("validation_steps", "validation_freq", "class_weight", *_QUEUE),
        *("shuffle", "initial_epoch"),
    ),
    "evaluate_generator": ("generator", "steps", "callbacks", *_QUEUE, "verbose"),
    "predict_generator": ("generator", "steps", "callbacks", *_QUEUE, "verbose"),
}


class Use(TypedDict):
    """One use: its row of the table, and where its call, method name or argument starts."""

    row: str
    at: Position


class Codemod(VisitorBasedCodemodCommand):
    """Rewrites the uses told by position, and nothing else of the same name."""

    DESCRIPTION = "Replace calls and arguments that Keras 3 removed."
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self, context: CodemodContext, uses: Sequence[Use]) -> None:
        super().__init__(context)
        self.uses = uses
        self.changes: dict[cst.CSTNode, list[tuple[str, Callable[..., cst.CSTNode]]]] = {}

    def visit_Module(self, node: cst.Module) -> None:
        """Find every use, or decline before anything is changed."""
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        for use in self.uses:
            target, change = _planned(tree, use["row"], use["at"])
            self.changes.setdefault(target, []).append((use["row"], change))

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        """Put the planned changes in place."""
        updated = super().on_leave(original_node, updated_node)
        for row, change in self.changes.get(original_node, ()):
            updated = change(updated, row)
        return updated


def _planned(tree: Tree, row: str, at: Position) -> tuple[cst.CSTNode, Callable[..., cst.CSTNode]]:
    if row in SIGNATURES or row in ("predict_proba", "predict_classes"):
        for call in tree.calls(row):
            assert isinstance(call.func, cst.Attribute)
            if at in (tree.start(call), tree.start(call.func.attr)):
                return call, _to_current if row in SIGNATURES else _to_predict
    elif row in RENAMED_ARGUMENTS or row in DROPPED_ARGUMENTS:
        for call in tree.calls():
            place = find(call, row, None)
            if place is not None and at in (tree.start(call), tree.start(call.args[place])):
                return call, _without if row in DROPPED_ARGUMENTS else _with_new_name
    else:
        for node in tree.nodes():
            if isinstance(node, cst.Import | cst.ImportFrom) and tree.start(node) == at:
                return node, replaced_import(tree, node)
            if _through_np_utils(node) and tree.start(node) == at:
                return node, _shortened
    raise Declined(f"`{row}` is not used at line {at.line}, column {at.column + 1}")


def _with_new_name(call: cst.Call, row: str) -> cst.Call:
    new = RENAMED_ARGUMENTS[row]
    if find(call, new, None) is not None:
        raise Declined(f"both {row} and {new} are given")
    args = [
        a.with_changes(keyword=cst.Name(new)) if a.keyword and a.keyword.value == row else a
        for a in call.args
    ]
    return call.with_changes(args=args)


def _without(call: cst.Call, row: str) -> cst.Call:
    return without_argument(call, row, None)


def _to_current(call: cst.Call, row: str) -> cst.Call:
    """``fit_generator(g, 10)`` to ``fit(g, steps_per_epoch=10)``, likewise its two siblings."""
    signature = SIGNATURES[row]
    args = []
    for index, argument in enumerate(call.args):
        name = argument.keyword.value if argument.keyword is not None else None
        if argument.star:
            raise Declined(f"`{row}` gets its arguments through {argument.star}")
        if name == "samples_per_epoch":
            raise Declined("samples_per_epoch counts images, steps_per_epoch counts batches")
        if name is None and index >= len(signature):
            raise Declined(f"`{row}` has more arguments than are known by position")
        if name is None and index >= 2 and row != "fit_generator":
            # Keras 2.2 and tf.keras 2 disagree on what stands third.
            raise Declined(f"what the third argument of `{row}` means depends on the version")
        if name is None and index > 0:
            argument = _keyed(argument, signature[index])
        elif name == "generator":
            argument = argument.with_changes(keyword=cst.Name("x"))
        elif name in RENAMED_ARGUMENTS:
            argument = argument.with_changes(keyword=cst.Name(RENAMED_ARGUMENTS[name]))
        args.append(argument)
    changed = call.with_changes(args=args)
    for name in DROPPED_ARGUMENTS:
        changed = without_argument(changed, name, None)
    return _renamed(changed, row.removesuffix("_generator"))


def _keyed(argument: cst.Arg, name: str) -> cst.Arg:
    none = cst.SimpleWhitespace("")
    return argument.with_changes(keyword=cst.Name(name), equal=cst.AssignEqual(none, none))


def _to_predict(call: cst.Call, row: str) -> cst.BaseExpression:
    predicted = _renamed(call, "predict")
    if row == "predict_proba":
        return predicted
    last = _keyed(cst.Arg(cst.UnaryOperation(cst.Minus(), cst.Integer("1"))), "axis")
    return cst.Call(cst.Attribute(predicted, cst.Name("argmax")), [last])


def _renamed(call: cst.Call, method: str) -> cst.Call:
    assert isinstance(call.func, cst.Attribute)
    return call.with_changes(func=call.func.with_changes(attr=cst.Name(method)))


def _through_np_utils(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Attribute) and (dotted(node.value) or "").endswith(".np_utils")


def _shortened(node: cst.Attribute, row: str) -> cst.Attribute:
    """``keras.utils.np_utils.to_categorical`` to ``keras.utils.to_categorical``."""
    assert isinstance(node.value, cst.Attribute)
    return node.with_changes(value=node.value.value)
