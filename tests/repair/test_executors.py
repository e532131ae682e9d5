"""Slots, devices, order and cancellation of the local executor."""

from __future__ import annotations

import threading
import time

import pytest

from tlfix.repair.executors import LocalExecutor, Slot, default_slots, gpus


def test_results_keep_their_order() -> None:
    def after(seconds: float, value: int) -> int:
        time.sleep(seconds)
        return value

    with LocalExecutor(3) as executor:
        futures = [
            executor.submit(lambda slot, s=seconds, v=value: after(s, v))
            for value, seconds in enumerate((0.1, 0.05, 0.0))
        ]
        assert executor.wait(futures) == [0, 1, 2]


def test_never_more_at_once_than_slots() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def task(slot: Slot) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1

    with LocalExecutor(2) as executor:
        executor.wait([executor.submit(task) for _ in range(8)])
    assert most == 2


def test_each_slot_has_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,3")
    together = threading.Barrier(2, timeout=10)

    def device(slot: Slot) -> str | None:
        together.wait()
        return slot.device

    with LocalExecutor() as executor:
        assert set(executor.wait([executor.submit(device) for _ in range(2)])) == {"1", "3"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ()),
        ("-1", ()),
        ("0", ("0",)),
        ("0,2", ("0", "2")),
        (" GPU-a , GPU-b", ("GPU-a", "GPU-b")),
    ],
)
def test_gpus(monkeypatch: pytest.MonkeyPatch, value: str, expected: tuple[str, ...]) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert gpus() == expected


def test_default_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(2)))
    assert default_slots(()) == 1
    assert default_slots(("0", "1", "2")) == 3
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(16)))
    assert default_slots(()) == 4


def test_a_failure_cancels_the_others() -> None:
    started = []

    def waits(slot: Slot) -> bool:
        started.append(slot)
        return slot.cancelled.wait(10)

    def fails(slot: Slot) -> bool:
        raise OSError("no such interpreter")

    with pytest.raises(OSError, match="no such interpreter"), LocalExecutor(2) as executor:
        futures = [executor.submit(each) for each in (fails, waits, waits, waits)]
        executor.wait(futures)
    assert len(started) <= 2
    assert futures[-1].cancelled()


def test_interruption_asks_running_trials_to_end() -> None:
    ended = threading.Event()

    def waits(slot: Slot) -> None:
        if slot.cancelled.wait(10):
            ended.set()

    with pytest.raises(KeyboardInterrupt), LocalExecutor(1) as executor:
        executor.submit(waits)
        raise KeyboardInterrupt
    assert ended.is_set()
