"""The networks of ``keras.applications``: where their ``preprocess_input`` lives and what it does.

Modules, modes and signatures as in Keras 3 (``keras/src/applications``); the third-party packages
as in their READMEs (``qubvel/efficientnet``, ``titu1994/keras-efficientnets``).
"""

from __future__ import annotations

from typing import Final, Literal

Mode = Literal["tf", "caffe", "torch", "identity"]

_MODULES: Final[dict[str, tuple[str, ...]]] = {
    "convnext": tuple(f"ConvNeXt{size}" for size in ("Tiny", "Small", "Base", "Large", "XLarge")),
    "densenet": ("DenseNet121", "DenseNet169", "DenseNet201"),
    "efficientnet": tuple(f"EfficientNetB{n}" for n in range(8)),
    "efficientnet_v2": tuple(f"EfficientNetV2{n}" for n in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    "inception_resnet_v2": ("InceptionResNetV2",),
    "inception_v3": ("InceptionV3",),
    "mobilenet": ("MobileNet",),
    "mobilenet_v2": ("MobileNetV2",),
    "mobilenet_v3": ("MobileNetV3Small", "MobileNetV3Large"),
    "nasnet": ("NASNetMobile", "NASNetLarge"),
    "resnet": ("ResNet101", "ResNet152"),
    "resnet50": ("ResNet50",),
    "resnet_v2": ("ResNet50V2", "ResNet101V2", "ResNet152V2"),
    "vgg16": ("VGG16",),
    "vgg19": ("VGG19",),
    "xception": ("Xception",),
}

ARCHITECTURES: Final[dict[str, str]] = {
    name: module for module, names in _MODULES.items() for name in names
}
"""Architecture to the submodule of ``keras.applications`` that holds its ``preprocess_input``."""

MODES: Final[dict[str, Mode]] = {
    "convnext": "identity",
    "densenet": "torch",
    "efficientnet": "identity",
    "efficientnet_v2": "identity",
    "inception_resnet_v2": "tf",
    "inception_v3": "tf",
    "mobilenet": "tf",
    "mobilenet_v2": "tf",
    "mobilenet_v3": "identity",
    "nasnet": "tf",
    "resnet": "caffe",
    "resnet50": "caffe",
    "resnet_v2": "tf",
    "vgg16": "caffe",
    "vgg19": "caffe",
    "xception": "tf",
}
"""Submodule to what its ``preprocess_input`` does to pixels in 0..255."""

THIRD_PARTY: Final[dict[str, str]] = {
    "efficientnet": "efficientnet",
    "keras_efficientnets": "keras_efficientnets",
}
"""Root module of a package with EfficientNets that do not rescale inside, to ``library``."""

_USUAL: Final = ("include_top", "weights", "input_tensor", "input_shape", "pooling", "classes")
_POSITIONAL: Final[dict[str, tuple[str, ...]]] = {
    "mobilenet": (
        "input_shape",
        "alpha",
        "depth_multiplier",
        "dropout",
        "include_top",
        "weights",
        "input_tensor",
        "pooling",
    ),
    "mobilenet_v2": (
        "input_shape",
        "alpha",
        "include_top",
        "weights",
        "input_tensor",
        "pooling",
    ),
    "mobilenet_v3": (
        "input_shape",
        "alpha",
        "minimalistic",
        "include_top",
        "weights",
        "input_tensor",
        "classes",
    ),
    "nasnet": ("input_shape", "include_top", "weights", "input_tensor", "pooling"),
}


def position(module: str, parameter: str) -> int | None:
    """The place (from 0) of a constructor's parameter, None if it is keyword-only or unknown."""
    order = _POSITIONAL.get(module, _USUAL)
    return order.index(parameter) if parameter in order else None


def affine(mode: Mode | None) -> tuple[float | None, float | None]:
    """``(scale, offset)`` of a mode on pixels in 0..255; None where it differs per channel."""
    if mode == "tf":
        return 1 / 127.5, -1.0
    if mode == "identity":
        return 1.0, 0.0
    return None, None
