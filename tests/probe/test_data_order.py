"""In which order the classes come, and what the arguments of ``fit`` do to it."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest

from tlfix.probe.agent.launch import load_package


@pytest.fixture(scope="module")
def agent() -> ModuleType:
    return sys.modules.get("tlfix_agent") or load_package()


SORTED = np.repeat([0, 1, 2], 40)
PIXELS = np.random.default_rng(0).uniform(0, 255, (120, 8, 8, 3)).astype("float32")


class Rows:
    """What ``keras.utils.Sequence`` promises, without Keras. ``read`` counts its batches."""

    def __init__(self, y: np.ndarray, size: int = 8) -> None:
        self.y_, self.size, self.read = y, size, 0

    def __len__(self) -> int:
        return -(-len(self.y_) // self.size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        self.read += 1
        rows = slice(index * self.size, (index + 1) * self.size)
        return PIXELS[rows], self.y_[rows]


Rows.__module__ = "a_dataset"


@pytest.mark.parametrize("y", [SORTED, np.eye(3)[SORTED], SORTED[:, None].astype("float32")])
def test_arrays_in_their_own_order_without_shuffle(agent: ModuleType, y: np.ndarray) -> None:
    from tlfix_agent import data

    feed = data.take(PIXELS, y, 16, 32, 5, shuffle=False, look=True)
    assert feed.shuffled is False and feed.order == SORTED.tolist()


def test_arrays_that_fit_shuffles_have_no_order(agent: ModuleType) -> None:
    from tlfix_agent import data

    feed = data.take(PIXELS, SORTED, 16, 32, 5, shuffle=True, look=True)
    assert feed.shuffled is True and feed.order == []


def test_whole_batches_change_places(agent: ModuleType) -> None:
    from tlfix_agent import data

    feed = data.take(PIXELS, SORTED, 8, 32, 5, shuffle="batch", look=True)
    assert feed.shuffled is True and feed.order != SORTED.tolist()
    assert sorted(feed.order) == SORTED.tolist()
    assert all(len(set(feed.order[i : i + 8])) == 1 for i in range(0, 120, 8))


def test_labels_that_are_no_single_class_have_no_order(agent: ModuleType) -> None:
    from tlfix_agent import data

    several = np.ones((120, 3))
    assert data.take(PIXELS, several, 8, 32, 5, shuffle=False, look=True).order == []


def test_a_trial_looks_at_nothing(agent: ModuleType) -> None:
    from tlfix_agent import data

    rows = Rows(SORTED)
    feed = data.take(rows, None, None, 16, 5, shuffle=False)
    assert rows.read == 2 and feed.sample is not None
    assert (feed.order, feed.images, feed.repeats_exactly, feed.augmentation) == (
        [],
        None,
        None,
        {},
    )


@pytest.mark.parametrize("images", [24, 1000])
def test_a_sequence_in_its_own_order(agent: ModuleType, images: int) -> None:
    from tlfix_agent import data

    feed = data.take(Rows(SORTED), None, None, images, 5, shuffle=False, look=True)
    assert feed.order == SORTED[: min(images, 120)].tolist()
    assert feed.repeats_exactly is True


def test_a_sequence_whose_batches_keras_shuffles(agent: ModuleType) -> None:
    from tlfix_agent import data

    feed = data.take(Rows(SORTED), None, None, 64, 5, shuffle=True, look=True)
    assert len(feed.order) == 64 and feed.order != sorted(feed.order)
    assert sum(a != b for a, b in zip(feed.order, feed.order[1:], strict=False)) <= 7


def test_a_generator_in_the_order_of_its_batches(agent: ModuleType) -> None:
    from tlfix_agent import data

    batches = ((PIXELS[i : i + 4], SORTED[i : i + 4]) for i in range(0, 120, 4))
    feed = data.take(batches, None, None, 44, 5, shuffle=True, look=True)
    assert feed.order == SORTED[:44].tolist() and feed.repeats_exactly is None
    assert sum(len(x) for x, _ in feed.x) == 120


def test_batches_that_the_program_feeds_itself(agent: ModuleType) -> None:
    from tlfix_agent import fed

    kept = fed.Kept(images=40)
    for start in range(0, 120, 16):
        kept.add(PIXELS[start : start + 16], SORTED[start : start + 16])
    feed = fed.feed(kept.pairs, "arrays", look=True)
    assert feed.order == SORTED[:48].tolist() and feed.batch_size == 16
    assert feed.images is not None and feed.images["n"] == 48
    assert fed.feed([], "arrays", look=True).sample is None


@pytest.mark.parametrize(
    ("order", "expected"),
    [([0] * 50, True), ([0] * 25 + [1] * 25, True), ([0, 1, 1, 0, 0, 1, 0, 1], False), ([], False)],
)
def test_classes_that_come_in_runs(agent: ModuleType, order: list[int], expected: bool) -> None:
    from tlfix_agent.orders import clustered

    assert clustered(order) is expected


@pytest.mark.probe
def test_a_data_set_sorted_by_class_is_read_on(agent: ModuleType) -> None:
    """Its first 32 images are of one class; the sample stays what it was."""
    import tensorflow as tf

    from tlfix_agent import data

    sorted_ = tf.data.Dataset.from_tensor_slices((PIXELS, SORTED))
    feed = data.take(sorted_.batch(16), None, None, 32, 5, look=True)
    assert feed.order == SORTED.tolist() and feed.shuffled is False
    assert feed.sample is not None and len(feed.sample) == 32
    assert np.array_equal(feed.sample.inputs, PIXELS[:32])
    tiny = data.take(sorted_.shuffle(4, seed=1).batch(16), None, None, 32, 5, look=True)
    assert tiny.shuffled is True and tiny.order != SORTED.tolist()
    assert sum(a != b for a, b in zip(tiny.order, tiny.order[1:], strict=False)) < 20
    mixed = data.take(sorted_.shuffle(120, seed=1).batch(16), None, None, 32, 5, look=True)
    assert len(mixed.order) == 32, "nothing suspicious: no more than the sample is read"


@pytest.mark.probe
@pytest.mark.parametrize("shuffle", [True, False])
def test_an_iterator_that_does_not_shuffle(agent: ModuleType, shuffle: bool) -> None:
    """Keras draws an order of its batches, unless ``fit`` is told not to."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    from tlfix_agent import data

    flow = ImageDataGenerator().flow(PIXELS, SORTED, batch_size=8, shuffle=False)
    feed = data.take(flow, None, None, 16, 5, shuffle=shuffle, look=True)
    assert feed.shuffled is False and sorted(feed.order) == SORTED.tolist()
    assert (feed.order == SORTED.tolist()) is not shuffle
    own = ImageDataGenerator().flow(PIXELS, SORTED, batch_size=8)
    assert data.take(own, None, None, 16, 5, shuffle=True, look=True).order == []
