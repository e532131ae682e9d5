"""BatchNorm, gradients, dead units and augmentation, on small real models."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tlfix.probe.agent.launch import load_package

pytestmark = pytest.mark.probe


@pytest.fixture(scope="module", autouse=True)
def agent() -> ModuleType:
    return sys.modules.get("tlfix_agent") or load_package()


@pytest.fixture(scope="module")
def keras() -> Any:
    from importlib import import_module

    found = import_module("keras")
    found.utils.set_random_seed(0)
    return found


def sample(n: int = 96) -> Any:
    """Flat images of two classes, bright and dark."""
    from tlfix_agent.feed import Sample

    true = np.arange(n) % 2
    noise = np.random.default_rng(0).normal(size=(n, 8, 8, 3))
    return Sample((noise + 2.0 * true[:, None, None, None]).astype(np.float32), true)


def network(keras: Any) -> Any:
    """Two blocks with BatchNorm and a head, compiled."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, name="first"),
            layers.BatchNormalization(momentum=0.99, name="norm"),
            layers.ReLU(name="bent"),
            layers.Flatten(),
            layers.Dense(6, activation="relu", name="hidden"),
            layers.BatchNormalization(name="second_norm"),
            layers.Dense(2, activation="softmax", name="out"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def test_recalibration_sets_each_layer_to_what_arrives(keras: Any) -> None:
    from tlfix_agent import batchnorm

    model, images = network(keras), sample(128).inputs
    statistics = batchnorm.Statistics(model)
    assert [x.name for x in statistics.layers] == ["norm", "second_norm"]
    before = statistics.values()
    with statistics.kept():
        batchnorm.recalibrate(model, statistics, [images[:64], images[64:]])
        mean, variance, *_ = statistics.values()
        arrived = np.asarray(model.get_layer("first")(images))
        assert mean == pytest.approx(arrived.mean((0, 1, 2)), abs=1e-4)
        assert variance == pytest.approx(arrived.var((0, 1, 2)), rel=1e-3)
        hidden = keras.Model(model.inputs[0], model.get_layer("hidden").output)
        assert statistics.values()[2] == pytest.approx(np.asarray(hidden(images)).mean(0), abs=0.05)
    assert all(np.array_equal(a, b) for a, b in zip(statistics.values(), before, strict=True))


def test_stale_statistics_are_seen_and_what_new_ones_would_give(keras: Any) -> None:
    """After thirty steps statistics with a momentum of .99 are still three quarters what they were
    at the start; those of a fit that went elsewhere are worse."""
    from tlfix_agent import batchnorm, models

    model, data = network(keras), sample()
    initial = models.snapshot(model.weights)
    model.fit(data.inputs, data.labels, epochs=10, verbose=0)
    norm = model.get_layer("second_norm")
    norm.moving_mean.assign(norm.moving_mean + np.array([9, -9, 9, -9, 9, -9], np.float32))
    final = models.snapshot(model.weights)
    facts = batchnorm.describe(model, initial, final)
    assert facts is not None
    assert (facts["layers"], facts["updating"], facts["momentum"]) == (2, 2, 0.99)
    assert facts["drift"] > 1.0
    scores = batchnorm.scores(model, data, data, "training", False, 20.0)
    assert scores["recalibrated"] > 0.95 and scores["accuracy"] < 0.9
    assert len(scores["correct"]) == len(scores["recalibrated_correct"]) == 96
    assert np.mean(scores["recalibrated_correct"]) == scores["recalibrated"]
    assert batchnorm.scores(model, data, data, "training", False, 0.0) == {}, "no time for all"
    now = models.snapshot(model.weights)
    assert all(np.array_equal(a, b) for a, b in zip(now, final, strict=True))


def test_frozen_batchnorm_is_no_update(keras: Any) -> None:
    from tlfix_agent import batchnorm, models

    model, data = network(keras), sample()
    model.get_layer("norm").trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")
    initial = models.snapshot(model.weights)
    model.fit(data.inputs, data.labels, epochs=1, verbose=0)
    facts = batchnorm.describe(model, initial, models.snapshot(model.weights))
    assert facts is not None and facts["updating"] == 1
    plain = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    assert batchnorm.describe(plain, None, None) is None


def test_gradients_are_those_of_a_plain_step(keras: Any) -> None:
    """A step of gradient descent at rate 1 moves each layer by its gradient."""
    from tlfix_agent import gradients, models
    from tlfix_agent.feed import Sample

    data = sample(16)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Flatten(),
            keras.layers.Dense(5, activation="relu", name="hidden", kernel_regularizer="l2"),
            keras.layers.Dense(1, activation="sigmoid", name="out"),
        ]
    )
    model.compile(keras.optimizers.SGD(1.0), "binary_crossentropy")
    before = models.snapshot(model.weights)
    seen = gradients.measure(model, [], Sample(data.inputs, data.labels), 16, "initial", 20.0)
    assert seen is not None and (seen["weights"], seen["batches"]) == ("initial", 1)
    hidden, out = seen["layers"]
    assert (hidden["layer"], hidden["kind"], hidden["part"]) == ("hidden", "Dense", "head")
    assert all(
        np.array_equal(a, b) for a, b in zip(models.snapshot(model.weights), before, strict=True)
    )
    model.train_on_batch(data.inputs, data.labels)
    moved = [a - b for a, b in zip(before, models.snapshot(model.weights), strict=True)]
    for layer, (kernel, bias) in ((hidden, moved[:2]), (out, moved[2:])):
        assert layer["norm"] == pytest.approx(
            np.sqrt(np.sum(kernel**2) + np.sum(bias**2)), rel=1e-3
        )
        assert layer["finite"] is True
    assert hidden["weight_norm"] == pytest.approx(np.sqrt(np.sum(before[0] ** 2)))


