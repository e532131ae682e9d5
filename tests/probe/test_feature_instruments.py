"""What is made of cached features, on features whose answer is known."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest

from tlfix.probe.agent.launch import load_package


@pytest.fixture(scope="module", autouse=True)
def agent() -> ModuleType:
    return sys.modules.get("tlfix_agent") or load_package()


def clusters(n: int, classes: int, distance: float = 15.0) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, 40) in one round cloud per class."""
    rng = np.random.default_rng(1)
    true = np.arange(n) % classes
    return rng.normal(size=(n, 40)) + distance * np.eye(40)[true], true


def exclusive_or(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two classes that no line separates: the signs of two features agree or not."""
    x = np.random.default_rng(2).normal(size=(n, 6))
    x[:, :2] += 2.0 * np.sign(x[:, :2])
    return x, ((x[:, 0] > 0) ^ (x[:, 1] > 0)).astype(np.int64)


def test_a_hidden_layer_separates_what_a_line_does_not() -> None:
    from tlfix_agent import features, heads

    x, true = exclusive_or(400)
    split = x[:250], true[:250], x[250:], true[250:]
    assert features.ridge(*split).accuracy < 0.65
    found = heads.mlp(*split)
    assert found.accuracy > 0.9 and found.training == 250
    assert np.array_equal(found.predicted, heads.mlp(*split).predicted), "the same every time"


def test_a_hidden_layer_is_no_worse_where_a_line_does() -> None:
    from tlfix_agent import features, heads

    x, true = clusters(240, 4)
    assert heads.mlp(x[:120], true[:120], x[120:], true[120:]).accuracy > 0.95
    folded = features.folded(x, true, 0.0, heads.mlp)
    assert folded.accuracy > 0.95 and len(folded.predicted) == 240


def test_a_hidden_layer_finds_nothing_in_noise() -> None:
    from tlfix_agent import heads

    rng = np.random.default_rng(3)
    x, true = rng.normal(size=(240, 40)), np.arange(240) % 4
    assert heads.mlp(x[:120], true[:120], x[120:], true[120:]).accuracy < 0.45


def test_neighbours_agree_only_where_labels_belong_to_images() -> None:
    from tlfix_agent import neighbours

    x, true = clusters(200, 5)
    x = x[:, :8]
    right = neighbours.agreement(x, true)
    assert right is not None and right["agreement"] > 0.95 and (right["n"], right["k"]) == (200, 5)
    mixed = neighbours.agreement(x, np.random.default_rng(4).permutation(true))
    assert mixed is not None
    assert abs(mixed["agreement"] - mixed["shuffled_mean"]) < 4 * mixed["shuffled_std"]
    assert right["shuffled_mean"] == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize(
    ("n", "classes"), [(12, 3), (200, 1)], ids=["too few images", "a single class"]
)
def test_neighbours_need_images_and_classes(n: int, classes: int) -> None:
    from tlfix_agent import neighbours

    assert neighbours.agreement(*clusters(n, classes)) is None


def test_a_planted_renaming_is_found_on_images_it_was_not_made_from() -> None:
    from tlfix_agent import neighbours

    planted = np.array([2, 0, 1, 3, 4])
    rng = np.random.default_rng(5)
    predicted = rng.integers(0, 5, 200)
    true = np.where(rng.random(200) < 0.85, planted[predicted], rng.integers(0, 5, 200))
    found = neighbours.renaming(predicted, true)
    assert found is not None and found["mapping"].tolist() == planted.tolist()
    assert found["n"] == 100 and found["renamed"] > 0.75 > 0.5 > found["accuracy"]


def test_classes_without_a_reason_keep_their_names() -> None:
    from tlfix_agent import neighbours

    predicted = np.random.default_rng(6).integers(0, 3, 90)
    found = neighbours.renaming(predicted * 2, predicted * 2)
    assert found is not None and found["mapping"].tolist() == [0, 1, 2, 3, 4]
    assert found["accuracy"] == found["renamed"] == 1.0
    assert neighbours.renaming(predicted[:10], predicted[:10]) is None


@pytest.mark.parametrize("n", [1, 2, 5, 30])
def test_the_assignment_is_the_cheapest(n: int) -> None:
    from scipy.optimize import linear_sum_assignment

    from tlfix_agent import neighbours

    cost = np.random.default_rng(n).integers(0, 9, (n, n)).astype(float)
    found = neighbours.assignment(cost)
    assert sorted(found) == list(range(n))
    assert cost[np.arange(n), found].sum() == cost[linear_sum_assignment(cost)].sum()


def test_collapsed_features_are_alike() -> None:
    from tlfix_agent import features

    x, _ = clusters(100, 5)
    alive = features.similarity(x)
    dead = features.similarity(np.hstack([np.full((100, 30), 3.0), 1e-3 * np.abs(x[:, :10])]))
    assert alive is not None and alive["constant"] == 0.0 and alive["similarity"] < 0.5
    assert dead is not None and dead["constant"] == 0.75 and dead["similarity"] > 0.999
    cosines = [
        float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) for i, a in enumerate(x) for b in x[:i]
    ]
    assert alive["similarity"] == pytest.approx(np.mean(cosines))
    assert features.similarity(np.full((4, 4), np.nan)) is None


def test_differences_too_small_to_train_on_do_not_count() -> None:
    """As of images scaled twice: all there, at a thousandth of its size."""
    from tlfix_agent import features

    x, true = clusters(240, 4)
    floor = features.spread_floor(x)
    assert 0.03 < floor < 0.1

    def accuracy(scale: float, floor: float) -> float:
        y = 50.0 + scale * x
        return features.ridge(y[:120], true[:120], y[120:], true[120:], floor).accuracy

    assert accuracy(1.0, 0.0) > 0.95 and accuracy(1.0, floor) > 0.95
    assert accuracy(1e-3, 0.0) > 0.95, "standardising alone hides the collapse"
    assert accuracy(1e-3, floor) < 0.5


@pytest.mark.parametrize(
    ("scale", "offset", "source"),
    [((1, 1, 1), (0, 0, 0), (0, 1, 2)), ((0.5, 0.6, 0.7), (-103.9, -116.8, -123.7), (2, 1, 0))],
    ids=["raw", "each channel its own, BGR"],
)
def test_reversed_channels_keep_the_programs_scaling(
    scale: tuple[float, float, float],
    offset: tuple[float, float, float],
    source: tuple[int, int, int],
) -> None:
    from tlfix_agent.scalings import Scaling

    scaling = Scaling("other", scale, offset, source)
    raw = np.random.default_rng(7).uniform(0, 255, (2, 4, 4, 3)).astype(np.float32)
    assert scaling.flipped(scaling.apply(raw)) == pytest.approx(
        scaling.apply(raw[..., ::-1]), abs=1e-3
    )


def test_statistics_are_compared_layer_by_layer() -> None:
    from tlfix_agent import batchnorm

    mean, variance = np.zeros(3), np.ones(3)
    same = [mean, variance, mean, variance]
    moved = [mean, variance, mean + 1.0, variance]
    assert batchnorm.updating(same, same) == 0 and batchnorm.divergence(same, same) == 0.0
    assert batchnorm.updating(same, moved) == 1
    assert batchnorm.divergence(same, moved) == pytest.approx(0.5, abs=0.01)
    assert batchnorm.divergence(same, [mean, variance, mean * np.nan, variance]) is None
