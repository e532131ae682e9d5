"""Traces built in a line or two: what the probe would have recorded of a small program.

Eight classes, 32 images a batch, MobileNetV2, unless told otherwise.
"""

from __future__ import annotations

import math
import random
from typing import Any

from tlfix.probe.trace import (
    BackboneSeen,
    CompileSeen,
    Crash,
    DataSeen,
    Door,
    Evaluation,
    FitSeen,
    LayerSeen,
    LinearProbe,
    ModelSeen,
    Place,
    ScalingSeen,
    Step,
    Trace,
)

CLASSES = 8
TF = ScalingSeen(name="tf", scale=(1 / 127.5,) * 3, offset=(-1.0,) * 3)
RAW = ScalingSeen(name="raw", scale=(1.0,) * 3, offset=(0.0,) * 3)
UNIT = ScalingSeen(name="unit", scale=(1 / 255,) * 3, offset=(0.0,) * 3)


def place(line: int, path: str = "train.py") -> Place:
    return Place(path=path, line=line)


def steps(losses: list[float | None], epoch_length: int = 10) -> tuple[Step, ...]:
    """One step per loss; None is a loss that is not finite."""
    return tuple(
        Step(step=i, epoch=i // epoch_length, loss=loss, finite=loss is not None)
        for i, loss in enumerate(losses)
    )


def falling(count: int, start: float = 2.3, end: float = 0.3, noise: float = 0.1) -> list[float]:
    """An exponential fall with batch noise, the same every time."""
    rng = random.Random(1)
    rate = 4.0 / max(count, 1)
    return [
        max(end + (start - end) * math.exp(-rate * i) + rng.gauss(0, noise), 0.01)
        for i in range(count)
    ]


def flat(count: int, level: float = math.log(CLASSES), noise: float = 0.1) -> list[float]:
    rng = random.Random(2)
    return [level + rng.gauss(0, noise) for _ in range(count)]


def confusion(accuracy: float, n: int, classes: int = CLASSES) -> tuple[tuple[int, ...], ...]:
    """Balanced classes, the errors spread evenly over the other classes."""
    table = [[0] * classes for _ in range(classes)]
    hits = round(accuracy * n)
    for i in range(n):
        true = i % classes
        wrong = (true + 1 + (i // classes) % (classes - 1)) % classes
        table[true][true if i < hits else wrong] += 1
    return tuple(tuple(row) for row in table)


def evaluation(
    split: str,
    accuracy: float | None,
    *,
    n: int = 200,
    when: str = "after",
    mode: str = "inference",
    classes: int = CLASSES,
    **other: Any,
) -> Evaluation:
    fields: dict[str, Any] = {
        "split": split,
        "mode": mode,
        "when": when,
        "n": n,
        "accuracy": accuracy,
        "balanced_accuracy": accuracy,
        "majority": None if accuracy is None else 1 / classes,
        "classes": classes,
        "confusion": None if accuracy is None or classes < 2 else confusion(accuracy, n, classes),
    }
    return Evaluation(**(fields | other))


def probe(scaling: str, accuracy: float, *, n: int = 200, **other: Any) -> LinearProbe:
    fields: dict[str, Any] = {
        "scaling": scaling,
        "accuracy": accuracy,
        "balanced_accuracy": accuracy,
        "chance": 1 / CLASSES,
        "training": 256,
        "validation": n,
        "correct": tuple(i < round(accuracy * n) for i in range(n)),
    }
    return LinearProbe(**(fields | other))


def data(split: str, **other: Any) -> DataSeen:
    fields: dict[str, Any] = {
        "split": split,
        "kind": "arrays",
        "samples": 512,
        "sampled": 200,
        "batch_size": 32,
        "input_shape": (None, 96, 96, 3),
        "input_dtype": "float32",
        "label_kind": "integer",
        "classes": CLASSES,
        "histogram": {i: 64 for i in range(CLASSES)},
        "histogram_of": "all",
    }
    return DataSeen(**(fields | other))


def door(scaling: ScalingSeen = TF, split: str = "training", **other: Any) -> Door:
    """What enters a MobileNetV2 (which wants -1..1) under a scaling of 0..255 images."""
    low = min(scaling.offset)
    high = max(s * 255 + o for s, o in zip(scaling.scale, scaling.offset, strict=True))
    fields: dict[str, Any] = {
        "backbone": 0,
        "split": split,
        "n": 64,
        "shape": (None, 96, 96, 3),
        "minimum": low,
        "maximum": high,
        "mean": tuple(s * 128 + o for s, o in zip(scaling.scale, scaling.offset, strict=True)),
        "std": tuple(s * 64 for s in scaling.scale),
        "expected_mean": (128 / 127.5 - 1,) * 3,
        "expected_std": (64 / 127.5,) * 3,
        "reads_as": scaling,
    }
    return Door(**(fields | other))


def backbone(**other: Any) -> BackboneSeen:
    fields: dict[str, Any] = {
        "key": 0,
        "name": "MobileNetV2",
        "module": "mobilenet_v2",
        "weights": "imagenet",
        "weights_status": "pretrained",
        "include_top": False,
        "input_shape": (None, 96, 96, 3),
        "parameters": 410_208,
        "layers": 154,
        "batchnorms": 52,
        "expects": TF,
    }
    return BackboneSeen(**(fields | other))


def model(**other: Any) -> ModelSeen:
    fields: dict[str, Any] = {
        "key": 0,
        "kind": "functional",
        "backbones": (0,),
        "nesting": "nested",
        "input_shape": (None, 96, 96, 3),
        "output_shape": (None, CLASSES),
        "output": LayerSeen(name="dense", kind="Dense", units=CLASSES, activation="softmax"),
        "parameters": 420_456,
        "trainable": 10_248,
        "backbone_parameters": 410_208,
        "backbone_trainable": 0,
        "head_parameters": 10_248,
        "head_trainable": 10_248,
        "backbone_training_mode": False,
        "door_is_input": True,
    }
    return ModelSeen(**(fields | other))


def fit(losses: list[float | None] | list[float] | None = None, **other: Any) -> FitSeen:
    """A ``fit`` with the given batch losses; any field may be given."""
    fields: dict[str, Any] = {
        "index": 0,
        "site": place(20),
        "model": model(),
        "compiled": CompileSeen(
            optimizer="adam",
            learning_rate=1e-3,
            loss="sparse_categorical_crossentropy",
            from_logits=False,
            metrics=("accuracy",),
        ),
        "training": data("training"),
        "validation": data("validation"),
        "epochs": 5,
        "ended": "completed",
        "steps": steps(list(losses or [])),
    }
    return FitSeen(**(fields | other))


def trace(*fits: FitSeen, **other: Any) -> Trace:
    fields: dict[str, Any] = {
        "status": "completed",
        "seconds": 12.0,
        "backbones": (backbone(),),
        "fits": fits,
    }
    return Trace(**(fields | other))


def crashed(message: str = "shapes differ", line: int = 20, **other: Any) -> Trace:
    crash = Crash(
        type="ValueError", message=message, site=place(line), frames=(place(line),), during="fit"
    )
    return trace(**({"status": "crashed", "crash": crash} | other))


def healthy(count: int = 60) -> Trace:
    """A program that learns: 0.95 on training, 0.91 on validation images, as the features can."""
    return trace(
        fit(
            falling(count),
            evaluations=(
                evaluation("training", 0.12, when="before", loss=2.4),
                evaluation("validation", 0.13, when="before", loss=2.4),
                evaluation("training", 0.95, loss=0.25),
                evaluation("training", 0.93, mode="training", loss=0.30),
                evaluation("validation", 0.91, loss=0.35),
            ),
            doors=(door(), door(split="validation")),
            probes=(probe("as-is", 0.91),),
        )
    )
