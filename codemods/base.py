"""How a codemod is addressed, run, and how it declines."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """The start of a node: line from 1, column from 0, in characters."""

    line: int
    column: int


class Declined(Exception):
    """A codemod could not place its change safely; the message says why, for the user to read."""


def names() -> tuple[str, ...]:
    """The names of all codemods, sorted. A module is one if it defines ``Codemod``."""
    import tlfix.codemods as package

    found = []
    for module in pkgutil.iter_modules(package.__path__):
        if hasattr(import_module(f"tlfix.codemods.{module.name}"), "Codemod"):
            found.append(module.name)
    return tuple(sorted(found))


def transform(source: str, name: str, parameters: Mapping[str, object]) -> str:
    """``source`` after the codemod ``name``; bytes it has no reason to touch stay as they are.

    Raises:
        Declined: the change cannot be placed safely, with the reason.
    """
    # Imported here: causes only need positions, and LibCST is half the start-up of ``tlfix check``.
    import libcst as cst
    from libcst.codemod import CodemodContext

    codemod = import_module(f"tlfix.codemods.{name}").Codemod
    command = codemod(CodemodContext(), **parameters)
    changed: str = command.transform_module(cst.parse_module(source)).code
    if changed == source:
        raise Declined(f"{name} found nothing to change at the given place")
    compile(changed, "<patched>", "exec")
    return changed
