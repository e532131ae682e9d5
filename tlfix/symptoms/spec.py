"""What a symptom is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tlfix.findings import Symptom
from tlfix.probe.trace import Trace


@dataclass(frozen=True)
class SymptomSpec:
    """A symptom of the catalogue: its text, the source of its test, and the test itself.

    ``measure`` returns None when the trace does not show the symptom, or cannot tell.
    """

    id: str
    title: str
    what: str
    source: str
    measure: Callable[[Trace], Symptom | None]
