"""Text from outside (file names, messages of a script) as it can be shown on a terminal."""

from __future__ import annotations

import re

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def name(text: object) -> str:
    """A file's name on one line: control characters and undecodable bytes as escapes (``\\n``)."""
    return _CONTROL.sub(_escaped, str(text))


def prose(text: str) -> str:
    """Text of several lines: all but line ends and tabs escaped, so that none acts on a terminal.

    A carriage return in front of a line feed is part of the line end.
    """
    return _UNPRINTABLE.sub(_escaped, text.replace("\r\n", "\n"))


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape", "surrogatepass").decode("ascii")
