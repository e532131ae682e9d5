from __future__ import annotations

from typing import Any

import pytest

from tests.traces import backbone, evaluation, falling, fit, model, place, probe, trace
from tlfix.causes.head_too_weak import CAUSE
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import Trace
from tlfix.program.reader import read
from tlfix.symptoms.registry import measure_all

TEXT = """\
import keras
from keras import layers

base = keras.applications.MobileNetV2(include_top=False, input_shape=(96, 96, 3))
base.trainable = False
model = keras.Sequential([
    base,
    layers.GlobalAveragePooling2D(),
    layers.Dropout(0.2),
    layers.Dense(8, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(train_ds, validation_data=val_ds, epochs=20)
"""


def find(text: str, seen: Trace | None = None) -> list[Finding]:
    symptoms = {} if seen is None else measure_all(seen)
    return list(CAUSE.find(Case(read(text, "train.py"), seen, symptoms)))


def seen(accuracy: float = 0.70, linear: float = 0.70, hidden: float = 0.85, **other: Any) -> Trace:
    fields: dict[str, Any] = {
        "site": place(13),
        "evaluations": (evaluation("training", 0.8), evaluation("validation", accuracy)),
        "probes": (
            probe("as-is", linear, features=1280),
            probe("as-is", hidden, head="mlp", features=1280),
        ),
    }
    return trace(fit(falling(60), **(fields | other)), backbones=(backbone(site=place(4)),))


def test_the_source_alone_tells_nothing() -> None:
    assert find(TEXT) == []


def test_a_hidden_layer_that_gains_is_a_warning() -> None:
    (finding,) = find(TEXT, seen())
    assert (finding.severity, finding.confidence) == ("warning", "likely")
    assert finding.cost == pytest.approx(0.15)
    gain, p, _ = finding.evidence[0].measured
    assert gain.n == 200 and p.value is not None and p.value < 0.01
    assert finding.remedy is not None
    after = transform(TEXT, finding.remedy.codemod, finding.remedy.edits["train.py"])
    assert after == TEXT.replace(
        "    layers.Dense(8",
        '    layers.Dense(128, activation="relu"),\n    layers.Dropout(0.3),\n    layers.Dense(8',
    )
    assert find(after, seen(model=model(head_parameters=1281 * 128 + 129 * 8))) == []


@pytest.mark.parametrize(
    "trace_",
    [
        seen(hidden=0.74),
        seen(hidden=0.70),
        seen(accuracy=0.80),
        seen(model=model(backbone_trainable=400_000)),
        seen(probes=(probe("as-is", 0.70),)),
        seen(probes=(probe("as-is", 0.70, n=12), probe("as-is", 0.85, n=12, head="mlp"))),
        seen(evaluations=()),
    ],
    ids=["gain", "none", "does better", "backbone trains", "no mlp", "few images", "not scored"],
)
def test_otherwise_nothing(trace_: Trace) -> None:
    assert find(TEXT, trace_) == []


@pytest.mark.parametrize(
    "head",
    [
        'layers.Dense(64, activation="relu"),\n    layers.Dense(8, activation="softmax")',
        'layers.Flatten(),\n    layers.Dense(8, activation="softmax")',
        'Mystery(),\n    layers.Dense(8, activation="softmax")',
    ],
)
def test_only_a_single_layer_on_pooled_features_is_weak(head: str) -> None:
    text = TEXT.replace('layers.Dense(8, activation="softmax")', head)
    big = model(head_parameters=200_000)
    assert find(text, seen(model=big)) == []


def test_parameters_tell_a_linear_head_that_cannot_be_read() -> None:
    text = TEXT.replace("base,\n", "base, Mystery(),\n")
    (finding,) = find(text, seen(model=model(head_parameters=1280 * 8 + 8)))
    assert finding.severity == "warning"
    assert finding.remedy is None and finding.advice is not None


def test_far_below_the_linear_head_something_else_comes_first() -> None:
    (finding,) = find(TEXT, seen(accuracy=0.4))
    assert (finding.severity, finding.cost) == ("note", None)
