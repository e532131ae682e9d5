from __future__ import annotations

import pytest

from tests.codemods.places import place
from tlfix.codemods import Declined, transform

PROGRAM = """\
import tensorflow as tf
from tensorflow.keras.applications import VGG16

base_model = VGG16(weights="imagenet", include_top=False)
{freeze}x = tf.keras.layers.GlobalAveragePooling2D()(base_model.output)
model = tf.keras.Model(base_model.input, tf.keras.layers.Dense(5)(x))

model.compile(
    optimizer="adam",
    loss="mse",  # for now
    metrics=["accuracy"],
)
# go
history = model.fit(
    train,
    epochs=10,
    validation_data=val,
)  # done
print(history.history)
"""

STAGE_TWO = """\

# Stage two: fine-tune the top of the backbone. BatchNormalization stays
# frozen: it then runs in inference mode and keeps its pretrained statistics.
base_model.trainable = True
for layer in base_model.layers:
    layer.trainable = not isinstance(layer, tf.keras.layers.BatchNormalization)
for layer in base_model.layers[: int(0.7 * len(base_model.layers))]:
    layer.trainable = False
model.compile(
    optimizer=tf.keras.optimizers.Adam(learning_rate=1e-5),
    loss="mse",  # for now
    metrics=["accuracy"],
)
history_fine_tune = model.fit(
    train,
    epochs=20,
    validation_data=val,
    initial_epoch=10,
)
"""


def put(source: str, **more: object) -> str:
    parameters = {"backbone": place(source, "VGG16("), "fit": place(source, "model.fit(")}
    return transform(source, "stage_unfreeze", parameters | more)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "base_model.trainable = False\n"),
        ("base_model.trainable = False\n", "base_model.trainable = False\n"),
        ("base_model.trainable = True  # all\n", "base_model.trainable = False  # all\n"),
        (
            "for layer in base_model.layers:\n    layer.trainable = False\n",
            "for layer in base_model.layers:\n    layer.trainable = False\n",
        ),
    ],
)
def test_whole_program(before: str, after: str) -> None:
    tail = "print(history.history)\n"
    expected = PROGRAM.format(freeze=after).replace(tail, STAGE_TWO + tail)
    assert put(PROGRAM.format(freeze=before)) == expected


def test_rate_and_share_and_the_programs_own_optimizer_in_a_function() -> None:
    before = """\
import keras
from keras import layers, optimizers
from keras.applications import VGG16


def main():
    base = VGG16(include_top=False)
    model = keras.Sequential([base, layers.Dense(2)])
    sgd = optimizers.SGD(lr=0.1, momentum=0.9)
    model.compile(sgd, "mse")
    model.fit(x, y, epochs=EPOCHS)


main()
"""
    after = before.replace("top=False)\n", "top=False)\n    base.trainable = False\n").replace(
        "epochs=EPOCHS)\n",
        """\
epochs=EPOCHS)

    # Stage two: fine-tune the top of the backbone. BatchNormalization stays
    # frozen: it then runs in inference mode and keeps its pretrained statistics.
    base.trainable = True
    for layer in base.layers:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)
    for layer in base.layers[: int(0.5 * len(base.layers))]:
        layer.trainable = False
    model.compile(optimizers.SGD(learning_rate=1e-4, momentum=0.9), "mse")
    model.fit(x, y, epochs=2 * EPOCHS, initial_epoch=EPOCHS)
""",
    )
    assert put(before, rate=1e-4, share=0.5) == after


SMALL = """\
import keras
b = VGG16()
model = keras.Sequential([b, keras.layers.Dense(2)])
model.compile("adam", "mse")
model.fit(x, y)
"""


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("model.fit(x, y)", "for i in r:\n    model.fit(x, y)", "fit stands in a loop"),
        ("model.fit(x, y)", "model.fit(x, y)\nmodel.fit(x, y)", "has stages already"),
        ("b = VGG16()\n", "b = VGG16()\nb.layers[0].trainable = False\n", "line 3 decides"),
        ('model.compile("adam", "mse")\n', "", "does not stand in the same function"),
        ('"adam"', "o", "the optimizer `o` cannot be read"),
        ('"adam"', "A(cosine)", "no optimizer of Keras"),
        ("model.fit(x, y)", "h = plot(model.fit(x, y))", None),
        ("model.fit(x, y)", "plot(model.fit(x, y))", "part of a larger statement"),
        ("model.fit(x, y)", "h[0] = model.fit(x, y)", "not kept in a plain variable"),
        ("model.fit(x, y)", "b = 1\nmodel.fit(x, y)", "`b` is bound to something else at line 5"),
        ("b = VGG16()\nmodel = keras.Sequential([b,", "model = keras.Sequential([VGG16(),", "no v"),
        ("import keras\n", "def f():\n    b = VGG16()\nb = 1\n", "not visible"),
        ("(x, y)", "(x, y, callbacks=[LearningRateScheduler(f)])", "LearningRateScheduler"),
        ('model.compile("adam", "mse")', 'with s:\n    model.compile("adam", "mse")', "`with`"),
    ],
)
def test_declines_with_a_reason(old: str, new: str, reason: str | None) -> None:
    source = SMALL.replace(old, new)
    assert source != SMALL
    if reason is None:
        assert "h_fine_tune = plot(model.fit(x, y))" in put(source)
        return
    with pytest.raises(Declined, match=reason):
        put(source)


def test_twice_is_once() -> None:
    with pytest.raises(Declined, match="fitted 2 times"):
        put(put(SMALL))


def staged(rest: str) -> str:
    source = f"import keras\nbase = keras.applications.VGG16()\n{rest}"
    places = {"backbone": place(source, "keras.applications"), "fit": place(source, "model.fit")}
    return transform(source, "stage_unfreeze", places)


def test_names_that_are_taken_stay_what_they_are() -> None:
    after = staged(
        "layer = base.layers[3]\nh_fine_tune = 1\nmodel.compile('adam')\nh = model.fit(x)\n"
    )
    assert "for layer in" not in after and "for layer_ in base.layers:" in after
    assert after.endswith("h_fine_tune_ = model.fit(x)\n")


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        (
            "if a:\n    model.compile('adam')\nelse:\n    model.compile('sgd')\nmodel.fit(x)\n",
            "`if`",
        ),
        ("def f(base):\n    model.compile('adam')\n    model.fit(x)\n", "something else"),
        ("model.compile('adam')\ndel base\nmodel.fit(x)\n", "something else"),
        ("with a as base:\n    b\nmodel.compile('adam')\nmodel.fit(x)\n", "something else"),
    ],
)
def test_declines_where_optimizer_or_backbone_are_not_known(rest: str, reason: str) -> None:
    with pytest.raises(Declined, match=reason):
        staged(rest)
