"""Tells a failure that the probe's own confinement has caused from one that is the script's."""

from __future__ import annotations

import errno
import os
import re
from typing import Any

from tlfix_agent.overlay import Overlay

_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EXDEV, errno.EOVERFLOW}
_NOBODYS = ("/dev/", "/proc/", "/sys/")
_DENIED = re.compile(r"permission denied|errno = 13|read-?only (database|file system)", re.I)
_PATH = re.compile(r"name = '([^']+)'|^([^;:']+?)\s*;|'([^']*/[^']*)'|(/[^\s;,:'\"]+)")


def explanation(error: BaseException | None, overlay: Overlay) -> str | None:
    """What to tell of the crash ``error`` if redirected or refused writing explains it."""
    seen: list[BaseException] = []
    while error is not None and error not in seen and len(seen) < 10:
        seen.append(error)
        path = _path(error)
        if _ours(error, path, overlay):
            what = f"{path!r}" if path else "what it wrote to"
            return (
                "What the script writes is confined by tlfix, and "
                f"{what} is out of bounds, so this need not be a fault of the script: "
                "--sandbox none runs it unconfined (it then changes files as it does alone)."
            )
        error = error.__cause__ or error.__context__
    return None


def _ours(error: BaseException, path: str | None, overlay: Overlay) -> bool:
    number = getattr(error, "errno", None)
    text, kind = _text(error), type(error).__name__
    refused = number in _REFUSED or kind == "PermissionDeniedError"
    refused = refused or bool(isinstance(error, OSError) and _DENIED.search(text))
    if kind == "OperationalError" and type(error).__module__ == "sqlite3":
        return "unable to open" in text or bool(_DENIED.search(text))
    if not refused:
        missing = number == errno.ENOENT or kind == "NotFoundError"
        return missing and path is not None and overlay.redirects(path)
    if path is None:
        return kind == "PermissionDeniedError"
    if number in (errno.EXDEV, errno.EOVERFLOW):
        return True
    place = os.path.abspath(path)
    return not (place.startswith(_NOBODYS) or overlay.is_free(path)) and _writable(path)


def _path(error: BaseException) -> str | None:
    name: Any = getattr(error, "filename2", None) or getattr(error, "filename", None)
    if isinstance(name, (str, bytes)):
        return os.fsdecode(name)
    found = _PATH.search(_text(error))
    return next((part for part in found.groups() if part), None) if found else None


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


def _writable(path: str) -> bool:
    """True if the user may write there: the kernel's permissions, which Landlock does not show."""
    place = os.path.abspath(path)
    while not os.path.lexists(place) and place != os.path.dirname(place):
        place = os.path.dirname(place)
    return os.access(place, os.W_OK)
