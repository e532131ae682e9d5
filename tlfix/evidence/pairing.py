"""The arrays of images and labels that a program hands over side by side, read in the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tlfix.evidence.scaling_flow import Scope, Source
from tlfix.program.model import Program, Split

_KEEPING = {
    # Calls and methods that give an array of the same rows in the same order.
    "array",
    "asarray",
    "stack",
    "astype",
    "copy",
    "reshape",
    "flatten",
    "ravel",
    "squeeze",
    "to_numpy",
    "expand_dims",
    "preprocess_input",
    "to_categorical",
    "float32",
    "list",
    "convert_to_tensor",
    "cast",
}


@dataclass(frozen=True)
class Pair:
    """``images`` and ``labels`` given together at ``line``, to ``method``."""

    method: Literal["fit", "validation", "evaluate", "from_tensor_slices", "flow"]
    images: ast.expr
    labels: ast.expr
    line: int

    @property
    def split(self) -> Split:
        """What it is used for, as far as the call alone tells."""
        found: dict[str, Split] = {"fit": "training", "validation": "validation"}
        return found.get(self.method, "unknown")


@dataclass(frozen=True)
class Shuffle:
    """One change of the order of ``name``'s rows. ``order`` is the variable it is indexed by.

    ``form``: ``in-place`` (``np.random.shuffle(x)``), ``call`` (``x = shuffle(x)``), ``index``
    (``x = x[order]``), ``other``.
    """

    name: str
    node: ast.expr
    form: Literal["in-place", "call", "index", "other"]
    order: str | None = None


@dataclass(frozen=True)
class Bound:
    """A name that holds all images (or labels) of a pair at ``line``.

    ``listed`` is true for a Python list, false for an array, null if it cannot be read.
    ``shuffles`` are what put its rows in another order since it was last assigned, or there.
    """

    name: str
    line: int
    listed: bool | None
    shuffles: tuple[Shuffle, ...] = ()


def pairs_of(program: Program, source: Source) -> Iterator[Pair]:
    """Every place where images and labels are handed over together, in source order."""
    fits = {(fit.call.site.line, fit.call.site.column) for fit in program.fits}
    calls = (
        [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
        if source.tree
        else []
    )
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        if not isinstance(call.func, ast.Attribute):
            continue
        name = call.func.attr
        given = _given(call)
        if name == "fit" and (source.site(call).line, source.site(call).column) in fits:
            if given is not None:
                yield Pair("fit", *given, call.lineno)
            for keyword in call.keywords:
                if keyword.arg == "validation_data" and (both := _two(keyword.value)):
                    yield Pair("validation", *both, call.lineno)
        elif name == "evaluate" and given is not None:
            yield Pair("evaluate", *given, call.lineno)
        elif name == "flow" and given is not None:
            yield Pair("flow", *given, call.lineno)
        elif name == "from_tensor_slices" and call.args and (both := _two(call.args[0])):
            yield Pair("from_tensor_slices", *both, call.lineno)


def chain(source: Source, node: ast.expr, line: int) -> Iterator[Bound]:
    """The names that hold the same rows as ``node`` does at ``line``, the latest first.

    Only steps that keep all rows are followed: aliases, conversions, arithmetic with constants,
    shufflings, and the parts of ``train_test_split``.
    """
    scope = source.scope_at(node.lineno)
    seen: set[tuple[str, int]] = set()
    while (name := _rows(node)) is not None and (name, line) not in seen:
        seen.add((name, line))
        flow = _last(scope, name, line)
        since = flow.lineno if isinstance(flow, ast.expr | ast.stmt) else 0
        shuffles = [*_in_place(scope, name, since, line)]
        inner = None
        if isinstance(flow, ast.expr):
            assigned = _assigned(scope, flow, name)
            if assigned is not None:
                shuffles.append(assigned[0])
                inner = assigned[1]
            else:
                inner = _split_argument(scope, flow, name) or flow
        elif isinstance(flow, ast.AugAssign) and isinstance(flow.value, ast.Constant):
            inner = ast.copy_location(ast.Name(name), flow)  # x /= 255
        yield Bound(name, line, listed(scope, name, line), tuple(shuffles))
        if inner is None:
            return
        node, line = inner, since
        if _rows(node) == name:
            line -= 1  # x = x / 255: go on with what x was before


def made(source: Source, node: ast.expr, line: int) -> ast.expr | None:
    """The expression that made the rows of ``node``: the last one that did more than convert them.

    Parts of a fold (``x[rows]``), columns of a table and conversions are followed to what they are
    taken from, as far as its assignments can be read.
    """
    scope, found = source.scope_at(node.lineno), None
    while (name := _root(node)) is not None:
        flow = _last(scope, name, line)
        if not isinstance(flow, ast.expr):
            break
        found = flow
        inner = _root(flow)
        if inner is None or not _converts(flow):
            break
        node, line = flow, flow.lineno - 1 if inner == name else flow.lineno
    return found


def _root(node: ast.expr) -> str | None:
    """The name that ``node`` is taken from: ``y`` of ``y[rows]``, ``table`` of
    ``table["label"].values``."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return _rows(node)


def _converts(node: ast.expr) -> bool:
    """True for an alias, a column, or calls that only convert."""
    while not isinstance(node, ast.Name):
        column = isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
        if isinstance(node, ast.Call) and _called(node) in _KEEPING:
            function, given = node.func, node.args[:1]
            if isinstance(function, ast.Attribute) and _rows(function.value) == _rows(node):
                given = [function.value]  # a method of the array
            if not given:
                return False
            node = given[0]
        elif isinstance(node, ast.Attribute | ast.Subscript) and (
            column or isinstance(node, ast.Attribute)
        ):
            node = node.value
        else:
            return False
    return True


