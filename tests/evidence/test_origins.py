"""Where a finding about data points: the line that made them what they are."""

from __future__ import annotations

import ast

import pytest

from tlfix.evidence.pairing import made
from tlfix.evidence.scaling_flow import source_of


@pytest.mark.parametrize(
    ("program", "given", "line"),
    [
        ("y = load()\ny = to_categorical(y, 8)\nfit(x, y)", "y", 1),
        ("y = load()\ny = y / 255.0\nfit(x, y)", "y", 2),
        ("x, y = load()\nx, y = x[:80], y[:80]\nfit(x[rows], y[rows])", "y[rows]", 2),
        ("t = read()\nt = t[t.a == 1]\ny = t['label'].values\nfit(x, y)", "y", 2),
        ("x = load()\nx = np.asarray(x).astype('float32')\nfit(x, y)", "x", 1),
        ("x = load()\nx = (x / 127.5 - 1).astype('uint8')\nfit(x, y)", "x", 2),
        ("for i in data:\n    pass\nfit(i, y)", "i", 1),
        ("fit(x, y)", "x", None),
    ],
)
def test_conversions_are_followed_and_what_changes_the_rows_is_not(
    program: str, given: str, line: int | None
) -> None:
    source = source_of("train.py", program)
    calls = [n for n in ast.walk(ast.parse(program)) if isinstance(n, ast.Call)]
    fit = next(c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "fit")
    node = next(a for a in fit.args if ast.unparse(a) == given)
    found = made(source, node, fit.lineno)
    assert (None if found is None else found.lineno) == line
