"""A network of one's own, trained on images less a private mean and divided by a private
deviation: what it expects is recovered from its statistics, and a wrong scaling is found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tlfix.api import Options, diagnose

MEAN, STD = (90.0, 140.0, 60.0), (40.0, 55.0, 70.0)

# The shipped network expects x / 127.5 - 1. With other numbers in its first convolution it expects
# (x - MEAN) / STD, and is the same network otherwise.
PRIVATE = f"""
import keras
import numpy as np

base = keras.applications.MobileNetV2(include_top=False, input_shape=(96, 96, 3), alpha=0.35)
mean, std = np.array({MEAN}), np.array({STD})
kernel = base.layers[1].get_weights()[0]
shift = (kernel * (mean / 127.5 - 1)[None, None, :, None]).sum((0, 1, 2))
base.layers[1].set_weights([kernel * (std / 127.5)[None, None, :, None]])
gamma, beta, moving_mean, moving_variance = base.layers[2].get_weights()
base.layers[2].set_weights([gamma, beta, moving_mean - shift, moving_variance])
base.save("ours.keras")
"""

PROGRAM = """\
import keras

train = keras.utils.image_dataset_from_directory("data/train", image_size=(96, 96), seed=1)
valid = keras.utils.image_dataset_from_directory("data/validation", image_size=(96, 96), seed=1)
train = train.map(lambda x, y: (SCALED, y))
valid = valid.map(lambda x, y: (SCALED, y))

base = keras.models.load_model("ours.keras")
base.trainable = False
inputs = keras.Input((96, 96, 3))
x = keras.layers.GlobalAveragePooling2D()(base(inputs, training=False))
model = keras.Model(inputs, keras.layers.Dense(8, activation="softmax")(x))
model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=valid, epochs=4)
"""


@pytest.mark.probe
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("scaled", "causes"),
    [("x / 255.0", ["preprocessing-mismatch"]), (f"(x - {list(MEAN)}) / {list(STD)}", [])],
)
def test_a_network_of_ones_own_says_what_it_wants(
    project: Path, scaled: str, causes: list[str]
) -> None:
    subprocess.run([sys.executable, "-c", PRIVATE], check=True, capture_output=True)
    script = project / "train.py"
    script.write_text(PROGRAM.replace("SCALED", scaled), encoding="utf-8")
    result = diagnose(script, Options(), keep=False)
    named = [c for c in result.diagnosis.causes if c.severity != "note"]
    assert [c.id for c in named] == causes, result.diagnosis.notes
    assert result.trace is not None
    (backbone,) = result.trace.backbones
    found = backbone.recovered
    # Images that are scaled in a way of their own are not read, and nothing is held against them.
    assert (found is not None) == bool(causes)
    if found is not None:
        assert found.as_fed > 10 * found.loss
        for mean, std, truth, spread in zip(found.mean, found.std, MEAN, STD, strict=True):
            assert abs(mean - truth) < spread and 0.5 < std / spread < 2
        assert named[0].advice is not None and "(x - [" in named[0].advice
        said = [each.summary for each in named[0].evidence]
        assert any("BatchNorm statistics alone" in summary for summary in said)
