"""One probe, from an empty process to its last event."""

from __future__ import annotations

import contextlib
import os
import platform
import random
import sys
import threading
import time
import traceback
from types import ModuleType
from typing import Any

from tlfix_agent import imports, isolation, layers, refusals, watch
from tlfix_agent.births import Births
from tlfix_agent.channel import Channel
from tlfix_agent.finish import Finish
from tlfix_agent.fits import Fits
from tlfix_agent.limits import Budget
from tlfix_agent.loops import Loops
from tlfix_agent.models import Models
from tlfix_agent.overlay import Overlay
from tlfix_agent.running import Ending, run_script

BEAT = 5.0  # seconds between two signs of life


def run(config: dict[str, Any]) -> int:
    """Probe the script that ``config`` names; the exit status of the child process."""
    channel = Channel(int(config["descriptor"]))
    try:
        return Session(config, channel).run()
    except BaseException:
        channel.send("internal-error", traceback=traceback.format_exc())
        return 70


class Session:
    """Holds the parts together: seeds, isolation, watch, script, instruments."""

    def __init__(self, config: dict[str, Any], channel: Channel) -> None:
        self._config, self._channel = config, channel
        self._budget = Budget(**config["budget"])
        self._births = Births()
        self._models = Models(self._births)
        self._fits = Fits(channel, self._budget, self._models, bool(config["instruments"]))
        self._loops = Loops(channel, self._budget, self._fits)
        self._overlay = Overlay(config["scratch"], config["writable"])
        self._built: float | None = None  # when Keras was there, in monotonic seconds
        self._concluding = False

    def run(self) -> int:
        """Run the script, then the instruments."""
        self._channel.send("environment", python=platform.python_version())
        if not self._confine():
            return 71
        isolation.never_wait()
        random.seed(self._config["seed"])
        imports.after_import(
            {
                "keras": self._on_keras,
                "tf_keras": self._on_keras,
                "tensorflow": self._on_tensorflow,
                "keras.src.legacy.preprocessing.image": lambda _m: self._births.watch_generators(),
            }
        )
        self._channel.send("phase", phase="importing")
        self._budget.watch()
        threading.Thread(target=self._heartbeat, daemon=True).start()
        self._budget.leave = self._leave
        ending = run_script(self._config["script"], self._config["arguments"], self._budget)
        self._conclude(ending)
        return 0

    def _conclude(self, ending: Ending) -> None:
        self._concluding = True
        self._report(ending)
        self._loops.close()
        self._fits.close_batches()
        if self._config["instruments"]:
            Finish(self._channel, self._budget, self._fits).run()
        self._channel.send("end", timings=self._fits.timings)

    def _leave(self) -> None:
        """Measure and end the process though the script goes on.

        In a thread of its own, to which no graph or scope that the script is in belongs; the script
        stands meanwhile. It returns if the script was stopped while sending an event: later.
        """
        if self._channel.busy:
            return
        self._budget.stop_watching()
        thread = threading.Thread(target=self._last_words)
        thread.start()
        thread.join()

    def _last_words(self) -> None:
        status = 70
        try:
            text = "The script catches every exception, so it was left where it stood at its end."
            self._channel.send("note", text=text)
            self._conclude(Ending(finished_early=True))
            status = 0
        except BaseException:
            self._channel.send("internal-error", traceback=traceback.format_exc())
        os._exit(status)

    def _confine(self) -> bool:
        """Turn the script's writes away from the user's files; False if they must be, and cannot
        be."""
        if self._config["sandbox"] == "none":
            self._overlay.release([os.sep])
            return True
        writable = [self._config["scratch"], *self._config["writable"]]
        covered: list[str] = []
        with contextlib.suppress(FileNotFoundError):  # of a working directory that is gone
            kept = [os.path.realpath(path) for path in writable]
            covered = layers.cover(layers.wanted(self._config["script"]), kept, kept[0])
        own = None if os.geteuid() == 0 else (os.geteuid(), os.getegid())
        self._overlay.release(covered, own)
        held = isolation.restrict_writes([*writable, "/dev", "/proc", *covered])
        if not held and self._config["sandbox"] == "landlock":
            self._channel.send(
                "refused",
                reason="This kernel has no Landlock; writes cannot be "
                "confined. Use --sandbox auto to rely on redirection alone.",
            )
            return False
        self._overlay.install()
        return True

    def _heartbeat(self) -> None:
        while True:
            time.sleep(BEAT)
            self._beat(time.monotonic())
            if self._channel.broken:  # nobody listens any more: do not train on in secret
                os._exit(0)

    def _beat(self, now: float) -> None:
        """Tell that the script is alive, and once, if it has long left building a model, that."""
        self._channel.send("alive", seconds=now - self._budget.started)
        training = self._fits.all or self._fits.inside or self._concluding
        if self._built is not None and now - self._built >= BEAT and not training:
            self._built = None
            self._channel.send("phase", phase="running the script")

    def _on_keras(self, keras: ModuleType) -> None:
        if not hasattr(keras, "Model"):
            return
        seed = int(self._config["seed"])
        self._seed_everything(keras, seed)
        self._births.watch_keras(keras)
        watch.watch_models(keras, self._fits, self._overlay)
        watch.watch_weights(keras, self._models)
        watch.watch_folders(self._overlay)
        self._loops.watch_keras(keras)
        self._channel.send(
            "environment",
            python=platform.python_version(),
            keras=getattr(keras, "__version__", None),
            backend=_backend(keras),
            tensorflow=_version("tensorflow"),
            device=_device(),
        )
        self._channel.send("phase", phase="building")
        self._built = time.monotonic()

    def _on_tensorflow(self, _tensorflow: ModuleType) -> None:
        self._births.watch_tensorflow()

    @staticmethod
    def _seed_everything(keras: ModuleType, seed: int) -> None:
        """Seed all generators; with a seed other than 0, the program's own seeds are shifted, so
        that runs differ even if the program fixes one."""
        import numpy

        keras.utils.set_random_seed(seed)
        if seed == 0:
            return
        for owner, name in (
            (keras.utils, "set_random_seed"),
            (numpy.random, "seed"),
            (random, "seed"),
            (sys.modules.get("tensorflow.random"), "set_seed"),
        ):
            original = getattr(owner, name, None)
            if original is None:
                continue

            def shifted(value: Any = None, *args: Any, _original: Any = original) -> Any:
                moved = (value + 1000 * seed) % 2**32 if isinstance(value, int) else value
                return _original(moved, *args)

            setattr(owner, name, shifted)

    def _report(self, ending: Ending) -> None:
        if ending.error is not None:
            error = ending.error
            self._channel.send(
                "crash",
                type=type(error).__name__,
                message=_ends(_message(error)),
                frames=list(ending.frames),
                site=ending.frames[-1] if ending.frames else None,
                during=self._stage(),
                confined=refusals.explanation(error, self._overlay),
            )
        elif ending.status is not None:
            self._channel.send("exit", status=ending.status, frames=list(ending.frames))
        if self._budget.ran_out:
            self._channel.send("timed-out")

    def _stage(self) -> str:
        if any(fit.crashed for fit in self._fits.all):
            return "fit"
        if self._fits.all:
            return "after"
        return "build" if "keras" in sys.modules or "tf_keras" in sys.modules else "import"


