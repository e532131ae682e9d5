"""From a place in the program to an edit there, and small questions asked of a case."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from tlfix.causes.spec import Case, Remedy
from tlfix.codemods.base import Position
from tlfix.findings import Review
from tlfix.probe.trace import Place
from tlfix.program.model import Call, Program, Site


def position(site: Site) -> Position:
    """Where ``site`` starts, as codemods are told."""
    return Position(site.line, site.column)


def end(site: Site) -> Position:
    """Where ``site`` ends."""
    return Position(site.end_line, site.end_column)


def set_argument(
    call: Call, keyword: str, index: int | None, value: str | None
) -> dict[str, object]:
    """One edit of the codemod ``set_argument``."""
    return {
        "call": position(call.site),
        "end": end(call.site),
        "keyword": keyword,
        "index": index,
        "value": value,
    }


def backend(case: Case) -> str | None:
    """The Keras backend: as the probe met it, null if it is not known."""
    environment = case.trace.environment if case.trace else None
    return environment.backend if environment else None


def crash_matches(case: Case, *texts: str) -> str | None:
    """The first line of the crash's message, if it contains one of ``texts``."""
    crash = case.trace.crash if case.trace else None
    if crash is None or not any(text in crash.message for text in texts):
        return None
    return next((line for line in crash.message.splitlines() if line.strip()), "")


def explained(case: Case, *ids: str) -> tuple[str, ...]:
    """Those of ``ids`` that were measured as symptoms."""
    return tuple(i for i in ids if i in case.symptoms)


def code(program: Program, site: Site) -> str:
    """The source text of ``site``."""
    lines = program.text.splitlines(keepends=True)[site.line - 1 : site.end_line]
    if not lines:
        return ""
    lines[-1] = lines[-1][: site.end_column]
    lines[0] = lines[0][site.column :]
    return "".join(lines)


def at(place: Place | None, site: Site) -> bool:
    """True if the probe's ``place`` lies within ``site``."""
    return (
        place is not None
        and PurePath(place.path).name == PurePath(site.path).name
        and site.line <= place.line <= site.end_line
    )


def merged(
    codemod: str, summary: str, edits: Iterable[tuple[str, dict[str, object]]], review: Review
) -> Remedy:
    """A remedy of a codemod that takes a list ``edits``, from pairs of path and one edit."""
    by_path: dict[str, list[dict[str, object]]] = {}
    for path, edit in edits:
        if edit not in by_path.setdefault(path, []):
            by_path[path].append(edit)
    return Remedy(codemod, summary, {path: {"edits": e} for path, e in by_path.items()}, review)
