"""``[tool.tlfix]`` in ``pyproject.toml``: read, checked, and explained when wrong.

An unknown key or a wrong type is an error, never ignored: a misspelt ``ignore`` that silently
does nothing costs more than a message.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatch
from os.path import realpath
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class ConfigError(Exception):
    """A setting that cannot be used; the message names the file and the key."""


class Table(BaseModel):
    """Base of the settings: immutable, no unknown keys, no silent conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class BudgetTable(Table):
    """Limits of one probe; an absent one keeps the default of :class:`tlfix.probe.runner.Budget`.

    ``seconds`` bounds each training, ``timeout`` the whole probe (both wall seconds), ``steps``
    the training steps, ``images`` the images that are examined per split.
    """

    seconds: float | None = Field(None, gt=0, allow_inf_nan=False)
    steps: int | None = Field(None, ge=1)
    images: int | None = Field(None, ge=8)
    timeout: float | None = Field(None, gt=0, allow_inf_nan=False)


class Settings(Table):
    """The settings of one project. ``root`` is the folder of the file they came from.

    ``select``, ``ignore`` and ``per_file_ignores`` name causes by id or code; a file pattern of
    ``per_file_ignores`` is relative to ``root``. ``seeds`` is the number of runs on each side of
    a verification (at least 3).
    """

    select: tuple[str, ...] = Field((), strict=False)
    ignore: tuple[str, ...] = Field((), strict=False)
    per_file_ignores: dict[str, list[str]] = Field({}, alias="per-file-ignores")
    budget: BudgetTable = BudgetTable()
    python: str | None = Field(None, pattern=r"\S")
    args: tuple[str, ...] = Field((), strict=False)
    seeds: int = Field(3, ge=3)
    root: Path | None = Field(None, exclude=True)

    def ignored_in(self, path: str) -> frozenset[str]:
        """The ids that ``per-file-ignores`` silences in the file ``path``."""
        resolved = Path(realpath(path))
        inside = self.root is not None and resolved.is_relative_to(self.root)
        shown = resolved.relative_to(self.root) if self.root and inside else resolved
        return frozenset(
            name
            for pattern, names in self.per_file_ignores.items()
            if fnmatch(shown.as_posix(), pattern) or fnmatch(resolved.name, pattern)
            for name in names
        )


KEYS = tuple(field.alias or name for name, field in Settings.model_fields.items() if name != "root")


def suggestion(word: str, known: Iterable[str]) -> str:
    """``; did you mean "…"?`` for the nearest known word, or an empty string."""
    near = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""


def nearest(start: Path) -> Path | None:
    """The first ``pyproject.toml`` in ``start`` or a folder above it."""
    folder = Path(realpath(start))
    if not folder.is_dir():
        folder = folder.parent
    for candidate in (folder, *folder.parents):
        if (candidate / "pyproject.toml").is_file():
            return candidate / "pyproject.toml"
    return None


def load(start: Path, causes: Mapping[str, str]) -> Settings:
    """The settings that hold for ``start`` (a file or a folder).

    ``causes`` maps the id of every known cause to its code. Codes in the file are turned into ids.

    Raises:
        ConfigError: the file is not TOML, or a key, a type or a cause in it is wrong.
    """
    path = nearest(start)
    if path is None:
        return Settings()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    tool = document.get("tool", {})
    table = tool.get("tlfix", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: [tool.tlfix] must be a table")
    if "root" in table:
        raise ConfigError(f"{path}: [tool.tlfix] root: unknown key")
    if "per_file_ignores" in table:
        raise ConfigError(
            f'{path}: [tool.tlfix] per_file_ignores: unknown key; did you mean "per-file-ignores"?'
        )
    try:
        settings = Settings.model_validate({**table, "root": path.parent})
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(path, e) for e in error.errors())) from error
    return settings.model_copy(
        update={
            "select": _ids(path, "select", settings.select, causes),
            "ignore": _ids(path, "ignore", settings.ignore, causes),
            "per_file_ignores": {
                pattern: list(_ids(path, f'per-file-ignores."{pattern}"', names, causes))
                for pattern, names in settings.per_file_ignores.items()
            },
        }
    )


_WANTED = {
    "string_type": "a string",
    "string_pattern_mismatch": "the name or path of a Python interpreter",
    "tuple_type": "a list of strings",
    "list_type": "a list of strings",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "{ge:g} or more",
}
"""What pydantic's errors ask for, in the words of TOML."""


def _explain(path: Path, error: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"] if not isinstance(part, int))
    where += "".join(f", item {part + 1}" for part in error["loc"] if isinstance(part, int))
    if error["type"] == "extra_forbidden":
        known = tuple(BudgetTable.model_fields) if where.startswith("budget.") else KEYS
        return (
            f"{path}: [tool.tlfix] {where}: unknown key{suggestion(str(error['loc'][-1]), known)}"
        )
    wanted = _WANTED.get(str(error["type"]), str(error["msg"]).removeprefix("Input should be "))
    wanted = wanted.format(**error.get("ctx", {}))
    return f"{path}: [tool.tlfix] {where}: should be {wanted}, is {_as_toml(error['input'])}"


def _as_toml(value: object) -> str:
    """A value as it stands in the file, a table in short."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_as_toml(each) for each in value)}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _ids(path: Path, key: str, names: Iterable[str], causes: Mapping[str, str]) -> tuple[str, ...]:
    ids = {code: cause for cause, code in causes.items()}
    found = []
    for name in names:
        cause = name if name in causes else ids.get(name.upper())
        if cause is None:
            raise ConfigError(
                f"{path}: [tool.tlfix] {key}: no such cause: {name!r}{suggestion(name, causes)}"
            )
        found.append(cause)
    return tuple(found)
