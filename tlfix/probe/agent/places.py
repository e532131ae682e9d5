"""From which line of the user's own code something was called."""

from __future__ import annotations

import os
import sys
import sysconfig
from types import CodeType, FrameType, TracebackType
from typing import Any

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_LIBRARY = tuple(
    os.path.join(os.path.realpath(path), "")
    for path in {sysconfig.get_paths()["stdlib"], sysconfig.get_paths()["platstdlib"]}
)
_PACKAGES = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
_known: dict[str, bool] = {}


def is_users(filename: str) -> bool:
    """True if a source file is the user's: not the standard library, a package, or this agent."""
    known = _known.get(filename)
    if known is None:
        real = os.path.realpath(filename)
        known = not (
            filename.startswith("<")
            or real.startswith(_FOLDER)
            or real.startswith(_LIBRARY)
            or any(part in real for part in _PACKAGES)
            or not filename.endswith((".py", ".pyw", ".ipynb"))
            or "__autograph_generated" in os.path.basename(filename)
        )
        _known[filename] = known
    return known


def _column(code: CodeType, instruction: int) -> int | None:
    positions = getattr(code, "co_positions", None)
    if positions is None or instruction < 0:
        return None
    for index, (_, _, column, _) in enumerate(positions()):
        if index == instruction // 2:
            return int(column) if column is not None else None
    return None


def of_frame(frame: FrameType) -> dict[str, Any]:
    """The place where ``frame`` stands."""
    return {
        "path": os.path.abspath(frame.f_code.co_filename),
        "line": frame.f_lineno,
        "column": _column(frame.f_code, frame.f_lasti),
    }


def callers(depth: int = 2) -> tuple[FrameType | None, FrameType | None]:
    """The innermost frame of the user's code, and the library frame it called directly."""
    frame: FrameType | None = sys._getframe(depth)
    below: FrameType | None = None
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            return frame, below
        if not frame.f_code.co_filename.startswith(_FOLDER):
            below = frame
        frame = frame.f_back
    return None, below


def here(depth: int = 2) -> dict[str, Any] | None:
    """The place in the user's code that led here, or None."""
    frame, _ = callers(depth + 1)
    return None if frame is None else of_frame(frame)


def of_traceback(traceback: TracebackType | None) -> list[dict[str, Any]]:
    """The user's frames of a traceback, innermost last."""
    places = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if is_users(code.co_filename):
            places.append(
                {
                    "path": os.path.abspath(code.co_filename),
                    "line": traceback.tb_lineno,
                    "column": _column(code, traceback.tb_lasti),
                }
            )
        traceback = traceback.tb_next
    return places


def of_function(function: Any) -> dict[str, Any] | None:
    """Where a function of the user's was defined, or None."""
    code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
    if code is None or not is_users(code.co_filename):
        return None
    return {"path": os.path.abspath(code.co_filename), "line": code.co_firstlineno, "column": None}
