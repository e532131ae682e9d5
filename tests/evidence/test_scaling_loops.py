"""Training loops that are written out: their data are paths into the backbone like any other."""

from __future__ import annotations

import pytest

from tests.causes.scaling_cases import preprocessing as found
from tlfix.codemods import transform

TEXT = """\
import keras
import tensorflow as tf

train = keras.utils.image_dataset_from_directory("train", image_size=(96, 96))
valid = keras.utils.image_dataset_from_directory("valid", image_size=(96, 96))
train = train.map(lambda x, y: (TRAIN, y))
valid = valid.map(lambda x, y: (VALID, y))
base = keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
inputs = keras.Input((96, 96, 3))
model = keras.Model(inputs, keras.layers.Dense(8)(base(inputs, training=False)))
optimizer = keras.optimizers.Adam(1e-3)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
"""
STEP = """
@tf.function
def step(images, labels):
    with tf.GradientTape() as tape:
        loss = loss_fn(labels, model(images, training=True))
    optimizer.apply(tape.gradient(loss, model.trainable_variables))

for epoch in range(5):
    for number, (images, labels) in enumerate(train):
        step(images, labels)
    for images, labels in valid:
        score(labels, model(images, training=False))
"""
INLINE = """
for x, y in train:
    with tf.GradientTape() as tape:
        loss = loss_fn(y, model(x, training=True))
    optimizer.apply(tape.gradient(loss, model.trainable_variables))
for x, y in valid:
    score(y, model(x, training=False))
"""
RIGHT = "x / 127.5 - 1.0"


def program(train: str, valid: str, loop: str = STEP) -> str:
    return TEXT.replace("TRAIN", train).replace("VALID", valid) + loop


@pytest.mark.parametrize("loop", [STEP, INLINE])
def test_each_split_is_a_path_of_its_own(loop: str) -> None:
    assert found(program(RIGHT, RIGHT, loop)) == {}
    assert list(found(program(RIGHT, "x / 255.0", loop))) == ["preprocessing-differs"]
    assert list(found(program("x", "x", loop))) == ["preprocessing-missing"]


@pytest.mark.parametrize("loop", [STEP, INLINE])
def test_the_cure_reaches_every_loop(loop: str) -> None:
    sick = program("x / 255.0", "x / 255.0", loop)
    (finding,) = found(sick).values()
    assert finding.remedy is not None
    (parameters,) = finding.remedy.edits.values()
    cured = transform(sick, finding.remedy.codemod, parameters)
    assert cured.count("mobilenet_v2.preprocess_input(") == 2
    assert found(cured) == {}


def test_what_no_loop_runs_over_is_not_read() -> None:
    text = program("x / 255.0", "x / 255.0").replace("in enumerate(train)", "in batches()")
    assert "preprocessing-differs" not in found(text)


def test_each_step_that_scales_is_an_entrance_of_its_own() -> None:
    steps = """
@tf.function
def train_step(images, labels):
    images = SCALED
    with tf.GradientTape() as tape:
        loss = loss_fn(labels, head(base(images, training=False), training=True))
    optimizer.apply(tape.gradient(loss, head.trainable_variables))

@tf.function
def test_step(images, labels):
    images = SCALED
    return loss_fn(labels, head(base(images, training=False), training=False))

for images, labels in train:
    train_step(images, labels)
for images, labels in valid:
    test_step(images, labels)
"""
    text = program("x", "x", "")
    text = text[: text.index("inputs =")] + "head = keras.layers.Dense(8)\n"
    text += TEXT[TEXT.index("optimizer =") :]
    assert found(text + steps.replace("SCALED", "images / 127.5 - 1.0")) == {}
    sick = text + steps.replace("SCALED", "images / 255.0")
    assert list(found(sick)) == ["preprocessing-mismatch"]
    (finding,) = found(sick).values()
    assert finding.remedy is not None
    (parameters,) = finding.remedy.edits.values()
    cured = transform(sick, finding.remedy.codemod, parameters)
    assert cured.count("mobilenet_v2.preprocess_input(") == 2
    assert found(cured) == {}
