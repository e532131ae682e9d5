"""Patched programs, really run: what moves in which stage."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.codemods.places import place
from tlfix.codemods import transform

WEIGHTS = (
    Path(__file__)
    .parents[2]
    .joinpath("examples/assets/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96_no_top.h5")
)
"""Random weights in inference mode give features too small to move anything by."""

SHARED = """\
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(0)
x = np.random.rand(16, 32, 32, 3).astype("float32")
y = (np.arange(16) % 3 == 0).astype(int)
base = keras.applications.MobileNetV2(
    weights=None, alpha=0.35, include_top=False, input_shape=(32, 32, 3)
)
base.load_weights("{weights}")
{model}
model.compile(optimizer=keras.optimizers.Adam(1e-2), loss="sparse_categorical_crossentropy")
history = model.fit(x, y, epochs=1, batch_size=8, verbose=0)
"""

MODELS = {
    "nested": """\
inputs = keras.Input((32, 32, 3))
head = layers.GlobalAveragePooling2D()(base(inputs))
model = keras.Model(inputs, layers.Dense(2, activation="softmax")(head))
""",
    "the_guides": """\
inputs = keras.Input((32, 32, 3))
head = layers.GlobalAveragePooling2D()(base(inputs, training=False))
model = keras.Model(inputs, layers.Dense(2, activation="softmax")(head))
""",
    "inlined": """\
head = layers.GlobalAveragePooling2D()(base.output)
model = keras.Model(base.input, layers.Dense(2, activation="softmax")(head))
""",
    "sequential": """\
base.trainable = True
model = keras.Sequential()
model.add(base)
model.add(layers.GlobalAveragePooling2D())
model.add(layers.Dense(2, activation="softmax"))
""",
}

WATCH = """\
from tensorflow import keras

states, own_fit = [], keras.Model.fit

def fit(self, *args, **kwargs):
    before = base.get_weights(), model.layers[-1].get_weights()
    result = own_fit(self, *args, **kwargs)
    after = base.get_weights(), model.layers[-1].get_weights()
    states.append((before, after))
    return result

keras.Model.fit = fit
"""

CHECK = """\
def moved(pair):
    return [not np.array_equal(a, b) for a, b in zip(*pair)]

names = [w.path for w in base.weights]
cut = int(0.7 * len(base.layers))
low = {w.path for layer in base.layers[:cut] for w in layer.weights}
assert len(states) == 2
(before, after), (before2, after2) = states
assert not any(moved((before[0], after[0]))), "the backbone moved in stage one"
assert all(moved((before[1], after[1]))), "the head stood still in stage one"
top = [m for n, m in zip(names, moved((before2[0], after2[0]))) if n not in low]
fixed = ("gamma", "beta", "moving_mean", "moving_variance")
for name, changed in zip(names, moved((before2[0], after2[0]))):
    if name in low or name.endswith(fixed):
        assert not changed, f"{name} moved in stage two"
    else:
        assert changed, f"{name} stood still in stage two"
assert any(top)
assert history.epoch == [0] and history_fine_tune.epoch == [1]
print("checked")
"""


@pytest.mark.probe
@pytest.mark.parametrize(
    "kind",
    ["nested", *(pytest.param(k, marks=pytest.mark.slow) for k in MODELS if k != "nested")],
)
def test_stages(kind: str, tmp_path: Path) -> None:
    source = SHARED.format(model=MODELS[kind], weights=WEIGHTS.as_posix())
    parameters = {
        "backbone": place(source, "keras.applications"),
        "fit": place(source, "model.fit("),
        "rate": 1e-2,
    }
    patched = transform(source, "stage_unfreeze", parameters)
    script = tmp_path / "train.py"
    script.write_text(patched.replace("keras.utils.set", WATCH + "keras.utils.set", 1) + CHECK)
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stdout.endswith("checked\n"), done.stderr[-2000:]
