"""How a program writes the ``preprocess_input`` of one submodule of keras.applications."""

from __future__ import annotations

import libcst as cst

from tlfix.codemods.base import Declined
from tlfix.codemods.keras_names import ROOTS, Imports
from tlfix.codemods.tree import Edits, Tree

_SAME = {"resnet50": ("resnet50", "resnet"), "resnet": ("resnet", "resnet50")}
"""Two names of one module."""


def spell_preprocess_input(tree: Tree, submodule: str, edits: Edits) -> str:
    """``preprocess_input`` of ``keras.applications.<submodule>`` in the program's own style.

    A name that is bound already is used; otherwise an import is planned in ``edits`` beside the
    import of the backbone, or the attribute is written out where the program writes
    ``keras.applications`` or ``tf.keras.applications``.

    Raises:
        Declined: there is no import beside which a new one could stand.
    """
    imports = Imports.of(tree.module)
    redefined = _defined(tree)
    bound = _bound(imports, submodule, redefined)
    if bound is not None:
        return bound
    anchor, root = _applications_import(tree.module)
    if anchor is None:
        for local, qualified in imports.names.items():
            if qualified in ROOTS and local not in redefined and "." not in local:
                return f"{local}.applications.{submodule}.preprocess_input"
        for local, qualified in imports.names.items():
            if qualified == "tensorflow" and local not in redefined:
                return f"{local}.keras.applications.{submodule}.preprocess_input"
        anchor, root = imports.last_keras or imports.last, imports.root()
    if anchor is None:
        raise Declined("there is no import beside which one of `preprocess_input` could stand")
    name = "preprocess_input"
    clause = name
    if name in imports.names or name in redefined:
        name = f"{submodule}_preprocess_input"
        clause = f"preprocess_input as {name}"
        if name in imports.names or name in redefined:
            raise Declined(f"`preprocess_input` and `{name}` both name something else already")
    edits.insert_after(
        anchor, cst.parse_statement(f"from {root}.applications.{submodule} import {clause}")
    )
    return name


def _bound(imports: Imports, submodule: str, redefined: set[str]) -> str | None:
    modules = [
        f"{root}.applications.{alias}"
        for root in ROOTS
        for alias in _SAME.get(submodule, (submodule,))
    ]
    usable = {local: q for local, q in imports.names.items() if local not in redefined}
    for local, qualified in usable.items():
        if qualified in {f"{module}.preprocess_input" for module in modules}:
            return local
    for local, qualified in usable.items():
        if qualified in modules and local != qualified:
            return f"{local}.preprocess_input"
    for local, qualified in usable.items():
        if qualified in {f"{root}.applications" for root in ROOTS} and "." not in local:
            return f"{local}.{submodule}.preprocess_input"
    return None


def _applications_import(
    module: cst.Module,
) -> tuple[cst.SimpleStatementLine | None, str]:
    """The module-level ``from … .applications… import …`` and its Keras root."""
    for line in module.body:
        if not isinstance(line, cst.SimpleStatementLine):
            continue
        for statement in line.body:
            if isinstance(statement, cst.ImportFrom) and statement.module is not None:
                package = module.code_for_node(statement.module)
                for root in ROOTS:
                    if package == f"{root}.applications" or package.startswith(
                        f"{root}.applications."
                    ):
                        return line, root
    return None, ""


def _defined(tree: Tree) -> set[str]:
    """Names that the program itself defines, by assignment, ``def``, parameter or ``class``."""
    names: set[str] = set()
    for node in tree.nodes():
        if isinstance(node, cst.FunctionDef | cst.ClassDef | cst.Param):
            names.add(node.name.value)
        elif isinstance(node, cst.AssignTarget | cst.AnnAssign | cst.AugAssign) and isinstance(
            node.target, cst.Name
        ):
            names.add(node.target.value)
    return names
