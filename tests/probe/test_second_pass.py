"""Random transforms: whether a second pass gives the same pixels, and what does it."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tlfix.probe.agent.launch import load_package

RNG = np.random.default_rng(0)
PIXELS = RNG.uniform(0, 1, (40, 8, 8, 3)).astype("float32")
LABELS = np.arange(40) % 4


@pytest.fixture(scope="module")
def agent() -> ModuleType:
    return sys.modules.get("tlfix_agent") or load_package()


@pytest.fixture(scope="module")
def generator(agent: ModuleType) -> Any:
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    return ImageDataGenerator


def looked(x: Any, y: Any = None, **kwargs: Any) -> Any:
    from tlfix_agent import data

    feed = data.take(x, y, None, 16, 5, shuffle=True, look=True, **kwargs)
    assert feed.problem is None and feed.troubles == []
    return feed


def test_arrays_come_the_same_again(agent: ModuleType) -> None:
    assert looked(PIXELS, LABELS).repeats_exactly is True


class Noisy:
    """A sequence; ``noise`` is added anew to every batch."""

    def __init__(self, noise: float, labels: np.ndarray = LABELS, other: bool = False) -> None:
        self.noise, self.labels, self.other = noise, labels, other

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = np.arange(index * 20, index * 20 + 20)
        if self.other:
            rows = np.random.permutation(40)[:20]
        x = PIXELS[rows] + self.noise * np.random.normal(size=PIXELS[rows].shape)
        return x, self.labels[rows]


Noisy.__module__ = "a_dataset"


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        (Noisy(0.0), True),
        (Noisy(0.1), False),
        (Noisy(0.1, labels=np.zeros(40)), None),  # perhaps other images of the same class
        (Noisy(0.0, other=True), None),  # other images
    ],
)
def test_a_sequence_asked_twice_for_a_batch(
    agent: ModuleType, sequence: Noisy, expected: bool | None
) -> None:
    assert looked(sequence).repeats_exactly is expected


def test_the_random_states_stay(agent: ModuleType) -> None:
    np.random.seed(5), random.seed(5)
    looked(Noisy(0.1))
    assert np.random.rand() == np.random.RandomState(5).rand()
    assert random.random() == random.Random(5).random()


# Keras' ImageDataGenerator uses a name that SciPy has moved.
SCIPY = pytest.mark.filterwarnings("ignore:Please import `affine_transform`:DeprecationWarning")


@pytest.mark.probe
@SCIPY
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"rescale": 1 / 255}, {}),
        ({"samplewise_center": True, "zoom_range": 0.0}, {}),
        ({"horizontal_flip": True}, {"horizontal_flip": True}),
        (
            {"rotation_range": 20, "zoom_range": 0.2, "brightness_range": (0.5, 1.5)},
            {"rotation_range": 20, "zoom_range": [0.8, 1.2], "brightness_range": [0.5, 1.5]},
        ),
    ],
)
def test_an_iterator_makes_the_same_rows_twice(
    generator: Any, settings: dict, expected: dict, shuffle: bool
) -> None:
    flow = generator(**settings).flow(PIXELS * 255, LABELS, batch_size=8, shuffle=shuffle, seed=3)
    feed = looked(flow)
    assert feed.repeats_exactly is not bool(expected)
    assert feed.augmentation == expected


@pytest.mark.probe
def test_a_random_preprocessing_function_shows(generator: Any) -> None:
    flow = generator(preprocessing_function=lambda x: x + np.random.normal()).flow(PIXELS, LABELS)
    assert looked(flow).repeats_exactly is False


@pytest.mark.probe
@SCIPY
def test_an_iterator_over_files_tells_its_settings(agent: ModuleType, photographs: Path) -> None:
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    from tlfix_agent import births, pipelines

    made = ImageDataGenerator(shear_range=5, validation_split=0.2)
    flow = made.flow_from_directory(
        str(photographs / "train"), (32, 32), class_mode="sparse", subset="validation", batch_size=9
    )
    feed = looked(flow)
    assert feed.repeats_exactly is False and feed.augmentation == {"shear_range": 5}
    object.__setattr__(flow, "_tlfix_birth", births.Birth({"path": "t.py", "line": 1}, "f", "m"))
    settings = pipelines.sites(flow)[0]["settings"]
    assert settings["shuffle"] is True and settings["subset"] == "validation"
    assert settings["class_mode"] == "sparse" and settings["batch_size"] == 9
    assert settings["directory"] == str(photographs / "train") and settings["rescale"] is None


def jitter(x: Any, y: Any) -> Any:
    import tensorflow as tf

    return tf.clip_by_value(tf.image.random_brightness(x, 0.3), 0.0, 1.0), y


@pytest.mark.probe
def test_data_sets_by_the_functions_in_them(agent: ModuleType) -> None:
    import keras
    import tensorflow as tf

    base = tf.data.Dataset.from_tensor_slices((PIXELS, LABELS))
    augment, augment_batch = [
        keras.Sequential([keras.layers.RandomFlip("horizontal"), keras.layers.RandomZoom(0.2)])
        for _ in range(2)
    ]

    def flips(x: Any, y: Any) -> Any:
        return augment(x, training=True), y

    def flips_batch(x: Any, y: Any) -> Any:
        return augment_batch(x, training=True), y

    def idle(x: Any, y: Any) -> Any:
        return augment_batch(x, training=False), y

    def seeded(x: Any, y: Any) -> Any:
        return tf.image.stateless_random_brightness(x, 0.3, seed=(1, 2)), y

    def opaque(x: Any, y: Any) -> Any:
        noise = tf.numpy_function(lambda: np.float32(np.random.rand()), [], tf.float32)
        return x + noise, y

    layers = {"RandomFlip": "horizontal", "RandomZoom": 0.2}
    for dataset, same, augmentation in (
        (base.batch(8), True, {}),
        (base.shuffle(40).batch(8).prefetch(2), True, {}),
        (base.shuffle(40).map(lambda x, y: (x * 2, y)).batch(8), True, {}),
        (base.map(flips).shuffle(40).batch(8), False, layers),
        (base.shuffle(40).batch(8).map(flips_batch, num_parallel_calls=2), False, layers),
        (base.shuffle(40).batch(8).map(idle), True, {}),
        (base.map(flips).cache().shuffle(40).batch(8), True, layers),
        (base.cache().shuffle(40).map(jitter).batch(8), False, {"jitter": "RandomUniform"}),
        (base.map(seeded).batch(8), True, None),
        (base.map(opaque).batch(8), False, {}),
        (base.shuffle(40).map(opaque).batch(8), None, {}),
    ):
        feed = looked(dataset)
        assert feed.repeats_exactly is same, dataset
        assert augmentation is None or feed.augmentation == augmentation


@pytest.mark.probe
def test_a_data_set_over_a_python_generator(agent: ModuleType) -> None:
    import tensorflow as tf

    def batches(noise: float) -> Any:
        rng = np.random.default_rng()
        for start in range(0, 40, 20):
            x = PIXELS[start : start + 20]
            yield x + np.float32(noise * rng.normal()), LABELS[start : start + 20]

    spec = (tf.TensorSpec((None, 8, 8, 3)), tf.TensorSpec((None,), tf.int64))
    for noise, expected in ((0.0, True), (0.1, False)):
        made = tf.data.Dataset.from_generator(lambda n=noise: batches(n), output_signature=spec)
        assert looked(made).repeats_exactly is expected


@pytest.mark.probe
def test_trying_a_layer_leaves_its_seeds_alone(agent: ModuleType) -> None:
    import keras
    import tensorflow as tf

    from tlfix_agent import passes

    flip = keras.layers.RandomFlip(seed=1)
    base = tf.data.Dataset.from_tensor_slices((PIXELS, LABELS)).batch(8)
    mapped = base.map(lambda x, y: (flip(x, training=True), y))
    before = flip.generator.state.numpy()
    assert passes.of_dataset(mapped, None) is False
    assert np.array_equal(flip.generator.state.numpy(), before)


@pytest.mark.probe
def test_random_layers_of_a_model(agent: ModuleType) -> None:
    import keras

    from tlfix_agent.transforms import of_model

    inner = keras.Sequential([keras.layers.RandomRotation(0.1), keras.layers.RandomRotation(0.2)])
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            inner,
            keras.layers.RandomTranslation(0.1, 0.3),
            keras.layers.Dropout(0.5),
            keras.layers.Flatten(),
        ]
    )
    assert of_model(model) == {
        "RandomRotation": [-0.1, 0.1],
        "RandomRotation 2": [-0.2, 0.2],
        "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.3},
    }
