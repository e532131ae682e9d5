"""The static check of many files: no TensorFlow, no probe, milliseconds a file."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from tlfix.causes import registry
from tlfix.causes.spec import Case, CauseSpec
from tlfix.findings import CheckedFile, CheckResult
from tlfix.printable import name
from tlfix.program.reader import read
from tlfix.ranking import examine
from tlfix.source import SourceError, load
from tlfix.suppression import unknown

SUFFIXES = frozenset({".py"})

_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "site-packages"})


def check(
    paths: Sequence[str | Path],
    select: Collection[str] = (),
    ignore: Collection[str] = (),
    *,
    ignored_in: Callable[[str], Collection[str]] | None = None,
    notes: bool = False,
    strict: bool = False,
) -> CheckResult:
    """Look for causes in files, and in the Python files of folders, without running them.

    A file that cannot be examined is reported as skipped, with the reason, and so is a folder that
    cannot be listed; neither hides others.
    One found in a folder is passed over in silence if nothing in it has to do with Keras.

    Args:
        paths: files (of any suffix) and folders.
        select: ids or codes to look for; all where empty.
        ignore: ids or codes not to look for.
        ignored_in: the ids or codes not to look for in a file, given its path.
        notes: report findings of severity ``note`` too.
        strict: let an exception inside a cause out.
    """
    started = time.perf_counter()
    specs = [
        spec
        for spec in registry.load()
        if (not select or _named(spec, select)) and not _named(spec, ignore)
    ]
    named = {str(path) for path in paths}
    checked: list[CheckedFile] = []

    def unlisted(error: OSError) -> None:
        folder = os.path.join(os.fsdecode(error.filename), "")
        reason = f"The folder cannot be listed: {error.strerror}."
        checked.append(CheckedFile(path=name(folder), skipped=reason))

    for path in files(paths, unlisted):
        here = ignored_in(path) if ignored_in else ()
        wanted = [spec for spec in specs if not _named(spec, here)]
        checked.append(_check_file(path, wanted, notes, strict, path in named))
    return CheckResult(files=tuple(checked), seconds=time.perf_counter() - started)


def unexamined(result: CheckResult, paths: Sequence[str | Path]) -> list[CheckedFile]:
    """Those of ``paths``, themselves and not what was found in them, that were not examined."""
    named = {name(path) for path in paths}
    return [
        file
        for file in result.files
        if file.skipped and (file.path in named or file.path.rstrip(os.sep) in named)
    ]


def files(
    paths: Sequence[str | Path], unlisted: Callable[[OSError], None] | None = None
) -> Iterator[str]:
    """The files behind ``paths``, each once: files as given, folders walked in order of name.

    Hidden folders, virtual environments, caches and installed packages are passed over;
    ``unlisted`` hears of each folder that cannot be listed.
    """
    seen: set[str] = set()
    for path in paths:
        for found in _walk(str(path), unlisted) if os.path.isdir(path) else (str(path),):
            if (real := os.path.realpath(found)) not in seen:
                seen.add(real)
                yield found


def _walk(folder: str, unlisted: Callable[[OSError], None] | None) -> Iterator[str]:
    for here, folders, names in os.walk(folder, onerror=unlisted):
        folders[:] = sorted(
            each
            for each in folders
            if not each.startswith(".")
            and each not in _SKIPPED_FOLDERS
            and not os.path.exists(os.path.join(here, each, "pyvenv.cfg"))
        )
        for each in sorted(names):
            if os.path.splitext(each)[1] in SUFFIXES and not each.startswith("."):
                yield os.path.join(here, each)


def _check_file(
    path: str, specs: list[CauseSpec], notes: bool, strict: bool, named: bool
) -> CheckedFile:
    shown = name(path)
    try:
        mentioned = _mentions_keras(path)
        if not mentioned and not named:
            return CheckedFile(path=shown)
        text = load(Path(path)).text
        if not mentioned:
            return CheckedFile(path=shown)
    except SourceError as error:
        return CheckedFile(path=shown, skipped=str(error))
    path = shown
    remarks = tuple(unknown(text, registry.codes()))
    program = read(text, path)
    if not program.training:
        return CheckedFile(path=path, notes=remarks)
    ranking = examine(Case(program), {path: text}, specs=specs, strict=strict)
    causes = (item.cause for item in ranking.ranked)
    return CheckedFile(
        path=path,
        causes=tuple(cause for cause in causes if notes or cause.severity != "note"),
        notes=(*remarks, *ranking.notes),
    )


def _mentions_keras(path: str) -> bool:
    """False for a file that can be passed over unparsed, as most can."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return True  # a pipe or a device: the loader refuses it unread
        content = Path(path).read_bytes()
    except OSError:
        return True  # the loader says what is wrong with it
    return any(word in content for word in (b"keras", b"tensorflow", b"efficientnet"))


def _named(spec: CauseSpec, names: Collection[str]) -> bool:
    return spec.id in names or spec.code in names
