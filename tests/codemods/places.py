"""Positions in test programs, by the text that stands there."""

from __future__ import annotations

from tlfix.codemods import Position


def place(source: str, text: str) -> Position:
    """Where ``text`` first occurs."""
    index = source.index(text)
    return Position(source.count("\n", 0, index) + 1, index - source.rfind("\n", 0, index) - 1)
