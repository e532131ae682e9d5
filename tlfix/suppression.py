"""Comments that silence a finding: ``# tlfix: ignore[preprocessing-mismatch] reason``."""

from __future__ import annotations

import re

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