def test_dead_units_and_broken_weights_are_told(keras: Any) -> None:
    from tlfix_agent import gradients

    model, data = network(keras), sample(32)
    hidden = model.get_layer("hidden")
    kernel, bias = hidden.get_weights()
    bias[:3] = -1e4
    hidden.set_weights([kernel, bias])
    seen = gradients.measure(model, [], data, 16, "trained", 20.0)
    assert seen is not None and seen["batches"] == 2
    layers = {x["layer"]: x for x in seen["layers"]}
    assert list(layers) == ["first", "norm", "bent", "hidden", "second_norm", "out"]
    assert layers["hidden"]["dead"] >= 0.5 and layers["bent"]["dead"] < 0.5
    assert "norm" not in layers["bent"] and layers["out"]["dead"] is None
    hidden.set_weights([kernel * np.nan, bias])
    broken = gradients.measure(model, [], data, 16, "trained", 20.0)
    assert broken is not None
    layers = {x["layer"]: x for x in broken["layers"]}
    assert layers["hidden"]["finite"] is False and layers["hidden"]["norm"] is None


def test_layers_of_a_nested_model_come_in_order(keras: Any) -> None:
    from tlfix_agent import gradients

    inner = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="a"), keras.layers.Dense(2, name="b")]
    )
    outer = keras.Sequential([keras.Input((4,)), inner, keras.layers.Dense(1, name="c")])
    assert [x.name for x in gradients.leaves(outer)][-3:] == ["a", "b", "c"]


def test_images_are_read_again_without_their_augmentation(keras: Any) -> None:
    from tlfix_agent import augmentation, data

    images = np.random.default_rng(0).uniform(0, 255, (40, 8, 8, 3)).astype(np.float32)
    generator = keras.src.legacy.preprocessing.image.ImageDataGenerator(
        vertical_flip=True, horizontal_flip=True, rescale=1 / 255
    )
    iterator = generator.flow(images, np.arange(40), batch_size=8, seed=1)
    feed = data.take(iterator, None, None, 40, 5.0)
    assert feed.sample is not None, feed.problem
    source = augmentation.source_of(iterator)
    assert source is not None
    iterator.on_epoch_end()  # another order, as after training
    plain = augmentation.without(source, feed.sample, 5.0)
    assert plain is not None and np.array_equal(plain.labels, feed.sample.labels)
    assert plain.inputs == pytest.approx(images[plain.labels] / 255, abs=1e-5)
    assert np.abs(plain.inputs - feed.sample.inputs).mean() > 0.01
    assert generator.vertical_flip is True and iterator.image_data_generator is generator


def test_a_generator_that_only_scales_augments_nothing(keras: Any) -> None:
    from tlfix_agent import augmentation

    generator = keras.src.legacy.preprocessing.image.ImageDataGenerator(rescale=1 / 255)
    iterator = generator.flow(np.zeros((8, 4, 4, 3)), np.zeros(8), batch_size=4)
    iterator[0]
    assert augmentation.source_of(iterator) is None and augmentation.source_of([1, 2]) is None
