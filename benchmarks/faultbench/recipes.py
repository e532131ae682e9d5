"""The data of the base programs: written once, from wheels' photographs, scans and drawings.

A recipe writes a folder that becomes ``data/`` beside the program. The same recipe gives the same
bytes. Real images: scikit-image's photographs and scikit-learn's scanned digits; the rest is drawn.
"""

from __future__ import annotations

import csv
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "examples" / "assets"
if str(ASSETS) not in sys.path:
    sys.path.insert(0, str(ASSETS))

Rng = np.random.Generator


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


GOOD = words("lovely brilliant delightful superb charming gripping moving clever warm splendid")
BAD = words("dreadful boring clumsy tedious awful hollow noisy lazy bitter pointless")
PLAIN = words(
    "film story actor scene ending music camera dialogue plot evening cinema director "
    "script chapter cast sequel crowd ticket picture voice screen hour friend weekend"
)
TOPICS = {
    "cooking": words("oven butter salt flour recipe pan garlic onion soup bake spoon dough"),
    "gardening": words("soil seed prune tulip compost shovel hedge weed bloom rose lawn root"),
    "hardware": words("cable battery screen keyboard router disk driver fan socket charger chip"),
    "sports": words("goal match referee team stadium coach sprint league trophy score penalty"),
    "travel": words("airport luggage hotel passport ferry beach museum tram visa border guide"),
}
FILLERS = words(
    "today we found that another person had asked about this before and nobody could say "
    "why it took so long yesterday maybe tomorrow will be better with some help from you"
)


def photographs(folder: Path) -> None:
    """Eight photographs cut in patches: 240 training and 160 validation images."""
    _images().write(folder, "photographs", classes=8, per_class=30, validation_per_class=20)


def textures(folder: Path) -> None:
    """Six drawn textures in folders: 300 training and 180 validation images."""
    _images().write(folder, "procedural", classes=6, per_class=50, validation_per_class=30)


def texture_arrays(folder: Path) -> None:
    """Six drawn textures in one numpy file, class by class: 480 images."""
    drawn = _images().arrays(
        "procedural", classes=6, per_class=80, validation_per_class=1, shuffle=False
    )
    folder.mkdir(parents=True)
    np.savez(folder / "textures.npz", images=drawn[0], labels=drawn[1])


def digits(folder: Path) -> None:
    """Ten scanned digits: 400 training and 250 validation images."""
    _images().write(folder, "digits", per_class=40, validation_per_class=25)


def digits_together(folder: Path) -> None:
    """Ten scanned digits in one folder, 60 of each."""
    _images().write(folder / "parts", "digits", per_class=60, validation_per_class=1)
    shutil.move(folder / "parts" / "train", folder / "digits")
    shutil.rmtree(folder / "parts")


def parity(folder: Path) -> None:
    """Scanned digits in two folders, even and odd: 400 training and 240 validation images."""
    _images().write(folder / "parts", "digits", per_class=40, validation_per_class=24)
    for part in ("train", "validation"):
        for digit in range(10):
            target = folder / part / ("odd" if digit % 2 else "even")
            target.mkdir(parents=True, exist_ok=True)
            for file in sorted((folder / "parts" / part / str(digit)).iterdir()):
                shutil.move(file, target / f"{digit}_{file.name}")
    shutil.rmtree(folder / "parts")


def tags(folder: Path) -> None:
    """Two half photographs side by side, one or two tags of six: 360 and 200 images, one file."""
    images = _images()
    names = images.class_names("photographs", 6)
    split: dict[str, Any] = {"tags": np.array(names)}
    x_train, y_train, x_val, y_val = images.arrays(
        "photographs", classes=6, per_class=60, validation_per_class=34, seed=1
    )
    for part, x, y, count in (("train", x_train, y_train, 360), ("val", x_val, y_val, 200)):
        rng = np.random.default_rng((5, len(part)))
        left, right = (rng.permutation(len(x))[:count] for _ in range(2))
        split[f"x_{part}"] = np.concatenate([x[left][:, :, :48], x[right][:, :, 48:]], axis=2)
        hot = np.eye(len(names), dtype=np.uint8)
        split[f"y_{part}"] = np.maximum(hot[y[left]], hot[y[right]])
    folder.mkdir(parents=True)
    np.savez(folder / "tags.npz", **split)


def reviews(folder: Path) -> None:
    """Made-up film reviews as CSV, good 1 or bad 0: 800 to train, 300 to validate."""
    folder.mkdir(parents=True)
    for part, count, salt in (("train", 800, 0), ("validation", 300, 1)):
        rng = np.random.default_rng((9, salt))
        with (folder / f"reviews_{part}.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["text", "label"])
            table.writerows(_reviews(rng, count))


def messages(folder: Path) -> None:
    """Made-up messages on five topics, a text file each: 500 to train, 250 to validate."""
    for part, count, salt in (("train", 100, 0), ("validation", 50, 1)):
        for index, (topic, words) in enumerate(TOPICS.items()):
            rng = np.random.default_rng((10, salt, index))
            target = folder / "messages" / part / topic
            target.mkdir(parents=True)
            others = [word for name, each in TOPICS.items() if name != topic for word in each]
            for number in range(count):
                text = [*rng.choice(FILLERS, 8), *rng.choice(words, 2), *rng.choice(others, 1)]
                shuffled = " ".join(str(word) for word in rng.permutation(text))
                (target / f"{number:03d}.txt").write_text(shuffled + "\n", encoding="utf-8")


def _reviews(rng: Rng, count: int) -> Iterator[tuple[str, int]]:
    for _ in range(count):
        label = int(rng.integers(2))
        own, other = (GOOD, BAD) if label else (BAD, GOOD)
        words = [*rng.choice(own, 3), *rng.choice(other, rng.integers(2)), *rng.choice(PLAIN, 8)]
        yield " ".join(str(word) for word in rng.permutation(words)), label


def _images() -> Any:
    import images

    return images


RECIPES: dict[str, Callable[[Path], None]] = {
    recipe.__name__: recipe
    for recipe in (
        photographs,
        textures,
        texture_arrays,
        digits,
        digits_together,
        parity,
        tags,
        reviews,
        messages,
    )
}

BASES: dict[str, str] = {
    "nested_guide": "photographs",
    "sequential_rescaling": "textures",
    "subclassed": "photographs",
    "generators": "photographs",
    "split_directory": "digits_together",
    "arrays_split": "texture_arrays",
    "argparse_main": "photographs",
    "two_stage": "digits",
    "binary_parity": "parity",
    "multi_label": "tags",
    "tensor_slices": "photographs",
    "features_predict": "photographs",
    "kfold": "texture_arrays",
    "text_tokenizer": "reviews",
    "text_vectorization": "messages",
}
"""The recipe of each base program."""
