"""Imports of modules that Keras 3 removed, and the current ones. https://keras.io/api/utils/"""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from tlfix.codemods.base import Declined
from tlfix.codemods.tree import Tree, dotted

MODULES = {
    "keras.utils.np_utils": "keras.utils",
    "tensorflow.keras.utils.np_utils": "tensorflow.keras.utils",
    # Keras 3 keeps these for TensorFlow users only, under the name TensorFlow gives them.
    "keras.preprocessing.image": "tensorflow.keras.preprocessing.image",
    "keras.layers.core": "keras.layers",
    "keras.layers.convolutional": "keras.layers",
    "keras.layers.pooling": "keras.layers",
    "keras.layers.normalization": "keras.layers",
    "keras.layers.advanced_activations": "keras.layers",
    "keras.layers.experimental.preprocessing": "keras.layers",
    "tensorflow.keras.layers.experimental.preprocessing": "tensorflow.keras.layers",
}
"""``from`` modules whose names live on elsewhere, checked against Keras 3.15."""


def replaced_import(
    tree: Tree, node: cst.Import | cst.ImportFrom
) -> Callable[[cst.ImportFrom, str], cst.ImportFrom]:
    """The change that makes ``node`` import from where the names are now.

    Raises:
        Declined: it has another form than ``from module import names``, or names are renamed.
    """
    if not isinstance(node, cst.ImportFrom):
        raise Declined("only `from module import name` can be rewritten")
    module = dotted(node.module)
    if module is not None and module.endswith("keras.utils"):
        return _utils_as_np_utils(node, module.removesuffix(".utils"))
    new = MODULES.get(module or "")
    if new is None:
        raise Declined(f"where the names of `{module}` are now is not known")
    expression = cst.parse_expression(new)
    assert isinstance(expression, cst.Attribute | cst.Name)

    def change(updated: cst.ImportFrom, row: str) -> cst.ImportFrom:
        return updated.with_changes(module=expression)

    return change


def _utils_as_np_utils(
    node: cst.ImportFrom, keras: str
) -> Callable[[cst.ImportFrom, str], cst.ImportFrom]:
    """``from keras.utils import np_utils``: the module's functions are in ``keras.utils`` itself."""
    names = node.names
    if isinstance(names, cst.ImportStar) or "np_utils" not in [n.evaluated_name for n in names]:
        raise Declined("np_utils is not imported here")
    if len(names) != 1:
        raise Declined("np_utils is imported together with other names")
    local = names[0].evaluated_alias or "np_utils"
    parsed = cst.parse_statement(f"from {keras} import utils as {local}")
    assert isinstance(parsed, cst.SimpleStatementLine)
    new = parsed.body[0]

    def change(updated: cst.ImportFrom, row: str) -> cst.ImportFrom:
        assert isinstance(new, cst.ImportFrom)
        return updated.with_changes(module=new.module, names=new.names)

    return change
