"""The instruments alone: scalings read from pixels, linear probes, labels, the write overlay."""

from __future__ import annotations

import inspect
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tlfix.probe.agent.launch import load_package


@pytest.fixture(scope="module")
def agent() -> ModuleType:
    return sys.modules.get("tlfix_agent") or load_package()


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    import images

    return images.arrays("photographs", per_class=4, validation_per_class=1)[0].astype("float32")


@pytest.fixture(scope="module")
def names(agent: ModuleType) -> dict[str, object]:
    from importlib import import_module

    keras = import_module("keras")
    keras.applications  # noqa: B018 - the modules must be there before they are evaluated
    return import_module("tlfix_agent.scalings").known(keras)


@pytest.mark.probe
@pytest.mark.parametrize(
    "name",
    ["raw", "unit", "tf", "torch", "caffe", "unit+tf", "tf+tf", "unit+unit", "caffe+caffe"],
)
def test_each_scaling_is_read_back_from_its_pixels(
    name: str, names: dict, pixels: np.ndarray
) -> None:
    from tlfix_agent import scalings

    scaling = names[name.split("+")[0]]
    for second in name.split("+")[1:]:
        scaling = scaling.then(names[second])
    found = scalings.recognise(scaling.apply(pixels), names)
    assert found is not None and found.name == name
    assert np.abs(found.invert(scaling.apply(pixels)) - pixels).max() < 0.5


@pytest.mark.probe
@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("mobilenet_v2", "tf"),
        ("resnet", "caffe"),
        ("densenet", "torch"),
        ("efficientnet", "raw"),
        ("vgg16", "caffe"),
        ("inception_v3", "tf"),
        ("convnext", "raw"),
    ],
)
def test_what_a_backbone_expects_is_evaluated(module: str, name: str, names: dict) -> None:
    from tlfix_agent import scalings

    found = scalings.expected(f"keras.src.applications.{module}", names)
    assert found is not None and found.name == name


@pytest.mark.probe
@pytest.mark.parametrize("name", ["raw", "unit", "tf", "torch", "caffe"])
def test_flat_pictures_are_read_by_their_whole_levels(
    name: str, names: dict, pixels: np.ndarray
) -> None:
    from tlfix_agent import scalings

    foggy = (190 + pixels / 7).astype(np.uint8).astype(np.float32)
    found = scalings.recognise(names[name].apply(foggy), names)
    assert found is not None and found.name == name
    resized = foggy + np.random.default_rng(0).uniform(-0.5, 0.5, foggy.shape).astype(np.float32)
    assert scalings.recognise(names[name].apply(resized), names) is None


@pytest.mark.probe
def test_a_constant_picture_is_not_read(names: dict) -> None:
    from tlfix_agent import scalings

    assert scalings.recognise(np.full((4, 8, 8, 3), 7.0, np.float32), names) is None
    assert scalings.recognise(np.full((4, 8, 8, 1), 7.0, np.float32), names) is None


def test_ridge_separates_what_is_separable_and_not_noise(agent: ModuleType) -> None:
    from tlfix_agent import features

    rng = np.random.default_rng(0)
    true = np.arange(200) % 4
    noise = rng.normal(size=(200, 50))
    signal = noise + 8.0 * np.eye(50)[true]
    good = features.ridge(signal[:100], true[:100], signal[100:], true[100:])
    blind = features.ridge(noise[:100], true[:100], noise[100:], true[100:])
    assert (good.predicted == good.true).mean() > 0.9
    assert (blind.predicted == blind.true).mean() < 0.45
    assert (features.folded(signal, true).predicted == true).mean() > 0.9


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (np.eye(3)[[0, 1, 2, 0]], "one-hot"),
        (np.array([[1, 1, 0], [0, 0, 1.0]]), "multi-hot"),
        (np.array([[0.9, 0.1], [0.2, 0.8]]), "soft"),
        (np.array([0, 1, 1]), "binary"),
        (np.array([0, 4, 1]), "integer"),
        (np.array([0.5, 0.25]), "continuous"),
        (np.array(["cat", "dog"]), "none"),
        (None, "none"),
    ],
)
def test_label_forms(agent: ModuleType, labels: np.ndarray | None, kind: str) -> None:
    from tlfix_agent.labels import kind_of

    assert kind_of(labels) == kind


def test_scores_of_one_unit_and_of_many(agent: ModuleType) -> None:
    from tlfix_agent.labels import score

    one = score(np.array([[0.2], [0.7], [0.9]]), np.array([0, 1, 0]), from_logits=False)
    assert one is not None and one.as_event()["accuracy"] == pytest.approx(2 / 3)
    logits = score(np.array([[-1.0], [0.2]]), np.array([0, 1]), from_logits=True)
    assert logits is not None and logits.as_event()["accuracy"] == 1.0
    many = score(np.eye(3), np.array([0, 1, 1]), from_logits=False)
    assert many is not None and many.as_event()["confusion"].tolist() == [
        [1, 0, 0],
        [0, 1, 1],
        [0, 0, 0],
    ]


def test_sampling_a_generator_loses_no_batch(agent: ModuleType) -> None:
    from tlfix_agent import data

    batches = [(np.full((4, 2, 2, 3), i), np.full(4, i)) for i in range(10)]
    feed = data.take((b for b in batches), None, None, images=12, seconds=5)
    assert feed.sample is not None and len(feed.sample) == 12
    assert [int(x[0, 0, 0, 0]) for x, _ in feed.x] == list(range(10))


