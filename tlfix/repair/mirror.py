"""A scratch copy of the place a script runs in: symbolic links to everything, patched files real.

A patched script must find its data by paths relative to the working directory, relative to its
own file, and relative to parents of either (``../data``), and import its siblings. Data sets are
often untracked, so a checkout of a commit lacks them. See docs/adr/0002-trials-in-a-mirror.md.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

# Byte code written for a patched module must not land in the user's cache, nor be read from it.
_NOT_LINKED = {"__pycache__"}


@dataclass(frozen=True, slots=True)
class Mirror:
    """The root of the scratch tree; ``/`` of the machine corresponds to it."""

    root: Path

    def of(self, path: Path) -> Path:
        """Where the absolute ``path`` stands in the mirror."""
        return self.root / path.relative_to(path.anchor)


@contextmanager
def mirror(files: Mapping[Path, bytes], cwd: Path) -> Iterator[Mirror]:
    """A mirror in which ``files`` (absolute, resolved) have the given contents; removed at the end.

    Only folders on the way to ``cwd`` and to the files are made, with one link per other entry:
    the cost is that of listing them, whatever lies below. Writing through a link would reach the
    user's file, so a trial in a mirror needs the probe's sandbox like any other run.
    """
    root = Path(tempfile.mkdtemp(prefix="tlfix-mirror-")).resolve()
    made = Mirror(root)
    try:
        chain = {folder for path in files for folder in path.parents} | {cwd, *cwd.parents}
        # Outermost first: a folder on the chain is made by its parent's turn at the latest.
        for folder in sorted(chain, key=lambda each: len(each.parts)):
            _link_entries(folder, made, skip={*chain, *files, root})
        for path, content in files.items():
            made.of(path).write_bytes(content)
            if path.exists():
                shutil.copymode(path, made.of(path))
        yield made
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _link_entries(folder: Path, made: Mirror, skip: set[Path]) -> None:
    target = made.of(folder)
    target.mkdir(exist_ok=True)
    # A folder that may be entered but not listed (/home on shared machines) has no links.
    with suppress(PermissionError), os.scandir(folder) as entries:
        for entry in entries:
            path = folder / entry.name
            if path not in skip and entry.name not in _NOT_LINKED:
                os.symlink(path, target / entry.name)
