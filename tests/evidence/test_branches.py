"""Which arms of branches a statement stands in."""

from __future__ import annotations

import ast

import pytest

from tlfix.evidence.branches import Arms


def arms_of(text: str) -> dict[str, list[int]]:
    """For each constant assigned in ``text`` the numbers of the arms around it."""
    tree = ast.parse(text)
    arms = Arms(tree)
    return {
        str(node.value): sorted(number for _, number in arms.around(node))
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if a:\n    x = 1\nelse:\n    x = 2\ny = 3", {"1": [0], "2": [1], "3": []}),
        ("x = 1 if a else 2", {"1": [0], "2": [1]}),
        ("def f():\n    if a:\n        return 1\n    return 2", {"1": [0], "2": [1]}),
        ("if a:\n    x = 1\nelse:\n    raise E\nx = 2", {"1": [0], "2": [0]}),
        ("try:\n    x = 1\nexcept E:\n    x = 2", {"1": [0], "2": [1]}),
        ("if a:\n    x = 1\nelif b:\n    x = 2", {"1": [0], "2": [0, 1]}),
    ],
)
def test_arms(text: str, expected: dict[str, list[int]]) -> None:
    assert arms_of(text) == expected


def test_what_always_runs_is_no_choice() -> None:
    tree = ast.parse("if __name__ == '__main__':\n    x = 1\ntry:\n    x = 2\nexcept E:\n    pass")
    arms = Arms(tree)
    assert arms.touched([node for node in ast.walk(tree) if isinstance(node, ast.Assign)]) == []
