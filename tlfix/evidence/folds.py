"""Cross-validation in the source: the loop over folds, and whether it makes its model anew."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tlfix.codemods.base import Position
from tlfix.program.model import Fit, Program

_RESETS = frozenset({"load_weights", "set_weights", "clone_model", "from_config", "load_model"})
"""Methods and functions that give a model other weights."""

_HARMLESS = frozenset(
    (
        "fit",
        "fit_generator",
        "evaluate",
        "evaluate_generator",
        "predict",
        "predict_classes",
        "predict_generator",
        "compile",
        "summary",
        "save",
        "save_weights",
        "get_weights",
        "print",
        "len",
        "append",
    )
)
"""Calls that leave the weights where training left them (or, as ``fit``, are the training)."""


@dataclass(frozen=True)
class Folds:
    """A loop over the folds of a splitter of scikit-learn, with a ``fit`` in it."""

    line: int
    start: Position
    splitter: str


def reused(program: Program, fit: Fit) -> Folds | None:
    """The loop over folds that trains one model object on and on; None where it may be fresh.

    The model's variable must be bound outside, and nothing in the loop may reset its weights: a
    call this reading does not know, with the model as an argument, might.
    """
    if not fit.call.in_loop or fit.model is None or not fit.model.isidentifier():
        return None
    try:
        module = ast.parse(program.text)
    except SyntaxError:
        return None
    if any(isinstance(n, ast.Global) and fit.model in n.names for n in ast.walk(module)):
        return None
    for loop in _around(module, fit.call.site.line):
        splitter = _splitter(program, loop)
        if splitter is not None:
            if _fresh(loop, fit.model):
                return None
            return Folds(loop.lineno, Position(loop.lineno, loop.col_offset), splitter)
    return None


def _around(module: ast.Module, line: int) -> Iterator[ast.For]:
    """The loops whose body holds ``line``, in the function of that line, outermost first."""
    inner = 0
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and (
            node.lineno <= line <= (node.end_lineno or 0)
        ):
            inner = max(inner, node.lineno)
    for node in ast.walk(module):
        if not isinstance(node, ast.For) or node.lineno <= inner:
            continue
        if node.body[0].lineno <= line <= (node.end_lineno or 0):
            yield node


def _splitter(program: Program, loop: ast.For) -> str | None:
    """The class whose ``split`` the loop runs over, None if it is none."""
    names = {node.id for node in ast.walk(loop.iter) if isinstance(node, ast.Name)}
    for call in program.calls:
        site = call.site
        owner, _, method = call.name.rpartition(".")
        if method != "split" or not re.search(r"(Fold|Split|Out)$", owner):
            continue
        inside = loop.iter.lineno <= site.line and site.end_line <= (loop.iter.end_lineno or 0)
        line = program.text.splitlines()[site.line - 1]
        bound = re.match(r"\s*(\w+)\s*=(?!=)", line)
        if inside or (bound and bound[1] in names and site.line < loop.lineno):
            return owner.rsplit(".", 1)[-1]
    return None


def _fresh(loop: ast.For, model: str) -> bool:
    """True if the model may start anew in a round of the loop."""
    for node in (n for part in loop.body for n in ast.walk(part)):
        if isinstance(node, ast.Name | ast.arg) and isinstance(
            getattr(node, "ctx", None), ast.Store | ast.Del
        ):
            if getattr(node, "id", None) == model:
                return True
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if _root(node) == model and node.attr not in ("trainable",):
                return True
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else _root(node.func)
            if name in _RESETS:
                return True
            given = (*node.args, *(keyword.value for keyword in node.keywords))
            if name not in _HARMLESS and any(_root(value) == model for value in given):
                return True
            layers = isinstance(node.func, ast.Attribute) and _root(node.func.value) == model
            if layers and name not in _HARMLESS:
                return True
    return False


def _root(node: ast.expr) -> str | None:
    """The variable an attribute or subscript chain starts from."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
