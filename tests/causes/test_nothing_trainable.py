from __future__ import annotations

import pytest

from tests.traces import backbone, evaluation, fit, model, place, trace
from tlfix.causes.nothing_trainable import CAUSE
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import Trace
from tlfix.program.reader import read

TEXT = CAUSE.examples.sick
LOOP = "for layer in model.layers:\n    layer.trainable = False  # keep the pretrained weights\n"


def find(text: str, seen: Trace | None = None) -> list[Finding]:
    return list(CAUSE.find(Case(read(text, "train.py"), seen)))


@pytest.mark.parametrize("freeze", [LOOP, "model.trainable = False\n"])
def test_the_whole_model_frozen(freeze: str) -> None:
    text = TEXT.replace(LOOP, freeze)
    (finding,) = find(text)
    assert (finding.severity, finding.confidence) == ("error", "likely")
    assert finding.site is not None and finding.site.line == 7
    assert finding.remedy is not None
    after = transform(text, "retarget_freeze", finding.remedy.edits["train.py"])
    assert after == text.replace(freeze, freeze.replace("model.", "base_model."))


@pytest.mark.parametrize(
    "freeze",
    [
        "base_model.trainable = False\n",
        "model.trainable = False\nmodel.trainable = True\n",
        "model.trainable = False\nmodel.layers[-1].trainable = True\n",
        "for layer in model.layers[:-1]:\n    layer.trainable = False\n",
        "model.layers[0].trainable = False\n",
        "model.trainable = flag\n",
        "if flag:\n    model.trainable = False\n",
        "for layer in model.layers:\n    if layer.name == 'a':\n        layer.trainable = False\n",
    ],
)
def test_part_of_it_or_not_for_good(freeze: str) -> None:
    assert find(TEXT.replace(LOOP, freeze)) == []


def test_another_model_under_the_same_name() -> None:
    assert find(CAUSE.examples.healthy) == []


def test_layers_added_afterwards_train() -> None:
    text = """\
from tensorflow import keras

model = keras.Sequential()
model.add(keras.applications.VGG16(include_top=False, pooling="avg"))
for layer in model.layers:
    layer.trainable = False
{add}model.compile("adam", "categorical_crossentropy")
model.fit(train)
"""
    assert find(text.format(add="model.add(keras.layers.Dense(2))\n")) == []
    (finding,) = find(text.format(add=""))
    assert finding.remedy is None and finding.advice  # no variable holds the backbone


def test_a_change_after_compile_is_not_judged_from_the_source() -> None:
    text = TEXT.replace(LOOP, "").replace("model.fit", "model.trainable = False\nmodel.fit")
    assert find(text) == []


def test_measured_it_is_certain() -> None:
    frozen = fit(
        [2.0] * 20, site=place(11), model=model(trainable=0, head_trainable=0, backbone_trainable=0)
    )
    (finding,) = find(TEXT, trace(frozen, backbones=(backbone(site=place(3)),)))
    assert (finding.severity, finding.confidence) == ("error", "certain")
    assert finding.remedy is not None and finding.site is not None and finding.site.line == 7


@pytest.mark.parametrize(("before", "expected"), [(0.12, ["error"]), (0.85, [])])
def test_a_frozen_head_is_a_fault_while_it_is_fresh(before: float, expected: list[str]) -> None:
    seen = fit(
        [2.0] * 20,
        model=model(head_trainable=0, backbone_trainable=100_000, trainable=100_000),
        evaluations=(evaluation("validation", before, when="before"),),
    )
    assert [finding.severity for finding in find(TEXT, trace(seen))] == expected


def test_the_probe_overrules_the_source() -> None:
    assert find(TEXT, trace(fit([2.0] * 20))) == []
