from __future__ import annotations

from typing import Any

import pytest

from tests.traces import backbone, fit, model, place, trace
from tlfix.causes.backbone_frozen_only import CAUSE
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import BatchNormSeen, Evaluation, FineTuneTrial, Trace
from tlfix.program.reader import read

TEXT = CAUSE.examples.sick


def find(text: str, seen: Trace | None = None) -> list[Finding]:
    return list(CAUSE.find(Case(read(text, "train.py"), seen)))


def tried(frozen: int, tuned: int, n: int = 200, **other: Any) -> Trace:
    """A trial in which the tuned model is right wherever the frozen one is, and on more."""
    trial = FineTuneTrial(
        frozen_accuracy=frozen / n,
        tuned_accuracy=tuned / n,
        validation=n,
        steps=64,
        learning_rate=1e-5,
        frozen_correct=tuple(i < frozen for i in range(n)),
        tuned_correct=tuple(i < tuned for i in range(n)),
    )
    seen = fit([1.0] * 40, site=place(7), fine_tune=trial, **other)
    return trace(seen, backbones=(backbone(site=place(3)),))


def test_unmeasured_it_is_a_note_without_a_patch() -> None:
    (finding,) = find(TEXT)
    assert finding.severity == "note" and finding.remedy is None and finding.advice


def test_a_gain_is_a_warning_and_gets_a_second_stage() -> None:
    (finding,) = find(TEXT, tried(140, 170))
    assert (finding.severity, finding.confidence) == ("warning", "likely")
    assert finding.cost == pytest.approx(0.15)
    assert finding.remedy is not None
    after = transform(TEXT, finding.remedy.codemod, finding.remedy.edits["train.py"])
    assert after.startswith(TEXT)
    assert (
        after[len(TEXT) :]
        == """\

# Stage two: fine-tune the top of the backbone. BatchNormalization stays
# frozen: it then runs in inference mode and keeps its pretrained statistics.
base_model.trainable = True
for layer in base_model.layers:
    layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
for layer in base_model.layers[: int(0.7 * len(base_model.layers))]:
    layer.trainable = False
model.compile(optimizer=keras.optimizers.Adam(learning_rate=1e-5), \
loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train_ds, validation_data=val_ds, epochs=20, initial_epoch=10)
"""
    )


@pytest.mark.parametrize(
    ("shift", "tuned", "severity"),
    [(0.018, 170, "note"), (0.188, 170, "warning"), (0.188, 154, "warning"), (None, 154, "note")],
)
def test_near_the_backbones_own_images_it_is_a_note(
    shift: float | None, tuned: int, severity: str
) -> None:
    """Photographs 0.018, spectra 0.188; without BatchNorm only a large gain counts."""
    seen = None if shift is None else BatchNormSeen(layers=52, updating=0, shift=shift)
    (finding,) = find(TEXT, tried(140, tuned, batchnorm=seen))
    assert finding.severity == severity


def test_a_small_or_uncertain_gain_is_nothing() -> None:
    assert find(TEXT, tried(140, 145)) == []  # 2.5 points
    assert find(TEXT, tried(35, 38, n=50)) == []  # 6 points, but 3 images
    assert find(TEXT, tried(170, 140)) == []


def test_a_gain_must_be_over_the_programs_own_head_too() -> None:
    """A linear probe may be the worse head of the two; then nothing is known of the features."""

    def after(right: int) -> Evaluation:
        correct = tuple(i < right for i in range(200))
        return Evaluation(
            split="validation",
            mode="inference",
            when="after",
            n=200,
            accuracy=right / 200,
            correct=correct,
        )

    assert find(TEXT, tried(140, 170, evaluations=(after(168),))) == []
    (finding,) = find(TEXT, tried(140, 170, evaluations=(after(150),)))
    assert finding.cost == pytest.approx(0.10)


def test_fine_tuned_programs_are_left_alone() -> None:
    assert find(CAUSE.examples.healthy) == []
    tuned = fit([1.0] * 40, model=model(backbone_trainable=100_000))
    assert find(TEXT, trace(tuned)) == []


def test_a_training_that_is_only_hinted_at_gets_the_note_too() -> None:
    assert [f.severity for f in find(TEXT.replace("model.fit", "# model.fit"))] == ["note"]
    both = CAUSE.examples.healthy.replace("model.fit", "# model.fit")
    assert find(both) == []
