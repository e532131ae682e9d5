"""Results on their way out: to standard output whole, to a file whole or not at all."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from tlfix.printable import name

Writer = Callable[[IO[str]], None]


class WriteError(Exception):
    """The result could not be written; the message says where and why."""


def to_stdout(write: Writer) -> None:
    """Write to standard output and flush it.

    Raises:
        WriteError: it is full, or closed.
        BrokenPipeError: its reader has gone, which is no error of anybody's.
    """
    try:
        write(sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise WriteError(
            f"the result could not be written to standard output: {error.strerror or error}."
        ) from error


def to_file(path: Path, write: Writer) -> None:
    """Write ``path`` in one go: what a reader finds there is the old file or the whole new one.

    A device or a pipe is written as it is, and so is a file in a folder where none can be made.

    Raises:
        WriteError: there is no room, or no permission; nothing is left behind then.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not target.is_file():
            _direct(target, write)
            return
        partial = target.with_name(f".tlfix-{os.getpid()}.part")
        try:
            file = partial.open("x", encoding="utf-8")
        except PermissionError:
            if not os.access(target, os.W_OK):
                raise
            _direct(target, write)
            return
        try:
            with file:
                write(file)
            if target.exists():
                shutil.copymode(target, partial)
            partial.replace(target)
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise
    except BrokenPipeError:
        raise
    except OSError as error:
        raise WriteError(
            f"{name(path)} could not be written: {error.strerror or error}."
        ) from error


def ready() -> bool:
    """Make closed standard streams safe to use; False if there is no standard output.

    A command started with ``2>&-`` works, and its remarks go nowhere. Left closed, the number of
    the stream would be given to the next file opened, and remarks would be written into that.
    """
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        if not _is_open(2):
            os.dup2(sys.stderr.fileno(), 2)
    return sys.stdout is not None


def give_up_on(stream: IO[str]) -> None:
    """Send what ``stream`` still holds nowhere: Python must not fail again when it closes it."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _direct(path: Path, write: Writer) -> None:
    with path.open("w", encoding="utf-8") as file:
        write(file)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
