"""Where trials run. Trials are independent: an executor only has slots, and gives each a device."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from types import TracebackType
from typing import Protocol, Self, TypeVar

T = TypeVar("T")

_CORES_PER_TRIAL = 4
"""TensorFlow on the CPU uses about this many cores well at the batch sizes of fine-tuning."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What a task runs on. ``device`` is its ``CUDA_VISIBLE_DEVICES``, None to leave that alone.

    A task looks at ``cancelled`` from time to time and ends early once it is set.
    """

    device: str | None
    cancelled: Event


class Executor(Protocol):
    """Runs tasks, several at once where it can."""

    def submit(self, task: Callable[[Slot], T]) -> Future[T]:
        """Start ``task`` when a slot is free."""

    def wait(self, futures: Iterable[Future[T]]) -> list[T]:
        """The results, in order. If one raises, or on Ctrl-C, the others are cancelled."""

    def cancel(self) -> None:
        """Drop what has not started, and ask what runs to end."""


class LocalExecutor:
    """Threads on this machine; each task starts a process of its own and waits for it."""

    def __init__(self, slots: int | None = None) -> None:
        devices = gpus()
        count = slots or default_slots(devices)
        self._cancelled = Event()
        self._devices: SimpleQueue[str | None] = SimpleQueue()
        for index in range(count):
            # With more slots than GPUs, slots share them.
            self._devices.put(devices[index % len(devices)] if len(devices) > 1 else None)
        self._pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix="tlfix-trial")

    def submit(self, task: Callable[[Slot], T]) -> Future[T]:
        """Start ``task`` when a slot is free."""
        return self._pool.submit(self._on_device, task)

    def wait(self, futures: Iterable[Future[T]]) -> list[T]:
        """The results, in order. If one raises, or on Ctrl-C, the others are cancelled."""
        try:
            return [future.result() for future in futures]
        except BaseException:
            self.cancel()
            raise

    def cancel(self) -> None:
        """Drop what has not started, and ask what runs to end."""
        self._cancelled.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.cancel()
        self._pool.shutdown(wait=True)

    def _on_device(self, task: Callable[[Slot], T]) -> T:
        device = self._devices.get()
        try:
            return task(Slot(device, self._cancelled))
        finally:
            self._devices.put(device)


def default_slots(devices: tuple[str, ...]) -> int:
    """One trial per GPU; without one, one per four CPU cores, at least one."""
    if devices:
        return len(devices)
    return max(1, len(os.sched_getaffinity(0)) // _CORES_PER_TRIAL)


def gpus() -> tuple[str, ...]:
    """The GPUs this process may use, as ``CUDA_VISIBLE_DEVICES`` names them."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is not None:
        return tuple(name.strip() for name in allowed.split(",") if name.strip() not in ("", "-1"))
    found = Path("/proc/driver/nvidia/gpus")
    count = len(list(found.iterdir())) if found.is_dir() else 0
    return tuple(str(index) for index in range(count))
