"""How the agent's process is started: afresh, or forked from one that has TensorFlow loaded."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

AGENT = Path(__file__).parent / "agent"
READY_SECONDS = 120.0  # importing TensorFlow from a slow disk


class Child(Protocol):
    """The started process; it leads a process group of its own."""

    pid: int
    returncode: int | None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status.

        Raises:
            subprocess.TimeoutExpired: it is still running after ``timeout`` seconds.
        """


@dataclass(frozen=True)
class Start:
    """What the agent is started with: its configuration file, the descriptor of its events, the
    file of its output, its working directory (None: this one's) and its environment."""

    config: Path
    events: int
    output: BinaryIO
    cwd: Path | None
    environment: Mapping[str, str]


Starter = Callable[[Start], Child]
"""Starts the agent; raises OSError where the interpreter cannot be started."""


def afresh(python: str) -> Starter:
    """Every start is a new process of the interpreter ``python``."""

    def start(what: Start) -> Child:
        return subprocess.Popen(
            [python, str(AGENT / "launch.py"), str(what.config)],
            stdin=subprocess.DEVNULL,
            stdout=what.output,
            stderr=subprocess.STDOUT,
            pass_fds=[what.events],
            cwd=what.cwd,
            start_new_session=True,
            env=dict(what.environment),
        )

    return start


class Warm:
    """Starts by forking a process that has imported ``modules`` once, in the same environment.

    Right only for a script that sets no environment variable which those modules read when they
    are imported. Where forking fails, the start is a fresh one.
    """

    def __init__(self, python: str, modules: Sequence[str], environment: Mapping[str, str]) -> None:
        self._afresh = afresh(python)
        self._environment = environment
        self._folder = Path(tempfile.mkdtemp(prefix="tlfix-warm-"))
        self._socket = str(self._folder / "socket")
        try:
            self._server: subprocess.Popen[bytes] | None = subprocess.Popen(
                [python, str(AGENT / "warm.py"), self._socket, *modules],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                start_new_session=True,
                env=dict(environment),
            )
        except OSError:
            self._server = None

    def __call__(self, start: Start) -> Child:
        """The process, forked from the one that waits, or a fresh one."""
        try:
            return self._fork(start)
        except (OSError, ValueError):
            return self._afresh(start)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            if self._server.stdin is not None:
                self._server.stdin.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _fork(self, start: Start) -> Child:
        connection = self._connect()
        request = {
            "config": str(start.config),
            "cwd": str(start.cwd or Path.cwd()),
            "environment": {
                name: value
                for name, value in start.environment.items()
                if self._environment.get(name) != value
            },
        }
        try:
            connection.settimeout(READY_SECONDS)
            descriptors = [start.events, start.output.fileno()]
            socket.send_fds(connection, [json.dumps(request).encode() + b"\n"], descriptors)
            return _Forked(connection)
        except BaseException:
            connection.close()
            raise

    def _connect(self) -> socket.socket:
        """A connection; the socket is there within a moment of the server's start."""
        limit = time.monotonic() + READY_SECONDS
        while self._server is not None and self._server.poll() is None:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(self._socket)
                return connection
            except OSError:
                connection.close()
                if time.monotonic() > limit:
                    raise
                time.sleep(0.05)
        raise OSError("the process to fork from is gone")


class _Forked:
    """A process that is another's child: that one tells its id, and its status in the end."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("r")
        self.pid = int(self._lines.readline())
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status; -9 if the process that knows it is gone."""
        if self.returncode is None:
            self._connection.settimeout(timeout)
            try:
                line = self._lines.readline()
            except TimeoutError as error:
                # A file over a socket cannot be read again after a time-out.
                self._lines = self._connection.makefile("r")
                raise subprocess.TimeoutExpired("probe", timeout or 0.0) from error
            self.returncode = int(line) if line.strip() else -9
            self._connection.close()
        return self.returncode
