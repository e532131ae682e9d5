"""The examples of the label, head and data causes, run: the sick stop, the cured go on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tlfix.causes import (
    activation_loss_mismatch,
    class_mode_loss_mismatch,
    class_weight_invalid,
    head_units_mismatch,
    removed_api,
)
from tlfix.codemods import Position, transform

CAUSES = (
    class_mode_loss_mismatch.CAUSE,
    head_units_mismatch.CAUSE,
    class_weight_invalid.CAUSE,
    removed_api.CAUSE,
    activation_loss_mismatch.CAUSE,
)

HEAD = """\
model = tf.keras.Sequential([tf.keras.layers.Flatten(), tf.keras.layers.Dense(3, "softmax")])
model.compile("adam", "LOSS_crossentropy")
"""
SPARSE, ROWS = HEAD.replace("LOSS", "sparse_categorical"), HEAD.replace("LOSS", "categorical")
GENERATOR = (
    "import tensorflow as tf\n"
    "generator = tf.keras.preprocessing.image.ImageDataGenerator()\n"
    "train = generator.flow_from_directory('data/train', target_size=(96, 96))\n"
    f"{ROWS}model.fit(train)\n"
)
DATASET = (
    "import tensorflow as tf\n"
    "load = tf.keras.utils.image_dataset_from_directory\n"
    "train = load('data/train', image_size=(96, 96), label_mode='MODE').prefetch(2)\n"
)
LABELS = "{numpy}.concatenate([y for _, y in train])"
WEIGHTED = {
    "weighted generator": (GENERATOR, "train.classes", False),
    "weighted numbers": (
        DATASET.replace("MODE", "int") + f"{SPARSE}model.fit(train)\n",
        LABELS,
        False,
    ),
    "weighted rows": (
        DATASET.replace("MODE", "categorical") + f"{ROWS}model.fit(train)\n",
        LABELS,
        True,
    ),
}
"""Programs to be given class weights, the labels to count, and whether they are rows."""

# One process for all: importing TensorFlow takes longer than a program. Images are 32 pixels wide
# and the weights random, for speed; nothing else of the programs is changed.
RUNNER = """
import json, os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
from PIL import Image

rng = np.random.default_rng(0)
for split in ("train", "valid"):
    for name in ("a", "b", "c"):
        os.makedirs(f"data/{split}/{name}", exist_ok=True)
        for i in range(4):
            Image.fromarray(rng.integers(0, 255, (32, 32, 3), "uint8")).save(
                f"data/{split}/{name}/{i}.png"
            )
np.save("images.npy", rng.integers(0, 255, (12, 32, 32, 3)).astype("float32"))
np.save("labels.npy", np.arange(12) % 3)
outcome = {}
for name, text in json.load(open("programs.json")).items():
    try:
        scope = {"__name__": "__main__"}
        exec(compile(text, name, "exec"), scope)
        outcome[name] = "ran"
    except Exception as error:
        outcome[name] = f"{type(error).__name__}: {error}"
json.dump(outcome, open("outcome.json", "w"))
"""


def small(text: str) -> str:
    text = text.replace("(96, 96)", "(32, 32)").replace("(96, 96, 3)", "(32, 32, 3)")
    text = text.replace("MobileNetV2(include_top", "MobileNetV2(weights=None, include_top")
    folders = text.replace('["cat", "dog", "bird"]', '["a", "b", "c"]').replace(
        "train, 30, 5", "train, 1, 5"
    )
    return folders.replace("epochs=5", "epochs=1").replace(
        "steps_per_epoch=30", "steps_per_epoch=1"
    )


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder: Path = tmp_path_factory.mktemp("examples")
    programs = {}
    for cause in CAUSES:
        assert cause.examples.cured is not None
        programs[f"{cause.id} sick"] = small(cause.examples.sick)
        programs[f"{cause.id} cured"] = small(cause.examples.cured)
    for name, (source, labels, rows) in WEIGHTED.items():
        line = source[: source.index("model.fit")].count("\n") + 1
        parameters = {"fit": Position(line, 0), "labels": labels, "rows": rows}
        programs[name] = small(transform(source, "add_class_weight", parameters))
    (folder / "programs.json").write_text(json.dumps(programs))
    subprocess.run(
        [sys.executable, "-c", RUNNER], cwd=folder, check=True, capture_output=True, timeout=300
    )
    result: dict[str, str] = json.loads((folder / "outcome.json").read_text())
    return result


@pytest.mark.probe
@pytest.mark.parametrize(
    ("cause", "message"),
    [
        ("class-mode-loss-mismatch", "must have the same rank"),
        ("head-units-mismatch", "must have the same shape"),
        ("class-weight-invalid", "object has no attribute 'get'"),
        ("removed-api", "not recognized: {'lr'"),
    ],
)
def test_the_sick_stop_and_the_cured_run(outcome: dict[str, str], cause: str, message: str) -> None:
    assert message in outcome[f"{cause} sick"]
    assert outcome[f"{cause} cured"] == "ran"


@pytest.mark.probe
@pytest.mark.parametrize("name", WEIGHTED)
def test_class_weights_are_accepted(outcome: dict[str, str], name: str) -> None:
    assert outcome[name] == "ran"


@pytest.mark.probe
def test_a_linear_head_runs_all_the_same(outcome: dict[str, str]) -> None:
    assert outcome["activation-loss-mismatch sick"] == "ran"
    assert outcome["activation-loss-mismatch cured"] == "ran"
