"""The optimizer a ``compile`` call gets, and the same optimizer at another learning rate."""

from __future__ import annotations

import re

import libcst as cst

from tlfix.codemods.arguments import appended, find
from tlfix.codemods.base import Declined
from tlfix.codemods.keras_names import spell
from tlfix.codemods.tree import Edits, Tree, dotted

_NAMES = (
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "Adamax",
    "AdamW",
    "Ftrl",
    "Lamb",
    "Lion",
    "Muon",
    "Nadam",
    "RMSprop",
    "SGD",
)
CLASSES = {name.lower(): name for name in _NAMES}
"""The optimizers of Keras: the string that names one, and its class. All take the rate first."""


def number(rate: float) -> str:
    """A learning rate as source: ``1e-5``, ``0.001``."""
    if rate >= 1e-3:
        text = f"{rate:.6g}"
        return text if re.search(r"[.e]", text) else f"{text}.0"
    mantissa, exponent = f"{rate:.5e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def optimizer_of(tree: Tree, compile_call: cst.Call) -> cst.BaseExpression | None:
    """The expression ``compile`` gets as its optimizer, names followed to what they are bound to.

    None if the call has none (Keras then takes RMSprop).

    Raises:
        Declined: the name is bound in more than one place.
    """
    place = find(compile_call, "optimizer", 0)
    if place is None:
        if any(argument.star == "**" for argument in compile_call.args):
            raise Declined("the optimizer is handed to compile in a **argument")
        return None
    expression = compile_call.args[place].value
    if (name := dotted(expression)) is None:
        return expression
    value = bound_value(tree, name, compile_call)
    return expression if value is None else value


def bound_value(tree: Tree, name: str, use: cst.CSTNode) -> cst.BaseExpression | None:
    """The only value assigned to ``name`` that ``use`` can see, None if there is none to see.

    Raises:
        Declined: the name is bound in more than one place.
    """
    visible = [b for b in tree.bindings(name) if tree.function(b) in (tree.function(use), None)]
    own = [b for b in visible if tree.function(b) is tree.function(use)]
    found = own or visible
    if len(found) > 1:
        raise Declined(f"`{name}` is bound in {len(found)} places")
    if not found:
        return None
    node = found[0]
    if isinstance(node, cst.AnnAssign):
        return node.value
    assign = tree.parents[node]
    if isinstance(node, cst.AssignTarget) and isinstance(assign, cst.Assign):
        return assign.value if dotted(node.target) == name else None
    return None


def rate_place(call: cst.Call) -> int | None:
    """Where the learning rate stands among the arguments of an optimizer call, None if absent.

    Raises:
        Declined: another library's optimizer, whose first argument need not be the rate.
    """
    for keyword in ("learning_rate", "lr"):
        place = find(call, keyword, None)
        if place is not None:
            return place
    name = (dotted(call.func) or "").rsplit(".", 1)[-1]
    known = name.lower() in CLASSES
    if not known or (dotted(call.func) or "").startswith("tfa."):
        raise Declined(f"`{name or 'the optimizer'}` is no optimizer of Keras that tlfix knows")
    return find(call, "learning_rate", 0)


def with_rate(call: cst.Call, rate: float) -> cst.Call:
    """An optimizer call at ``rate``; a removed ``lr=`` becomes ``learning_rate=``.

    Raises:
        Declined: where the rate stands is not known, or ``**`` may hold it.
    """
    place = rate_place(call)
    value = cst.parse_expression(number(rate))
    if place is None:
        if any(argument.star == "**" for argument in call.args):
            raise Declined("a **argument may already hold the learning rate")
        return appended(call, "learning_rate", value)
    args = list(call.args)
    old = args[place]
    keyword = None if old.keyword is None else cst.Name("learning_rate")
    args[place] = old.with_changes(value=value, keyword=keyword)
    return call.with_changes(args=args)


def named(tree: Tree, name: str, rate: float, edits: Edits, *places: cst.CSTNode) -> cst.Call:
    """``Adam(learning_rate=…)`` for ``"adam"``, spelled as the program does at ``places``.

    Raises:
        Declined: Keras has no optimizer of that name.
    """
    if name.lower() not in CLASSES:
        raise Declined(f"Keras has no optimizer named {name!r}")
    written = spell(tree, f"optimizers.{CLASSES[name.lower()]}", edits, *places)
    call = cst.parse_expression(f"{written}(learning_rate={number(rate)})")
    assert isinstance(call, cst.Call)
    return call


def fresh_optimizer(tree: Tree, compile_call: cst.Call, rate: float, edits: Edits) -> cst.Call:
    """A new optimizer of the kind ``compile`` has, at ``rate``.

    Raises:
        Declined: what kind that is cannot be read.
    """
    optimizer = optimizer_of(tree, compile_call)
    if optimizer is None:
        return named(tree, "rmsprop", rate, edits, compile_call)
    if isinstance(optimizer, cst.SimpleString) and isinstance(optimizer.evaluated_value, str):
        return named(tree, optimizer.evaluated_value, rate, edits, compile_call)
    if isinstance(optimizer, cst.Call):
        return with_rate(optimizer.deep_clone(), rate)
    raise Declined(f"the optimizer `{tree.code(optimizer)}` cannot be read")
