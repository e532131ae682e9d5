"""What a root cause is made of: its text, its evidence function, its remedy, its examples.

A cause is one file whose name is its id; it defines one :class:`CauseSpec` named ``CAUSE``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tlfix.findings import Confidence, Evidence, Review, Severity, Symptom
from tlfix.probe.trace import Trace
from tlfix.program.model import Program, Site


@dataclass(frozen=True)
class Case:
    """All that is known of a program: the reading, and, when the probe ran, trace and symptoms."""

    program: Program
    trace: Trace | None = None
    symptoms: Mapping[str, Symptom] = field(default_factory=dict)


@dataclass(frozen=True)
class Remedy:
    """A codemod and where to apply it.

    ``edits`` maps each file's path to the parameters of the codemod there; parameters are plain
    values and :class:`tlfix.codemods.Position` (or lists and dicts of them).
    """

    codemod: str
    summary: str
    edits: Mapping[str, Mapping[str, object]]
    review: Review = "cursory"


@dataclass(frozen=True)
class Finding:
    """One cause found at one place, before ranking.

    ``cost`` is the measured accuracy lost to it (0..1), where a measurement gives one.
    ``advice`` says what to do by hand and is required when there is no remedy.
    """

    severity: Severity
    confidence: Confidence
    site: Site | None
    evidence: tuple[Evidence, ...]
    explains: tuple[str, ...] = ()
    remedy: Remedy | None = None
    advice: str | None = None
    cost: float | None = None


@dataclass(frozen=True)
class Examples:
    """Short programs, executed as tests and shown in the documentation.

    ``sick`` has the fault, ``healthy`` looks alike and has not, ``cured`` is ``sick`` after the
    remedy, byte for byte (null where the cause has no codemod or only a measurement finds it).
    """

    sick: str
    healthy: str
    cured: str | None = None


@dataclass(frozen=True)
class CauseSpec:
    """A root cause of the catalogue. ``after`` names causes that, when found in the same program
    with at least the severity warning, account for this one's evidence: it is then shown as a note.
    """

    id: str
    code: str
    title: str
    what: str
    why: str
    sources: tuple[str, ...]
    find: Callable[[Case], Iterable[Finding]]
    examples: Examples
    after: tuple[str, ...] = ()
