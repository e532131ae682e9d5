"""Small image data sets for demos, tests and benchmarks, made without a network.

Three kinds: `photographs` (patches of the photographs in scikit-image's wheel; the class is the
photograph), `digits` (scikit-learn's scanned digits, enlarged) and `procedural` (drawn textures
which the weights of `make_weights.py` have never seen). The same seed gives the same images, and a
class's images do not depend on how many the others have.

    python examples/assets/images.py photographs DIR --classes 8 --per-class 60
"""

import argparse
import gzip
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from textures import SHAPES, TARGET, contrasting, paint

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]
Part = Literal["train", "validation"]
KindName = Literal["photographs", "digits", "procedural"]

# In the order in which classes are taken. Sources and licences: README.md
PHOTOGRAPHS = {
    "galaxies": "hubble_deep_field.jpg",
    "rocket": "rocket.jpg",
    "gravel": "gravel.png",
    "bricks": "brick.png",
    "coffee": "coffee.png",
    "grass": "grass.png",
    "retina": "retina.jpg",
    "print": "page.png",
    "handwriting": "text.png",
    "moon": "moon.png",
    "cat": "chelsea.png",
    "tissue": "ihc.png",
    "coins": "coins.png",
    "astronaut": "astronaut.png",
}
# Upright bands of a photograph, as shares of its width, with gaps between those of the two parts.
BANDS: dict[Part, tuple[tuple[float, float], ...]] = {
    "train": ((0.0, 0.3), (0.5, 0.8)),
    "validation": ((0.32, 0.48), (0.82, 1.0)),
}
CROP = (44, 96)  # pixels, the sides of patches in the photograph, as far as the band is wide enough


def bundled(package: str, *parts: str) -> Path:
    """The path of a data file inside an installed package, without importing the package."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"{package} is needed for its bundled images: pip install {package}"
        )
    return Path(spec.submodule_search_locations[0], *parts)


@cache
def photograph(name: str) -> Images:
    """One photograph as uint8 (height, width, 3); grey ones have three equal channels."""
    with Image.open(bundled("skimage", "data", PHOTOGRAPHS[name])) as image:
        return np.asarray(image.convert("RGB"), np.uint8)


@cache
def scanned_digits() -> tuple[Images, Labels]:
    """scikit-learn's digits: uint8 (1797, 8, 8) stretched from 0..16 to 0..255; labels (1797,)."""
    with gzip.open(bundled("sklearn", "datasets", "data", "digits.csv.gz"), "rt") as file:
        table = np.loadtxt(file, delimiter=",")
    grey = np.round(table[:, :64] * (255 / 16)).astype(np.uint8)
    return grey.reshape(-1, 8, 8), table[:, 64].astype(np.int64)


def resized(image: Images, size: int) -> Images:
    """The image in three channels at (size, size, 3), bicubic."""
    scaled = Image.fromarray(image).convert("RGB").resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(scaled, np.uint8)


def cut_patch(rng: np.random.Generator, name: str, part: Part, size: int) -> Images:
    """A random square of one of the part's bands, perhaps mirrored, under a random light.

    Exposure and white balance differ from patch to patch, or the mean colour would give most classes
    away and no features were needed.

    Nearly even squares (the black around the retina, a clear sky) carry no sign of their photograph
    and are cut again, twenty times at most.
    """
    image = photograph(name)
    for _ in range(20):
        left, right = BANDS[part][rng.integers(len(BANDS[part]))]
        region = image[:, round(left * image.shape[1]) : round(right * image.shape[1])]
        side = int(rng.integers(CROP[0], min(CROP[1], *region.shape[:2]) + 1))
        top = int(rng.integers(0, region.shape[0] - side + 1))
        start = int(rng.integers(0, region.shape[1] - side + 1))
        patch = region[top : top + side, start : start + side]
        if patch.std() > 8:
            break
    light = rng.uniform(0.6, 1.2) * rng.uniform(0.75, 1.25, 3)
    exposed = np.clip(patch * light, 0, 255).astype(np.uint8)
    return resized(exposed[:, :: rng.choice((-1, 1))], size)


def photograph_patches(
    rng: np.random.Generator, name: str, part: Part, count: int, size: int
) -> list[Images]:
    return [cut_patch(rng, name, part, size) for _ in range(count)]


def digit_scans(
    rng: np.random.Generator, name: str, part: Part, count: int, size: int
) -> list[Images]:
    """Distinct scans: training has the first 60 % of a digit's scans, validation the rest."""
    scans, labels = scanned_digits()
    own = scans[labels == int(name)]
    border = round(0.6 * len(own))
    own = own[:border] if part == "train" else own[border:]
    if count > len(own):
        raise ValueError(f"only {len(own)} scans of digit {name} for {part}, {count} asked for")
    return [resized(scan, size) for scan in own[rng.permutation(len(own))[:count]]]


