"""How to run a script: the caller's wishes, else the project's settings, else the defaults."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from os.path import commonpath, realpath
from pathlib import Path
from typing import TYPE_CHECKING

from tlfix import config
from tlfix.config import Settings
from tlfix.lookup import known_causes

if TYPE_CHECKING:
    from tlfix.causes.spec import CauseSpec
    from tlfix.probe.runner import Budget


@dataclass(frozen=True)
class Options:
    """How to run the script. ``python`` is its interpreter; None for the one tlfix runs in.

    ``budget_seconds`` bounds each training and ``timeout`` the whole probe, in wall seconds;
    None keeps the project's setting, or the default.
    """

    arguments: tuple[str, ...] | None = None
    python: str | None = None
    seed: int = 0
    budget_seconds: float | None = None
    steps: int | None = None
    timeout: float | None = None
    sandbox: str = "auto"
    probe: bool = True


DEFAULTS = Options()


def project_settings(*paths: Path) -> Settings:
    """The ``[tool.tlfix]`` that holds for ``paths``: of the nearest pyproject.toml to them all.

    Raises:
        ConfigError: a key, a type or a cause in it is wrong.
    """
    # Not Path.resolve: it raises on a link that leads to itself, which the loader explains better.
    places = [realpath(path) for path in paths] or [str(Path.cwd())]
    return config.load(Path(commonpath(places)), known_causes())


def budget(options: Options, settings: Settings) -> Budget:
    """The limits of a probe: the command line's, else the project's, else the defaults."""
    from tlfix.probe.runner import Budget

    asked = {
        "seconds": options.budget_seconds,
        "steps": options.steps,
        "timeout": options.timeout,
    }
    limits = {k: v for k, v in settings.budget.model_dump().items() if v is not None}
    limits |= {k: v for k, v in asked.items() if v is not None}
    return Budget(**limits)


def specs_for(path: str, settings: Settings) -> tuple[CauseSpec, ...]:
    """The causes to look for in ``path``: selected, not ignored, not ignored for this file."""
    from tlfix.causes import registry

    ignored = {*settings.ignore, *settings.ignored_in(path)}
    return tuple(
        spec
        for spec in registry.load()
        if (not settings.select or spec.id in settings.select) and spec.id not in ignored
    )


def interpreter(options: Options, settings: Settings) -> str:
    """The Python that runs the script."""
    if options.python is not None:
        return options.python
    if settings.python is None:
        return sys.executable
    # A path in the file is relative to the file; a bare name is looked up like any command.
    if settings.root is not None and "/" in settings.python:
        return str(settings.root / settings.python)
    return settings.python
