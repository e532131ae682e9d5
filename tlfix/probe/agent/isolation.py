"""Keeps the probed script from changing anything of the user's, and from waiting for anybody.

Two layers: Python-level redirection (files opened for writing land in a scratch overlay and are
found there again), and where the kernel has it, Landlock as a backstop for writes that do not go
through Python.
"""

from __future__ import annotations

import builtins
import ctypes
import io
import os
import shutil
import struct
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from tlfix_agent import places

_WRITING = set("wxa+")


class Overlay:
    """A scratch folder that receives what the script writes, and hides what it deletes.

    ``free`` are folders where writing is let through (scratch itself, Keras's cache, devices).
    Listings show what is there and what was written, less what was deleted.
    """

    def __init__(self, scratch: str, free: list[str]) -> None:
        self.folder = os.path.join(scratch, "written")
        self._free = [os.path.join(os.path.realpath(p), "") for p in [scratch, *free]]
        self._deleted: set[str] = set()
        self._open_file, self._stat_file, self._mkdir_one = io.open, os.stat, os.mkdir
        self._list, self._scan = os.listdir, os.scandir
        self._remove_file, self._remove_folder = os.remove, os.rmdir
        self._rename_file, self._rmtree = os.rename, shutil.rmtree

    def is_free(self, path: Any) -> bool:
        """True if writing to ``path`` is let through."""
        real = os.path.join(os.path.realpath(os.fsdecode(path)), "")
        return any(real.startswith(prefix) for prefix in self._free)

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
        if self._exists(shadow):
            return shadow
        if self._deleted and self._hidden(path):
            raise FileNotFoundError(2, "No such file or directory", os.fsdecode(path))
        return path

    def install(self) -> None:
        """Replace ``open`` and the calls of ``os`` and ``shutil`` that write, delete or look."""
        io.open = self._open
        builtins.open = self._open
        os.stat = self._stat
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
                file = self.for_writing(file, keep="w" not in mode and "x" not in mode)
            else:
                file = self.for_reading(file)
        return self._open_file(file, mode, *args, **kwargs)

    def _stat(self, path: Any, *args: Any, **kwargs: Any) -> os.stat_result:
        if kwargs.get("dir_fd") is None:
            path = self.for_reading(path)
        return self._stat_file(path, *args, **kwargs)

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
        if self.is_free(source):
            return self._rename_file(source, target, **kwargs)
        if os.path.isdir(source):
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            with self._open_file(source, "rb") as old, self._open_file(target, "wb") as new:
                shutil.copyfileobj(old, new)
        self._deleted.add(os.path.abspath(os.fsdecode(src)))

    def _confined(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """``original`` on the overlay's copy of its path; on the user's own file, nothing."""

        def confined(path: Any, *args: Any, **kwargs: Any) -> Any:
            target = self.for_reading(path)
            if isinstance(target, int) or self.is_free(target):
                return original(target, *args, **kwargs)
            return None

        return confined


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


def never_wait() -> None:
    """``input()`` answers with an empty line; the script's own ``time.sleep`` returns at once."""
    real_sleep = time.sleep

    def sleep(seconds: float) -> None:
        frame = sys._getframe(1)
        real_sleep(min(seconds, 0.01) if places.is_users(frame.f_code.co_filename) else seconds)

    builtins.input = lambda prompt="": ""
    time.__dict__["sleep"] = sleep


# Landlock: <linux/landlock.h>, kernel 5.13 and later. Only rights that change files are handled, so
# that reading stays as it is.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_WRITE_FILE, _REMOVE_AND_MAKE, _REFER, _TRUNCATE = 1 << 1, 0x1FF0, 1 << 13, 1 << 14
_NO_NEW_PRIVILEGES = 38


def restrict_writes(allowed: list[str]) -> bool:
    """Let this process write below ``allowed`` only, by Landlock. False if the kernel lacks it."""
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return False
    rights = _WRITE_FILE | _REMOVE_AND_MAKE
    rights |= _REFER if version >= 2 else 0
    rights |= _TRUNCATE if version >= 3 else 0
    attributes = ctypes.create_string_buffer(struct.pack("<Q", rights), 8)
    ruleset = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(8), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    for path in allowed:
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        rule = ctypes.create_string_buffer(struct.pack("<Qi", rights, descriptor), 12)
        libc.syscall(_ADD_RULE, ruleset, ctypes.c_int(1), rule, ctypes.c_uint32(0))
        os.close(descriptor)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    done = libc.syscall(_RESTRICT_SELF, ruleset, ctypes.c_uint32(0))
    os.close(ruleset)
    return bool(done == 0)
