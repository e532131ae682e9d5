"""Folders that look writable to the script and stay as they are: overlay mounts of its own.

The process gets its own mount namespace (and, unless it is root, user namespace: Linux 5.11 and
later mounts overlays there), in which each folder is covered by an overlay whose upper layer lies
in the scratch folder. Whatever writes there, Python, a C library or another program, sees one
consistent view. See the kernel's Documentation/filesystems/overlayfs.rst and user_namespaces(7).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import struct
import sys

_NEW_MOUNTS, _NEW_USERS = 0x00020000, 0x10000000
_BIND, _RECURSIVE, _PRIVATE = 4096, 16384, 1 << 18
_CAPABILITIES_3 = 0x20080522
# Never covered: what the kernel and the system's services keep there changes under our feet.
_SYSTEM = ("/", "/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys")
_SYSTEM_TOO = ("/usr", "/var")
LINKS = 8  # folders that links lead to, at most


def wanted(script: str) -> list[str]:
    """The folders to cover, parents first: home, temporary files, where the script runs and lies,
    and where links in those two lead (a trial runs in a folder of links to the user's)."""
    near = [os.getcwd(), os.path.dirname(os.path.abspath(script))]
    linked: list[str] = []
    for folder in near:
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_symlink():
                    parent = os.path.dirname(os.path.realpath(entry.path))
                    if parent not in linked:
                        linked.append(parent)
    folders = {os.path.realpath(f) for f in (*near, *linked[:LINKS], os.path.expanduser("~"))}
    folders.add("/tmp")
    usable = [f for f in folders if f not in (*_SYSTEM, *_SYSTEM_TOO) and os.path.isdir(f)]
    return sorted(usable, key=lambda folder: (folder.count(os.sep), folder))


def cover(folders: list[str], kept: list[str], scratch: str) -> list[str]:
    """Cover ``folders`` (real paths, parents first); those that were.

    ``kept`` stay what they are, also below a covered folder. Where the kernel refuses, nothing
    has changed. The process must have one thread.
    """
    if not sys.platform.startswith("linux") or not folders:
        return []
    child = os.fork()
    if child == 0:  # A process cannot leave a namespace that turns out useless: try in another.
        works = False
        try:
            works = _works(_enter(folders, kept, os.path.join(scratch, "trial")))
        finally:
            os._exit(0 if works else 1)
    if os.waitpid(child, 0)[1] != 0:
        return []
    return _enter(folders, kept, os.path.join(scratch, "layers"))


def _works(covered: list[str]) -> bool:
    """True if folders were covered, and files can be made and removed in them."""
    for folder in covered:
        path = os.path.join(folder, f".tlfix-{os.getpid()}")
        if os.access(folder, os.W_OK):
            os.mkdir(path)
            os.rename(path, path + "-moved")
            os.rmdir(path + "-moved")
    return bool(covered)


def _enter(folders: list[str], kept: list[str], layers: str) -> list[str]:
    os.makedirs(layers)
    here = os.getcwd()
    libc = ctypes.CDLL(None, use_errno=True)
    user, group, root = os.geteuid(), os.getegid(), os.geteuid() == 0
    # Root may mount as it is, and would lose its way to other users' files among users of its own.
    _check(libc.unshare(_NEW_MOUNTS if root else _NEW_MOUNTS | _NEW_USERS))
    if not root:
        for name, line in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(line)
    _check(libc.mount(None, b"/", None, ctypes.c_ulong(_RECURSIVE | _PRIVATE), None))
    points = _mount_points()
    opened = {path: _open(path) for path in {*folders, *kept}}
    covered: dict[str, bool] = {}  # and whether its upper layer lies in the scratch folder
    for folder in folders:
        inside = os.path.join(folder, "")
        if any(point.startswith(inside) for point in points):
            continue  # an overlay would hide what is mounted below
        above = next((c for c in reversed(covered) if inside.startswith(os.path.join(c, ""))), "")
        lower = opened[folder]
        if lower is None:
            continue
        # A folder of another group (shared by a team) can have an overlay of its own only: the
        # kernel copies nothing up whose owner this process's users do not include.
        mine = root or (os.stat(lower).st_uid, os.stat(lower).st_gid) == (user, group)
        if mine and covered.get(above) and _same_device(lower, opened[above]):
            continue
        if not os.access(folder, os.W_OK):
            continue  # its upper layer would be the script's own, and writable
        layer = os.path.join(layers, str(len(covered)))
        on_disk = _overlay(libc, lower, folder, layer)
        if on_disk or _overlay_in_memory(libc, lower, folder, layer):
            covered[folder] = on_disk
            _put_back(libc, inside, kept, opened)
    for descriptor in opened.values():
        if descriptor is not None:
            os.close(descriptor)
    if not root:
        header, none = struct.pack("<Ii", _CAPABILITIES_3, 0), bytes(24)
        _check(libc.capset(header, none))
    os.chdir(here)  # through what was mounted there
    return list(covered)


def _overlay_in_memory(libc: ctypes.CDLL, lower: int, folder: str, layer: str) -> bool:
    """For where the kernel cannot use the scratch folder, which lies in ``folder`` (or on an
    overlay itself, as in containers)."""
    place = layer + "-memory"
    os.makedirs(place)
    if libc.mount(b"tlfix", os.fsencode(place), b"tmpfs", 0, b"mode=0700") != 0:
        return False
    return _overlay(libc, lower, folder, os.path.join(place, "layer"))


def _overlay(libc: ctypes.CDLL, lower: int, folder: str, layer: str) -> bool:
    """Mount on ``folder`` what ``lower`` shows; what is written goes to the folder ``layer``."""
    upper, work = os.path.join(layer, "written"), os.path.join(layer, "work")
    os.makedirs(upper)
    os.makedirs(work)
    os.chmod(upper, os.stat(lower).st_mode & 0o7777)
    made = [os.open(path, os.O_PATH | os.O_CLOEXEC) for path in (upper, work)]
    # By descriptors: a path among the options may hold no comma and no colon.
    names = zip(("lowerdir", "upperdir", "workdir"), (lower, *made), strict=True)
    options = ",".join(f"{name}=/proc/self/fd/{descriptor}" for name, descriptor in names)
    try:
        return any(
            libc.mount(b"tlfix", os.fsencode(folder), b"overlay", 0, (options + more).encode()) == 0
            for more in (",userxattr", "")
        )
    finally:
        for descriptor in made:
            os.close(descriptor)


def _put_back(
    libc: ctypes.CDLL, inside: str, kept: list[str], opened: dict[str, int | None]
) -> None:
    for path in kept:
        descriptor = opened[path]
        if descriptor is not None and path.startswith(inside):
            source = f"/proc/self/fd/{descriptor}".encode()
            flags = ctypes.c_ulong(_BIND | _RECURSIVE)
            _check(libc.mount(source, os.fsencode(path), None, flags, None))


def _open(path: str) -> int | None:
    try:
        return os.open(path, os.O_PATH | os.O_CLOEXEC | os.O_DIRECTORY)
    except OSError:
        return None


def _same_device(one: int, other: int | None) -> bool:
    return other is not None and os.fstat(one).st_dev == os.fstat(other).st_dev


def _mount_points() -> list[str]:
    """Where something is mounted; a blank in a path is written ``\\040``."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        points = [line.split()[4] for line in file]
    return [re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), point) for point in points]


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
