from __future__ import annotations

import pytest

from tests.traces import evaluation, fit, place, probe, trace
from tlfix.causes.pixels_oversampled import CAUSE, find
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.program.reader import read

SICK = CAUSE.examples.sick
LINE = SICK[: SICK.index("model.fit(")].count("\n") + 1


def found(source: str, accuracy: float | None = None) -> list[Finding]:
    seen = None
    if accuracy is not None:
        scored = (evaluation("validation", accuracy),)
        seen = trace(fit(site=place(LINE), evaluations=scored, probes=(probe("as-is", 0.9),)))
    return list(find(Case(read(source, "train.py"), seen)))


@pytest.mark.parametrize("sampler", ["SMOTE", "ADASYN", "BorderlineSMOTE", "SMOTEENN"])
@pytest.mark.parametrize(
    "restored",
    [
        "x = x.reshape(-1, 96, 96, 3)",
        "x = x.reshape((len(x), 96, 96, 3))",
        "x = np.reshape(x, (-1, 96, 96, 3))",
        "x = x.reshape(len(x), size, size, channels)",
    ],
)
def test_interpolated_pixels_are_a_warning(sampler: str, restored: str) -> None:
    source = SICK.replace("SMOTE", sampler).replace("x = x.reshape(-1, 96, 96, 3)", restored)
    (finding,) = found(source)
    assert (finding.severity, finding.confidence) == ("warning", "likely")


@pytest.mark.parametrize(
    "change",
    [
        ("SMOTE", "RandomOverSampler"),
        ("from imblearn.over_sampling import SMOTE", "from mine import SMOTE  # not imblearn's"),
        # Features of a network, and rows that never become images again.
        ("images.reshape(len(images), -1)", "base.predict(images).reshape(len(images), -1)"),
        ("x = x.reshape(-1, 96, 96, 3)", "x = x.reshape(-1, 27648)"),
        ("model.fit(x, y, epochs=5)", "print(x)"),
    ],
)
def test_nothing_where_no_pixels_are_mixed(change: tuple[str, str]) -> None:
    source = SICK.replace(*change)
    if "base.predict" in change[1]:
        source = source.replace("smote =", "base = tf.keras.applications.VGG16()\nsmote =")
    assert source != SICK and found(source) == []


def test_a_training_that_lost_nothing_makes_it_a_note() -> None:
    assert [f.severity for f in found(SICK, 0.91)] == ["note"]
    assert [f.severity for f in found(SICK, 0.5)] == ["warning"]


def test_rows_of_labels_are_advised_on() -> None:
    (finding,) = found(SICK.replace("sparse_categorical", "categorical"))
    assert finding.remedy is None and "class_weight" in (finding.advice or "")


def test_a_sampler_that_is_used_again_stays() -> None:
    source = SICK.replace("smote = SMOTE", "\n# resample\nsmote = SMOTE") + "print(smote)\n"
    (finding,) = found(source)
    assert finding.remedy is not None
    (parameters,) = finding.remedy.edits.values()
    changed = transform(source, finding.remedy.codemod, parameters)
    assert "\n# resample\nsmote = SMOTE(random_state=1)\n" in changed
    assert "\nx, y = images.reshape(len(images), -1), labels\n" in changed
    assert changed.count("class_weight=class_weight") == 1


def test_one_binary_output_counts_its_labels_in_a_column() -> None:
    source = SICK.replace('Dense(3, activation="softmax")', 'Dense(1, activation="sigmoid")')
    source = source.replace("sparse_categorical_crossentropy", "binary_crossentropy")
    (finding,) = found(source)
    assert finding.remedy is not None
    (parameters,) = finding.remedy.edits.values()
    changed = transform(source, finding.remedy.codemod, parameters)
    assert "counts = np.bincount(np.ravel(y).astype(int))\n" in changed
