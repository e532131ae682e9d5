"""What the user sees when tlfix itself fails: one paragraph, and where the traceback is."""

from __future__ import annotations

import errno
import os
import tempfile
import traceback
from contextlib import suppress

import click

from tlfix.printable import name, prose
from tlfix.writing import WriteError

USAGE, INTERNAL = 2, 4

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
_NO_TEMPORARY = "No usable temporary directory"


def say(message: str) -> None:
    """A remark on stderr. A full disk behind stderr, or a terminal that is gone, stops nothing."""
    with suppress(OSError):
        click.echo(prose(message), err=True)


def failed(error: Exception, refusals: tuple[type[Exception], ...]) -> int:
    """Say what happened on stderr and return the exit code: 2 for a refusal, 4 for a defect.

    With ``TLFIX_DEBUG=1`` the traceback of a defect is shown instead of being written to a file.
    """
    if isinstance(error, (WriteError, *refusals)):
        say(f"tlfix: {error}")
        return USAGE
    if isinstance(error, OSError) and (reason := _outside(error)):
        # A full disk, a folder without permission: nothing in tlfix to report.
        say(f"tlfix: {reason}")
        return USAGE
    details = "".join(traceback.format_exception(error))
    if os.environ.get("TLFIX_DEBUG") == "1":
        say(details)
        return INTERNAL
    say(
        f"tlfix: internal error: {type(error).__name__}: {_first_line(error)}. This is a defect of "
        f"tlfix, not of your script; nothing of yours was changed. {_kept(details)}"
    )
    return INTERNAL


def _outside(error: OSError) -> str | None:
    """What an error of the file system was about, None for one that tlfix must have caused."""
    if error.filename is not None:
        return f"{name(error.filename)}: {error.strerror}"
    if error.errno in _NO_ROOM or str(error.strerror).startswith(_NO_TEMPORARY):
        return (
            f"a file could not be written: {error.strerror}. Make room where the output goes and "
            f"in {_temporary()}, or set TMPDIR to a folder that has some."
        )
    return None


def _temporary() -> str:
    try:
        return tempfile.gettempdir()
    except OSError:
        return os.environ.get("TMPDIR", "/tmp")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["no message"])[0][:200].rstrip(".")


def _kept(details: str) -> str:
    try:
        descriptor, path = tempfile.mkstemp(prefix="tlfix-", suffix=".log", text=True)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(details)
    except OSError:
        return "Run it again with TLFIX_DEBUG=1 to see the traceback."
    return f"The traceback is in {path}; please send it along with a report."
