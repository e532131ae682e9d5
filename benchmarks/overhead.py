"""What tlfix costs, as ratios against the same work without it, measured side by side.

    python benchmarks/overhead.py [--rounds 3]

(a) a training step with the agent against the same step without it, (b) a whole diagnosis against
the bare script over the same number of steps, (c) ``tlfix check`` on one file against starting
Python, with the proof that TensorFlow was not loaded.

Each in wall time, which is what a user waits, and in processor time, which other work on the
machine leaves alone. The budgets are held against the smaller of the two ratios.
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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "examples" / "assets")]

import images  # noqa: E402
import weights  # noqa: E402

from tlfix.api import Options, diagnose  # noqa: E402
from tlfix.probe.runner import Budget, probe  # noqa: E402

EPOCHS = 10
STEPS = EPOCHS * 15  # 480 images in batches of 32: as many steps as a probe takes by default
FIRST = 10  # steps left out of the median: the first one compiles

Mode = tuple[str, str]  # arguments of the script: what trains, and the rate
MODES: dict[str, Mode] = {
    "frozen backbone, trained well": ("head", "1e-3"),
    "frozen backbone, trained too slowly": ("head", "1e-4"),  # the learning-rate runs come on top
    "open backbone": ("everything", "1e-4"),
}

STEP_LIMIT, DIAGNOSIS_LIMIT, CHECK_SECONDS = 1.05, 1.5, 0.4  # docs: the project's own budgets

SCRIPT = f'''\
"""A frozen backbone with a head, or all of it, timed step by step into the file named last."""

import sys
import time

import keras

everything, rate, target = sys.argv[1] == "everything", float(sys.argv[2]), sys.argv[3]
train = keras.utils.image_dataset_from_directory("data/train", image_size=(96, 96), seed=1)
val = keras.utils.image_dataset_from_directory("data/validation", image_size=(96, 96))
base = keras.applications.MobileNetV2(include_top=False, input_shape=(96, 96, 3), alpha=0.35)
base.trainable = everything
inputs = keras.Input((96, 96, 3))
x = keras.applications.mobilenet_v2.preprocess_input(inputs)
x = keras.layers.GlobalAveragePooling2D()(base(x))
model = keras.Model(inputs, keras.layers.Dense(8, activation="softmax")(x))
model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])


class Clock(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.ticks = []

    def on_train_batch_begin(self, batch, logs=None):
        self.began = time.perf_counter(), time.process_time()

    def on_train_batch_end(self, batch, logs=None):
        wall, processor = self.began
        self.ticks.append((time.perf_counter() - wall, time.process_time() - processor))

    def on_epoch_end(self, epoch, logs=None):
        with open(target, "w") as file:
            file.writelines(f"{{wall}} {{processor}}\\n" for wall, processor in self.ticks)


model.fit(train, epochs={EPOCHS}, validation_data=val, callbacks=[Clock()], verbose=0)
'''


@dataclass(frozen=True)
class Cost:
    """Seconds of wall time and of processor time; the second does not count waiting for others."""

    wall: float
    processor: float

    def __truediv__(self, other: Cost) -> Cost:
        """The ratios."""
        return Cost(self.wall / other.wall, self.processor / other.processor)


def cost(work: Callable[..., object], *arguments: object) -> Cost:
    """What ``work`` takes, here and in the processes it starts."""
    processor, wall = spent(), time.perf_counter()
    work(*arguments)
    return Cost(time.perf_counter() - wall, spent() - processor)


def spent() -> float:
    """Processor seconds of this process and of those that it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """A command, in silence, however it ends."""
    return subprocess.run(command, check=False, capture_output=True, text=True)


def step(target: Path) -> Cost:
    """The median step the script wrote down, the first ones left out."""
    ticks = [line.split() for line in target.read_text(encoding="utf-8").splitlines()[FIRST:]]
    wall, processor = zip(*((float(a), float(b)) for a, b in ticks), strict=True)
    return Cost(median(wall), median(processor))


def watched(script: Path, mode: Mode, target: Path) -> None:
    """The script with the agent watching; writes are let through for the clock's sake."""
    trace = probe(
        script,
        [*mode, str(target)],
        budget=Budget(seconds=600, steps=10 * STEPS),
        sandbox="none",
        instruments=False,
    )
    assert trace.status == "completed" and trace.steps == STEPS, (trace.status, trace.steps)


def diagnosed(script: Path, mode: Mode) -> None:
    """A diagnosis over the same steps."""
    options = Options(arguments=(*mode, "ignored.txt"), steps=10 * STEPS, budget_seconds=600)
    result = diagnose(script, options, keep=False)
    assert result.diagnosis.probe.steps == STEPS, result.diagnosis.probe


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
        for what, mode in MODES.items():
            steps, whole = [], []
            for _ in range(rounds):
                plain = cost(run, [sys.executable, str(script), *mode, "plain.txt"])
                watched(script, mode, folder / "watched.txt")
                steps.append(step(folder / "watched.txt") / step(folder / "plain.txt"))
                whole.append(cost(diagnosed, script, mode) / plain)
            kept &= report(f"(a) training step, {what}", steps, STEP_LIMIT)
            kept &= report(f"(b) diagnosis over {STEPS} steps, {what}", whole, DIAGNOSIS_LIMIT)
        os.chdir(ROOT)
    return kept


def report(what: str, ratios: list[Cost], limit: float) -> bool:
    """Print the median ratios and their ranges; True if one is within ``limit``."""
    sides = {"wall": [r.wall for r in ratios], "processor": [r.processor for r in ratios]}
    shown = ", ".join(
        f"{name} {median(each):.2f} x ({min(each):.2f} to {max(each):.2f})"
        for name, each in sides.items()
    )
    print(f"{what}: {shown}; {len(ratios)} rounds, budget {limit:.2f} x", flush=True)
    return min(median(each) for each in sides.values()) <= limit


def checking(rounds: int) -> bool:
    """Part (c); False if the budget is missed or TensorFlow was loaded."""
    programs = {
        "nothing found": ROOT / "tests" / "corpus" / "healthy" / "guide_nested.py",
        "two causes, patched": ROOT / "examples" / "stuck" / "train.py",
    }
    kept = True
    # As users have it: byte code is kept once a module was imported.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for what, file in programs.items():
        command = [sys.executable, "-m", "tlfix", "check", str(file)]
        starts, checks = [], []
        run(command)
        for _ in range(max(5, rounds)):
            starts.append(cost(run, [sys.executable, "-c", "pass"]))
            checks.append(cost(run, command))
        loaded = run([sys.executable, "-X", "importtime", *command[1:]]).stderr
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
