"""What the user sees when tlfix itself fails: one paragraph, and where the traceback is."""

from __future__ import annotations

import os
import tempfile
import traceback

import click

USAGE, INTERNAL = 2, 4


def failed(error: Exception, refusals: tuple[type[Exception], ...]) -> int:
    """Say what happened on stderr and return the exit code: 2 for a refusal, 4 for a defect.

    With ``TLFIX_DEBUG=1`` the traceback of a defect is shown instead of being written to a file.
    """
    if isinstance(error, refusals):
        click.echo(f"tlfix: {error}", err=True)
        return USAGE
    if isinstance(error, OSError) and error.filename is not None:
        # A full disk, a folder without permission: nothing in tlfix to report.
        click.echo(f"tlfix: {error.filename}: {error.strerror}", err=True)
        return USAGE
    details = "".join(traceback.format_exception(error))
    if os.environ.get("TLFIX_DEBUG") == "1":
        click.echo(details, err=True)
        return INTERNAL
    click.echo(
        f"tlfix: internal error: {type(error).__name__}: {_first_line(error)}. This is a defect of "
        f"tlfix, not of your script; nothing of yours was changed. {_kept(details)}",
        err=True,
    )
    return INTERNAL


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
