"""``tlfix check`` for people: one line per finding, as linters print them, and a summary.

Plain strings on purpose: the command must start in a fraction of a second.
"""

from __future__ import annotations

from tlfix.findings import Cause, CheckedFile, CheckResult
from tlfix.printable import name
from tlfix.report.numbers import count


def render(result: CheckResult) -> str:
    """``path:line:column: code id: message`` for each cause, worst file order kept as given."""
    lines = []
    for file in result.files:
        lines += [_line(file.path, cause) for cause in file.causes]
    for file in result.files:
        lines += [f"{name(file.path)}: note: {name(note)}" for note in file.notes]
    lines += [not_examined(file) for file in result.files if file.skipped]
    return "\n".join([*lines, _summary(result)]) + "\n"


def not_examined(file: CheckedFile) -> str:
    """Which file was passed over, and why."""
    return f"{name(file.path)}: not examined: {name(file.skipped)}"


def _line(path: str, cause: Cause) -> str:
    where = cause.location
    place = f"{name(where.path)}:{where.line}:{where.column}" if where else f"{name(path)}:1:1"
    if where and where.cell is not None:
        place = f"{name(where.path)}:cell {where.cell}:{where.line}:{where.column}"
    summary = cause.evidence[0].summary if cause.evidence else cause.title
    fixable = "[fix] " if cause.fix else ""
    return f"{place}: {cause.severity} {cause.code} {cause.id}: {fixable}{name(summary)}"


def _summary(result: CheckResult) -> str:
    causes = [cause for file in result.files for cause in file.causes]
    examined = sum(not file.skipped for file in result.files)
    files = count(examined, "file")
    time = f"({result.seconds:.1f} s)"
    missed = _missed([file for file in result.files if file.skipped])
    if missed and not examined:
        return f"{missed} {time}."
    if not causes:
        found = f"{missed}; nothing" if missed else "Nothing"
        return f"{found} found in {files} {time}."
    parts = []
    for severity in ("error", "warning", "note"):
        number = sum(cause.severity == severity for cause in causes)
        if number:
            parts.append(count(number, severity))
    fixes = sum(cause.fix is not None for cause in causes)
    shown = f"Found {', '.join(parts)} in {files} {time}"
    if fixes:
        shown += f"; {fixes:,} with a proposed fix: tlfix diagnose measures what each costs"
    return f"{shown}. {missed}." if missed else f"{shown}."


def _missed(skipped: list[CheckedFile]) -> str:
    """How many files and folders were not examined, empty for none."""
    folders = sum(file.path.endswith("/") for file in skipped)
    numbers = ((len(skipped) - folders, "file"), (folders, "folder"))
    parts = " and ".join(count(number, what) for number, what in numbers if number)
    return f"{parts} {'was' if len(skipped) == 1 else 'were'} not examined" if parts else ""
