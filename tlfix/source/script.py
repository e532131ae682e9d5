"""Reading a script and writing it back so that every byte that was not changed stays the same."""

from __future__ import annotations

import ast
import codecs
import errno
import hashlib
import io
import re
import stat
import tokenize
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from tlfix import printable

LARGEST: Final = 1_000_000
"""Bytes. A training script beyond this is generated code or data."""

_LONE_LF: Final = re.compile(r"(?<!\r)\n")


class SourceError(Exception):
    """A script cannot be read or written; the message, one paragraph, says what to do."""


@dataclass(frozen=True, slots=True)
class Script:
    """A Python file as it is on disk.

    ``text`` keeps the file's own line ends and has no byte order mark; ``encoding`` is the codec
    of the text (``utf-8-sig`` where there is a mark); ``newline`` the only line end in use, or
    None where several are (or none); ``sha256`` is over the file's bytes.
    """

    path: Path
    text: str
    encoding: str
    newline: Literal["\n", "\r\n", "\r"] | None
    sha256: str


def load(path: Path) -> Script:
    """The script at ``path``.

    Raises:
        SourceError: it cannot be read, or is not Python 3; the message says what to do.
    """
    content = _content(path)
    shown = Path(printable.name(path))
    text, encoding = _decoded(shown, content)
    _parsed(shown, text)
    digest = hashlib.sha256(content).hexdigest()
    return Script(path, text, encoding, _newline(text), digest)


def encode(script: Script, new_text: str) -> bytes:
    """The bytes of the file with ``new_text`` in it: same byte order mark, encoding, line ends.

    Raises:
        SourceError: the file's encoding has no way to write a character of the new text.
    """
    if script.newline == "\r\n":
        new_text = _LONE_LF.sub("\r\n", new_text)
    try:
        return new_text.encode(script.encoding)
    except UnicodeEncodeError as error:
        raise SourceError(
            f"The patch of {script.path} needs the character {new_text[error.start]!r}, which its "
            f"encoding, {script.encoding}, does not have. Save the file as UTF-8 and run tlfix "
            "again."
        ) from None


def _content(file: Path) -> bytes:
    path = Path(printable.name(file))  # as it is shown
    if file.suffix == ".ipynb":
        raise SourceError(
            f"{path} is a notebook, and notebooks are not read yet. Export it with "
            f"`jupyter nbconvert --to script {path}` and give tlfix the .py file that comes out."
        )
    if file.is_dir():
        raise SourceError(
            f"{path} is a folder. Name the script that trains the model; "
            f"`tlfix check {path}` looks through a whole folder."
        )
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            # Reading a pipe waits for a writer, reading a device may never end.
            raise SourceError(
                f"{path} is not a regular file (but a pipe, a socket or a device). Save the script "
                "in a file and name that."
            )
        size = status.st_size
        if size > LARGEST:
            raise SourceError(
                f"{path} has {size:,} bytes, more than the {LARGEST:,} that tlfix reads. Move "
                "data out of the script into a file of its own."
            )
        return file.read_bytes()
    except FileNotFoundError:
        raise SourceError(
            f"There is no file {path} (looked from {Path.cwd()}). Check the spelling, or change "
            "to the folder the path starts from."
        ) from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise SourceError(
                f"{path} is a symbolic link that leads back to itself. Name the file it was meant "
                "to lead to."
            ) from None
        raise SourceError(
            f"{path} cannot be read: {error.strerror or error}. Check its permissions and run "
            "tlfix as a user who may read it."
        ) from None


def _decoded(path: Path, content: bytes) -> tuple[str, str]:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SourceError(
            f"{path} is not {error.encoding} text: line {line} has the byte "
            f"0x{content[error.start]:02x}. Save it as UTF-8, or declare its encoding in the "
            "first line (`# -*- coding: latin-1 -*-`)."
        ) from None
    except (SyntaxError, LookupError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise SourceError(
            f"{path} cannot be decoded as Python source: {reason}. Save it as UTF-8, or declare "
            "its encoding in the first line (`# -*- coding: latin-1 -*-`)."
        ) from None
    if encoding == "utf-8" and content.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    return text, encoding


def _parsed(path: Path, text: str) -> None:
    try:
        with warnings.catch_warnings():
            # An invalid escape in a string is the script's own affair.
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        raise SourceError(_syntax(path, text, error)) from None
    except (RecursionError, MemoryError):
        raise SourceError(
            f"{path} is nested too deeply for Python's own parser. If a part of it is generated "
            "data, load it from a file instead."
        ) from None
    except ValueError as error:
        raise SourceError(
            f"{path} is not Python source: {error}. Check that it is the script you meant."
        ) from None


_PRINT = re.compile(r"\s*(print|exec)\s+[^=(\s]")
_MAGIC = re.compile(r"\s*[%!]")


def _syntax(path: Path, text: str, error: SyntaxError) -> str:
    lines = text.splitlines()
    number = error.lineno or 1
    line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    place = f"line {number}" + (f", column {error.offset}" if error.offset else "")
    message = f"{path} is not valid Python 3: {place}: {error.msg}."
    if line:
        message += f" The line reads `{line[:100]}`."
    if _MAGIC.match(line):
        return message + " That is notebook magic: remove the line or comment it out."
    if _PRINT.match(line) or "Missing parentheses" in error.msg:
        return message + " That is Python 2, where `print` was a statement: port it to Python 3."
    return message + " Correct it until `python -m py_compile` accepts the file."


def _newline(text: str) -> Literal["\n", "\r\n", "\r"] | None:
    crlf = text.count("\r\n")
    lf, cr = text.count("\n") - crlf, text.count("\r") - crlf
    if crlf and not lf and not cr:
        return "\r\n"
    if lf and not crlf and not cr:
        return "\n"
    return "\r" if cr and not crlf and not lf else None
