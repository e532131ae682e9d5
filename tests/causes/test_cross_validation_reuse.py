from __future__ import annotations

from typing import Any

import pytest

from tests.traces import data, evaluation, fit, model, place, trace
from tlfix.causes.cross_validation_reuse import CAUSE
from tlfix.causes.spec import Case, Finding
from tlfix.probe.trace import FitSeen, Trace
from tlfix.program.reader import read

TEXT = CAUSE.examples.sick
FIT = "    model.fit(x[train]"
LINE = 13


def find(text: str, seen: Trace | None = None) -> list[Finding]:
    return list(CAUSE.find(Case(read(text, "train.py"), seen)))


class TestRead:
    def test_a_model_built_outside(self) -> None:
        (finding,) = find(TEXT)
        assert (finding.severity, finding.confidence) == ("warning", "likely")
        assert "KFold" in finding.evidence[0].summary
        assert finding.remedy is not None and finding.remedy.codemod == "build_in_loop"

    @pytest.mark.parametrize(
        "loop",
        [
            "kf = StratifiedKFold(5)\nfor train, test in kf.split(x, y):\n",
            "for i, (train, test) in enumerate(KFold(5).split(x)):\n",
            "for train, test in list(GroupKFold(5).split(x)):\n",
            "splits = list(KFold(5).split(x))\nfor train, test in splits:\n",
        ],
    )
    def test_however_the_loop_is_written(self, loop: str) -> None:
        text = TEXT.replace("for train, test in KFold(5, shuffle=True).split(x):\n", loop)
        text = text.replace("import KFold", "import GroupKFold, KFold, StratifiedKFold")
        assert len(find(text)) == 1

    @pytest.mark.parametrize(
        "reset",
        [
            "model = build()",
            "model = keras.models.clone_model(model)",
            "model.set_weights(initial)",
            "model.load_weights('initial.weights.h5')",
            "reinitialise(model)",
            "model.reset()",
            "restore(model.weights, initial)",
        ],
    )
    def test_a_fresh_start_in_each_fold(self, reset: str) -> None:
        assert find(TEXT.replace(FIT, f"    {reset}\n{FIT}")) == []

    @pytest.mark.parametrize(
        "loop",
        [
            "for epoch in range(10):\n",
            "for train, test in folds:\n",
            "for word, rest in text.split(','):\n",
        ],
    )
    def test_another_loop(self, loop: str) -> None:
        text = TEXT.replace("for train, test in KFold(5, shuffle=True).split(x):\n", loop)
        assert find(text) == []

    def test_the_loop_in_another_function(self) -> None:
        text = TEXT.replace(
            FIT, "    train_one(train, test)\ndef train_one(train, test):\n    model.fit(x[train]"
        )
        assert find(text) == []

    def test_a_global_that_a_function_binds(self) -> None:
        text = TEXT.replace(FIT, f"    renew()\n{FIT}")
        assert len(find(text)) == 1
        assert find(f"{text}def renew():\n    global model\n    model = build()\n") == []


def fold(index: int, held: int, **other: Any) -> FitSeen:
    """One of eight folds of 512 images in order of class: one class is held out."""
    training = {label: 64 for label in range(8) if label != held}
    fields: dict[str, Any] = {
        "index": index,
        "site": place(LINE),
        "continues": index - 1 if index else None,
        "training": data("training", samples=448, histogram=training),
        "validation": data("validation", samples=64, histogram={held: 64}, order=(held,) * 64),
    }
    return fit([1.0] * 20, **(fields | other))


class TestMeasured:
    def test_a_chain_makes_it_certain(self) -> None:
        (finding,) = find(TEXT, trace(fold(0, 0), fold(1, 1)))
        assert (finding.severity, finding.confidence) == ("warning", "certain")
        assert [e.source for e in finding.evidence] == ["static", "probe"]

    def test_what_the_second_fold_knows_at_its_start(self) -> None:
        before = [(evaluation("validation", a, when="before"),) for a in (0.12, 0.88)]
        folds = fold(0, 0, evaluations=before[0]), fold(1, 1, evaluations=before[1])
        (finding,) = find(TEXT, trace(*folds))
        assert "88% of its validation images right before" in finding.evidence[-1].summary

    def test_fresh_weights_refute_the_source(self) -> None:
        assert find(TEXT, trace(fold(0, 0), fold(1, 1, continues=None))) == []
        other = fold(1, 1, continues=None, model=model(key=1))
        assert find(TEXT, trace(fold(0, 0), other)) == []

    def test_one_fold_only_leaves_it_as_it_was(self) -> None:
        (finding,) = find(TEXT, trace(fold(0, 0)))
        assert (finding.severity, finding.confidence) == ("warning", "likely")

    def test_folds_made_by_hand_are_known_by_their_data(self) -> None:
        text = TEXT.replace("in KFold(5, shuffle=True).split(x):", "in folds:")
        (finding,) = find(text, trace(fold(0, 0), fold(1, 1)))
        assert (finding.severity, finding.confidence) == ("warning", "likely")
        assert finding.remedy is None and finding.advice

    @pytest.mark.parametrize(
        "second",
        [
            {"validation": data("validation", samples=64, histogram={0: 64}, order=(0,) * 64)},
            {"training": data("training", samples=100, histogram={0: 100})},
            {"training": data("training", samples=448, input_shape=(None, 224, 224, 3))},
            {"site": place(99)},
        ],
    )
    def test_other_loops_of_fits(self, second: dict[str, Any]) -> None:
        text = TEXT.replace("in KFold(5, shuffle=True).split(x):", "in folds:")
        assert find(text, trace(fold(0, 0), fold(1, 1, **second))) == []
