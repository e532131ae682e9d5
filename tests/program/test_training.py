from __future__ import annotations

import pytest

from tlfix.program.model import UNKNOWN, Compile, Fit, Layer, Program, TrainableChange
from tlfix.program.reader import read

HEAD = """\
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
"""
MODEL = """\
base = keras.applications.VGG16(include_top=False)
model = keras.Sequential([base, layers.Flatten(), layers.Dense(5, activation="softmax")])
"""


def program(text: str) -> Program:
    return read(HEAD + text, "train.py")


def compiled(text: str) -> Compile:
    (found,) = program(MODEL + text).compiles
    return found


def fitted(text: str) -> Fit:
    (found,) = program(MODEL + text).fits
    return found


def outputs(text: str) -> list[tuple[object, object]]:
    return [(layer.units, layer.activation) for layer in program(text).outputs]


def changes(text: str) -> tuple[TrainableChange, ...]:
    return program(MODEL + text).trainable


class TestCompile:
    @pytest.mark.parametrize(
        ("text", "rate"),
        [
            ("model.compile(keras.optimizers.Adam(1e-3), 'mse')", 1e-3),
            ("model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.1))", 0.1),
            ("model.compile(optimizer=keras.optimizers.SGD(momentum=0.9, lr=0.1))", 0.1),
            ("opt = keras.optimizers.Adam(2e-4)\nmodel.compile(optimizer=opt)", 2e-4),
            ("R = 1e-5\nmodel.compile(keras.optimizers.RMSprop(R / 10))", 1e-6),
        ],
    )
    def test_learning_rate(self, text: str, rate: float) -> None:
        found = compiled(text + "\n").learning_rate
        assert found is not None and found.value == pytest.approx(rate)

    @pytest.mark.parametrize("optimizer", ["'adam'", "keras.optimizers.Adam()", "make()"])
    def test_no_learning_rate_in_sight(self, optimizer: str) -> None:
        assert compiled(f"model.compile({optimizer}, 'mse')\n").learning_rate is None

    def test_schedule(self) -> None:
        rate = compiled(
            "s = keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.9)\n"
            "model.compile(keras.optimizers.SGD(s), 'mse')\n"
        ).learning_rate
        assert rate is not None and rate.call is not None
        assert rate.call.name == "keras.optimizers.schedules.ExponentialDecay"

    @pytest.mark.parametrize(
        ("loss", "name"),
        [
            ("'categorical_crossentropy'", "categorical_crossentropy"),
            ("keras.losses.CategoricalCrossentropy()", "categorical_crossentropy"),
            ("tf.losses.SparseCategoricalCrossentropy()", "sparse_categorical_crossentropy"),
            ("keras.losses.binary_crossentropy", "binary_crossentropy"),
            ("unheard", None),
        ],
    )
    def test_loss(self, loss: str, name: str | None) -> None:
        assert compiled(f"model.compile(loss={loss})\n").loss_name == name

    def test_other_compiles(self) -> None:
        text = "import re\nre.compile('a')\ncompile('1', 'f', 'eval')\nthing.compile(fast=True)\n"
        assert program(text).compiles == ()

    def test_inside_a_helper_with_an_unknown_model(self) -> None:
        (found,) = program("def go(net):\n    net.compile(optimizer='sgd', loss='mse')\n").compiles
        assert (found.model, found.backbones) == ("net", ())

    def test_a_helper_called_with_two_rates(self) -> None:
        found = compiled(
            "def go(rate):\n    model.compile(keras.optimizers.Adam(rate), 'mse')\n"
            "go(1e-3)\ngo(1e-5)\n"
        )
        assert found.learning_rate is not None and found.learning_rate.value is UNKNOWN


