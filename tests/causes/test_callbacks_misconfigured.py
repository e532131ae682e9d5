from __future__ import annotations

from typing import Any

import pytest

from tests.traces import crashed, data, evaluation, falling, fit, place, trace
from tlfix.causes.callbacks_misconfigured import CAUSE
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import CallbackSeen, Trace
from tlfix.program.reader import read
from tlfix.symptoms.registry import measure_all

TEXT = """\
from tensorflow import keras
from tensorflow.keras.callbacks import EarlyStopping, ModelCheckpoint, ReduceLROnPlateau

model = keras.Sequential([keras.layers.Dense(5, activation="softmax")])
model.compile("adam", "categorical_crossentropy", metrics={metrics})
stop = {callback}
model.fit(train_ds, validation_data=val_ds, epochs=30, callbacks=[stop])
"""


def program(callback: str, metrics: str = '["accuracy"]') -> str:
    return TEXT.format(callback=callback, metrics=metrics)


def find(text: str, seen: Trace | None = None) -> list[Finding]:
    symptoms = {} if seen is None else measure_all(seen)
    return list(CAUSE.find(Case(read(text, "train.py"), seen, symptoms)))


def cured(text: str, finding: Finding) -> str:
    assert finding.remedy is not None
    return transform(text, finding.remedy.codemod, finding.remedy.edits["train.py"])


class TestRead:
    @pytest.mark.parametrize(
        ("before", "after", "metrics"),
        [
            (
                'EarlyStopping("val_acc", patience=2)',
                'EarlyStopping("val_accuracy", patience=2)',
                0,
            ),
            (
                "EarlyStopping(patience=2, monitor='acc')",
                "EarlyStopping(patience=2, monitor='accuracy')",
                0,
            ),
            (
                'ModelCheckpoint("a.keras", "val_acc")',
                'ModelCheckpoint("a.keras", "val_accuracy")',
                0,
            ),
            (
                'ReduceLROnPlateau(monitor="val_acc")',
                'ReduceLROnPlateau(monitor="val_accuracy")',
                0,
            ),
            ('ReduceLROnPlateau("val_accuracy")', 'ReduceLROnPlateau("val_acc")', '["acc"]'),
            (
                'ReduceLROnPlateau("val_accuracy")',
                'ReduceLROnPlateau("val_sparse_categorical_accuracy")',
                '["sparse_categorical_accuracy"]',
            ),
        ],
    )
    def test_a_name_that_compile_does_not_log(
        self, before: str, after: str, metrics: str | int
    ) -> None:
        named = metrics if isinstance(metrics, str) else '["accuracy"]'
        (finding,) = find(program(before, named))
        assert (finding.severity, finding.confidence) == ("warning", "certain")
        assert cured(program(before, named), finding) == program(after, named)
        assert find(program(after, named)) == []

    def test_no_metric_at_all(self) -> None:
        (finding,) = find(program('ReduceLROnPlateau("val_accuracy")', "None"))
        assert finding.severity == "warning"
        assert finding.remedy is None and finding.advice is not None

    def test_no_validation_data(self) -> None:
        text = program("ReduceLROnPlateau()").replace("validation_data=val_ds, ", "")
        (finding,) = find(text)
        assert (finding.severity, finding.confidence) == ("warning", "certain")
        assert "no validation data" in finding.evidence[0].summary

    @pytest.mark.parametrize(
        ("callback", "metrics"),
        [
            ('EarlyStopping("val_loss", patience=3)', '["accuracy"]'),
            ("ReduceLROnPlateau()", '["accuracy"]'),
            ('ModelCheckpoint("a.keras")', '["accuracy"]'),
            ('ReduceLROnPlateau("val_acc")', '["acc"]'),
            ('ReduceLROnPlateau("val_auc")', '[keras.metrics.AUC(name="auc")]'),
            ('ReduceLROnPlateau("val_acc")', "[acc]"),
            ('ReduceLROnPlateau("val_acc")', "METRICS"),
            ("ReduceLROnPlateau(MONITOR)", '["accuracy"]'),
            ("ReduceLROnPlateau(**settings)", '["accuracy"]'),
            ('ReduceLROnPlateau("val_age_accuracy")', '["accuracy"]'),
            ('ReduceLROnPlateau("val_accuracy")', '"accuracy"'),
        ],
    )
    def test_silent(self, callback: str, metrics: str) -> None:
        assert find(program(callback, metrics)) == []

    def test_a_checkpoint_of_every_epoch_compares_nothing(self) -> None:
        text = program('ModelCheckpoint("a.keras")').replace("validation_data=val_ds, ", "")
        assert find(text) == []
        assert len(find(text.replace('"a.keras"', '"a.keras", save_best_only=True'))) == 1

    @pytest.mark.parametrize(
        "more",
        [
            "class F1(keras.callbacks.Callback):\n    pass\n",
            "def train_step(self, data):\n    pass\n",
            'model.add_metric(f1, name="acc")\n',
        ],
    )
    def test_silent_where_more_is_logged(self, more: str) -> None:
        assert find(program('ReduceLROnPlateau("val_acc")') + more) == []

    @pytest.mark.parametrize(
        "change",
        [
            ("validation_data=val_ds", "validation_split=0.2"),
            ("validation_data=val_ds", "**options"),
            ("fit(train_ds, validation_data=val_ds", "fit(x, y, 32, 30, 1, None, 0.2"),
        ],
    )
    def test_validation_by_other_means(self, change: tuple[str, str]) -> None:
        assert find(program("ReduceLROnPlateau()").replace(*change)) == []

    def test_all_in_one_remedy(self) -> None:
        text = program('EarlyStopping("val_acc", patience=2)').replace(
            "model.fit", 'best = ModelCheckpoint("a.keras", monitor="val_acc")\nmodel.fit'
        )
        (finding,) = find(text)
        assert len(finding.evidence) == 2
        assert cured(text, finding) == text.replace("val_acc", "val_accuracy")


