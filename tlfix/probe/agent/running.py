"""Running somebody's script the way ``python script.py args`` does."""

from __future__ import annotations

import os
import sys
import types
from dataclasses import dataclass
from typing import Any

from tlfix_agent import places
from tlfix_agent.limits import Budget, Finished


@dataclass(frozen=True)
class Ending:
    """How the script ended. ``error`` is the exception that left it, ``status`` its exit status."""

    error: BaseException | None = None
    frames: tuple[dict[str, Any], ...] = ()
    finished_early: bool = False
    status: int | None = None


def run_script(path: str, arguments: list[str], budget: Budget) -> Ending:
    """Execute ``path`` as ``__main__`` with ``sys.argv``, ``sys.path[0]`` and a fresh module."""
    sys.argv = [path, *arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(path))
    main = types.ModuleType("__main__")
    main.__file__ = os.path.abspath(path)
    main.__builtins__ = __builtins__  # type: ignore[attr-defined]
    main.__dict__["__cached__"] = None
    sys.modules["__main__"] = main
    try:
        with open(path, "rb") as file:
            code = compile(file.read(), os.path.abspath(path), "exec")
        try:
            exec(code, main.__dict__)
        finally:
            budget.stop_watching()
    except Finished:
        return Ending(finished_early=True)
    except SystemExit as exit_:
        code_ = exit_.code
        if isinstance(code_, str):
            print(code_, file=sys.stderr, flush=True)  # as Python does with ``sys.exit("why")``
        status = code_ if isinstance(code_, int) else (0 if code_ is None else 1)
        return Ending(status=status, frames=tuple(places.of_traceback(exit_.__traceback__)))
    except BaseException as error:
        if budget.exhausted and _raised_by_us(error):
            return Ending(finished_early=True)
        return Ending(error=error, frames=tuple(places.of_traceback(error.__traceback__)))
    return Ending()


def _raised_by_us(error: BaseException) -> bool:
    """A ``Finished`` that went through a graph comes back as a TensorFlow error naming it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, Finished) or (
            type(seen).__module__.startswith("tensorflow") and Finished.__name__ in str(seen)
        ):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