class TestFit:
    def test_two_stages(self) -> None:
        found = program(
            MODEL + "model.compile('adam', 'mse')\nmodel.fit(x, y, epochs=5)\n"
            "base.trainable = True\nmodel.compile('adam', 'mse')\nmodel.fit(x, y, epochs=10)\n"
        )
        assert [fit.epochs.value for fit in found.fits if fit.epochs] == [5, 10]
        (change,) = found.trainable
        orders = [call.order for call in found.calls_named("fit", "compile")]
        assert [order < change.order for order in orders] == [True, True, False, False]

    def test_class_weight(self) -> None:
        fit = fitted("model.fit(x, y, class_weight={0: 1.0, 1: 5.0})\n")
        assert fit.class_weight is not None and fit.class_weight.value == {0: 1.0, 1: 5.0}

    @pytest.mark.parametrize(
        "text",
        [
            "from sklearn.preprocessing import StandardScaler\nStandardScaler().fit(x)",
            "from sklearn.svm import SVC\nclf = SVC()\nclf.fit(features, y)",
            "keras.preprocessing.image.ImageDataGenerator().fit(x_train)",
            "tokenizer.fit(texts)",
            "def fit_generator(g):\n    return g\nfit_generator(data)",
            "class A:\n    def fit(self, x, epochs):\n        return x\nA().fit(x, epochs=3)",
            "lb = LabelBinarizer()\nlb.fit(labels)",
        ],
    )
    def test_other_fits(self, text: str) -> None:
        assert program(text + "\n").fits == ()

    def test_in_a_function_with_an_unknown_model(self) -> None:
        (fit,) = program("def go(net, data):\n    net.fit(data, epochs=3)\n").fits
        assert (fit.model, fit.training) == ("net", ())

    def test_a_model_handed_to_a_function(self) -> None:
        fit = fitted(
            "def go(net, images):\n    net.compile('adam', 'mse')\n"
            "    return net.fit(images, targets, epochs=3)\ngo(model, x)\n"
        )
        assert [call.name for call in fit.backbones] == ["keras.applications.VGG16"]
        assert fit.training[0].variable == "images"

    def test_a_loaded_model(self) -> None:
        (fit,) = program("m = keras.models.load_model('m.h5')\nm.fit(x, y)\n").fits
        assert fit.call.name == "keras.Model.fit"

    def test_a_method_of_a_class(self) -> None:
        (fit,) = program(
            """\
class Trainer:
    def __init__(self):
        self.model = keras.Sequential([keras.layers.Dense(2)])
        self.data = keras.utils.image_dataset_from_directory("d")
    def train(self):
        self.model.fit(self.data, epochs=3)
Trainer().train()
"""
        ).fits
        assert (fit.model, fit.call.name) == ("self.model", "keras.Model.fit")
        assert fit.training[0].kind == "image_dataset_from_directory"


class TestCustomLoop:
    def test_tape(self) -> None:
        found = program(
            MODEL
            + """\
opt = keras.optimizers.Adam(1e-4)
for x, y in data:
    with tf.GradientTape() as tape:
        loss = loss_fn(y, model(x, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    opt.apply_gradients(zip(grads, model.trainable_variables))
"""
        )
        assert found.training and found.custom_loop
        assert [(layer.units, layer.activation) for layer in found.outputs] == [(5, "softmax")]

    def test_train_on_batch(self) -> None:
        assert program(MODEL + "model.train_on_batch(x, y)\n").custom_loop

    def test_a_tape_for_a_saliency_map_trains_nothing(self) -> None:
        assert not program("with tf.GradientTape() as tape:\n    tape.watch(x)\n").custom_loop


class TestOutputs:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("m = keras.Sequential([layers.Dense(9), layers.Dense(3)])", [(3, None)]),
            ("m = keras.Sequential()\nm.add(layers.Dense(3, 'softmax'))", [(3, "softmax")]),
            (
                "m = keras.Sequential([layers.Dense(3), layers.Activation('softmax')])",
                [(3, "softmax")],
            ),
            ("m = keras.Sequential([layers.Dense(3), layers.Softmax()])", [(3, "softmax")]),
            ("m = keras.Sequential([layers.Dense(3, activation=tf.nn.softmax)])", [(3, "softmax")]),
            ("m = keras.Sequential([layers.Dense(n, activation=f())])", [(UNKNOWN, UNKNOWN)]),
            ("m = keras.Sequential([layers.Dense(3), layers.Dropout(0.5)])", []),
            ("m = keras.Sequential([keras.Sequential([layers.Dense(3)])])", [(3, None)]),
            (
                "i = keras.Input((9,))\no = layers.Dense(1, activation='sigmoid')(i)\n"
                "m = keras.Model(i, o)",
                [(1, "sigmoid")],
            ),
            (
                "i = keras.Input((9,))\no = layers.Activation('softmax')(layers.Dense(4)(i))\n"
                "m = keras.Model(inputs=i, outputs=o)",
                [(4, "softmax")],
            ),
            (
                "i = keras.Input((9,))\no = tf.nn.softmax(layers.Dense(4)(i))\n"
                "m = keras.Model(inputs=i, outputs=o)",
                [(4, "softmax")],
            ),
            (
                "i = keras.Input((9,))\n"
                "m = keras.Model(i, [layers.Dense(1)(i), layers.Dense(2)(i)])",
                [(1, None), (2, None)],
            ),
            (
                "i = keras.Input((9,))\nhead = keras.Sequential([layers.Dense(7)])\n"
                "m = keras.Model(i, head(i))",
                [(7, None)],
            ),
        ],
    )
    def test_of_the_compiled_model(self, text: str, found: list[tuple[object, object]]) -> None:
        assert outputs(text + "\nm.compile('adam', 'mse')\n") == found

    def test_subclassed(self) -> None:
        found = outputs(
            """\
class Net(keras.Model):
    def __init__(self, classes):
        super().__init__()
        self.hidden = layers.Dense(64, activation="relu")
        self.head = layers.Dense(classes)
    def call(self, x):
        x = self.hidden(x)
        return self.head(x)
net = Net(6)
net.compile("adam", "mse")
"""
        )
        assert found == [(6, None)]

    def test_only_the_trained_model_counts(self) -> None:
        text = "a = keras.Sequential([layers.Dense(1)])\nb = keras.Sequential([layers.Dense(2)])\n"
        assert outputs(text + "b.compile('adam', 'mse')\n") == [(2, None)]

    def test_the_separate_activation_is_kept(self) -> None:
        layer: Layer = program(
            "m = keras.Sequential([layers.Dense(3), layers.Activation('softmax')])\n"
            "m.compile('adam', 'mse')\n"
        ).outputs[0]
        assert layer.call.name == "keras.layers.Dense"
        assert layer.activation_call is not None
        assert layer.activation_call.name == "keras.layers.Activation"

    def test_units_from_the_data(self) -> None:
        assert outputs(
            "names = ['a', 'b', 'c']\nm = keras.Sequential([layers.Dense(len(names))])\n"
            "m.compile('adam', 'mse')\n"
        ) == [(3, None)]


