"""How a program writes a Keras name: ``tf.keras.layers.Dense``, ``layers.Dense`` or ``Dense``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from tlfix.codemods.base import Declined
from tlfix.codemods.tree import Edits, Tree, dotted

ROOTS = ("tensorflow.keras", "keras", "tf_keras", "tensorflow.python.keras")
"""The packages that are Keras, under the names programs import."""


@dataclass(frozen=True)
class Imports:
    """Imports at module level: local to qualified name, star imports, and where they end.

    ``statements`` has each with the statement of the module that holds it; ``first_keras``,
    ``last_keras`` and ``last`` are such statements.
    """

    names: dict[str, str]
    stars: tuple[str, ...]
    statements: tuple[tuple[cst.BaseStatement, cst.Import | cst.ImportFrom], ...]
    first_keras: cst.BaseStatement | None
    last_keras: cst.BaseStatement | None
    last: cst.BaseStatement | None

    @staticmethod
    def of(tree: Tree, *places: cst.CSTNode) -> Imports:
        """The imports that have run wherever one of ``places`` runs.

        A name that means something else there as well is left out.
        """
        names: dict[str, str] = {}
        stars: list[str] = []
        first_keras = last_keras = last = None
        found_there = tuple(_imports(_above(tree, places)))
        for line, statement in found_there:
            last = line
            found = dict(_bound(statement))
            if any(q.startswith((*ROOTS, "tensorflow")) for q in found.values()):
                first_keras = first_keras or line
                last_keras = line
            for local, qualified in found.items():
                if local == "*":
                    stars.append(qualified)
                else:
                    names[local] = qualified
        seen = {scope for place in places for scope in tree.scopes(place)}
        known = {
            local: qualified
            for local, qualified in names.items()
            if not _means_another(tree, local, qualified, seen)
        }
        return Imports(known, tuple(stars), found_there, first_keras, last_keras, last)

    def spell(self, symbol: str) -> str | None:
        """``symbol`` (``layers.Dense``) as this program can write it without a new import."""
        package, _, name = symbol.rpartition(".")
        for local, qualified in self.names.items():
            # Also keras.Sequential, and modules inside keras.layers, but no metric for a loss.
            head, _, last = _whichever_keras(qualified).rpartition(".")
            inside = head == "keras" or f"{head}.".startswith(f"keras.{package}.")
            if last == name and inside:
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
        for qualified in (q for _, s in self.statements for q in dict(_bound(s)).values()):
            for root in ROOTS:
                if qualified == root or qualified.startswith(f"{root}."):
                    return root
        return "tensorflow.keras"


def spell(tree: Tree, symbol: str, edits: Edits, *places: cst.CSTNode) -> str:
    """``symbol`` in the program's own style, to be written at ``places``; plans a missing import.

    Raises:
        Declined: it needs an import, and there is none above beside which it could stand, or its
            name is taken.
    """
    imports = Imports.of(tree, *places)
    written = imports.spell(symbol)
    if written is not None:
        return written
    package, _, name = symbol.rpartition(".")
    qualified = f"{imports.root()}.{package}.{name}"
    statement = cst.parse_statement(f"from {imports.root()}.{package} import {name}")
    anchor = imports.last_keras or imports.last
    if anchor is None:
        raise Declined(f"there is no import beside which one of `{name}` could stand")
    if taken(tree, name, qualified):
        raise Declined(f"`{name}` names something else already")
    if not any(statement.deep_equals(planned) for planned in edits.after.get(anchor, [])):
        edits.insert_after(anchor, statement)
    return name


def taken(tree: Tree, name: str, qualified: str) -> bool:
    """True if anything in the module but an import of ``qualified`` binds ``name``."""
    scopes = {tree.function(binding) for binding in tree.bindings(name)}
    return _means_another(tree, name, qualified, scopes)


def spell_numpy(tree: Tree, place: cst.CSTNode) -> str | None:
    """The program's name for numpy at ``place``, None if it has none.

    Raises:
        Declined: it has none, and ``np`` is something else.
    """
    for local, qualified in Imports.of(tree, place).names.items():
        if qualified == "numpy":
            return local
    if taken(tree, "np", "numpy"):
        raise Declined("`np` names something other than numpy")
    return None


def _above(tree: Tree, places: Sequence[cst.CSTNode]) -> Sequence[cst.BaseStatement]:
    """The statements of the module that have run when one of ``places`` runs.

    A function runs no sooner than the next statement that does more than define or import.
    """
    body = [s for s in tree.module.body if isinstance(s, cst.BaseStatement)]
    around = [{place, *tree.ancestors(place)} for place in places]
    end = min((i for i, s in enumerate(body) if any(s in a for a in around)), default=len(body))
    while end < len(body) and _only_defines(body[end]):
        end += 1
    return body[:end]


def _only_defines(statement: cst.CSTNode) -> bool:
    if isinstance(statement, cst.SimpleStatementLine):
        return all(isinstance(s, cst.Import | cst.ImportFrom) for s in statement.body)
    return isinstance(statement, cst.FunctionDef | cst.ClassDef)


def _means_another(
    tree: Tree, local: str, qualified: str, scopes: Collection[cst.CSTNode | None]
) -> bool:
    """True if in one of ``scopes`` something else than an import of ``qualified`` binds a name."""
    root = local.split(".")[0]
    wanted = _whichever_keras(qualified if local == root else root)
    for binding in tree.bindings(root):
        if tree.function(binding) in scopes:
            alias = tree.parents[binding] if isinstance(binding, cst.AsName) else binding
            statement = tree.parents[alias]
            if not isinstance(statement, cst.Import | cst.ImportFrom):
                return True
            if _whichever_keras(dict(_bound(statement)).get(root, "")) != wanted:
                return True
    return False


def _whichever_keras(qualified: str) -> str:
    """The same for ``keras.layers`` and ``tensorflow.keras.layers``."""
    for root in ROOTS:
        if qualified == root or qualified.startswith(f"{root}."):
            return f"keras{qualified.removeprefix(root)}"
    return qualified


def _imports(
    body: Sequence[cst.CSTNode],
) -> Iterator[tuple[cst.BaseStatement, cst.Import | cst.ImportFrom]]:
    """Each import in ``body``, or in a ``try`` there, and the statement that holds it."""
    for line in body:
        inside = line.body.body if isinstance(line, cst.Try) else [line]
        for small in inside:
            for statement in small.body if isinstance(small, cst.SimpleStatementLine) else []:
                if isinstance(statement, cst.Import | cst.ImportFrom):
                    assert isinstance(line, cst.BaseStatement)
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
