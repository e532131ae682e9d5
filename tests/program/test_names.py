from __future__ import annotations

import pytest

from tlfix.program.imports import normalise
from tlfix.program.reader import read


def names(text: str) -> list[str]:
    """The qualified names of all calls."""
    return [call.name for call in read(text, "train.py").calls]


@pytest.mark.parametrize(
    "text",
    [
        "import tensorflow as tf\ntf.keras.applications.MobileNetV2()",
        "import tensorflow\ntensorflow.keras.applications.MobileNetV2()",
        "import tensorflow.keras as keras\nkeras.applications.MobileNetV2()",
        "import tensorflow.compat.v1 as tf\ntf.keras.applications.MobileNetV2()",
        "import tf_keras\ntf_keras.applications.MobileNetV2()",
        "import keras\nkeras.applications.mobilenet_v2.MobileNetV2()",
        "from tensorflow import keras\nkeras.applications.mobilenet_v2.MobileNetV2()",
        "from tensorflow.keras.applications import MobileNetV2\nMobileNetV2()",
        "from tensorflow.python.keras.applications import MobileNetV2\nMobileNetV2()",
        "from keras.applications.mobilenet_v2 import MobileNetV2 as Net\nNet()",
        "from keras.applications import mobilenet_v2 as m\nm.MobileNetV2()",
        "from keras.src.applications.mobilenet_v2 import MobileNetV2\nMobileNetV2()",
        "from keras_applications.mobilenet_v2 import MobileNetV2\nMobileNetV2()",
        "from tensorflow.keras.applications import *\nMobileNetV2()",
        "import tensorflow as tf\nK = tf.keras\napps = K.applications\napps.MobileNetV2()",
        "import keras\nnets = {'m': keras.applications.MobileNetV2}\nnets['m']()",
        "import keras\ngetattr(keras.applications, 'MobileNetV2')()",
        "try:\n    import keras\nexcept ImportError:\n    from tensorflow import keras\n"
        "keras.applications.MobileNetV2()",
    ],
)
def test_a_constructor_has_one_name(text: str) -> None:
    assert names(text) == ["keras.applications.MobileNetV2"]


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("tensorflow.keras.layers.Dense", "keras.layers.Dense"),
        ("keras.layers.core.Dense", "keras.layers.Dense"),
        ("tensorflow.keras.layers.experimental.preprocessing.Rescaling", "keras.layers.Rescaling"),
        ("keras.engine.training.Model", "keras.Model"),
        ("tensorflow.keras.models.Model", "keras.Model"),
        ("keras.models.Sequential", "keras.Sequential"),
        ("tensorflow.keras.layers.Input", "keras.Input"),
        ("tensorflow.keras.optimizers.legacy.Adam", "keras.optimizers.Adam"),
        ("keras.optimizers.adam_v2.Adam", "keras.optimizers.Adam"),
        ("tensorflow.optimizers.Adam", "keras.optimizers.Adam"),
        (
            "keras.optimizers.schedules.ExponentialDecay",
            "keras.optimizers.schedules.ExponentialDecay",
        ),
        (
            "keras.src.legacy.preprocessing.image.ImageDataGenerator",
            "keras.preprocessing.image.ImageDataGenerator",
        ),
        (
            "keras_preprocessing.image.ImageDataGenerator",
            "keras.preprocessing.image.ImageDataGenerator",
        ),
        (
            "tensorflow.keras.preprocessing.image_dataset_from_directory",
            "keras.utils.image_dataset_from_directory",
        ),
        ("keras.utils.np_utils.to_categorical", "keras.utils.to_categorical"),
        (
            "keras.applications.mobilenet_v2.preprocess_input",
            "keras.applications.mobilenet_v2.preprocess_input",
        ),
        ("tensorflow.data.Dataset", "tf.data.Dataset"),
        ("numpy.array", "numpy.array"),
    ],
)
def test_normalised(raw: str, name: str) -> None:
    assert normalise(raw) == name


def test_methods_are_named_after_the_class() -> None:
    text = """\
import tensorflow as tf
gen = tf.keras.preprocessing.image.ImageDataGenerator()
flow = gen.flow_from_directory("train")
ds = tf.data.Dataset.from_tensor_slices((x, y)).map(f).batch(8)
model = tf.keras.Sequential()
model.add(tf.keras.layers.Dense(2))
model.fit(flow)
other.fit(flow)
"""
    assert names(text) == [
        "keras.preprocessing.image.ImageDataGenerator",
        "keras.preprocessing.image.ImageDataGenerator.flow_from_directory",
        "tf.data.Dataset.from_tensor_slices",
        "tf.data.Dataset.map",
        "tf.data.Dataset.batch",
        "keras.Sequential",
        "keras.layers.Dense",
        "keras.Sequential.add",
        "keras.Model.fit",
        ".fit",
    ]


def test_a_local_function_of_a_known_name_is_only_itself() -> None:
    text = "from keras.layers import *\ndef Dense(n):\n    return n\nDense(3)\n"
    assert names(text) == ["Dense"]


def test_a_star_import_brings_no_builtin() -> None:
    assert names("from keras.layers import *\nprint(Dense(1))\n") == ["keras.layers.Dense", "print"]


def test_two_kinds_of_keras_in_one_file() -> None:
    program = read(
        "import keras\nimport tensorflow as tf\n"
        "a = keras.layers.Dense(1)\nb = tf.keras.layers.Dense(2)\n",
        "train.py",
    )
    assert [call.name for call in program.calls] == ["keras.layers.Dense"] * 2
    assert program.imports == {"keras": "keras", "tf": "tf"}
