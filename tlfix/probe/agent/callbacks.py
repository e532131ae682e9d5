"""The callbacks given to ``fit``."""

from __future__ import annotations

from typing import Any

from tlfix_agent import births
from tlfix_agent.channel import number


def listed(callbacks: Any) -> list[Any]:
    """What was given as ``callbacks`` as a list."""
    if callbacks is None:
        return []
    if isinstance(callbacks, (list, tuple)):
        return list(callbacks)
    return list(getattr(callbacks, "callbacks", [callbacks]))


def describe(callback: Any) -> dict[str, Any]:
    """One callback as an event (``CallbackSeen``)."""
    birth = births.of(callback)
    monitor = getattr(callback, "monitor", None)
    patience = number(getattr(callback, "patience", None))
    restore = getattr(callback, "restore_best_weights", None)
    return {
        "name": type(callback).__name__,
        "site": birth.place if birth else None,
        "monitor": monitor if isinstance(monitor, str) else None,
        "patience": None if patience is None else int(patience),
        "restore_best_weights": restore if isinstance(restore, bool) else None,
    }
