"""Replace what Keras 3 removed by the current call. https://keras.io/guides/migrating_to_keras_3/"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict

import libcst as cst
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.metadata import ParentNodeProvider, PositionProvider

from tlfix.codemods.arguments import find, without_argument
from tlfix.codemods.base import Declined, Position
from tlfix.codemods.moved_imports import Move, moved
from tlfix.codemods.tree import Tree

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
_RENAMED = {"generator": "x", "nb_epoch": "epochs"}
_COUNTS_IMAGES = ("samples_per_epoch", "nb_val_samples")

Change = Callable[[cst.CSTNode], cst.CSTNode | cst.FlattenSentinel[cst.BaseStatement]]


class Use(TypedDict):
    """One use, where it starts: a call, an argument (``lr=``), a string, or an imported name.

    ``old`` is what is written there and ``new`` what takes its place, qualified where imported.
    """

    at: Position
    old: str
    new: str


class Codemod(VisitorBasedCodemodCommand):
    """Rewrites the uses told by position, and nothing else of the same name."""

    DESCRIPTION = "Replace calls, arguments and imports that Keras 3 removed."
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self, context: CodemodContext, uses: Sequence[Use]) -> None:
        super().__init__(context)
        self.uses = uses
        self.changes: dict[cst.CSTNode, list[Change]] = {}

    def visit_Module(self, node: cst.Module) -> None:
        """Find every use, or decline before anything is changed."""
        assert self.context.wrapper is not None
        tree = Tree.of(self.context.wrapper)
        moves: list[Move] = []
        for use in self.uses:
            move = Move.at(tree, use["at"], use["old"], use["new"])
            if move is not None:
                moves.append(move)
                continue
            target, change = _planned(tree, use)
            self.changes.setdefault(target, []).append(change)
        for line, lines in moved(tree, moves):
            self.changes[line] = [lambda _, lines=lines: lines]  # type: ignore[misc]

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> object:  # type: ignore[override]
        """Put the planned changes in place."""
        updated = super().on_leave(original_node, updated_node)
        for change in self.changes.get(original_node, ()):
            updated = change(updated)  # type: ignore[arg-type, assignment]
        return updated


def _planned(tree: Tree, use: Use) -> tuple[cst.CSTNode, Change]:
    old, new, at = use["old"], use["new"], use["at"]
    for node in tree.nodes():
        if isinstance(node, cst.Call):
            change = _call(tree, node, use)
            if change is not None:
                return node, change
        elif isinstance(node, cst.SimpleString) and (tree.start(node), node.evaluated_value) == (
            at,
            old,
        ):
            return node, lambda n: _string(n, old, new)
    raise Declined(f"`{old}` is not used at line {at.line}, column {at.column + 1}")


def _call(tree: Tree, call: cst.Call, use: Use) -> Change | None:
    """The change of ``call`` if it is the one meant."""
    old, new, at = use["old"], use["new"], use["at"]
    keyword = old.removesuffix("=")
    if old.endswith("="):
        place = find(call, keyword, None)
        if place is None or at not in (tree.start(call), tree.start(call.args[place])):
            return None
        return lambda n: _with_new_name(n, keyword, new.removesuffix("="))
    if tree.start(call) != at or not isinstance(call.func, cst.Attribute):
        return None
    method = call.func.attr.value
    if method == old and old in SIGNATURES:
        return lambda n: _to_current(n, old)
    if method == old and old in ("predict_proba", "predict_classes"):
        return lambda n: _to_predict(n, old)
    gone = _removed_part(old, new)
    if gone is not None and any(p == gone for p in _parts(call.func)):
        return lambda n: _without_part(n, gone)
    return None


def _with_new_name(call: cst.CSTNode, old: str, new: str) -> cst.Call:
    assert isinstance(call, cst.Call)
    if find(call, new, None) is not None:
        if find(call, old, None) is not None:
            raise Declined(f"both {old} and {new} are given")
        return call
    args = [
        a.with_changes(keyword=cst.Name(new)) if a.keyword and a.keyword.value == old else a
        for a in call.args
    ]
    return call.with_changes(args=args)


def _string(node: cst.CSTNode, old: str, new: str) -> cst.SimpleString:
    assert isinstance(node, cst.SimpleString)
    return node.with_changes(value=node.value.replace(old, new))


def _to_current(call: cst.CSTNode, method: str) -> cst.Call:
    """``fit_generator(g, 10)`` to ``fit(g, steps_per_epoch=10)``, likewise its two siblings."""
    assert isinstance(call, cst.Call)
    signature = SIGNATURES[method]
    args = []
    for index, argument in enumerate(call.args):
        name = argument.keyword.value if argument.keyword is not None else None
        if argument.star:
            raise Declined(f"`{method}` gets its arguments through {argument.star}")
        if name in _COUNTS_IMAGES:
            raise Declined(f"{name} counts images, its successor counts batches")
        if name is None and index >= len(signature):
            raise Declined(f"`{method}` has more arguments than are known by position")
        if name is None and index >= 2 and method != "fit_generator":
            # Keras 2.2 and tf.keras 2 disagree on what stands third.
            raise Declined(f"what the third argument of `{method}` means depends on the version")
        if name is None and index > 0:
            argument = _keyed(argument, signature[index])
        elif name in _RENAMED:
            argument = argument.with_changes(keyword=cst.Name(_RENAMED[name]))
        args.append(argument)
    changed = call.with_changes(args=args)
    for name in (*_QUEUE, "max_q_size"):
        changed = without_argument(changed, name, None)
    return _renamed(changed, method.removesuffix("_generator"))


def _keyed(argument: cst.Arg, name: str) -> cst.Arg:
    none = cst.SimpleWhitespace("")
    return argument.with_changes(keyword=cst.Name(name), equal=cst.AssignEqual(none, none))


def _to_predict(call: cst.CSTNode, method: str) -> cst.BaseExpression:
    assert isinstance(call, cst.Call)
    predicted = _renamed(call, "predict")
    if method == "predict_proba":
        return predicted
    last = _keyed(cst.Arg(cst.UnaryOperation(cst.Minus(), cst.Integer("1"))), "axis")
    return cst.Call(cst.Attribute(predicted, cst.Name("argmax")), [last])


def _renamed(call: cst.Call, method: str) -> cst.Call:
    assert isinstance(call.func, cst.Attribute)
    return call.with_changes(func=call.func.with_changes(attr=cst.Name(method)))


def _removed_part(old: str, new: str) -> str | None:
    """``np_utils`` of ``keras.utils.np_utils.f`` and ``keras.utils.f``; None if more differs."""
    parts = old.split(".")
    for index, part in enumerate(parts):
        if ".".join(parts[:index] + parts[index + 1 :]) == new:
            return part
    return None


def _parts(node: cst.BaseExpression) -> list[str]:
    parts = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    return parts


def _without_part(call: cst.CSTNode, part: str) -> cst.Call:
    """``keras.utils.np_utils.to_categorical(y)`` to ``keras.utils.to_categorical(y)``."""
    assert isinstance(call, cst.Call)

    def shorten(node: cst.BaseExpression) -> cst.BaseExpression:
        if not isinstance(node, cst.Attribute):
            return node
        if node.attr.value == part:
            return node.value
        return node.with_changes(value=shorten(node.value))

    return call.with_changes(func=shorten(call.func))