class TestPatience:
    @pytest.mark.parametrize(
        "callback",
        ["EarlyStopping()", 'EarlyStopping("val_loss", 0, 0)', "EarlyStopping(patience=0)"],
    )
    def test_none_is_a_note(self, callback: str) -> None:
        (finding,) = find(program(callback))
        assert finding.severity == "note" and finding.advice is not None

    @pytest.mark.parametrize("callback", ["EarlyStopping(patience=P)", "EarlyStopping(**options)"])
    def test_unknown(self, callback: str) -> None:
        assert find(program(callback)) == []


LOGS = ({"loss": 1.0, "accuracy": 0.5, "val_loss": 1.1, "val_accuracy": 0.4},)


def seen(monitor: str, name: str = "ReduceLROnPlateau", **other: Any) -> Trace:
    fields: dict[str, Any] = {
        "site": place(7),
        "epoch_logs": LOGS,
        "callback_settings": (CallbackSeen(name=name, site=place(6), monitor=monitor),),
    }
    return trace(fit(falling(30), **(fields | other)))


class TestMeasured:
    def test_the_logs_decide(self) -> None:
        text = program("ReduceLROnPlateau(MONITOR)")
        (finding,) = find(text, seen("val_acc"))
        assert (finding.severity, finding.confidence) == ("warning", "certain")
        assert finding.evidence[0].measured[0].n == 4
        assert cured(text, finding) == text.replace("MONITOR", '"val_accuracy"')

    def test_a_name_that_is_logged_clears_the_source(self) -> None:
        text = program('ReduceLROnPlateau("val_acc")')
        assert len(find(text)) == 1
        logs = ({**LOGS[0], "val_acc": 0.4},)
        assert find(text, seen("val_acc", epoch_logs=logs)) == []

    def test_validation_that_the_probe_left_out(self) -> None:
        text = program("ReduceLROnPlateau()")
        logs = ({"loss": 1.0, "accuracy": 0.5},)
        assert find(text, seen("val_loss", epoch_logs=logs)) == []
        (finding,) = find(text, seen("val_loss", epoch_logs=logs, validation=None))
        assert "no validation data" in finding.evidence[0].summary

    @pytest.mark.parametrize(
        ("name", "monitor"), [("Own", "val_acc"), ("ReduceLROnPlateau", "learning_rate")]
    )
    def test_silent(self, name: str, monitor: str) -> None:
        assert find(program("make()"), seen(monitor, name)) == []

    def test_where_keras_stops_it_is_an_error(self) -> None:
        text = program('EarlyStopping("val_acc", patience=2)')
        message = (
            "EarlyStopping callback received monitor=val_acc, but Keras isn't able to "
            "automatically determine whether that metric should be maximized or minimized."
        )
        (finding,) = find(text, crashed(message, line=7, fits=(fit(falling(30)),)))
        assert (finding.severity, finding.explains) == ("error", ("crash",))
        assert cured(text, finding) == text.replace("val_acc", "val_accuracy")
        (other,) = find(text, crashed("shapes differ", line=7))
        assert (other.severity, other.explains) == ("warning", ())


class TestMissing:
    def overfits(self, **other: Any) -> Trace:
        fields: dict[str, Any] = {
            "epochs": 30,
            "evaluations": (evaluation("training", 1.0), evaluation("validation", 0.6)),
        }
        return trace(fit(falling(60), **(fields | other)))

    def test_a_note_where_overfitting_is_measured(self) -> None:
        (finding,) = find(program("None"), self.overfits())
        assert finding.severity == "note"
        assert finding.advice is not None and "EarlyStopping" in finding.advice

    @pytest.mark.parametrize(
        "other",
        [
            {"callbacks": ("EarlyStopping",)},
            {"epochs": 3},
            {"evaluations": (evaluation("training", 0.9), evaluation("validation", 0.88))},
            {"training": data("training", samples=100), "callbacks": ("MyEarlyStopping",)},
        ],
    )
    def test_otherwise_nothing(self, other: dict[str, Any]) -> None:
        assert find(program("None"), self.overfits(**other)) == []
