"""The latest diagnosis, kept in ``.tlfix/`` next to the script so that ``tlfix apply`` can use it.

The folder ignores itself (its own ``.gitignore`` holds ``*``), so it never shows in a commit.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tlfix.findings import Diagnosis
from tlfix.probe.trace import Trace

FOLDER = ".tlfix"
FILE = "diagnosis.json"


class StoreError(Exception):
    """There is no diagnosis to use, or it is stale; the message says which."""


class Stored(BaseModel):
    """One run of ``tlfix diagnose``. ``script`` is the file's name in the folder's parent."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, serialize_by_alias=True
    )

    schema_: Literal["tlfix.store/1"] = Field("tlfix.store/1", alias="schema")
    script: str
    arguments: tuple[str, ...]
    sha256: str
    python: str
    diagnosis: Diagnosis
    trace: Trace | None


def save(script: Path, stored: Stored) -> str | None:
    """Write ``stored`` next to ``script``; the reason if that is impossible, else None.

    A diagnosis must not fail because its folder cannot be written, hence no exception.
    """
    folder = script.resolve().parent / FOLDER
    # Replaced in one go: a second tlfix reading at this moment sees the old or the new one.
    partial = folder / f"{FILE}.{os.getpid()}"
    try:
        folder.mkdir(exist_ok=True)
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
        partial.write_text(stored.model_dump_json(indent=1), encoding="utf-8")
        partial.replace(folder / FILE)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        return f"the diagnosis could not be kept in {folder}: {error.strerror or error}"
    return None


def load(folder: Path) -> tuple[Path, Stored]:
    """The latest diagnosis kept in ``folder`` and the script it is about.

    Raises:
        StoreError: there is none, or the script is gone or has changed since.
    """
    path = folder / FOLDER / FILE
    if not path.is_file():
        raise StoreError(_nothing(folder))
    try:
        stored = Stored.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise StoreError(f"{path} cannot be read; run tlfix diagnose again") from error
    return folder / stored.script, stored


def matching(script: Path, sha256: str) -> Stored | None:
    """The kept diagnosis of exactly this text of ``script``, or None."""
    try:
        _, stored = load(script.resolve().parent)
    except StoreError:
        return None
    return stored if (stored.script, stored.sha256) == (script.name, sha256) else None


def _nothing(folder: Path) -> str:
    below = sorted(folder.glob(f"*/{FOLDER}/{FILE}"), key=lambda p: p.stat().st_mtime)
    message = f"no diagnosis is kept in {folder}; run tlfix diagnose SCRIPT first"
    if not below:
        return f"{message}, or name the script: tlfix apply SCRIPT"
    try:
        name = Stored.model_validate_json(below[-1].read_text(encoding="utf-8")).script
    except (OSError, UnicodeDecodeError, ValidationError):
        return message
    script = (below[-1].parent.parent / name).relative_to(folder)
    return f"no diagnosis is kept in {folder}; the latest below it is tlfix apply {script}"
