"""What the images hold, which are in both splits, callbacks, and weights carried on."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tlfix.probe.agent.launch import load_package

RNG = np.random.default_rng(0)
PIXELS = RNG.uniform(0, 255, (60, 12, 12, 3)).astype("float32")


@pytest.fixture(scope="module")
def agent() -> ModuleType:
    return sys.modules.get("tlfix_agent") or load_package()


def feed(x: Any, y: Any = None) -> Any:
    from tlfix_agent import data

    return data.take(x, y, None, 1000, 5, shuffle=False, look=True)


def test_blank_repeated_grey_and_broken_images(agent: ModuleType) -> None:
    from tlfix_agent.content import inputs_seen

    images = PIXELS[:10].copy()
    images[1] = 7.0
    images[2] = images[3]
    images[4] = images[4, ..., :1]
    images[5, 0, 0, 0] = np.nan
    assert inputs_seen(images) == {
        "n": 10,
        "constant": 1,
        "repeated": 1,
        "grey": 1,
        "not_finite": 1,
    }
    assert inputs_seen(PIXELS.astype("uint8")[:10])["grey"] == 0
    twice = np.concatenate([PIXELS[:10], PIXELS[:10]])
    assert inputs_seen(twice)["repeated"] == 10
    assert inputs_seen(twice, batch=10)["repeated"] == 0, "a second pass"
    assert inputs_seen(np.arange(20).reshape(4, 5)) is None, "not images"


def test_grey_images_are_known_after_a_scaling_of_each_channel(agent: ModuleType) -> None:
    from tlfix_agent.content import inputs_seen

    grey = np.repeat(PIXELS[..., :1], 3, axis=3)
    scaled = (grey / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    assert inputs_seen(scaled.astype("float32"))["grey"] == 60
    assert inputs_seen(grey - np.float32([103.939, 116.779, 123.68]))["grey"] == 60


def test_photographs_are_not_grey(agent: ModuleType) -> None:
    import images

    from tlfix_agent.content import inputs_seen

    pixels = images.arrays("photographs", per_class=4, validation_per_class=1)[0]
    seen = inputs_seen(pixels)
    assert seen == {"n": 32, "constant": 0, "repeated": 0, "not_finite": 0, "grey": 0}
    grey = np.repeat(pixels[..., :1], 3, axis=3)
    assert inputs_seen(grey)["grey"] == 32


def test_rows_in_both_arrays(agent: ModuleType) -> None:
    from tlfix_agent.content import overlap

    found = overlap(feed(PIXELS[:40]), feed(PIXELS[30:]))
    assert found == {
        "by": "array",
        "training": 40,
        "validation": 30,
        "shared": 10,
        "same_data": False,
    }
    apart = overlap(feed(PIXELS[:40]), feed(PIXELS[40:]))
    assert apart is not None and apart["shared"] == 0
    same = overlap(feed(PIXELS), feed(PIXELS))
    assert same is not None and same["same_data"] and same["shared"] == 60
    copied = overlap(feed(PIXELS), feed(PIXELS.copy()))
    assert copied is not None and copied["shared"] == 60 and not copied["same_data"]


def test_rows_that_agree_in_part_only_are_not_shared(agent: ModuleType) -> None:
    from tlfix_agent.content import shared_rows

    large = RNG.uniform(0, 1, (20, 64, 64, 3)).astype("float32")
    other = large.copy()
    other[:, 0, 1, 1] += 0.5  # an element that the part compared first leaves out
    assert shared_rows(large, large.copy()) == 20 and shared_rows(large, other) == 0
    assert shared_rows(large, large.astype("float64")) == 20
    assert shared_rows(large, large[..., ::-1]) == 0
    assert shared_rows(large, large[:, :32]) is None


def test_blank_rows_are_not_called_shared(agent: ModuleType) -> None:
    from tlfix_agent.content import shared_rows

    assert shared_rows(np.zeros((5, 4, 4, 3)), np.zeros((5, 4, 4, 3))) == 0


def test_samples_of_what_cannot_be_compared_in_full(agent: ModuleType) -> None:
    from tlfix_agent.content import overlap

    def batches(x: np.ndarray) -> Any:
        return ((x[i : i + 8], np.zeros(8)) for i in range(0, len(x), 8))

    found = overlap(feed(batches(PIXELS[:40])), feed(batches(PIXELS[24:56])))
    assert found is not None and (found["by"], found["shared"]) == ("sample", 16)
    stream = batches(PIXELS)
    twice = overlap(feed(stream), feed(stream))
    assert twice is None or twice["same_data"] is True


def test_what_a_loop_fed_is_not_the_same_data_for_want_of_a_name(agent: ModuleType) -> None:
    from tlfix_agent import content, fed

    splits = [[(PIXELS[i : i + 8], np.arange(8))] for i in (0, 8)]
    found = content.overlap(*(fed.feed(pairs, "custom-loop", look=True) for pairs in splits))
    assert found is not None and not found["same_data"] and found["shared"] == 0


def iterator(paths: list[Path]) -> Any:
    """As far as its files are concerned, what ``flow_from_directory`` returns."""
    names = [str(p) for p in paths]
    return SimpleNamespace(given=SimpleNamespace(image_data_generator=None, filepaths=names))


def test_files_in_both_splits(agent: ModuleType, tmp_path: Path) -> None:
    from tlfix_agent.content import overlap

    def write(name: str, content: bytes) -> Path:
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    train = [write(f"t{i}.jpg", bytes([i]) * 100) for i in range(5)]
    link = tmp_path / "link.jpg"
    link.symlink_to(train[0])
    validation = [
        link,
        write("copy.jpg", bytes([1]) * 100),
        write("other.jpg", bytes([9]) * 100),
        write("longer.jpg", bytes([1]) * 101),
        tmp_path / "gone.jpg",
    ]
    found = overlap(iterator(train), iterator(validation))
    assert found == {
        "by": "file",
        "training": 5,
        "validation": 5,
        "shared": 2,
        "same_data": False,
    }
    again = overlap(iterator(train), iterator(train[::-1]))
    assert again is not None and again["same_data"] and again["shared"] == 5


@pytest.mark.probe
def test_a_data_set_knows_its_files_unless_it_leaves_some_out(
    agent: ModuleType, photographs: Path
) -> None:
    import keras
    import tensorflow as tf

    from tlfix_agent.pipelines import files

    train, held_out = keras.utils.image_dataset_from_directory(
        str(photographs / "train"), validation_split=0.25, subset="both", seed=1, image_size=(8, 8)
    )
    known, other = files(train.map(lambda x, y: (x / 255, y)).cache().prefetch(1)), files(held_out)
    assert known and other and not set(known) & set(other)
    assert len(known) + len(other) == 480
    assert files(train.take(2)) is None and files(train.skip(2)) is None
    assert files(train.unbatch().filter(lambda x, y: y > 0)) is None
    paths = tf.data.Dataset.from_tensor_slices(known)
    zipped = tf.data.Dataset.zip((paths.map(tf.io.read_file), tf.data.Dataset.range(360)))
    assert files(zipped.shuffle(9).batch(2)) == known
    assert files(tf.data.Dataset.from_tensor_slices(["a cat", "a dog"])) is None


def test_what_callbacks_watch(agent: ModuleType) -> None:
    from tlfix_agent import births, callbacks

    class EarlyStopping:
        monitor, patience, restore_best_weights = "val_acc", 3, True

    class Own:
        monitor, patience = object(), "many"

    stopping = EarlyStopping()
    stopping._tlfix_birth = births.Birth({"path": "t.py", "line": 4}, "", "")  # type: ignore[attr-defined]
    seen = [callbacks.describe(c) for c in callbacks.listed([stopping, Own()])]
    assert seen[0] == {
        "name": "EarlyStopping",
        "site": {"path": "t.py", "line": 4},
        "monitor": "val_acc",
        "patience": 3,
        "restore_best_weights": True,
    }
    assert seen[1]["name"] == "Own" and seen[1]["monitor"] is None and seen[1]["patience"] is None
    assert callbacks.listed(None) == [] and len(callbacks.listed(stopping)) == 1


class Model:
    """Variables in the order in which a Keras model lists them."""

    def __init__(self, trainable: list[np.ndarray], frozen: list[np.ndarray]) -> None:
        self.trainable_variables, self.weights = trainable, [*frozen, *trainable]


def test_weights_carried_on_and_weights_reset(agent: ModuleType) -> None:
    from tlfix_agent.continuing import Ending

    frozen, kernel, bias = RNG.normal(size=(3, 3)), RNG.normal(size=(3, 2)), np.zeros(2)
    model = Model([kernel, bias], [frozen])
    ending = Ending(model)
    unfrozen = Model([frozen, kernel, bias], [])
    assert ending.continued_by(model) and ending.continued_by(unfrozen)
    bias += 1.0
    assert ending.continued_by(model), "biases do not tell"
    kernel *= 0.5
    assert not ending.continued_by(model)
    assert not Ending(model).continued_by(Model([kernel.copy()], [frozen])), "another head"
    assert not Ending(Model([bias], [])).continued_by(model), "nothing to go by"
