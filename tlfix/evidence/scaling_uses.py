"""Where a program gives images to its model: ``fit`` and the like, and loops written out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tlfix.evidence.scaling_flow import Source
from tlfix.program.model import Backbone, Program, Site, Split

_WRAPPING = {"enumerate", "tqdm"}


@dataclass(frozen=True)
class Use:
    """``images`` as they are handed over at ``site``, by ``method`` (``fit``, ``predict``; ``loop``
    for a loop over the data)."""

    split: Split
    site: Site
    method: str
    images: ast.expr


def uses(program: Program, source: Source, backbone: Backbone) -> Iterator[Use]:
    """Every image argument of ``fit``, ``evaluate`` and ``predict``; without any ``fit``, the data
    that training loops run over."""
    models = {fit.model for fit in program.fits} | {backbone.variable}
    for fit in program.fits:
        call = source.call_at(fit.call.site)
        if call is None:
            continue
        for node in _given(call, 0, "x", "generator"):
            yield Use("training", fit.call.site, "fit", node)
        for node in _given(call, None, "validation_data"):
            first = node.elts[0] if isinstance(node, ast.Tuple) and node.elts else node
            if not (isinstance(first, ast.Constant) and first.value is None):
                yield Use("validation", fit.call.site, "fit", first)
    for method in ("evaluate", "predict", "evaluate_generator", "predict_generator"):
        for made in program.calls_named(method):
            call = source.call_at(made.site)
            if call is None or not (made.name.startswith("keras.") or made.receiver_text in models):
                continue
            for node in _given(call, 0, "x", "generator"):
                yield Use("test", made.site, method, node)
    if program.custom_loop and not program.fits:
        yield from _loops(source)


def _given(call: ast.Call, place: int | None, *keywords: str) -> Iterator[ast.expr]:
    for keyword in call.keywords:
        if keyword.arg in keywords:
            yield keyword.value
            return
    if place is not None and len(call.args) > place:
        node = call.args[place]
        if not isinstance(node, ast.Starred) and not isinstance(node, ast.Constant):
            yield node


def _loops(source: Source) -> Iterator[Use]:
    """The data behind each ``model(images, training=…)``: under a tape it is trained on."""
    if source.tree is None:
        return
    around = {inner: node for node in ast.walk(source.tree) for inner in ast.iter_child_nodes(node)}
    taped = [
        call
        for node in ast.walk(source.tree)
        if isinstance(node, ast.With) and "GradientTape" in source.code(node.items[0].context_expr)
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and _mode(call)
    ]
    models = {call.func.id for call in taped if isinstance(call.func, ast.Name)}
    found: dict[Site, Use] = {}
    for call in ast.walk(source.tree):
        if not isinstance(call, ast.Call) or not call.args or not _mode(call):
            continue
        trained = call in taped
        if trained or (isinstance(call.func, ast.Name) and call.func.id in models):
            for data in _iterated(source, around, call.args[0], call):
                site = source.site(data)
                found.setdefault(
                    site, Use("training" if trained else "validation", site, "loop", data)
                )
    yield from sorted(found.values(), key=lambda use: (use.site.line, use.site.column))


def _mode(call: ast.Call) -> bool:
    return any(keyword.arg == "training" for keyword in call.keywords)


def _iterated(
    source: Source, around: dict[ast.AST, ast.AST], value: ast.expr, place: ast.AST
) -> Iterator[ast.expr]:
    """What the loop runs over that gives ``value`` at ``place``: in its function, or where that is
    called."""
    if not isinstance(value, ast.Name):
        return
    node = place
    while (node := around.get(node, source.tree or node)) is not source.tree:
        if isinstance(node, ast.For) and any(
            isinstance(n, ast.Name) and n.id == value.id for n in ast.walk(node.target)
        ):
            yield _unwrapped(node.iter)
            return
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in node.args.args]
            if value.id in names:
                for call in ast.walk(source.tree) if source.tree else ():
                    if isinstance(call, ast.Call) and _names(call, node.name):
                        for given in call.args[names.index(value.id) :][:1]:
                            yield from _iterated(source, around, given, call)
            return


def _names(call: ast.Call, function: str) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == function


def _unwrapped(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Call) and node.args:
        function = node.func
        name = function.id if isinstance(function, ast.Name) else ""
        if name not in _WRAPPING:
            break
        node = node.args[0]
    return node