class TestTrainable:
    def test_the_whole_backbone(self) -> None:
        (change,) = changes("base.trainable = False\n")
        assert (change.target, change.variable, change.value) == ("base", "base", False)
        assert change.owner is not None and change.owner.name == "keras.applications.VGG16"
        assert (change.site.line, change.site.column, change.site.end_column) == (6, 0, 22)

    @pytest.mark.parametrize(
        ("loop", "target"),
        [
            ("for layer in base.layers:", "base.layers"),
            ("for layer in base.layers[:-5]:", "base.layers[:-5]"),
            ("for i, layer in enumerate(base.layers):", "base.layers"),
            ("for layer in reversed(base.layers):", "base.layers"),
        ],
    )
    def test_a_loop(self, loop: str, target: str) -> None:
        (change,) = changes(f"{loop}\n    layer.trainable = False\n")
        assert (change.target, change.variable, change.value) == (target, "base", False)
        assert (change.site.line, change.site.end_line) == (6, 7)
        assert change.owner is not None and change.owner.name == "keras.applications.VGG16"

    def test_a_condition(self) -> None:
        found = changes(
            "for layer in base.layers:\n"
            "    if isinstance(layer, layers.BatchNormalization):\n"
            "        layer.trainable = True\n    else:\n        layer.trainable = False\n"
        )
        test = "isinstance(layer, layers.BatchNormalization)"
        assert [(each.value, each.condition) for each in found] == [
            (True, test),
            (False, f"not ({test})"),
        ]

    @pytest.mark.parametrize(
        "text",
        ["base.layers[0].trainable = False", "base.get_layer('block5').trainable = False"],
    )
    def test_one_layer(self, text: str) -> None:
        (change,) = changes(text + "\n")
        assert change.variable == "base"
        assert change.owner is not None and change.owner.name == "keras.applications.VGG16"

    def test_in_a_helper(self) -> None:
        (change,) = changes("def freeze(m):\n    m.trainable = False\nfreeze(base)\n")
        assert (change.target, change.scope) == ("m", "freeze")
        assert change.owner is not None and change.owner.name == "keras.applications.VGG16"

    def test_of_unknown_value(self) -> None:
        (change,) = changes("base.trainable = wanted()\n")
        assert change.value is UNKNOWN

    def test_of_the_model_not_the_backbone(self) -> None:
        (change,) = changes("model.trainable = False\n")
        assert change.owner is not None and change.owner.name == "keras.Sequential"

    def test_of_an_attribute(self) -> None:
        found = program(
            "class Net(keras.Model):\n    def __init__(self):\n"
            "        self.base = keras.applications.VGG16()\n"
            "        self.base.trainable = False\n"
        )
        assert (found.trainable[0].variable, found.trainable[0].target) == ("self.base",) * 2


@pytest.mark.parametrize(
    ("text", "training"),
    [
        ("model = keras.models.load_model('m')\nmodel.predict(x)\n", False),
        ("keras.utils.image_dataset_from_directory('d')\n", False),
        ("keras.applications.VGG16()\n", True),
        ("m = keras.Sequential()\nm.compile('adam', 'mse')\n", True),
        ("m.fit(x, y, epochs=3)\n", True),
        ("m.train_on_batch(x, y)\n", True),
        ("with tf.GradientTape() as t:\n    pass\n", True),
    ],
)
def test_what_is_a_training_program(text: str, training: bool) -> None:
    assert program(text).training is training
