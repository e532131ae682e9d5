"""Where a program compares predictions of a data set with labels read from it another time."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

_GROWING = ("append", "extend")
_ORDERLESS = ("len", "set", "unique", "max", "min", "bincount", "Counter", "sum", "sorted")
_MEASURES = ("shape", "size", "dtype", "ndim")


@dataclass(frozen=True)
class Comparison:
    """One expression that holds both. ``labels`` is the source of the labels in it."""

    line: int
    labels: str


def parsed(text: str) -> ast.Module | None:
    """The syntax tree of a text, None if it has none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def comparisons(
    tree: ast.Module, predict_line: int, data: str, labels: str | None
) -> Iterator[Comparison]:
    """Comparisons of what ``predict`` at ``predict_line`` gave with labels of ``data``.

    Labels are ``data.classes`` and ``data.labels``, the variable ``labels``, and whatever a loop
    over ``data`` collects. Names are followed through assignments in the order of the source, from
    the call of ``predict`` on; a name given another value is no longer followed.
    """
    found: set[int] = set()
    for body in _bodies(tree):
        names = _Names(data, labels, predict_line)
        for node in body:
            for comparison in names.take(node):
                if comparison.line not in found:
                    found.add(comparison.line)
                    yield comparison


def _bodies(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    """The statements of the module and of each function, those in blocks in their place."""
    yield list(_flat(tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield list(_flat(node.body))


def _flat(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.With | ast.Try):
            yield from _flat(node.body)
            yield from _flat(getattr(node, "orelse", []))
            yield from _flat(getattr(node, "finalbody", []))


class _Names:
    """The names that hold predictions, and those that hold labels, as statements go by."""

    def __init__(self, data: str, labels: str | None, predict_line: int) -> None:
        self.data, self.line = data, predict_line
        self.predictions: set[str] = set()
        self.labels: set[str] = {labels} if labels else set()

    def take(self, node: ast.stmt) -> Iterator[Comparison]:
        """The comparisons in one statement; names assigned by it are followed from here on."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return
        if isinstance(node, ast.If | ast.While | ast.With | ast.Try):
            return  # its statements come by themselves
        if isinstance(node, ast.For):
            if self._is_data(node.iter):
                self.labels |= _collected(node)
            return
        for part in ast.walk(node):
            if isinstance(part, ast.Compare | ast.Call):
                labels = self._compared(part)
                if labels is not None:
                    yield Comparison(part.lineno, labels)
                    break
        if isinstance(node, ast.Assign):
            self._assign(node)

    def _compared(self, node: ast.Compare | ast.Call) -> str | None:
        """The source of the labels, if predictions and labels stand side by side in ``node``."""
        sides = (
            [node.left, *node.comparators]
            if isinstance(node, ast.Compare)
            else [*node.args, *(k.value for k in node.keywords)]
        )
        for side in list(sides):
            if isinstance(side, ast.Dict):  # the columns of a table
                sides += side.values
        if not any(self._predicted(side) for side in sides):
            return None
        for side in sides:
            found = self._labelled(side)
            if found is not None and not self._predicted(side):
                return found
        return None

    def _assign(self, node: ast.Assign) -> None:
        names = {
            part.id
            for target in node.targets
            for part in ast.walk(target)
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
        }
        predicted, labelled = self._predicted(node.value), self._labelled(node.value) is not None
        self.predictions -= names
        self.labels -= names
        if predicted and not labelled:
            self.predictions |= names
        elif labelled and not predicted:
            self.labels |= names

    def _predicted(self, node: ast.expr) -> bool:
        for part in _ordered(node):
            if isinstance(part, ast.Name) and part.id in self.predictions:
                return True
            if (
                isinstance(part, ast.Call)
                and isinstance(part.func, ast.Attribute)
                and part.func.attr in ("predict", "predict_generator")
                and part.lineno <= self.line <= (part.end_lineno or part.lineno)
            ):
                return True
        return False

    def _labelled(self, node: ast.expr) -> str | None:
        """The source of labels in ``node``, in the order of the files rather than as fed."""
        if any(isinstance(p, ast.Attribute) and p.attr == "index_array" for p in ast.walk(node)):
            return None
        for part in _ordered(node):
            if isinstance(part, ast.Name) and part.id in self.labels:
                return part.id
            if (
                isinstance(part, ast.Attribute)
                and part.attr in ("classes", "labels")
                and ast.unparse(part.value) == self.data
            ):
                return ast.unparse(part)
            if isinstance(part, ast.ListComp | ast.GeneratorExp) and any(
                self._is_data(generator.iter) for generator in part.generators
            ):
                return ast.unparse(part)
        return None

    def _is_data(self, node: ast.expr) -> bool:
        """True for ``data``, and for it unbatched or mapped: a pass over it."""
        while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr not in ("unbatch", "map", "as_numpy_iterator", "prefetch"):
                return False
            node = node.func.value
        return isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) == self.data


def _ordered(node: ast.expr) -> Iterator[ast.AST]:
    """The parts of an expression whose order of rows matters to it: not those of ``len`` and so on.

    Comprehensions come whole, before their parts.
    """
    pending: list[ast.AST] = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, ast.Attribute) and part.attr in _MEASURES:
            continue
        if isinstance(part, ast.Call):
            called = part.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in _ORDERLESS:
                continue
        yield part
        pending.extend(ast.iter_child_nodes(part))


def _collected(loop: ast.For) -> set[str]:
    """Lists that a loop appends to, unless it predicts as it goes: then both are of one pass."""
    names: set[str] = set()
    for node in ast.walk(loop):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute):
            if node.func.attr.startswith("predict"):
                return set()
            if node.func.attr in _GROWING and isinstance(node.func.value, ast.Name):
                names.add(node.func.value.id)
        elif isinstance(node.func, ast.Name) and node.func.id == "model":
            return set()
    return names
