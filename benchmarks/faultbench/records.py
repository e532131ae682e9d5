"""Results as JSON lines, one per program: appended as they come, a kill loses one at most."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.faultbench.programs import Program

Record = dict[str, Any]
"""What is known of one program; the fields are described in README.md."""


def append(file: Path, record: Record) -> None:
    """Add a line in one write, so that shards may share the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(record, ensure_ascii=False) + "\n"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        # A line that a kill cut short must not swallow this one.
        if os.fstat(descriptor).st_size and not _ends_a_line(file):
            line = "\n" + line
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def load(file: Path, tlfix: str | None = None) -> dict[str, Record]:
    """The last record of each program by id; with ``tlfix``, only those of that version.

    A line that was cut short is left out.
    """
    if not file.is_file():
        return {}
    found: dict[str, Record] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        if tlfix is None or record["tlfix"] == tlfix:
            found[record["id"]] = record
    return found


def done(record: Record | None, program: str, tlfix: str, repair: str) -> bool:
    """True if ``record`` is of this program and tlfix, and went as far as is asked for now."""
    if record is None or record["program"] != program or record["tlfix"] != tlfix:
        return False
    return repair == "none" or record["mode"] == repair


def current(found: dict[str, Record], programs: Iterable[Program]) -> dict[str, Record]:
    """Those of ``found`` whose program is still what it was, with the truth as it is held now."""
    return {
        each.id: {**found[each.id], **each.truth}
        for each in programs
        if each.id in found and found[each.id]["program"] == each.digest
    }


def _ends_a_line(file: Path) -> bool:
    with file.open("rb") as opened:
        opened.seek(-1, os.SEEK_END)
        return opened.read(1) == b"\n"
