"""How a program writes the ``preprocess_input`` of one submodule of keras.applications."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from tlfix.codemods.base import Declined
from tlfix.codemods.keras_names import ROOTS, Imports, taken
from tlfix.codemods.tree import Edits, Tree

_SAME = {"resnet50": ("resnet50", "resnet"), "resnet": ("resnet", "resnet50")}
"""Two names of one module."""


def spell_preprocess_input(
    tree: Tree, submodule: str, edits: Edits, places: Sequence[cst.CSTNode]
) -> str:
    """``preprocess_input`` of ``keras.applications.<submodule>`` in the program's own style.

    A name that is bound already where ``places`` stand is used; otherwise an import is planned in
    ``edits`` beside the import of the backbone, or the attribute is written out where the program
    writes ``keras.applications`` or ``tf.keras.applications``.

    Raises:
        Declined: there is no import above beside which a new one could stand.
    """
    imports = Imports.of(tree, *places)
    bound = _bound(imports, submodule)
    if bound is not None:
        return bound
    anchor, root = _applications_import(tree, imports)
    if anchor is None:
        for local, qualified in imports.names.items():
            if qualified in ROOTS and "." not in local:
                return f"{local}.applications.{submodule}.preprocess_input"
        for local, qualified in imports.names.items():
            if qualified == "tensorflow":
                return f"{local}.keras.applications.{submodule}.preprocess_input"
        anchor, root = imports.last_keras or imports.last, imports.root()
    if anchor is None:
        raise Declined("there is no import beside which one of `preprocess_input` could stand")
    package = f"{root}.applications.{submodule}"
    name = "preprocess_input"
    clause = name
    if taken(tree, name, f"{package}.{name}"):
        name = f"{submodule}_preprocess_input"
        clause = f"preprocess_input as {name}"
        if tree.bindings(name):
            raise Declined(f"`preprocess_input` and `{name}` both name something else already")
    edits.insert_after(anchor, cst.parse_statement(f"from {package} import {clause}"))
    return name


def _bound(imports: Imports, submodule: str) -> str | None:
    modules = [
        f"{root}.applications.{alias}"
        for root in ROOTS
        for alias in _SAME.get(submodule, (submodule,))
    ]
    for local, qualified in imports.names.items():
        if qualified in {f"{module}.preprocess_input" for module in modules}:
            return local
    for local, qualified in imports.names.items():
        if qualified in modules and local != qualified:
            return f"{local}.preprocess_input"
    for local, qualified in imports.names.items():
        if qualified in {f"{root}.applications" for root in ROOTS} and "." not in local:
            return f"{local}.{submodule}.preprocess_input"
    return None


def _applications_import(tree: Tree, imports: Imports) -> tuple[cst.BaseStatement | None, str]:
    """The first ``from … .applications… import …`` among the imports, and its Keras root."""
    for line, statement in imports.statements:
        if isinstance(statement, cst.ImportFrom) and statement.module is not None:
            package = tree.code(statement.module)
            for root in ROOTS:
                if f"{package}.".startswith(f"{root}.applications."):
                    return line, root
    return None, ""
