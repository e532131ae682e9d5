"""Spans in test programs, by the text that stands there, as the scaling codemods are told."""

from __future__ import annotations

from tlfix.codemods import Position


def span(source: str, text: str, operand: str | None = None, cast: str | None = None) -> dict:
    """Where ``text`` first occurs; ``operand`` is looked for inside it."""
    start = source.index(text)
    found: dict = {"start": _at(source, start), "end": _at(source, start + len(text))}
    if operand is not None:
        inner = source.index(operand, start)
        found["operand"] = {
            "start": _at(source, inner),
            "end": _at(source, inner + len(operand)),
        }
    if cast is not None:
        found["cast"] = cast
    return found


def _at(source: str, index: int) -> Position:
    return Position(source.count("\n", 0, index) + 1, index - source.rfind("\n", 0, index) - 1)
