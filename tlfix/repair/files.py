"""The files a repair may change: read once, written back byte for byte apart from the patch."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tlfix.repair.errors import RepairError
from tlfix.repair.plan import Texts
from tlfix.source.patch import unified_diff
from tlfix.source.script import Script, encode, load


@dataclass(frozen=True)
class Files:
    """The script and what else is patched, by absolute path, as they were when the repair began."""

    scripts: Mapping[str, Script]
    contents: Mapping[str, bytes]

    @property
    def texts(self) -> Texts:
        """The Python source of each."""
        return {path: script.text for path, script in self.scripts.items()}

    def encoded(self, texts: Texts) -> dict[Path, bytes]:
        """Each file's new bytes; a file whose text is unchanged keeps its bytes."""
        return {
            Path(path): self.contents[path]
            if text == self.scripts[path].text
            else encode(self.scripts[path], text)
            for path, text in texts.items()
        }

    def changed(self, before: Texts, after: Texts) -> dict[Path, bytes]:
        """The new bytes of the files whose text differs."""
        encoded = self.encoded(after)
        return {Path(path): encoded[Path(path)] for path in after if after[path] != before[path]}

    def diff(self, texts: Texts, relative_to: Path) -> str:
        """A unified diff against the files as they were."""
        parts = []
        for path, text in texts.items():
            name = os.path.relpath(path, relative_to)
            parts += list(unified_diff(self.scripts[path].text, text, name))
        return "".join(parts)

    def replace(self, texts: Texts) -> None:
        """Write the files in place, each at once, with the permission bits it had.

        Raises:
            RepairError: a file changed since it was read, or cannot be written; nothing, or in the
                last case only the files before it, has been written then.
        """
        changed = self.changed(self.texts, texts)
        for path in changed:
            if path.read_bytes() != self.contents[str(path)]:
                raise RepairError(
                    f"{path} changed while its repair was being tried, so the patch was not "
                    "written. Run tlfix again on the file as it is now."
                )
        for path, content in changed.items():
            _replace(path, content)


def read(paths: Iterable[str]) -> Files:
    """Read ``paths``, each once.

    Raises:
        RepairError: one cannot be read.
    """
    scripts, contents = {}, {}
    for path in dict.fromkeys(paths):
        try:
            contents[path] = Path(path).read_bytes()
            scripts[path] = load(Path(path))
        except OSError as error:
            raise RepairError(f"{path} cannot be read: {error.strerror or error}.") from None
        except (SyntaxError, ValueError) as error:
            raise RepairError(f"{path} cannot be understood as Python: {error}.") from None
    return Files(scripts, contents)


def _replace(path: Path, content: bytes) -> None:
    try:
        # In the same folder, so that the replacement is one atomic rename.
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tlfix", dir=path.parent)
    except OSError as error:
        raise RepairError(f"{path} cannot be written: {error.strerror or error}.") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(path, name)
        os.replace(name, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(name)
        raise RepairError(f"{path} cannot be written: {error.strerror or error}.") from None
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
