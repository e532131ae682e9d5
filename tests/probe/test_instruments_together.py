"""All instruments on one program: augmented images, an unfrozen backbone, a rate far too high."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.probe import programs
from tlfix.probe.runner import Budget, probe
from tlfix.probe.trace import Trace

pytestmark = [pytest.mark.probe, pytest.mark.slow]


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory, photographs: Path, keras_home: Path) -> Trace:
    folder = tmp_path_factory.mktemp("wild")
    (folder / "data").symlink_to(photographs)
    script = folder / "train.py"
    script.write_text(programs.AUGMENTED_AT_A_WILD_RATE, encoding="utf-8")
    found = probe(
        script,
        budget=Budget(seconds=60, steps=10, images=96, timeout=600),
        cwd=folder,
        environment={"KERAS_HOME": str(keras_home)},
    )
    assert found.status == "completed", (found.reason, found.crash)
    return found


def test_every_probe_is_on_the_same_validation_images(trace: Trace) -> None:
    (fit,) = trace.fits
    made = {(p.scaling, p.weights, p.head, p.variant): p for p in fit.probes}
    assert set(made) >= {
        ("as-is", "trained", "linear", None),
        ("as-is", "initial", "linear", None),
        ("expected", "initial", "linear", None),
        ("expected", "initial", "mlp", None),
        ("as-is", "initial", "linear", "flipped"),
        ("as-is", "initial", "linear", "validation"),
        ("as-is", "initial", "linear", "unaugmented"),
        ("as-is", "initial", "linear", "augmented"),
    }
    assert len({len(p.correct) for p in made.values()}) == 1
    as_fed = fit.probe("as-is")
    assert as_fed == fit.probe("as-is", variant="augmented").model_copy(update={"variant": None})
    for probe_made in (
        fit.probe("expected", head="mlp"),
        fit.probe("as-is", variant="unaugmented"),
    ):
        assert probe_made.accuracy > 2 * probe_made.chance


def test_the_door_is_seen_with_reversed_channels(trace: Trace) -> None:
    door = trace.fits[0].door()
    assert door is not None and door.divergence is not None
    assert door.divergence_flipped is not None and door.divergence_flipped != door.divergence


def test_labels_belong_to_their_images_and_keep_their_names(trace: Trace) -> None:
    neighbours, renaming = trace.fits[0].neighbours, trace.fits[0].permutation
    assert neighbours is not None and neighbours.k == 5 and neighbours.n >= 40
    assert neighbours.agreement > neighbours.shuffled_mean + 5 * neighbours.shuffled_std
    assert renaming is not None and sorted(renaming.mapping) == list(range(8))
    assert renaming.renamed <= renaming.accuracy + 0.1 and renaming.n >= 20


def test_training_ruined_features_and_statistics(trace: Trace) -> None:
    (fit,) = trace.fits
    seen = {f.weights: f for f in fit.features}
    assert seen["trained"].similarity > seen["initial"].similarity
    assert seen["initial"].similarity < 0.8 and seen["initial"].dimensions == 1280
    batchnorm = fit.batchnorm
    assert batchnorm is not None and batchnorm.layers == batchnorm.updating == 52
    assert batchnorm.momentum == 0.999 and (batchnorm.drift or 0) > 0
    assert batchnorm.shift is not None and batchnorm.shift < 0.25, "rightly scaled photographs"
    assert fit.probe("expected", "recalibrated") is None
    assert batchnorm.split == "validation" and batchnorm.recalibrated is not None
    assert len(batchnorm.correct) == len(batchnorm.recalibrated_correct) >= 40


def test_gradients_are_looked_at_where_training_failed(trace: Trace) -> None:
    looked = {g.weights: g for g in trace.fits[0].gradients}
    assert set(looked) == {"initial", "trained"}
    layers = looked["initial"].layers
    assert layers[0].layer == "Conv1" and layers[-1].part == "head", "in order of application"
    assert {layer.part for layer in layers[:-1]} == {"backbone"} and len(layers) <= 200
    assert all(layer.finite for layer in layers)
    assert all(layer.norm for layer in layers if layer.kind == "Conv2D")
    assert any(layer.dead is not None for layer in layers if layer.kind == "ReLU")
