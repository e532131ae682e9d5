from __future__ import annotations

from typing import Any

import pytest

from tests.traces import backbone, evaluation, fit, model, place, probe, trace
from tlfix.causes.spec import Case, Finding
from tlfix.causes.weights_random import CAUSE
from tlfix.findings import Symptom
from tlfix.probe.trace import Trace
from tlfix.program.reader import read

TEXT = CAUSE.examples.sick
OPEN = TEXT.replace("base.trainable = False\n", "")
FEW = OPEN.replace("epochs=20", "epochs=3")


def find(text: str, seen: Trace | None = None, *symptoms: str) -> list[Finding]:
    known = {id_: Symptom(id=id_, severity="warning", summary=id_) for id_ in symptoms}
    return list(CAUSE.find(Case(read(text, "train.py"), seen, known)))


def severities(text: str, seen: Trace | None = None, *symptoms: str) -> list[str]:
    return [finding.severity for finding in find(text, seen, *symptoms)]


def random(frozen: bool = False, status: str = "random", **other: Any) -> Trace:
    trains = model(backbone_trainable=0 if frozen else 400_000)
    seen = fit([2.0] * 40, **({"model": trains} | other))
    place_ = place(3)
    return trace(seen, backbones=(backbone(site=place_, weights=None, weights_status=status),))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TEXT, ["warning"]),
        (OPEN, ["note"]),  # 20 epochs from scratch may be meant
        (FEW, ["warning"]),
        (FEW.replace("pooling", "input_shape=(9, 9, 1), pooling"), ["note"]),
        (FEW.replace("include_top=False", "include_top=True, classes=2"), ["note"]),
        (TEXT.replace("base.trainable", "base.load_weights('w.h5')\nbase.trainable"), []),
        (TEXT.replace("base.trainable", "base.set_weights(w)\nbase.trainable"), []),
        (TEXT.replace("model.compile", "model.load_weights('w.h5')\nmodel.compile"), []),
        (TEXT.replace("None", "'imagenet'"), []),
        (TEXT.replace("weights=None, ", ""), []),
        (TEXT.replace("None", "WEIGHTS"), []),
    ],
)
def test_read(text: str, expected: list[str]) -> None:
    assert severities(text) == expected


def test_frozen_random_features_are_certain() -> None:
    (finding,) = find(TEXT, random(frozen=True))
    assert (finding.severity, finding.confidence) == ("error", "certain")
    assert finding.remedy is not None and finding.remedy.codemod == "set_argument"
    assert finding.site is not None and finding.site.line == 3


def test_trained_from_scratch_by_what_is_measured() -> None:
    chance = {"probes": (probe("as-is", 0.13),)}
    assert severities(OPEN, random(**chance), "chance-validation") == ["error"]
    assert severities(OPEN, random(), "slow-learning") == ["warning"]
    assert severities(OPEN, random()) == ["warning"]
    assert severities(OPEN, random(epochs=100)) == ["note"]
    learned = {"evaluations": (evaluation("validation", 0.6),)}
    assert severities(OPEN, random(**learned)) == ["note"]
    assert severities(OPEN, random(epochs=100, **chance), "flat-loss") == ["error"]


@pytest.mark.parametrize("status", ["pretrained", "missing", "unknown"])
def test_the_probe_overrules_the_source(status: str) -> None:
    assert find(TEXT, random(status=status)) == []


EXTRACTING = """\
import keras

extractor = keras.applications.MobileNetV2(weights=None, include_top=False, pooling="avg")
features = extractor.predict(images)
head = keras.Sequential([keras.layers.Dense(8, activation="softmax")])
head.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
head.fit(features, labels, epochs=20)
"""


def test_random_features_by_predict() -> None:
    """No fit ever sees the network, so that the probe has nothing to say of it."""
    (finding,) = find(EXTRACTING, trace(fit([1.0] * 40, model=model(backbones=())), backbones=()))
    assert (finding.severity, finding.confidence) == ("warning", "likely")
    assert finding.site is not None and finding.site.line == 3
    assert finding.remedy is not None
    assert find(EXTRACTING.replace("weights=None", 'weights="imagenet"')) == []
    assert find(EXTRACTING.replace("features =", "extractor.load_weights(p)\nfeatures =")) == []
