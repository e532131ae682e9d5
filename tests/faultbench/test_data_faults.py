"""Each fault of the data does what it says, on a handful of small images."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.faultbench.data_faults import FAULTS
from benchmarks.faultbench.recipes import messages, reviews

CLASSES = ("a", "b", "c", "d", "e", "f")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six classes, twelve training and six validation images each, all different."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 12), ("validation", 6)):
        for name in CLASSES:
            target = tmp_path / "data" / part / name
            target.mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 256, (8, 8, 3), np.uint8)
                Image.fromarray(pixels).save(target / f"{number:04d}.jpg")
    return tmp_path / "data"


def contents(folder: Path, part: str) -> dict[str, list[bytes]]:
    return {
        each.name: [file.read_bytes() for file in sorted(each.iterdir())]
        for each in sorted((folder / part).iterdir())
    }


def test_overlap(folder: Path) -> None:
    FAULTS["overlap"](folder)
    train, validation = contents(folder, "train"), contents(folder, "validation")
    shared = {name: len({*train[name]} & {*validation[name]}) for name in CLASSES}
    assert shared == dict.fromkeys(CLASSES, 3)


def test_blank(folder: Path) -> None:
    FAULTS["blank"](folder)
    files = sorted((folder / "train" / "a").iterdir())
    even = [np.asarray(Image.open(file)).std() < 1 for file in files]
    assert sum(even) == 8


def test_repeated(folder: Path) -> None:
    FAULTS["repeated"](folder)
    assert all(len({*files}) <= 4 for files in contents(folder, "train").values())
    assert all(len({*files}) == 6 for files in contents(folder, "validation").values())


def test_skewed(folder: Path) -> None:
    FAULTS["skewed"](folder)
    assert [len(files) for files in contents(folder, "train").values()] == [12, 12, 4, 4, 4, 4]


def test_swapped_folders(folder: Path) -> None:
    before = contents(folder, "validation")
    FAULTS["swapped_folders"](folder)
    after = contents(folder, "validation")
    assert list(after) == list(CLASSES)
    assert after["a"] == before["b"] and after["f"] == before["e"]


def test_one_class(folder: Path) -> None:
    FAULTS["one_class"](folder)
    assert [len(files) for files in contents(folder, "train").values()] == [12, 0, 0, 0, 0, 0]


def test_scattered_labels(folder: Path) -> None:
    before = contents(folder, "train")
    FAULTS["scattered_labels"](folder)
    after = contents(folder, "train")
    assert Counter(chain(*after.values())) == Counter(chain(*before.values()))
    kept = sum(len({*after[name]} & {*before[name]}) for name in CLASSES)
    assert kept < 72 / 3, "a sixth stays in its class by chance"


def test_hazy(folder: Path) -> None:
    FAULTS["hazy"](folder)
    pixels = np.asarray(Image.open(folder / "train" / "a" / "0000.jpg"), np.float32)
    assert 190 <= pixels.mean() <= 227 and pixels.std() < 15


def test_made_up_texts_are_the_same_every_time(tmp_path: Path) -> None:
    for recipe, name in (
        (reviews, "reviews_train.csv"),
        (messages, "messages/train/sports/007.txt"),
    ):
        recipe(tmp_path / "one" / recipe.__name__)
        recipe(tmp_path / "two" / recipe.__name__)
        one, two = (tmp_path / side / recipe.__name__ / name for side in ("one", "two"))
        assert one.read_bytes() == two.read_bytes() and one.stat().st_size > 40
