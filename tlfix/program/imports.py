"""Qualified names: one spelling for whatever way a Keras or TensorFlow symbol was imported."""

from __future__ import annotations

from functools import cache
from typing import Final

from tlfix.program.architectures import ARCHITECTURES

_PREFIXES: Final = (
    # Longest first: the first that matches is taken.
    ("tensorflow.compat.v1.keras", "keras"),
    ("tensorflow.compat.v2.keras", "keras"),
    ("tensorflow_core.python.keras", "keras"),
    ("tensorflow._api.v2.v2.keras", "keras"),
    ("tensorflow.contrib.keras.api.keras", "keras"),
    ("tensorflow.contrib.keras", "keras"),
    ("tensorflow.python.keras", "keras"),
    ("keras._tf_keras.keras", "keras"),
    ("keras.src.legacy", "keras"),
    ("tensorflow.keras", "keras"),
    ("tf_keras.src", "keras"),
    ("keras.src", "keras"),
    ("keras.api", "keras"),
    ("tf_keras", "keras"),
    ("keras_applications", "keras.applications"),
    ("keras_preprocessing", "keras.preprocessing"),
    ("tensorflow.compat.v1", "tf"),
    ("tensorflow.compat.v2", "tf"),
    ("tensorflow", "tf"),
)
# Areas whose classes are known under ``keras.<area>.<Class>`` however deep the module was.
_FLAT: Final = frozenset(
    {"layers", "callbacks", "losses", "metrics", "initializers", "regularizers", "optimizers"}
)
_ROOT: Final = {"Model": "keras.Model", "Sequential": "keras.Sequential", "Input": "keras.Input"}
_DATASETS: Final = frozenset(
    {
        "image_dataset_from_directory",
        "text_dataset_from_directory",
        "timeseries_dataset_from_array",
        "audio_dataset_from_directory",
    }
)
_UTILS_MODULES: Final = frozenset(
    [
        "np_utils",
        "data_utils",
        "generic_utils",
        "vis_utils",
        "image_utils",
        "io_utils",
        "all_utils",
        "layer_utils",
        "image_dataset",
        "image_dataset_utils",
        "numerical_utils",
        "model_visualization",
        "tf_utils",
    ]
)
_ALIASES: Final = {"optimizers", "losses", "metrics", "initializers"}

