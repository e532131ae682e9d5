"""What tlfix costs, as ratios against the same work without it, measured side by side.

    python benchmarks/overhead.py [--rounds 3]

(a) a training step with the agent against the same step without it, (b) a whole diagnosis against
the bare script over the same number of steps, (c) ``tlfix check`` on one file against starting
Python, with the proof that TensorFlow was not loaded.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "examples" / "assets")]

import images  # noqa: E402
import weights  # noqa: E402

from tlfix.api import Options, diagnose  # noqa: E402
from tlfix.probe.runner import Budget, probe  # noqa: E402

EPOCHS = 6
STEPS = EPOCHS * 15  # 480 images in batches of 32
FIRST = 10  # steps left out of the median: the first one compiles

STEP_LIMIT, DIAGNOSIS_LIMIT, CHECK_SECONDS = 1.05, 1.5, 0.4  # docs: the project's own budgets

SCRIPT = f'''\
"""A frozen backbone with a head, or all of it, timed step by step into the file named last."""

import sys
import time

import keras

everything, target = sys.argv[1] == "everything", sys.argv[2]
train = keras.utils.image_dataset_from_directory("data/train", image_size=(96, 96), seed=1)
val = keras.utils.image_dataset_from_directory("data/validation", image_size=(96, 96))
base = keras.applications.MobileNetV2(include_top=False, input_shape=(96, 96, 3), alpha=0.35)
base.trainable = everything
inputs = keras.Input((96, 96, 3))
x = keras.applications.mobilenet_v2.preprocess_input(inputs)
x = keras.layers.GlobalAveragePooling2D()(base(x))
model = keras.Model(inputs, keras.layers.Dense(8, activation="softmax")(x))
model.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy", metrics=["accuracy"])


class Clock(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.ticks = []

    def on_train_batch_begin(self, batch, logs=None):
        self.began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.ticks.append(time.perf_counter() - self.began)
        with open(target, "w") as file:
            file.write("\\n".join(map(str, self.ticks)))


model.fit(train, epochs={EPOCHS}, validation_data=val, callbacks=[Clock()], verbose=0)
'''


@dataclass(frozen=True)
class Timed:
    """One run: wall seconds in all, and the median of its training steps."""

    seconds: float
    step: float


def read_steps(target: Path) -> float:
    """The median step in seconds, the first ones left out."""
    ticks = [float(line) for line in target.read_text(encoding="utf-8").split()]
    return median(ticks[FIRST:])


def bare(script: Path, mode: str) -> Timed:
    """The script as its user runs it."""
    target = script.with_name("bare.txt")
    started = time.monotonic()
    subprocess.run(
        [sys.executable, str(script), mode, str(target)], check=True, capture_output=True
    )
    return Timed(time.monotonic() - started, read_steps(target))


def watched(script: Path, mode: str) -> float:
    """The median step with the agent watching; writes are let through for the clock's sake."""
    target = script.with_name("watched.txt")
    trace = probe(
        script,
        [mode, str(target)],
        budget=Budget(seconds=600, steps=10 * STEPS),
        sandbox="none",
        instruments=False,
    )
    assert trace.status == "completed" and trace.steps == STEPS, (trace.status, trace.steps)
    return read_steps(target)


def diagnosed(script: Path, mode: str) -> float:
    """Wall seconds of a diagnosis over the same steps."""
    arguments = (mode, str(script.with_name("ignored.txt")))
    started = time.monotonic()
    result = diagnose(
        script,
        Options(arguments=arguments, steps=10 * STEPS, budget_seconds=600),
        keep=False,
    )
    seconds = time.monotonic() - started
    assert result.diagnosis.probe.steps == STEPS, result.diagnosis.probe
    return seconds


def training(rounds: int) -> bool:
    """Parts (a) and (b); False if a budget is missed."""
    kept = True
    with tempfile.TemporaryDirectory(prefix="tlfix-overhead-") as name:
        folder = Path(name)
        images.write(folder / "data", "photographs")
        weights.install(folder / "keras")
        os.environ["KERAS_HOME"] = str(folder / "keras")
        os.chdir(folder)
        script = folder / "train.py"
        script.write_text(SCRIPT, encoding="utf-8")
        for mode, what in (("head", "frozen backbone"), ("everything", "open backbone")):
            steps, walls = [], []
            for _ in range(rounds):
                plain = bare(script, mode)
                steps.append(watched(script, mode) / plain.step)
                walls.append(diagnosed(script, mode) / plain.seconds)
            kept &= report(f"(a) training step, {what}", steps, STEP_LIMIT)
            kept &= report(f"(b) diagnosis over {STEPS} steps, {what}", walls, DIAGNOSIS_LIMIT)
        os.chdir(ROOT)
    return kept


def report(what: str, ratios: list[float], limit: float) -> bool:
    """Print the median ratio and its range; True if it is within ``limit``."""
    middle = median(ratios)
    shown = f"{middle:.2f} x ({min(ratios):.2f} to {max(ratios):.2f}, {len(ratios)} rounds)"
    print(f"{what}: {shown}; budget {limit:.2f} x", flush=True)
    return middle <= limit


def checking(rounds: int) -> bool:
    """Part (c); False if the budget is missed or TensorFlow was loaded."""
    programs = {
        "nothing found": ROOT / "tests" / "corpus" / "healthy" / "guide_nested.py",
        "two causes, patched": ROOT / "examples" / "stuck" / "train.py",
    }
    kept = True
    for what, file in programs.items():
        command = [sys.executable, "-m", "tlfix", "check", str(file)]
        starts, checks = [], []
        for _ in range(max(5, rounds)):
            starts.append(cost([sys.executable, "-c", "pass"]))
            checks.append(cost(command))
        loaded = subprocess.run(
            [sys.executable, "-X", "importtime", *command[1:]], capture_output=True, text=True
        ).stderr
        modules = {line.split("|")[-1].strip() for line in loaded.splitlines()}
        heavy = sorted(modules & {"tensorflow", "keras", "numpy", "scipy", "libcst"})
        processor = median(c.processor for c in checks)
        print(
            f"(c) tlfix check, one file, {what}: {median(c.wall for c in checks):.2f} s wall, "
            f"{processor:.2f} s processor, "
            f"{processor / median(c.processor for c in starts):.0f} x starting Python; "
            f"start-up budget {CHECK_SECONDS} s; heavy modules loaded: {', '.join(heavy) or 'none'}"
        )
        kept &= not {"tensorflow", "keras"} & set(heavy)
        # The budget is for starting up; writing patches is work that was asked for.
        kept &= "patched" in what or processor <= CHECK_SECONDS
    return kept


@dataclass(frozen=True)
class Cost:
    """Seconds of wall time and of processor time; the second does not count waiting for others."""

    wall: float
    processor: float


def cost(command: list[str]) -> Cost:
    """What a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(command, check=False, capture_output=True)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    return Cost(wall, user + system)


def main() -> int:
    """Print every ratio; 1 if a budget is missed."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-training", action="store_true", help="only part (c)")
    asked = parser.parse_args()
    print(
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )
    kept = checking(asked.rounds)
    if not asked.no_training:
        kept &= training(asked.rounds)
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main())
