"""Fine-tuning by the Keras guide, really run: what keeps BatchNorm's statistics and what not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.codemods.places import place
from tlfix.codemods import Position, transform
from tlfix.evidence.batchnorm import OVERRIDDEN

GUIDE = """\
import json
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(0)
x = np.random.rand(16, 32, 32, 3).astype("float32")
y = (np.arange(16) % 3 == 0).astype(int)
base = keras.applications.MobileNetV2(
    weights=None, alpha=0.35, include_top=False, input_shape=(32, 32, 3)
)
base.trainable = False
inputs = keras.Input((32, 32, 3))
head = layers.GlobalAveragePooling2D()(base(inputs, training=False))
model = keras.Model(inputs, layers.Dense(2, activation="softmax")(head))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
model.fit(x, y, batch_size=8, verbose=0)
before = base.get_weights()
base.trainable = True
model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="sparse_categorical_crossentropy")
model.fit(x, y, batch_size=8, verbose=0)
moved = {
    w.path.rsplit("/", 1)[-1]
    for w, old, new in zip(base.weights, before, base.get_weights())
    if not np.array_equal(old, new)
}
print(json.dumps([keras.__version__, sorted(moved)]))
"""


def moved(source: str, folder: Path) -> tuple[tuple[int, ...], set[str]]:
    """The version of Keras, and the kinds of weights that stage two changed in the backbone."""
    script = folder / "train.py"
    script.write_text(source)
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    version, names = json.loads(done.stdout.splitlines()[-1])
    return tuple(int(part) for part in version.split(".")[:2]), set(names)


@pytest.mark.probe
def test_training_false_is_overridden_by_the_versions_that_are_said_to(tmp_path: Path) -> None:
    version, names = moved(GUIDE, tmp_path)
    assert "kernel" in names
    overrides = OVERRIDDEN[0] <= version <= OVERRIDDEN[1]
    assert ({"moving_mean", "moving_variance"} <= names) is overrides


@pytest.mark.probe
def test_frozen_layers_keep_their_statistics(tmp_path: Path) -> None:
    last = GUIDE[: GUIDE.rindex("model.fit(")].count("\n") + 1
    parameters = {"backbone": place(GUIDE, "keras.applications"), "fit": Position(last, 0)}
    _, names = moved(transform(GUIDE, "freeze_batchnorm", parameters), tmp_path)
    assert "kernel" in names
    assert not names & {"moving_mean", "moving_variance", "gamma", "beta"}
