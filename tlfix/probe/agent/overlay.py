"""Python-level redirection: files opened for writing land in a scratch folder and are found there.

It serves where the kernel covers nothing (:mod:`tlfix_agent.layers`). C libraries and other
programs do not see it.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import shutil
from collections.abc import Callable, Iterable
from typing import Any

_WRITING = set("wxa+")
_OPEN_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_UNNAMED = getattr(os, "O_TMPFILE", 0)


class Overlay:
    """A scratch folder that receives what the script writes, and hides what it deletes.

    ``free`` are folders where writing is let through (scratch itself, Keras's cache, devices).
    Listings show what is there and what was written, less what was deleted.
    """

    def __init__(self, scratch: str, free: list[str]) -> None:
        self.folder = os.path.join(scratch, "written")
        self._free = [os.path.join(os.path.realpath(p), "") for p in [scratch, *free]]
        self._covered: list[str] = []
        self._owner: tuple[int, int] | None = None
        self._deleted: set[str] = set()
        self._open_file, self._stat_file, self._mkdir_one = io.open, os.stat, os.mkdir
        self._list, self._scan = os.listdir, os.scandir
        self._remove_file, self._remove_folder = os.remove, os.rmdir
        self._rename_file, self._rmtree = os.rename, shutil.rmtree
        self._link_stat, self._read_link, self._make_link = os.lstat, os.readlink, os.symlink
        self._descriptor, self._cut, self._may = os.open, os.truncate, os.access
        self._go, self._where = os.chdir, os.getcwd

    def release(self, folders: list[str], owner: tuple[int, int] | None = None) -> None:
        """Let writing through below ``folders`` too; with an ``owner`` (user and group), only
        where what is there is theirs."""
        self._covered = [os.path.join(os.path.realpath(folder), "") for folder in folders]
        self._owner = owner

    def is_free(self, path: Any) -> bool:
        """True if writing to ``path`` is let through."""
        real = os.path.join(os.path.realpath(os.fsdecode(path)), "")
        if any(real.startswith(prefix) for prefix in self._free):
            return True
        if not any(real.startswith(prefix) for prefix in self._covered):
            return False
        return self._owner is None or self._owners(real) == self._owner

    def _owners(self, path: str) -> tuple[int, int]:
        """User and group of ``path``, or of the nearest folder above it that is there."""
        while not self._exists(path):
            path = os.path.dirname(path)
        status = self._stat_file(path)
        return status.st_uid, status.st_gid

    def redirects(self, path: str) -> bool:
        """True if a write there, beside it or above it went elsewhere: another program, and a C
        library, look for it in vain."""
        if self.is_free(path):
            return False
        folder = os.path.dirname(self.shadow(path))
        return self._there(self.shadow(path)) or self._exists(folder) or self._hidden(path)

    def shadow(self, path: Any) -> str:
        """Where the overlay keeps ``path``."""
        return os.path.join(self.folder, os.path.abspath(os.fsdecode(path)).lstrip(os.sep))

    def for_writing(self, path: Any, keep: bool = False) -> Any:
        """The overlay's path for a file about to be written; ``keep`` copies what is there now."""
        if self.is_free(path):
            return path
        shadow = self.shadow(path)
        self._make_folders(os.path.dirname(shadow))
        if keep and not self._exists(shadow) and self._exists(path) and not self._hidden(path):
            with self._open_file(path, "rb") as source, self._open_file(shadow, "wb") as target:
                shutil.copyfileobj(source, target)
        return shadow

    def for_reading(self, path: Any) -> Any:
        """The overlay's copy of ``path`` if the script has written one, else ``path``."""
        if not isinstance(path, (str, bytes, os.PathLike)):
            return path
        shadow = self.shadow(path)
        if self._there(shadow):
            return shadow
        if self._deleted and self._hidden(path):
            raise FileNotFoundError(2, "No such file or directory", os.fsdecode(path))
        inside = self._where().startswith(self.folder)
        return os.path.abspath(path) if inside and not isinstance(path, bytes) else path

    def install(self) -> None:
        """Replace ``open`` and the calls of ``os`` and ``shutil`` that write, delete or look."""
        io.open = self._open
        builtins.open = self._open
        os.stat, os.lstat = self._stat, self._lstat
        os.open, os.truncate, os.link = self._open_descriptor, self._truncate, self._link
        os.symlink, os.readlink, os.access = self._symlink, self._readlink, self._access
        os.chdir, os.getcwd = self._chdir, self._getcwd
        os.mkdir, os.listdir, os.scandir = self._mkdir, self._listdir, self._scandir
        os.remove = os.unlink = self._remove
        os.rmdir = self._rmdir
        os.rename = os.replace = self._rename
        setattr(shutil, "rmtree", self._remove_tree)  # noqa: B010 - typed as a callable class
        for name in ("chmod", "chown", "utime", "setxattr"):
            setattr(os, name, self._confined(getattr(os, name)))

    def _exists(self, path: Any) -> bool:
        try:
            self._stat_file(path)
        except (OSError, ValueError):
            return False
        return True

    def _there(self, path: Any) -> bool:
        """As ``_exists``, also of a link that leads nowhere."""
        try:
            self._link_stat(path)
        except (OSError, ValueError):
            return False
        return True

    def _hidden(self, path: Any) -> bool:
        """True if the script deleted ``path``, or a folder above it."""
        place = os.path.abspath(os.fsdecode(path))
        while place not in self._deleted and place != os.path.dirname(place):
            place = os.path.dirname(place)
        return place in self._deleted

    def _make_folders(self, path: str) -> None:
        missing = []
        while not self._exists(path):
            missing.append(path)
            path = os.path.dirname(path)
        for folder in reversed(missing):
            self._mkdir_one(folder)

    def _open(self, file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if isinstance(file, (str, bytes, os.PathLike)):
            if _WRITING & set(mode):
                self._refuse(file, "x" in mode)
                file = self.for_writing(file, keep="w" not in mode and "x" not in mode)
            else:
                file = self.for_reading(file)
        return self._open_file(file, mode, *args, **kwargs)

    def _stat(self, path: Any, *args: Any, **kwargs: Any) -> os.stat_result:
        if kwargs.get("dir_fd") is None:
            path = self.for_reading(path)
        return self._stat_file(path, *args, **kwargs)

    def _lstat(self, path: Any, *args: Any, **kwargs: Any) -> os.stat_result:
        if kwargs.get("dir_fd") is None:
            path = self.for_reading(path)
        return self._link_stat(path, *args, **kwargs)

    def _refuse(self, path: Any, exclusive: bool) -> None:
        if exclusive and not self.is_free(path) and os.path.lexists(path):
            raise FileExistsError(17, "File exists", os.fsdecode(path))

    def _open_descriptor(
        self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None
    ) -> int:
        if dir_fd is not None:
            return self._descriptor(path, flags, mode, dir_fd=dir_fd)
        if _UNNAMED and flags & _UNNAMED == _UNNAMED:
            if not self.is_free(path):
                path = self.shadow(path)
                self._make_folders(path)
        elif flags & _OPEN_WRITING:
            self._refuse(path, bool(flags & os.O_EXCL))
            path = self.for_writing(path, keep=not flags & os.O_TRUNC)
        else:
            path = self.for_reading(path)
        return self._descriptor(path, flags, mode)

    def _truncate(self, path: Any, length: int) -> None:
        if not isinstance(path, int):
            os.stat(path)
            path = self.for_writing(path, keep=True)
        self._cut(path, length)

    def _link(self, src: Any, dst: Any, **_: Any) -> None:
        self._refuse(dst, True)
        self._copy(self.for_reading(src), self.for_writing(dst))

    def _symlink(self, src: Any, dst: Any, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("dir_fd") is not None or self.is_free(os.path.dirname(os.path.abspath(dst))):
            return self._make_link(src, dst, *args, **kwargs)
        self._refuse(dst, True)
        leads = os.path.join(os.path.dirname(os.path.abspath(dst)), src)
        if not self._exists(self.shadow(leads)) and self._exists(leads):
            src = os.path.abspath(leads)
        self._make_link(src, self.for_writing(dst), *args, **kwargs)

    def _readlink(self, path: Any, *args: Any, **kwargs: Any) -> Any:
        return self._read_link(self.for_reading(path), *args, **kwargs)

    def _access(self, path: Any, *args: Any, **kwargs: Any) -> bool:
        try:
            return self._may(self.for_reading(path), *args, **kwargs)
        except FileNotFoundError:
            return False

    def _chdir(self, path: Any) -> None:
        if isinstance(path, int):
            return self._go(path)
        place = os.path.abspath(os.fsdecode(path))
        shadow = self.shadow(place)
        self._go(shadow if self._hidden(place) or not self._exists(place) else place)

    def _getcwd(self) -> str:
        """The folder the script believes to be in."""
        place = self._where()
        return place[len(self.folder) :] if place.startswith(self.folder + os.sep) else place

    def _mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        if dir_fd is not None or self.is_free(path):
            return self._mkdir_one(path, mode, dir_fd=dir_fd)
        if os.path.exists(path):
            raise FileExistsError(17, "File exists", os.fsdecode(path))
        self._make_folders(self.shadow(path))

    def _listdir(self, path: Any = ".") -> list[Any]:
        if isinstance(path, int):
            return self._list(path)
        with self._scandir(path) as entries:
            return [entry.name for entry in entries]

    def _scandir(self, path: Any = ".") -> Any:
        shadow = self.shadow(path) if not isinstance(path, int) else ""
        if isinstance(path, int) or not (self._deleted or self._exists(shadow)):
            return self._scan(path)
        entries: dict[Any, Any] = {}
        if self._exists(path) and not self._hidden(path):
            with self._scan(path) as there:
                entries = {e.name: e for e in there if not self._hidden(e.path)}
        elif not self._exists(shadow):
            raise FileNotFoundError(2, "No such file or directory", os.fsdecode(path))
        if self._exists(shadow):
            with self._scan(shadow) as written:
                entries.update({e.name: e for e in written})
        return _Entries(entries.values())

    def _remove(self, path: Any, *, dir_fd: int | None = None) -> None:
        if dir_fd is not None or self.is_free(path):
            return self._remove_file(path, dir_fd=dir_fd)
        os.lstat(self.for_reading(path))
        shadow = self.shadow(path)
        if self._exists(shadow):
            self._rmtree(shadow) if os.path.isdir(shadow) else self._remove_file(shadow)
        self._deleted.add(os.path.abspath(os.fsdecode(path)))

    def _rmdir(self, path: Any, *, dir_fd: int | None = None) -> None:
        if dir_fd is not None or self.is_free(path):
            return self._remove_folder(path, dir_fd=dir_fd)
        if self._listdir(path):
            raise OSError(39, "Directory not empty", os.fsdecode(path))
        self._remove_tree(path)

    def _remove_tree(self, path: Any, *args: Any, **kwargs: Any) -> None:
        if self.is_free(path):
            return self._rmtree(path, *args, **kwargs)
        shadow = self.shadow(path)
        if self._exists(shadow):
            self._rmtree(shadow)
        self._deleted.add(os.path.abspath(os.fsdecode(path)))

    def _rename(self, src: Any, dst: Any, **kwargs: Any) -> None:
        source = self.for_reading(src)
        target = self.for_writing(dst)
        free = self.is_free(source)
        if free:
            try:
                self._rename_file(source, target, **kwargs)
                return self._forget(src)
            except OSError as error:  # from the scratch folder, or a folder of the user's
                if error.errno != errno.EXDEV or kwargs:
                    raise
        self._copy(source, target)
        if free:
            self._rmtree(source) if _is_folder(source) else self._remove_file(source)
        self._forget(src)

    def _forget(self, path: Any) -> None:
        if not self.is_free(path):
            self._deleted.add(os.path.abspath(os.fsdecode(path)))

    def _copy(self, source: Any, target: Any) -> None:
        if _is_folder(source):
            if self._exists(target):
                self._remove_folder(target)  # as renaming does: it must be empty
            shutil.copytree(source, target, symlinks=True)
        elif os.path.islink(source):
            self._make_link(os.readlink(source), target)
        else:
            with self._open_file(source, "rb") as old, self._open_file(target, "wb") as new:
                shutil.copyfileobj(old, new)

    def _confined(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """``original`` on the overlay's copy of its path; on the user's own file, nothing."""

        def confined(path: Any, *args: Any, **kwargs: Any) -> Any:
            target = self.for_reading(path)
            if isinstance(target, int) or self.is_free(target):
                return original(target, *args, **kwargs)
            os.lstat(target)  # as the call itself would, this fails where there is nothing
            return None

        return confined


def _is_folder(path: Any) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


class _Entries:
    """What ``os.scandir`` returns: an iterator that is its own context."""

    def __init__(self, entries: Iterable[Any]) -> None:
        self._entries = iter(list(entries))

    def __iter__(self) -> _Entries:
        return self

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held open."""
