"""Forward passes as graphs give what the model gives; what cannot be a graph runs all the same."""

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
    import keras

    return keras


@pytest.fixture
def model(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((6,)), layers.Dense(8), layers.BatchNormalization(), layers.Dense(3)]
    )


def rows(n: int, dtype: str = "float32") -> np.ndarray:
    return (10 * np.random.default_rng(n).random((n, 6))).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_a_graph_gives_what_the_model_gives(model: Any, dtype: str) -> None:
    from tlfix_agent.forward import inference

    for n in (5, 7):  # one graph for batches of any size
        x = rows(n, dtype)
        assert np.allclose(inference(model)(x), np.asarray(model(x, training=False)), atol=1e-5)
    assert len(inference(model)._graphs) == 1


def test_the_graph_follows_the_weights(model: Any) -> None:
    from tlfix_agent.forward import inference

    before = inference(model)(rows(4))
    model.layers[-1].bias.assign(np.ones(3))
    assert np.allclose(inference(model)(rows(4)), before + 1, atol=1e-5)


def test_training_mode_moves_the_statistics_of_batchnorm(model: Any) -> None:
    from tlfix_agent.forward import Forward

    moving = model.layers[1].moving_mean
    before = np.asarray(moving).copy()
    Forward(model, training=True)(rows(32))
    assert not np.allclose(np.asarray(moving), before)


def test_a_model_that_needs_real_values_runs_eagerly(keras: Any) -> None:
    from tlfix_agent.forward import inference

    class Peeking(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(2)

        def call(self, x: Any, training: bool = False) -> Any:
            return self.dense(x * float(np.asarray(x).max()))

    model = Peeking()
    model(rows(2))
    assert np.allclose(inference(model)(rows(3)), np.asarray(model(rows(3))), atol=1e-4)


def test_what_is_wrong_with_the_inputs_is_raised(model: Any) -> None:
    from tlfix_agent.forward import inference

    with pytest.raises(ValueError):
        inference(model)(np.zeros((2, 5), np.float32))


def test_a_model_with_other_layers_gets_another_graph(keras: Any, model: Any) -> None:
    from tlfix_agent.forward import inference

    assert inference(model)(rows(2)).shape == (2, 3)
    model.pop()
    model.add(keras.layers.Dense(4))
    assert inference(model)(rows(2)).shape == (2, 4)
