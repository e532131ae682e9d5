"""Arithmetic on constants: enough to follow sizes, rates and folder names, and no more."""

from __future__ import annotations

import ast
import math
import operator
import posixpath
from collections.abc import Callable
from typing import Any, Final

from tlfix.program.model import UNKNOWN, Site
from tlfix.program.values import Known, Mapping, Opaque, Part, Sequence, Value

# A constant longer than this is not worth following, and ``"x" * 10**9`` must not be built.
_LONGEST = 10_000

_BINARY: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_UNARY: Final[dict[type[ast.unaryop], Callable[[Any], Any]]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
}
_COMPARE: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, container: item in container,
    ast.NotIn: lambda item, container: item not in container,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
_BUILTINS: Final[dict[str, Callable[..., Any]]] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "len": len,
    "abs": abs,
    "round": round,
    "min": min,
    "max": max,
    "sum": sum,
    "tuple": tuple,
    "list": list,
    "sorted": sorted,
    "os.path.join": posixpath.join,
    "math.ceil": math.ceil,
    "math.floor": math.floor,
    "math.log": math.log,
    "math.sqrt": math.sqrt,
    "pathlib.Path": posixpath.join,
    "os.path.abspath": str,
    "os.path.expanduser": str,
    "numpy.array": list,
    "numpy.float32": float,
    "numpy.int32": int,
    "tf.constant": lambda value: value,
}


def binary(op: ast.operator, left: object, right: object) -> object:
    """``left op right``, UNKNOWN where it fails or would be large."""
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    # ``Path("data") / "train"``: paths are followed as plain text.
    if isinstance(op, ast.Div) and isinstance(left, str) and isinstance(right, str):
        return posixpath.join(left, right)
    function = _BINARY.get(type(op))
    if function is None or not (_small(left) and _small(right)):
        return UNKNOWN
    if isinstance(op, ast.Pow) and not (isinstance(right, int | float) and abs(right) <= 64):
        return UNKNOWN
    if isinstance(op, ast.Mult) and not (_number(left) and _number(right)):
        count = next((item for item in (left, right) if isinstance(item, int)), None)
        if count is None or count > 256:
            return UNKNOWN
    if isinstance(op, ast.Mod) and isinstance(left, str | bytes):
        return UNKNOWN
    return _try(function, left, right)


def unary(op: ast.unaryop, operand: object) -> object:
    """``op operand`` or UNKNOWN."""
    function = _UNARY.get(type(op))
    if operand is UNKNOWN or function is None:
        return UNKNOWN
    return _try(function, operand)


def compare(op: ast.cmpop, left: object, right: object) -> object:
    """``left op right`` or UNKNOWN."""
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    return _try(_COMPARE[type(op)], left, right)


def builtin(name: str, arguments: list[object]) -> object:
    """A pure function of constants by its qualified name, UNKNOWN if it is none."""
    function = _BUILTINS.get(name)
    if function is None or any(argument is UNKNOWN for argument in arguments):
        return UNKNOWN
    return _try(function, *arguments)


def item(container: object, key: object) -> object:
    """``container[key]`` or UNKNOWN."""
    if container is UNKNOWN or key is UNKNOWN:
        return UNKNOWN
    return _try(operator.getitem, container, key)


def lift(value: object, site: Site) -> Value:
    """The value of a constant computed at ``site``."""
    if value is UNKNOWN:
        return Opaque()
    if isinstance(value, tuple | list):
        parts = [Part(lift(each, site), site) for each in value]
        return Sequence("tuple" if isinstance(value, tuple) else "list", parts)
    if isinstance(value, dict):
        return Mapping({key: lift(each, site) for key, each in value.items()})
    return Known(value)


def _number(value: object) -> bool:
    return isinstance(value, int | float)


def _small(value: object) -> bool:
    if isinstance(value, int):
        return value.bit_length() < 256
    return not isinstance(value, str | bytes | list | tuple) or len(value) < _LONGEST


def _try(function: Callable[..., Any], *arguments: object) -> object:
    try:
        result = function(*arguments)
    except Exception:
        # Whatever it raises, the script would raise it too, and only there does it matter.
        return UNKNOWN
    return result if isinstance(result, _PLAIN) and _small(result) else UNKNOWN


_PLAIN = (int, float, complex, str, bytes, bool, tuple, list, dict, type(None))
