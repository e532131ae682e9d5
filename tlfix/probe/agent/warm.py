"""A process that has imported the heavy modules and forks one probe per request.

``python warm.py SOCKET MODULE...``: importing TensorFlow takes seconds, and a process that has
imported it and run no operation can be forked. A request is one connection to ``SOCKET``: a JSON
object ``{"config", "cwd", "environment"}`` on a line, with two descriptors, of the probe's events
and of its output. The answers are lines: the child's process id, and its exit status when it ends.
The process ends with its standard input.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import selectors
import socket
import sys
import tempfile
from typing import Any

REAP_SECONDS = 0.1


def main() -> None:
    """Serve until standard input closes."""
    path, *modules = sys.argv[1:]
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    for name in modules:
        importlib.import_module(name)
    children: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in selector.select(REAP_SECONDS)]
            if sys.stdin in ready and not os.read(sys.stdin.fileno(), 1):
                return
            if listener in ready:
                connection, _ = listener.accept()
                pid = _start(connection, [listener, *children.values()])
                children[pid] = connection
            _reap(children)


def _start(connection: socket.socket, others: list[socket.socket]) -> int:
    """Fork a probe; the id of its process, which leads a group of its own."""
    message, descriptors, _, _ = socket.recv_fds(connection, 1 << 16, 2)
    while not message.endswith(b"\n"):
        message += connection.recv(1 << 16)
    request = json.loads(message)
    events, output = descriptors
    pid = os.fork()
    if pid == 0:
        for other in (connection, *others):
            other.close()
        _become(request, events, output)
    for descriptor in descriptors:
        os.close(descriptor)
    _answer(connection, pid)
    return pid


def _become(request: dict[str, Any], events: int, output: int) -> None:
    """Turn the forked process into the one that a fresh start of the agent would have given."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(nothing)
    os.close(output)
    os.chdir(request["cwd"])
    os.environ.update(request["environment"])
    tempfile.tempdir = None  # whoever asked for it before us got another one
    # Python looks for modules beside the program first, where this one's neighbours are.
    importlib.import_module("launch").main(request["config"], events)


def _reap(children: dict[int, socket.socket]) -> None:
    for pid in list(children):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            with children.pop(pid) as connection:
                _answer(connection, os.waitstatus_to_exitcode(status))


def _answer(connection: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # whoever asked is gone
        connection.sendall(f"{number}\n".encode())


if __name__ == "__main__":
    main()
