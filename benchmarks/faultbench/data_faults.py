"""Faults of the data: what is done to a written data folder, in place, always the same way."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image


def overlap(folder: Path) -> None:
    """Validation images are copies of training images: a third of each class is replaced."""
    for name in sorted((folder / "validation").iterdir()):
        theirs = sorted(name.iterdir())
        ours = sorted((folder / "train" / name.name).iterdir())
        for target, source in zip(theirs[: len(theirs) // 3 + 1], ours, strict=False):
            shutil.copyfile(source, target)


def blank(folder: Path) -> None:
    """Two thirds of the images of every class are blank: an even grey, as of a failed export."""
    for image in _every(folder):
        if _number(image) % 3:
            with Image.open(image) as opened:
                size = opened.size
            Image.new("RGB", size, (128, 128, 128)).save(image, quality=95)


def repeated(folder: Path) -> None:
    """Nine of ten training images of a class are one image, written again and again."""
    for name in sorted((folder / "train").iterdir()):
        first, *others = sorted(name.iterdir())
        for number, other in enumerate(others):
            if number % 10:
                shutil.copyfile(first, other)


def skewed(folder: Path) -> None:
    """Training has all the images of the first two classes, and a tenth of the others'."""
    for index, name in enumerate(sorted((folder / "train").iterdir())):
        files = sorted(name.iterdir())
        for file in files[max(len(files) // 10, 4) :] if index > 1 else []:
            file.unlink()


def skewed_parity(folder: Path) -> None:
    """Training has every even digit and only the first twenty odd ones."""
    for file in sorted((folder / "train" / "odd").iterdir())[20:]:
        file.unlink()


def swapped_folders(folder: Path) -> None:
    """The validation folders of two pairs of classes have each other's names."""
    names = sorted(each.name for each in (folder / "validation").iterdir())
    for one, other in ((names[0], names[1]), (names[2], names[3]), (names[4], names[5])):
        validation = folder / "validation"
        (validation / one).rename(validation / "swap")
        (validation / other).rename(validation / one)
        (validation / "swap").rename(validation / other)


def one_class(folder: Path) -> None:
    """The training images of all classes but the first are gone; their folders remain."""
    for name in sorted((folder / "train").iterdir())[1:]:
        for file in name.iterdir():
            file.unlink()


def scattered_labels(folder: Path) -> None:
    """The training images are dealt out to the class folders at random."""
    train = folder / "train"
    files = sorted(train.glob("*/*"))
    contents = [file.read_bytes() for file in files]
    for target, index in zip(files, np.random.default_rng(3).permutation(len(files)), strict=True):
        target.write_bytes(contents[index])


def hazy(folder: Path) -> None:
    """All images have a seventh of their contrast and are bright, as through fog."""
    for image in _every(folder):
        with Image.open(image) as opened:
            pixels = np.asarray(opened.convert("RGB"), np.float32)
        Image.fromarray((190 + pixels / 7).astype(np.uint8)).save(image, quality=98)


def spectra(folder: Path) -> None:
    """Each image is the logarithm of its Fourier spectrum, as no photograph looks."""
    for image in _every(folder):
        with Image.open(image) as opened:
            grey = np.asarray(opened.convert("L"), np.float32)
        power = np.log1p(np.abs(np.fft.fftshift(np.fft.fft2(grey - grey.mean()))))
        pixels = np.clip(255 * power / max(float(power.max()), 1e-6), 0, 255)
        Image.fromarray(pixels.astype(np.uint8)).convert("RGB").save(image, quality=98)


def _every(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.jpg"))


def _number(image: Path) -> int:
    return int(image.stem.split("_")[-1])


FAULTS: dict[str, Callable[[Path], None]] = {
    fault.__name__: fault
    for fault in (
        overlap,
        blank,
        repeated,
        skewed,
        skewed_parity,
        swapped_folders,
        one_class,
        scattered_labels,
        hazy,
        spectra,
    )
}
