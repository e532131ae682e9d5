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
from collections.abc import Callable
from typing import Any

from tlfix_agent import places

_WRITING = set("wxa+")


class Overlay:
    """A scratch folder that receives what the script writes.

    ``free`` are folders where writing is let through (scratch itself, Keras's cache, devices).
    """

    def __init__(self, scratch: str, free: list[str]) -> None:
        self.folder = os.path.join(scratch, "written")
        self._free = [os.path.join(os.path.realpath(p), "") for p in [scratch, *free]]
        self._real_open = io.open
        self._real_stat = os.stat
        self._real_makedirs = os.makedirs

    def is_free(self, path: str) -> bool:
        """True if writing to ``path`` is let through."""
        real = os.path.join(os.path.realpath(path), "")
        return any(real.startswith(prefix) for prefix in self._free)

    def shadow(self, path: str) -> str:
        """Where the overlay keeps ``path``."""
        return os.path.join(self.folder, os.path.abspath(path).lstrip(os.sep))

    def for_writing(self, path: str, keep: bool = False) -> str:
        """The overlay's path for a file about to be written; ``keep`` copies what is there now."""
        if self.is_free(path):
            return path
        shadow = self.shadow(path)
        self._real_makedirs(os.path.dirname(shadow), exist_ok=True)
        if keep and not os.path.exists(shadow) and os.path.isfile(path):
            shutil.copyfile(path, shadow)
        return shadow

    def for_reading(self, path: Any) -> Any:
        """The overlay's copy of ``path`` if the script has written one, else ``path``."""
        if not isinstance(path, (str, os.PathLike)):
            return path
        try:
            shadow = self.shadow(os.fsdecode(path))
            self._real_stat(shadow)
        except (OSError, ValueError):
            return path
        return shadow

    def install(self) -> None:
        """Replace ``open``, ``os.mkdir``, ``os.stat`` and the destructive calls of ``os``."""
        io.open = self._open
        builtins.open = self._open
        os.stat = self._stat
        real_mkdir, real_remove = os.mkdir, os.remove
        real_rename, real_rmdir = os.rename, os.rmdir

        def mkdir(path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
            name = os.fsdecode(path)
            if dir_fd is not None or self.is_free(name):
                return real_mkdir(path, mode, dir_fd=dir_fd)
            if os.path.exists(name):
                raise FileExistsError(17, "File exists", name)
            self._real_makedirs_free(self.shadow(name), real_mkdir)

        def remove(path: Any, *, dir_fd: int | None = None) -> None:
            target = self.for_reading(path)
            if dir_fd is not None or self.is_free(os.fsdecode(target)):
                real_remove(target, dir_fd=dir_fd)

        def rmdir(path: Any, *, dir_fd: int | None = None) -> None:
            target = self.for_reading(path)
            if dir_fd is not None or self.is_free(os.fsdecode(target)):
                real_rmdir(target, dir_fd=dir_fd)

        def rename(src: Any, dst: Any, **kwargs: Any) -> None:
            source = self.for_reading(src)
            if not self.is_free(os.fsdecode(source)):
                return
            real_rename(source, self.for_writing(os.fsdecode(dst)), **kwargs)

        os.mkdir, os.remove, os.unlink = mkdir, remove, remove
        os.rmdir, os.rename, os.replace = rmdir, rename, rename

    def _real_makedirs_free(self, path: str, mkdir: Callable[..., None]) -> None:
        missing = []
        while not os.path.isdir(path):
            missing.append(path)
            path = os.path.dirname(path)
        for folder in reversed(missing):
            mkdir(folder)

    def _open(self, file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if isinstance(file, (str, bytes, os.PathLike)):
            name = os.fsdecode(file)
            if _WRITING & set(mode):
                file = self.for_writing(name, keep="w" not in mode and "x" not in mode)
            else:
                file = self.for_reading(name)
        return self._real_open(file, mode, *args, **kwargs)

    def _stat(self, path: Any, *args: Any, **kwargs: Any) -> os.stat_result:
        return self._real_stat(self.for_reading(path), *args, **kwargs)


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
