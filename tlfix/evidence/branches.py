"""The arms of a script's branches: of the arms of one branch only one runs."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

Arm = tuple[int, int]
"""The ``id`` of a branch's node, and the number of the arm."""

_LEAVING = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_BRANCHES = (ast.If, ast.IfExp, ast.Try, ast.Match)


class Arms:
    """In which arms each node of a tree stands.

    What follows an ``if`` whose body leaves (``return`` …) stands in its other arm.
    """

    def __init__(self, tree: ast.Module) -> None:
        self._around: dict[int, frozenset[Arm]] = {}
        self._inside: dict[Arm, list[ast.AST]] = {}
        self._branches: dict[int, ast.AST] = {}
        # A stack of its own: expressions may be nested deeper than Python's.
        pending: list[tuple[ast.AST, frozenset[Arm]]] = [(tree, frozenset())]
        while pending:
            node, arms = pending.pop()
            self._around[id(node)] = arms
            if isinstance(node, _BRANCHES):
                self._branches[id(node)] = node
            split = {id(n): number for number, part in enumerate(_arms(node)) for n in part}
            for _, value in ast.iter_fields(node):
                each = value if isinstance(value, list) else [value]
                here = arms
                for child in each:
                    if not isinstance(child, ast.AST):
                        continue
                    number = split.get(id(child))
                    mine = here if number is None else here | {(id(node), number)}
                    for arm in mine - arms:
                        self._inside.setdefault(arm, []).append(child)
                    pending.append((child, mine))
                    left = _left(child)
                    if left is not None:
                        here |= {(id(child), left)}

    def around(self, node: ast.AST) -> frozenset[Arm]:
        """The arms that ``node`` stands in."""
        return self._around.get(id(node), frozenset())

    def inside(self, arms: Iterable[Arm]) -> list[ast.AST]:
        """The outermost nodes in ``arms``."""
        return [node for arm in arms for node in self._inside.get(arm, ())]

    def others(self, arm: Arm) -> frozenset[Arm]:
        """The other arms of the same branch, none of which runs where ``arm`` does."""
        branch, taken = arm
        return frozenset(each for each in self.of(branch) if each[1] != taken)

    def of(self, branch: int) -> list[Arm]:
        """The arms of a branch; an ``if`` without ``else`` has two."""
        return [(branch, number) for number in range(len(_arms(self._branches[branch])))]

    def touched(self, nodes: Iterable[ast.AST]) -> list[int]:
        """The branches that decide which of ``nodes``, or what within them, is run."""
        arms: set[Arm] = set()
        for node in nodes:
            arms |= self.around(node)
            arms.update(
                arm
                for inner in ast.walk(node)
                if isinstance(inner, _BRANCHES)
                for arm in self.of(id(inner))
            )
        found = []
        for branch in {branch for branch, _ in arms}:
            node = self._branches[branch]
            # Of a `try` alone nobody expects the handler; `__main__` is what runs.
            least = 2 if isinstance(node, ast.Try) else 1
            named = isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)
            if not named and sum(each == branch for each, _ in arms) >= least:
                found.append(branch)
        return sorted(found, key=lambda each: getattr(self._branches[each], "lineno", 0))


def _arms(node: ast.AST) -> Sequence[Sequence[ast.AST]]:
    """The parts of a branch of which one runs; none of anything else."""
    if isinstance(node, ast.If):
        return node.body, node.orelse
    if isinstance(node, ast.IfExp):
        return [node.body], [node.orelse]
    if isinstance(node, ast.Try):
        return [*node.body, *node.orelse], *([handler] for handler in node.handlers)
    if isinstance(node, ast.Match):
        return [[case] for case in node.cases]
    return ()


def _left(node: ast.AST) -> int | None:
    """The arm of an ``if`` that goes on where the other one leaves."""
    if not isinstance(node, ast.If):
        return None
    if isinstance(node.body[-1], _LEAVING):
        return 1
    return 0 if node.orelse and isinstance(node.orelse[-1], _LEAVING) else None
