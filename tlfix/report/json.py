"""The machine format: the pydantic models of :mod:`tlfix.findings`, as they are."""

from __future__ import annotations

from pydantic import BaseModel


def render(value: BaseModel) -> str:
    """One JSON document, indented, ending in a newline."""
    return value.model_dump_json(indent=2, by_alias=True) + "\n"