def test_a_sampled_generator_is_still_one_for_keras(agent: ModuleType) -> None:
    from tlfix_agent import data

    feed = data.take(((np.zeros((2, 3)), np.zeros(2)) for _ in range(3)), None, None, 2, 5)
    assert inspect.isgenerator(feed.x)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ({"a": np.zeros((8, 2))}, np.zeros(8)),
        ([np.zeros((8, 2)), np.zeros((8, 3))], np.zeros(8)),
        (np.zeros((0, 2)), np.zeros(0)),
    ],
)
def test_what_cannot_be_sampled_is_passed_on_as_it_is(
    agent: ModuleType, x: object, y: object
) -> None:
    from tlfix_agent import data

    feed = data.take(x, y, 4, images=8, seconds=1)
    assert feed.sample is None and feed.x is x


def test_several_outputs_leave_the_images(agent: ModuleType) -> None:
    from tlfix_agent import data

    feed = data.take(np.zeros((8, 2)), [np.zeros(8), np.ones(8)], 4, images=8, seconds=1)
    assert feed.sample is not None and feed.sample.labels is None


def test_sampling_leaves_the_random_state_alone(agent: ModuleType) -> None:
    from tlfix_agent import data

    np.random.seed(3)
    expected = np.random.RandomState(3).rand()
    data.take(np.zeros((50, 2)), np.zeros(50), 8, images=10, seconds=1)
    assert np.random.rand() == expected


def test_what_is_written_is_found_again_and_nowhere_else(agent: ModuleType, tmp_path: Path) -> None:
    """In a child, because the overlay replaces ``open`` for good."""
    user, scratch = tmp_path / "user", tmp_path / "scratch"
    user.mkdir(), scratch.mkdir()
    (user / "mine.txt").write_text("mine", encoding="utf-8")
    (user / "kept").mkdir()
    (user / "kept" / "1.jpg").write_text("picture", encoding="utf-8")
    before = [(p, p.lstat().st_mode, p.lstat().st_mtime_ns) for p in sorted(user.rglob("*"))]
    code = f"""
import os, pathlib, shutil, sys
from tlfix.probe.agent.launch import load_package
load_package()
from tlfix_agent.overlay import Overlay
Overlay({str(scratch)!r}, []).install()
os.chdir({str(user)!r})
with open("mine.txt", "a") as f: f.write(" and more")
assert open("mine.txt").read() == "mine and more"
os.makedirs("a/b"); pathlib.Path("a/b/c.txt").write_text("c")
assert pathlib.Path("a/b/c.txt").read_text() == "c" and os.path.isdir("a/b")
os.makedirs("a/b", exist_ok=True)
os.rename("a/b/c.txt", "a/b/d.txt"); assert os.path.exists("a/b/d.txt")
os.remove("mine.txt"); os.remove(pathlib.Path("a/b/d.txt"))
assert not os.path.exists("mine.txt") and not os.path.exists("a/b/d.txt")
assert os.listdir("a") == ["b"] and sorted(os.listdir(".")) == ["a", "kept"]
assert [str(p) for p in pathlib.Path("kept").rglob("*.jpg")] == ["kept/1.jpg"]
shutil.copy2("kept/1.jpg", "a/b/1.jpg"); shutil.move("kept/1.jpg", "a/b/2.jpg")
assert sorted(os.listdir("a/b")) == ["1.jpg", "2.jpg"] and os.listdir("kept") == []
assert open("a/b/2.jpg").read() == "picture"
os.chmod("kept", 0o777); os.utime("kept", (1, 1))
shutil.rmtree("kept"); assert not os.path.exists("kept")
os.makedirs("kept/again"); assert os.listdir("kept") == ["again"]
os.rmdir("kept/again"); shutil.rmtree("a")
assert [e.name for e in os.scandir(".")] == ["kept"]
os._exit(7)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 7
    after = [(p, p.lstat().st_mode, p.lstat().st_mtime_ns) for p in sorted(user.rglob("*"))]
    assert after == before
    assert (user / "mine.txt").read_text(encoding="utf-8") == "mine"


def _searched(agent: ModuleType, current: float, loss_at: Callable[[float], float]) -> list[float]:
    from tlfix_agent.rates import _Search

    search, rates = _Search(current, 2.0), []
    while (rate := search.next()) is not None and len(rates) < 30:
        rates.append(rate)
        search.tried(rate, loss_at(rate))
    return rates


def test_the_search_for_a_rate_starts_at_the_programs_own_and_ends_where_it_is_the_best(
    agent: ModuleType,
) -> None:
    rates = _searched(agent, 1e-3, lambda rate: abs(math.log10(rate) + 3))
    assert rates == pytest.approx([1e-3, 1e-4, 1e-2])


def test_the_search_goes_up_while_the_highest_rate_is_the_best(agent: ModuleType) -> None:
    rates = _searched(agent, 1e-7, lambda rate: min(abs(math.log10(rate) + 2), 2.0))
    assert max(rates) == pytest.approx(1e-1), "one beyond the best, to see it rise"


def test_the_search_does_not_go_down_from_where_nothing_moves(agent: ModuleType) -> None:
    rates = _searched(agent, 1e-4, lambda rate: 2.0 if rate < 1e-2 else math.inf)
    assert sorted(rates) == pytest.approx([1e-5, 1e-4, 1e-3, 1e-2])


def test_the_search_goes_down_while_nothing_learns(agent: ModuleType) -> None:
    def loss(rate: float) -> float:
        return math.inf if rate > 1e-5 else abs(math.log10(rate) + 5)

    rates = _searched(agent, 10.0, loss)
    assert max(rates) == 10.0
    assert min(rates) == pytest.approx(1e-6), "one beyond the best, to see that it is"
