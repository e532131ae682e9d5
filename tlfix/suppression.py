"""Comments that silence a finding: ``# tlfix: ignore[preprocessing-mismatch] reason``."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Mapping

from tlfix.config import suggestion

_COMMENT = re.compile(r"#\s*tlfix:\s*ignore(?:\[(?P<names>[^\]]*)\])?", re.IGNORECASE)


def suppressed(text: str, line: int, id: str, code: str) -> bool:
    """True if the comment on ``line`` silences the cause.

    Args:
        text: the source of the file.
        line: from 1.
        id: the cause's id, matched as it stands.
        code: its code (``TL101``), in any case; a comment without brackets silences every cause.
    """
    # Not str.splitlines: a form feed does not end a line for Python.
    lines = re.split(r"\r\n|\r|\n", text)
    if not 1 <= line <= len(lines) or (match := _COMMENT.search(lines[line - 1])) is None:
        return False
    if match["names"] is None:
        return True
    names = {name.strip() for name in match["names"].split(",")}
    return id in names or code.upper() in {name.upper() for name in names}


def unknown(text: str, causes: Mapping[str, str]) -> Iterator[str]:
    """A remark on each name in a comment that is no cause, and so silences nothing.

    ``causes`` maps the id of every known cause to its code.
    """
    codes = set(causes.values())
    for line, comment in _comments(text) if _COMMENT.search(text) else ():
        match = _COMMENT.search(comment)
        for name in (match["names"] or "").split(",") if match else ():
            if (asked := name.strip()) and asked not in causes and asked.upper() not in codes:
                hint = suggestion(asked, causes)
                yield f"line {line}: tlfix: ignore[{asked}] silences nothing: no such cause{hint}"


def _comments(text: str) -> Iterator[tuple[int, str]]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
    except (tokenize.TokenError, SyntaxError):
        return  # the parser, which has accepted the text, is kinder than the tokenizer
