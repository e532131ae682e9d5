"""What on the way of the images may change their range and is not read."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable

from tlfix.evidence.scaling_flow import within
from tlfix.program.model import Call, Program, Site

# What may change the range in ways that are not read here.
_OPAQUE = re.compile(
    r"convert_image_dtype|img_as_|\.normalize\(|Normalize\(|Normalization\(|standardization|Scaler\("
    r"|(plt|mpimg)\.imread|albumentations|\bA\.Compose|\.(max|mean|std)\(|transform\.resize"
    r"|featurewise|samplewise|np\.load\(|pickle|read_csv|h5py"
    # Pixels that are brought back into 0..255.
    r"|\*=? *\(?(255|127\.5)\b|\b(255|127\.5)(\.0*)? *\*"
)
_FILE = re.compile(r"flow_from_dataframe|imread|load_img|Image\.open|decode_(jpeg|png|image|bmp)")
_DECODER = re.compile(r"\.decode_(jpeg|png|image|bmp|gif)$")
# What comes with Python reads no pixels, save for these.
_READING = {
    "array",
    "bz2",
    "csv",
    "gzip",
    "lzma",
    "marshal",
    "pickle",
    "shelve",
    "sqlite3",
    "struct",
}
_LIBRARIES = (sys.stdlib_module_names - _READING) | {
    "PIL",
    "absl",
    "cv2",
    "imageio",
    "imblearn",
    "imutils",
    "kaggle_datasets",
    "keras",
    "matplotlib",
    "natsort",
    "numpy",
    "pandas",
    "scipy",
    "seaborn",
    "skimage",
    "sklearn",
    "tensorflow",
    "tensorflow_datasets",
    "tf",
    "tf_keras",
    "tqdm",
    "yaml",
}


def doubt(program: Program, names: Iterable[str], text: str, sites: list[Site]) -> str | None:
    """Why the stretch of source is not fully understood; None if it is.

    ``text`` is its source and ``sites`` its places, ``names`` those met in it.
    """
    for opaque in _OPAQUE.finditer(text):
        if not _known(opaque.group(), program, text, sites):
            return f"`{opaque.group().rstrip('(')}` may change the range"
    for name in sorted(names):
        if program.imports.get(name, "").endswith(".normalize"):
            return f"`{name}` may change the range"
        package = program.imports.get(name, "").split(".")[0]
        if package and package not in _LIBRARIES:
            return f"`{name}` comes from `{package}`, which was not read"
    return None


def _known(opaque: str, program: Program, text: str, sites: list[Site]) -> bool:
    """Whether what may change the range is seen to do so, or not to."""
    if opaque == "read_csv":
        # A table beside image files names them; without any it may hold the pixels.
        return bool(_FILE.search(text))
    if opaque == "convert_image_dtype":
        # Whole numbers are divided by 255, and a decoded file is made of them.
        scaled = {scaling.site for scaling in program.scalings}
        found = [c for c in program.calls_named(opaque) if within(c.site, sites)]
        return bool(found) and all(c.site in scaled and _decodes(c) for c in found)
    return False


def _decodes(call: Call) -> bool:
    given = call.argument("image", 0)
    made = given.call if given is not None else None
    return made is not None and bool(_DECODER.search(made.name)) and not made.argument("dtype")