def _in_place(scope: Scope, name: str, since: int, line: int) -> Iterator[Shuffle]:
    """``shuffle(name)`` as a statement that surely runs once between two lines of a body."""
    body = scope.node.body
    for statement in body:
        if not isinstance(statement, ast.Expr) or not since <= statement.lineno <= line:
            continue
        call = statement.value
        if isinstance(call, ast.Call) and _called(call) == "shuffle" and len(call.args) == 1:
            given = call.args[0]
            if isinstance(given, ast.Name) and given.id == name:
                yield Shuffle(name, call, "in-place")


def _assigned(scope: Scope, flow: ast.expr, name: str) -> tuple[Shuffle, ast.expr] | None:
    """A shuffling whose result is assigned, and what it shuffles."""
    if isinstance(flow, ast.Call) and len(flow.args) == 1 and isinstance(flow.args[0], ast.Name):
        called = _called(flow)
        if called == "shuffle" and not _is_method(flow):
            return Shuffle(name, flow, "call"), flow.args[0]
        if called == "permutation":
            return Shuffle(name, flow, "other"), flow.args[0]
    if isinstance(flow, ast.Subscript) and isinstance(flow.value, ast.Name):
        index = flow.slice
        if isinstance(index, ast.Call) and _called(index) == "permutation":
            return Shuffle(name, flow, "other"), flow.value
        if isinstance(index, ast.Name):
            order = _last(scope, index.id, flow.lineno)
            if isinstance(order, ast.Call) and _called(order) == "permutation":
                return Shuffle(name, flow, "index", index.id), flow.value
    return None


def _is_method(call: ast.Call) -> bool:
    """True for ``dataset.shuffle(size)``, as against ``sklearn.utils.shuffle(images)``."""
    function = call.func
    return isinstance(function, ast.Attribute) and not ast.unparse(function.value).endswith("utils")


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def listed(scope: Scope, name: str, line: int) -> bool | None:
    """Whether ``name`` holds a list at ``line``."""
    flow = _last(scope, name, line)
    if isinstance(flow, ast.List | ast.ListComp):
        return True
    if isinstance(flow, ast.Call):
        method = flow.func
        if isinstance(method, ast.Attribute) and method.attr in ("append", "extend"):
            return True
        called = _called(flow)
        if called == "list":
            return True
        if called == "train_test_split":
            inner = _split_argument(scope, flow, name)
            return _of(scope, inner, flow.lineno - 1)
        if called in ("array", "asarray", "load", "stack", "astype", "zeros", "ones", "to_numpy"):
            return False
        return None
    if isinstance(flow, ast.BinOp):
        return False
    if isinstance(flow, ast.Subscript):
        return _of(scope, flow.value, flow.lineno - 1)
    return None


def _of(scope: Scope, node: ast.expr | None, line: int) -> bool | None:
    return listed(scope, node.id, line) if isinstance(node, ast.Name) else None


def _rows(node: ast.expr) -> str | None:
    """The name whose rows ``node`` holds in the same order, if it is only converted."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return _rows(node.value)  # x[:800]: fewer rows, in their order
    if isinstance(node, ast.BinOp):
        if isinstance(node.right, ast.Constant):
            return _rows(node.left)
        return _rows(node.right) if isinstance(node.left, ast.Constant) else None
    if isinstance(node, ast.Call):
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in _KEEPING:
            plain = isinstance(function.value, ast.Name) and not node.args
            method = function.attr in {"astype", "copy", "reshape", "flatten", "ravel", "squeeze"}
            if plain or method or function.attr == "to_numpy":
                return _rows(function.value)
            return _rows(node.args[0]) if node.args else None
        if isinstance(function, ast.Name) and function.id in _KEEPING and node.args:
            return _rows(node.args[0])
    return None


def _split_argument(scope: Scope, flow: ast.expr, name: str) -> ast.expr | None:
    """What ``name`` is a part of, where ``flow`` is a ``train_test_split``."""
    if not isinstance(flow, ast.Call):
        return None
    if _called(flow) != "train_test_split":
        return None
    for node in ast.walk(scope.node):
        if isinstance(node, ast.Assign) and node.value is flow:
            for target in node.targets:
                if isinstance(target, ast.Tuple):
                    names = [getattr(part, "id", None) for part in target.elts]
                    place = names.index(name) // 2 if name in names else None
                    if place is not None and place < len(flow.args):
                        return flow.args[place]
    return None


def _last(scope: Scope, name: str, line: int) -> ast.AST | None:
    """The last thing assigned (or appended) to ``name`` up to ``line``."""
    found = [flow for flow in scope.flows if flow.name == name and flow.node.lineno <= line]
    return max(found, key=lambda flow: flow.node.lineno).node if found else None


def _given(call: ast.Call) -> tuple[ast.expr, ast.expr] | None:
    """``x`` and ``y`` of a call, both given."""
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    x = call.args[0] if call.args else named.get("x")
    y = call.args[1] if len(call.args) > 1 else named.get("y")
    return None if x is None or y is None or isinstance(y, ast.Constant) else (x, y)


def _two(node: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    if isinstance(node, ast.Tuple | ast.List) and len(node.elts) == 2:
        return node.elts[0], node.elts[1]
    return None