_OPTIMIZERS: Final = frozenset(
    [
        "Adam",
        "SGD",
        "RMSprop",
        "Adagrad",
        "Adadelta",
        "Adamax",
        "Nadam",
        "Ftrl",
        "AdamW",
        "Lion",
        "Adafactor",
    ]
)
_STARS: Final[dict[str, frozenset[str]]] = {
    "keras.models": frozenset(
        ["Model", "Sequential", "load_model", "clone_model", "model_from_json"]
    ),
    "keras.optimizers": _OPTIMIZERS | {"schedules", "legacy"},
    "keras.preprocessing.image": frozenset(
        ["ImageDataGenerator", "load_img", "img_to_array", "array_to_img", "save_img"]
    ),
    "keras.utils": frozenset(
        ["to_categorical", "Sequence", "plot_model", "np_utils", "image_dataset_from_directory"]
    ),
    "keras.callbacks": frozenset(
        [
            "EarlyStopping",
            "ModelCheckpoint",
            "ReduceLROnPlateau",
            "LearningRateScheduler",
            "TensorBoard",
            "CSVLogger",
            "Callback",
            "TerminateOnNaN",
            "LambdaCallback",
        ]
    ),
    "keras.losses": frozenset(
        [
            "BinaryCrossentropy",
            "CategoricalCrossentropy",
            "SparseCategoricalCrossentropy",
            "categorical_crossentropy",
            "binary_crossentropy",
            "sparse_categorical_crossentropy",
        ]
    ),
    "keras": frozenset(
        [
            "Model",
            "Sequential",
            "Input",
            "layers",
            "models",
            "optimizers",
            "applications",
            "preprocessing",
            "utils",
            "callbacks",
            "losses",
            "metrics",
            "backend",
            "datasets",
            "regularizers",
            "initializers",
        ]
    ),
    "tf": frozenset({"keras", "data", "image", "io", "nn", "GradientTape"}),
}
_LAYERS: Final = frozenset(
    [
        "Dense",
        "Flatten",
        "Dropout",
        "GlobalAveragePooling2D",
        "GlobalMaxPooling2D",
        "GlobalAvgPool2D",
        "AveragePooling2D",
        "MaxPooling2D",
        "MaxPool2D",
        "Conv2D",
        "Input",
        "InputLayer",
        "Activation",
        "Softmax",
        "ReLU",
        "LeakyReLU",
        "PReLU",
        "BatchNormalization",
        "LayerNormalization",
        "Normalization",
        "Rescaling",
        "Resizing",
        "RandomFlip",
        "RandomRotation",
        "RandomZoom",
        "RandomTranslation",
        "RandomContrast",
        "RandomBrightness",
        "RandomCrop",
        "CenterCrop",
        "Lambda",
        "Concatenate",
        "Add",
        "Multiply",
        "Average",
        "Reshape",
        "TimeDistributed",
        "LSTM",
        "GRU",
        "Bidirectional",
        "Embedding",
        "ZeroPadding2D",
        "UpSampling2D",
        "Conv2DTranspose",
        "SeparableConv2D",
        "DepthwiseConv2D",
        "GaussianNoise",
        "SpatialDropout2D",
        "concatenate",
        "add",
        "multiply",
        "Layer",
        "Permute",
        "MultiHeadAttention",
        "ActivityRegularization",
        "AlphaDropout",
        "Conv1D",
        "MaxPooling1D",
    ]
)


@cache
def normalise(raw: str) -> str:
    """The name tlfix uses for a fully qualified import path.

    >>> normalise("tensorflow.keras.applications.mobilenet_v2.MobileNetV2")
    'keras.applications.MobileNetV2'
    """
    name = raw
    for prefix, replacement in _PREFIXES:
        if raw == prefix or raw.startswith(prefix + "."):
            name = replacement + raw[len(prefix) :]
            break
    parts = name.split(".")
    # TensorFlow 2 shows these areas of Keras once more at its own top level.
    if parts[0] == "tf" and len(parts) > 2 and parts[1] in _ALIASES and _is_class(parts[-1]):
        parts[0] = "keras"
    if parts[0] == "keras" and len(parts) > 1:
        return _keras(parts)
    return ".".join(parts)


def _is_class(name: str) -> bool:
    return name[:1].isupper()


def _keras(parts: list[str]) -> str:
    area, last = parts[1], parts[-1]
    if area in {"engine", "models", "layers"} and last in _ROOT and len(parts) <= 5:
        return _ROOT[last]
    if area == "models" and len(parts) == 4:
        return f"keras.models.{last}"
    if area == "applications":
        return f"keras.applications.{last}" if last in ARCHITECTURES else ".".join(parts)
    if area in _FLAT and len(parts) > 3 and _is_class(last) and "schedules" not in parts:
        return f"keras.{area}.{last}"
    if area == "engine" and _is_class(last):
        return f"keras.layers.{last}"
    if last in _DATASETS:
        return f"keras.utils.{last}"
    if area == "utils" and len(parts) == 4 and parts[2] in _UTILS_MODULES:
        return f"keras.utils.{last}"
    return ".".join(parts)


def star_member(module: str, name: str) -> bool:
    """Whether ``from module import *`` can be where ``name`` comes from.

    Only modules of Keras and TensorFlow are known; anything else brings nothing.
    """
    normalised = normalise(module)
    if normalised == "keras.layers" or normalised.startswith("keras.layers."):
        return name in _LAYERS
    if normalised.startswith("keras.applications"):
        return name in ARCHITECTURES or (
            normalised != "keras.applications"
            and name in {"preprocess_input", "decode_predictions"}
        )
    return name in _STARS.get(normalised, frozenset())
