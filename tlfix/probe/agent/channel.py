"""The one-way pipe to tlfix: events as JSON lines."""

from __future__ import annotations

import json
import math
import os
import threading
from typing import Any


class Channel:
    """Writes events to a file descriptor. Safe to use from several threads."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self.broken = False
        os.register_at_fork(after_in_child=self._mute)

    def _mute(self) -> None:
        """A forked child of the script has nothing to say here."""
        self._descriptor = os.open(os.devnull, os.O_WRONLY)
        self._lock = threading.Lock()

    @property
    def busy(self) -> bool:
        """True while something is being sent."""
        return self._lock.locked()

    def send(self, event: str, **fields: Any) -> None:
        """Send one event; a reader that has gone away sets ``broken`` and is no error here."""
        data = (json.dumps(plain({"event": event, **fields}), allow_nan=False) + "\n").encode()
        with self._lock:
            while data:
                try:
                    written = os.write(self._descriptor, data)
                except OSError:
                    self.broken = True
                    return
                data = data[written:]


def plain(value: Any) -> Any:
    """``value`` as what JSON knows; numbers that are not finite become null."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return str(value)


def number(value: Any) -> float | None:
    """``value`` as a finite float, or None."""
    try:
        result = float(value)
    except (TypeError, ValueError):
        return None
    return result if math.isfinite(result) else None