def drawn_texture(rng: np.random.Generator, name: str, size: int) -> Images:
    """A light texture on a darker ground at about its own scale, often cut out in a shape."""
    period = 9.0 * 1.13 ** (3 * list(TARGET).index(name) % len(TARGET)) * rng.uniform(0.75, 1.35)
    one, other = contrasting(rng)
    colours = np.minimum(one, other), np.maximum(one, other)
    shape = "whole" if rng.uniform() < 0.6 else str(rng.choice(SHAPES))
    return paint(rng, TARGET[name](rng, size, period), colours, shape)


def drawn_textures(
    rng: np.random.Generator, name: str, part: Part, count: int, size: int
) -> list[Images]:
    return [drawn_texture(rng, name, size) for _ in range(count)]


class Kind(NamedTuple):
    names: Sequence[str]
    classes: int  # by default
    draw: Callable[[np.random.Generator, str, Part, int, int], list[Images]]


KINDS: dict[KindName, Kind] = {
    "photographs": Kind(tuple(PHOTOGRAPHS), 8, photograph_patches),
    "digits": Kind(tuple("0123456789"), 10, digit_scans),
    "procedural": Kind(tuple(TARGET), 6, drawn_textures),
}


def class_names(kind: KindName, classes: int | None = None) -> list[str]:
    """The first `classes` classes in alphabetical order, which is that of their labels."""
    known = KINDS[kind]
    wanted = known.classes if classes is None else classes
    if not 2 <= wanted <= len(known.names):
        raise ValueError(f"{kind} has 2 to {len(known.names)} classes, {wanted} asked for")
    return sorted(known.names[:wanted])


def arrays(
    kind: KindName,
    *,
    classes: int | None = None,
    per_class: int = 60,
    validation_per_class: int = 30,
    size: int = 96,
    seed: int = 0,
    counts: Sequence[int] | None = None,
    shuffle: bool = True,
) -> tuple[Images, Labels, Images, Labels]:
    """The data set in memory: `(x_train, y_train, x_val, y_val)`.

    Args:
        kind: `"photographs"`, `"digits"` or `"procedural"`.
        classes: number of classes, at most 14, 10 and 8; by default 8, 10 and 6.
        per_class: training images of each class.
        validation_per_class: validation images of each class.
        size: side of the images, in pixels.
        seed: of every random choice.
        counts: training images class by class in the order of `class_names`, for skewed sets;
            replaces `per_class`.
        shuffle: whether rows are in random order, else sorted by class.

    Returns:
        Images uint8 `(n, size, size, 3)` in 0..255 and labels int64 `(n,)`, for training and for
        validation.

    Raises:
        ValueError: more classes or scans than there are, or `counts` of another length than the
            classes.
    """
    names = class_names(kind, classes)
    wanted = [per_class] * len(names) if counts is None else list(counts)
    if len(wanted) != len(names):
        raise ValueError(f"{len(wanted)} counts for {len(names)} classes")

    def part(name: Part, numbers: Sequence[int], salt: int) -> tuple[Images, Labels]:
        images: list[Images] = []
        for index, (label, count) in enumerate(zip(names, numbers, strict=True)):
            images += KINDS[kind].draw(
                np.random.default_rng((seed, salt, index)), label, name, count, size
            )
        rows, labels = np.stack(images), np.repeat(np.arange(len(names)), numbers)
        order = (
            np.random.default_rng((seed, salt)).permutation(len(rows))
            if shuffle
            else np.arange(len(rows))
        )
        return rows[order], labels[order]

    return *part("train", wanted, 0), *part("validation", [validation_per_class] * len(names), 1)


def write(
    dest: Path,
    kind: KindName,
    *,
    classes: int | None = None,
    per_class: int = 60,
    validation_per_class: int = 30,
    size: int = 96,
    seed: int = 0,
    counts: Sequence[int] | None = None,
    suffix: Literal["jpg", "png"] = "jpg",
) -> Path:
    """Write the images of `arrays` to `dest`/train/CLASS/0000.jpg and so on; return `dest`."""
    x_train, y_train, x_val, y_val = arrays(
        kind,
        classes=classes,
        per_class=per_class,
        validation_per_class=validation_per_class,
        size=size,
        seed=seed,
        counts=counts,
        shuffle=False,
    )
    for part, images, labels in (("train", x_train, y_train), ("validation", x_val, y_val)):
        for label, name in enumerate(class_names(kind, classes)):
            folder = dest / part / name
            folder.mkdir(parents=True, exist_ok=True)
            for number, image in enumerate(images[labels == label]):
                Image.fromarray(image).save(folder / f"{number:04d}.{suffix}", quality=95)
    return dest


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=list(KINDS))
    parser.add_argument("dest", type=Path, metavar="DIR")
    parser.add_argument("--classes", type=int)
    parser.add_argument("--per-class", type=int, default=60, help="training images of each class")
    parser.add_argument("--validation-per-class", type=int, default=30)
    parser.add_argument(
        "--counts",
        type=int,
        nargs="+",
        help="training images class by class, instead of --per-class",
    )
    parser.add_argument("--size", type=int, default=96, help="pixels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--suffix", choices=("jpg", "png"), default="jpg")
    options = vars(parser.parse_args())
    print(write(options.pop("dest"), options.pop("kind"), **options))


if __name__ == "__main__":
    main()
