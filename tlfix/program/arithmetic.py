"""Arithmetic that scales pixels: ``x / 255.0``, ``x / 127.5 - 1``, ``x *= 1. / 255`` …"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tlfix.program import constants
from tlfix.program.meaning import constant
from tlfix.program.model import UNKNOWN, Site
from tlfix.program.values import (
    Affine,
    Attribute,
    Either,
    Element,
    Fact,
    Item,
    Made,
    Mixed,
    Opaque,
    Ref,
    Sequence,
    Value,
)

if TYPE_CHECKING:
    from tlfix.program.walk import Walker

# Divisors that mean pixels: full and half of the 8-bit range.
_PIXELS: Final = (255.0, 127.5)
# The same by powers of two; batch sizes too, so that they count only as floats or with a shift.
_POWERS: Final = (256.0, 128.0, 127.0)
# ImageNet's mean per channel as Caffe subtracts it (keras.applications.imagenet_utils).
_CAFFE: Final = (103.939, 116.779, 123.68)
# Scales a pixel normalisation can end at: 1/255 alone up to 1/255 over a deviation of 0.1.
_SCALES: Final = (1 / 260, 1 / 20)
# Values looked at to find what a value carries.
_FARTHEST: Final = 200
_STATISTICS: Final = ("mean", "std", "array", "constant", "reshape", "asarray", "var")
_OPERATORS: Final = ast.Add | ast.Sub | ast.Mult | ast.Div

FUNCTIONS: Final[dict[str, type[ast.operator]]] = {
    f"{module}.{name}": op
    for names, op in (
        (("divide", "true_divide", "truediv", "div"), ast.Div),
        (("multiply",), ast.Mult),
        (("subtract",), ast.Sub),
        (("add",), ast.Add),
    )
    for name in names
    for module in ("numpy", "tf", "tf.math", "keras.ops")
}
"""Functions that are operators by another name."""


def combine(
    walker: Walker,
    op: ast.operator,
    left: tuple[Value, ast.expr],
    right: tuple[Value, ast.expr],
    site: Site,
) -> Value:
    """``left op right`` standing at ``site``; remembers it when it scales pixels."""
    one, other = constant(left[0]), constant(right[0])
    if one is not UNKNOWN and other is not UNKNOWN:
        return constants.lift(constants.binary(op, one, other), site)
    if not isinstance(op, _OPERATORS):
        return Mixed((left[0], right[0]))
    if _factor(other):
        return _extend(walker, left, _step(op, other, constant_left=False), site, other)
    if _factor(one) and isinstance(op, ast.Div):
        return Mixed((left[0], right[0]))
    if _factor(one):
        return _extend(walker, right, _step(op, one, constant_left=True), site, one)
    for operand, statistic in ((left, right[0]), (right, left[0])):
        affine = _affine(operand[0])
        if affine is not None and affine.fact is not None and _statistic(statistic):
            return _extend(walker, operand, (None, None), site, None)
    return Mixed((left[0], right[0]))


def _factor(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, list | tuple):
        return 0 < len(value) <= 4 and all(isinstance(each, int | float) for each in value)
    return isinstance(value, int | float)


def _statistic(value: Value) -> bool:
    if isinstance(value, Made):
        return value.call.name.rsplit(".", 1)[-1] in _STATISTICS
    return isinstance(value, Opaque | Attribute | Item | Ref)


def _step(
    op: ast.operator, factor: object, *, constant_left: bool
) -> tuple[float | None, float | None]:
    if not isinstance(factor, int | float):
        return None, None
    number = float(factor)
    if isinstance(op, ast.Add):
        return 1.0, number
    if isinstance(op, ast.Sub):
        return (-1.0, number) if constant_left else (1.0, -number)
    if isinstance(op, ast.Mult):
        return number, 0.0
    if number == 0:
        return None, None
    return 1 / number, 0.0


def _affine(value: Value) -> Affine | None:
    return value if isinstance(value, Affine) else None


def _extend(
    walker: Walker,
    operand: tuple[Value, ast.expr],
    step: tuple[float | None, float | None],
    site: Site,
    factor: object,
) -> Value:
    value, node = operand
    before = _affine(value)
    scale, offset = step
    if before is None:
        result = Affine(
            value,
            scale,
            offset,
            walker.text.source(node),
            walker.text.site(node),
            site,
            walker.statement,
        )
    else:
        first = site if before.statement == walker.statement else _span(before.site, site)
        result = Affine(
            before.base,
            _times(scale, before.scale),
            _plus(_times(scale, before.offset), offset),
            before.operand_text,
            before.operand_site,
            first,
            walker.statement,
        )
    old = before.fact if before is not None else None
    if old is None and not _pixels(result, factor):
        return result
    if old is not None and not _plausible(result.scale):
        # Undone (``img * 255`` for a plot), or scaled once more: the first stands as it was.
        text, place = walker.text.source(node), walker.text.site(node)
        again = Affine(value, scale, offset, text, place, site, walker.statement)
        if _pixels(again, factor):
            again.fact = _grow(walker, None, again)
        return again
    result.fact = _grow(walker, old, result)
    return result


def _grow(walker: Walker, old: Fact | None, result: Affine) -> Fact:
    fact = Fact(
        result.site,
        result.scale,
        result.offset,
        result.operand_text,
        result.operand_site,
        walker.scope.name,
        walker.owner,
        statement=walker.statement,
        born_displayed=walker.display > 0,
    )
    if old is not None:
        old.extended = True
        same = old.statement == walker.statement
        fact.previous = old.previous if same else old
        fact.statements = old.statements if same else old.statements + 1
        if same:
            walker.facts.remove(old)
    walker.facts.append(fact)
    return fact


def _span(first: Site, last: Site) -> Site:
    return Site(first.path, first.line, first.column, last.end_line, last.end_column)


def _times(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one * other


def _plus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _close(value: float, wanted: float) -> bool:
    return abs(value - wanted) <= 1e-3 * abs(wanted)


def _pixels(result: Affine, factor: object) -> bool:
    values = factor if isinstance(factor, list | tuple) else (factor,)
    numbers = [abs(float(each)) for each in values if isinstance(each, int | float)]
    if any(_close(number, mean) for number in numbers for mean in _CAFFE):
        return True
    scale = result.scale
    if scale is None or scale == 0:
        return any(_close(number, pixel) for number in numbers for pixel in _PIXELS)
    if any(_close(1 / abs(scale), pixel) for pixel in _PIXELS):
        return True
    shifted = bool(result.offset)
    return any(_close(1 / abs(scale), power) for power in _POWERS) and (
        shifted or isinstance(factor, float)
    )


def _plausible(scale: float | None) -> bool:
    return scale is None or _SCALES[0] <= abs(scale) <= _SCALES[1]


def carried(value: Value | None) -> Iterator[Fact]:
    """The arithmetic scalings whose result ``value`` is, or is a mere view or copy of."""
    seen: set[int] = set()
    waiting = [value]
    while waiting and len(seen) < _FARTHEST:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, Affine):
            if each.fact is not None:
                yield each.fact
                if each.fact.previous is not None:
                    continue
            waiting.append(each.base)
        elif isinstance(each, Item | Element | Attribute):
            waiting.append(each.base)
        elif isinstance(each, Mixed):
            waiting.extend(each.parts)
        elif isinstance(each, Either):
            waiting.extend(each.options)
        elif isinstance(each, Sequence):
            waiting.extend(part.value for part in each.parts)
        elif isinstance(each, Made) and passes_on(each.call.name):
            waiting.extend((each.receiver, *each.arguments))


_VIEWS: Final = frozenset(
    [
        "astype",
        "numpy",
        "reshape",
        "squeeze",
        "clip",
        "copy",
        "transpose",
        "eval",
        "flatten",
        "swapaxes",
        "cast",
        "expand_dims",
        "clip_by_value",
        "reverse",
        "convert_to_tensor",
        "item",
        "stack",
        "concatenate",
        "array",
        "asarray",
    ]
)


def passes_on(name: str) -> bool:
    """Whether a call of that name returns its argument's pixels, scaled no further."""
    if name.startswith(("tf.image.", "cv2.", "PIL.", "skimage.")):
        return True
    return name.rsplit(".", 1)[-1] in _VIEWS
