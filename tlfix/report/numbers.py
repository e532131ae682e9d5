"""Numbers as people read them: never cut off, never more digits than the sample supports."""

from __future__ import annotations

import math

from tlfix.findings import Measurement


def number(value: float | None, unit: str | None = None) -> str:
    """``value`` with three significant digits, whole above a thousand; ``not finite`` for null."""
    if value is None or not math.isfinite(value):
        return "not finite"
    magnitude = abs(value)
    if value == int(value) and magnitude < 1e15:
        shown = f"{int(value):,}"
    elif magnitude >= 1000:
        shown = f"{value:,.0f}"
    else:
        shown = f"{value:.3g}"
    return f"{shown} {unit}" if unit else shown


def percent(share: float | None) -> str:
    """A share of 0..1 in per cent with one decimal, ``unknown`` for null."""
    return "unknown" if share is None else f"{share * 100:.1f}%"


def seconds(value: float) -> str:
    """A duration: ``8.4 s``, ``41 s``, ``3 min 20 s``."""
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def count(n: int, one: str, many: str | None = None) -> str:
    """``1 cause``, ``2 causes``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def plain(name: str) -> str:
    """The name of a measurement as words: ``accuracy_as_is`` as ``accuracy as is``."""
    return name.replace("_", " ")


def measurement(measured: Measurement) -> str:
    """``accuracy 0.172 (against 0.21, n 256)``."""
    held = []
    if measured.threshold is not None:
        held.append(f"against {number(measured.threshold, measured.unit)}")
    if measured.n is not None:
        held.append(f"n {measured.n:,}")
    against = f" ({', '.join(held)})" if held else ""
    return f"{plain(measured.name)} {number(measured.value, measured.unit)}{against}"