def _ends(text: str, most: int = 4000) -> str:
    """At most ``most`` characters, of both ends: TensorFlow gives the reason last."""
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}\n…\n{text[-half:]}"


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as unprintable:
        return f"(its message cannot be shown: {type(unprintable).__name__})"


def _backend(keras: ModuleType) -> str:
    return str(keras.backend.backend()) if hasattr(keras.backend, "backend") else "tensorflow"


def _version(name: str) -> str | None:
    """The version of an installed package, read from its metadata."""
    from importlib import metadata

    for candidate in (name, f"{name}-cpu", f"{name}-intel"):
        try:
            return metadata.version(candidate)
        except metadata.PackageNotFoundError:
            continue
    return None


def _device() -> str:
    """``GPU: name`` if the backend that was imported sees one, else ``CPU``."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None and hasattr(tensorflow, "config"):
        for gpu in tensorflow.config.list_physical_devices("GPU"):
            with contextlib.suppress(RuntimeError):  # too late once the device is in use
                tensorflow.config.experimental.set_memory_growth(gpu, True)
            return f"GPU: {gpu.name}"
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return f"GPU: {torch.cuda.get_device_name(0)}"
    jax = sys.modules.get("jax")
    if jax is not None and jax.default_backend() != "cpu":
        return f"GPU: {jax.devices()[0]}"
    return f"CPU ({os.cpu_count()} cores)"
