"""One operator per file, named like the cause it plants."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from benchmarks.faultbench.planting import Operator


def load() -> dict[str, Operator]:
    """Every operator, by the id of its cause."""
    names = sorted(file.stem for file in Path(__file__).parent.glob("*.py"))
    found = {}
    for name in names:
        if name != "__init__":
            operator = import_module(f"{__name__}.{name}").OPERATOR
            found[operator.cause] = operator
    return found
