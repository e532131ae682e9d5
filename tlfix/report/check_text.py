"""``tlfix check`` for people: one line per finding, as linters print them, and a summary.

Plain strings on purpose: the command must start in a fraction of a second.
"""

from __future__ import annotations

from tlfix.findings import Cause, CheckedFile, CheckResult
from tlfix.report.numbers import count


def render(result: CheckResult) -> str:
    """``path:line:column: code id: message`` for each cause, worst file order kept as given."""
    lines = []
    for file in result.files:
        lines += [_line(file.path, cause) for cause in file.causes]
    skipped = [file for file in result.files if file.skipped]
    lines += [f"{file.path}: {_how(file)}: {file.skipped}" for file in skipped]
    return "\n".join([*lines, _summary(result)]) + "\n"


def _line(path: str, cause: Cause) -> str:
    where = cause.location
    place = f"{where.path}:{where.line}:{where.column}" if where else f"{path}:1:1"
    if where and where.cell is not None:
        place = f"{where.path}:cell {where.cell}:{where.line}:{where.column}"
    summary = cause.evidence[0].summary if cause.evidence else cause.title
    fixable = "[fix] " if cause.fix else ""
    return f"{place}: {cause.severity} {cause.code} {cause.id}: {fixable}{summary}"


def _summary(result: CheckResult) -> str:
    causes = [cause for file in result.files for cause in file.causes]
    files = count(len(result.files), "file")
    if not causes:
        return f"Nothing found in {files} ({result.seconds:.1f} s)."
    parts = []
    for severity in ("error", "warning", "note"):
        number = sum(cause.severity == severity for cause in causes)
        if number:
            parts.append(count(number, severity))
    fixes = sum(cause.fix is not None for cause in causes)
    shown = f"Found {', '.join(parts)} in {files} ({result.seconds:.1f} s)"
    if not fixes:
        return f"{shown}."
    return f"{shown}; {fixes:,} with a proposed fix: tlfix diagnose measures what each costs."


def _how(file: CheckedFile) -> str:
    return "examined in part" if file.causes else "not examined"
