"""Calls that hand images on without changing the range of their pixels in a way of their own."""

from __future__ import annotations

from typing import Final

# Layers that move, cut, copy or augment pixels. The random ones keep the range, those that change
# brightness or contrast included: they are told the range and clip to it.
_LAYERS: Final = frozenset(
    {
        "Input",
        "InputLayer",
        "Rescaling",
        "Resizing",
        "CenterCrop",
        "Identity",
        "Activation",
        "Concatenate",
        "Cropping2D",
        "ZeroPadding2D",
        "UpSampling2D",
        "Permute",
        "Reshape",
        "Dropout",
        "GaussianNoise",
        "GaussianDropout",
        "Pipeline",
        "TimeDistributed",
        "AutoContrast",
        "AugMix",
        "CutMix",
        "MixUp",
        "RandAugment",
    }
)
_FUNCTIONS: Final = frozenset(
    {
        "Input",
        "Sequential",
        "Model",
        "clone_model",
        "cast",
        "convert_to_tensor",
        "constant",
        "identity",
        "stop_gradient",
        "expand_dims",
        "squeeze",
        "repeat",
        "tile",
        "stack",
        "concat",
        "concatenate",
        "reshape",
        "transpose",
        "permute_dimensions",
        "reverse",
        "flip",
        "gather",
        "pad",
        "clip",
        "clip_by_value",
        "ensure_shape",
        "ones",
        "zeros",
        "float32",
        "uint8",
        "grayscale_to_rgb",
        "image_dataset_from_directory",
    }
)
_METHODS: Final = frozenset(
    {
        "astype",
        "batch",
        "cache",
        "convert",
        "copy",
        "flatten",
        "from_generator",
        "from_tensor_slices",
        "list_files",
        "map",
        "numpy",
        "prefetch",
        "repeat",
        "reshape",
        "resize",
        "shuffle",
        "skip",
        "squeeze",
        "swapaxes",
        "take",
        "transpose",
        "tolist",
        "zip",
        "interleave",
        "flat_map",
        "filter",
        "get_layer",
        "read",
        "set_shape",
        "shard",
        "unbatch",
        "with_options",
        "append",
        "cast",
        "values",
        "to_numpy",
        "predict",
        "sample",
        "crop",
        "thumbnail",
    }
)
# Everything of these is about files, arrays and lists; what of it may change the range is known by
# name where it matters (``tlfix.evidence.scaling_paths``).
_LIBRARIES: Final = (
    "PIL.",
    "cv2.",
    "glob.",
    "imblearn.",
    "imageio.",
    "itertools.",
    "keras.applications.",
    "keras.datasets.",
    "keras.preprocessing.",
    "keras.utils.",
    "numpy.",
    "os.",
    "pandas.",
    "pathlib.",
    "random.",
    "sklearn.model_selection.",
    "sklearn.utils.",
    "tensorflow_datasets.",
    "tf.data.",
    "tf.image.",
    "tf.io.",
    "tf.random.",
    "keras.ops.image.",
    "keras.random.",
)
_BUILTINS: Final = frozenset(
    {
        "list",
        "tuple",
        "zip",
        "enumerate",
        "sorted",
        "reversed",
        "map",
        "filter",
        "next",
        "iter",
        "len",
        "range",
        "min",
        "max",
        "int",
        "str",
    }
)
# Calls that begin a picture: what they are given is a place, not pixels.
_READERS: Final = (
    "imread",
    "load_img",
    "Image.open",
    "load_data",
    "read_file",
    "_from_directory",
    "_from_dataframe",
    "tensorflow_datasets.load",
    "list_files",
)


def is_plain(name: str) -> bool:
    """Whether a call of this qualified name, or of the layer it makes, is known not to scale."""
    name = name.removesuffix(".__call__")
    last = name.rsplit(".", 1)[-1]
    if name.startswith("keras.layers."):
        return last in _LAYERS or last.startswith("Random")
    if name.startswith("."):
        return last in _METHODS
    if name.startswith(_LIBRARIES) or name in _BUILTINS:
        return True
    if name.startswith(("tf.", "keras.")):
        return last in _FUNCTIONS or last in _METHODS
    return False


def is_reader(name: str) -> bool:
    """Whether a call makes images from files: its arguments are no images."""
    return name.endswith(_READERS)
