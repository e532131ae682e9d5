"""How a program writes a Keras name: ``tf.keras.layers.Dense``, ``layers.Dense`` or ``Dense``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from tlfix.codemods.base import Declined
from tlfix.codemods.tree import Edits, dotted

ROOTS = ("tensorflow.keras", "keras", "tf_keras", "tensorflow.python.keras")
"""The packages that are Keras, under the names programs import."""


@dataclass(frozen=True)
class Imports:
    """The imports at module level: local to qualified name, star imports, and where they end."""

    names: dict[str, str]
    stars: tuple[str, ...]
    last_keras: cst.SimpleStatementLine | None
    last: cst.SimpleStatementLine | None

    @staticmethod
    def of(module: cst.Module) -> Imports:
        """The imports of ``module``."""
        names: dict[str, str] = {}
        stars: list[str] = []
        last_keras = last = None
        for line, statement in _imports(module):
            last = line
            found = dict(_bound(statement))
            if any(q.startswith((*ROOTS, "tensorflow")) for q in found.values()):
                last_keras = line
            for local, qualified in found.items():
                if local == "*":
                    stars.append(qualified)
                else:
                    names[local] = qualified
        return Imports(names, tuple(stars), last_keras, last)

    def spell(self, symbol: str) -> str | None:
        """``symbol`` (``layers.Dense``) as this program can write it without a new import."""
        package, _, name = symbol.rpartition(".")
        for local, qualified in self.names.items():
            if qualified.startswith(ROOTS) and f"{qualified}.".endswith(f".{name}."):
                return local
        if any(star in {f"{root}.{package}" for root in ROOTS} for star in self.stars):
            return name
        for target, rest in (
            ([f"{root}.{package}" for root in ROOTS], name),
            (list(ROOTS), symbol),
            (["tensorflow"], f"keras.{symbol}"),
        ):
            for local, qualified in self.names.items():
                if qualified in target:
                    return f"{local}.{rest}"
        return None

    def root(self) -> str:
        """The Keras package this program imports from; ``tensorflow.keras`` if it shows none."""
        for qualified in (*self.names.values(), *self.stars):
            for root in ROOTS:
                if qualified == root or qualified.startswith(f"{root}."):
                    return root
        return "tensorflow.keras"


def spell(module: cst.Module, symbol: str, edits: Edits) -> str:
    """``symbol`` in the program's own style; plans the import it needs where none serves.

    Raises:
        Declined: it needs an import, and the module has none beside which it could stand.
    """
    imports = Imports.of(module)
    written = imports.spell(symbol)
    if written is not None:
        return written
    package, _, name = symbol.rpartition(".")
    statement = cst.parse_statement(f"from {imports.root()}.{package} import {name}")
    anchor = imports.last_keras or imports.last
    if anchor is None:
        raise Declined(f"there is no import beside which one of `{name}` could stand")
    if not any(statement.deep_equals(planned) for planned in edits.after.get(anchor, [])):
        edits.insert_after(anchor, statement)
    return name


def _imports(
    module: cst.Module,
) -> Iterator[tuple[cst.SimpleStatementLine, cst.Import | cst.ImportFrom]]:
    for line in module.body:
        if isinstance(line, cst.SimpleStatementLine):
            for statement in line.body:
                if isinstance(statement, cst.Import | cst.ImportFrom):
                    yield line, statement


def _bound(statement: cst.Import | cst.ImportFrom) -> Iterator[tuple[str, str]]:
    if isinstance(statement, cst.Import):
        for alias in statement.names:
            name = alias.evaluated_name
            local = alias.evaluated_alias
            yield (local, name) if local else (name.split(".")[0], name.split(".")[0])
            if local is None and "." in name:
                yield name, name
        return
    package = dotted(statement.module)
    if package is None or statement.relative:
        return
    if isinstance(statement.names, cst.ImportStar):
        yield "*", package
        return
    for alias in statement.names:
        yield alias.evaluated_alias or alias.evaluated_name, f"{package}.{alias.evaluated_name}"
