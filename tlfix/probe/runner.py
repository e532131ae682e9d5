"""Starts the agent on a script, follows its events, and ends it at its limits."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tlfix.probe.recorder import Recorder
from tlfix.probe.starting import Child, Start, Starter, afresh
from tlfix.probe.trace import Trace

GRACE = 60.0  # seconds the instruments may take after the script's own limit


@dataclass(frozen=True)
class Budget:
    """What a probe may spend.

    ``steps`` and ``seconds`` (of training, compilation apart) are shared by the program's ``fit``
    calls; ``images`` are kept of each split for the instruments; ``timeout`` bounds the script's
    wall time in seconds.
    """

    seconds: float = 60.0
    steps: int = 150
    images: int = 256
    timeout: float = 900.0


@dataclass(frozen=True)
class Progress:
    """What the probe is doing at this moment; ``seconds`` since it started."""

    phase: str
    detail: str = ""
    step: int | None = None
    total: int | None = None
    loss: float | None = None
    accuracy: float | None = None
    seconds: float = 0.0


def probe(
    script: Path,
    arguments: Sequence[str] = (),
    *,
    budget: Budget | None = None,
    seed: int = 0,
    python: str = sys.executable,
    sandbox: str = "auto",
    instruments: bool = True,
    fits: int = 1,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    starter: Starter | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Trace:
    """Run ``script`` briefly under instruments and return what was seen.

    Args:
        script: the program; it runs as ``python script arguments`` in ``cwd`` (default: here).
        seed: seeds every generator; the program's own seeds are shifted by it.
        python: the interpreter to probe in.
        sandbox: ``auto`` (writes go to a scratch folder, by overlay mounts where the kernel lets
            this user make them, and are confined by Landlock where it has that), ``landlock``
            (the same, refusing to run without it), ``none``.
        instruments: False trains and scores only, as the trials of a repair need.
        fits: the number of ``fit`` calls in the program, over which the steps are shared.
        environment: variables set on top of this process's (``CUDA_VISIBLE_DEVICES`` of a trial).
        starter: starts the agent, in place of a new process of ``python``.

    The script's own output is discarded. It always returns a trace; ``status`` and ``reason`` tell
    how far the probe came.
    """
    budget = budget or Budget()
    recorder = Recorder(seed=seed)
    started = time.monotonic()
    scratch = Path(tempfile.mkdtemp(prefix="tlfix-"))
    try:
        _run(
            script,
            arguments,
            budget,
            seed,
            python,
            sandbox,
            instruments,
            fits,
            cwd,
            environment or {},
            starter or afresh(python),
            on_progress,
            recorder,
            scratch,
            started,
        )
    finally:
        _remove(scratch)
    return recorder.trace(time.monotonic() - started)


def _remove(folder: Path) -> None:
    """Delete ``folder``, also what the script or the kernel (an overlay's) left unreadable."""
    for place, folders, _ in os.walk(folder):
        for name in folders:
            path = os.path.join(place, name)
            if not os.path.islink(path):
                with suppress(OSError):
                    os.chmod(path, 0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _run(
    script: Path,
    arguments: Sequence[str],
    budget: Budget,
    seed: int,
    python: str,
    sandbox: str,
    instruments: bool,
    fits: int,
    cwd: Path | None,
    environment: Mapping[str, str],
    starter: Starter,
    on_progress: Callable[[Progress], None] | None,
    recorder: Recorder,
    scratch: Path,
    started: float,
) -> None:
    reader, writer = os.pipe()
    config = scratch / "config.json"
    config.write_text(
        json.dumps(
            {
                "script": str(script.absolute()) if cwd else str(script),
                "arguments": list(arguments),
                "descriptor": writer,
                "seed": seed,
                "scratch": str(scratch),
                "sandbox": sandbox,
                "instruments": instruments,
                "writable": [str(_keras_home())],
                "budget": {
                    "steps": budget.steps,
                    "seconds": budget.seconds,
                    "images": budget.images,
                    "timeout": budget.timeout,
                    "fits": max(fits, 1),
                },
            }
        ),
        encoding="utf-8",
    )
    output = scratch / "output.txt"
    try:
        with output.open("wb") as log:
            child = starter(
                Start(config, writer, log, cwd, {**_environment(scratch, seed), **environment})
            )
    except OSError as error:
        os.close(reader)
        os.close(writer)
        recorder.skip(f"The interpreter {python} could not be started: {error.strerror or error}.")
        return
    os.close(writer)
    try:
        limit = started + budget.timeout + GRACE
        for line in _lines(reader, limit):
            recorder.add(line)
            if on_progress is not None:
                progress = recorder.progress(time.monotonic() - started)
                if progress is not None:
                    on_progress(Progress(**progress))
            if recorder.done:  # a child of the script may hold the pipe open for ever
                break
        if time.monotonic() >= limit:
            recorder.time_out(budget.timeout)
        else:
            _wait(child)
    finally:
        os.close(reader)
        _kill(child)
    recorder.ended(child.returncode, _tail(output))


def _wait(child: Child) -> None:
    try:
        child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return


def _kill(child: Child) -> None:
    """End the whole process group: the script may have started workers."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, how)
        except (ProcessLookupError, PermissionError):
            break
        try:
            child.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            continue
    child.wait()


def _lines(reader: int, limit: float) -> Iterator[bytes]:
    """Complete lines from the pipe until it closes or ``limit`` (monotonic seconds) passes."""
    buffer = b""
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        while time.monotonic() < limit:
            if not selector.select(timeout=1.0):
                continue
            chunk = os.read(reader, 1 << 16)
            if not chunk:
                return
            buffer += chunk
            *lines, buffer = buffer.split(b"\n")
            yield from lines


def _keras_home() -> Path:
    home = os.environ.get("KERAS_HOME")
    return Path(home) if home else Path.home() / ".keras"


def _environment(scratch: Path, seed: int) -> Mapping[str, str]:
    """The quiet environment, writing to ``scratch``."""
    temporary = scratch / "tmp"
    temporary.mkdir()
    return {
        **quiet_environment(seed),
        "MPLCONFIGDIR": str(scratch),
        "TMPDIR": str(temporary),
        "MLFLOW_TRACKING_URI": f"file:{scratch}/mlruns",
    }


def quiet_environment(seed: int) -> dict[str, str]:
    """This process's environment, with nothing that draws, tracks or waits."""
    quiet = {
        "MPLBACKEND": "Agg",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONHASHSEED": str(seed),
        "PYTHONDONTWRITEBYTECODE": "1",
        "WANDB_MODE": "disabled",
        "COMET_MODE": "disabled",
        "PYTHONUNBUFFERED": "1",
    }
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHONPROFILE")}
    return {**kept, **quiet}


def _tail(output: Path) -> str:
    """The last 2,000 characters the script printed."""
    try:
        return output.read_bytes()[-8000:].decode("utf-8", "replace")[-2000:]
    except OSError:
        return ""
