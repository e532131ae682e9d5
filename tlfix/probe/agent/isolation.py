"""Keeps the probed script from changing anything of the user's, and from waiting for anybody.

Landlock, where the kernel has it, is the backstop of what :mod:`tlfix_agent.layers` and
:mod:`tlfix_agent.overlay` redirect: a write that reaches neither is refused.
"""

from __future__ import annotations

import builtins
import ctypes
import os
import struct
import sys
import time

from tlfix_agent import places

ANSWERS = 3  # questions that are answered with an empty line; a loop would ask for ever


def never_wait() -> None:
    """``input()`` answers with an empty line a few times, then as at the end of a file; the
    script's own ``time.sleep`` returns at once."""
    asked = 0

    def answer(prompt: object = "") -> str:
        nonlocal asked
        asked += 1
        print(prompt, end="", flush=True)
        if asked > ANSWERS:
            question = f" ({str(prompt).strip()[:200]!r})" if prompt else ""
            raise EOFError(
                f"EOF when reading a line: the script asks for input{question}, and nobody is "
                "there to answer. Give it an argument or a default for runs without a terminal."
            )
        return ""

    real_sleep = time.sleep

    def sleep(seconds: float) -> None:
        frame = sys._getframe(1)
        real_sleep(min(seconds, 0.01) if places.is_users(frame.f_code.co_filename) else seconds)

    builtins.input = answer
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
