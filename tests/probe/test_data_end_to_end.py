"""The measurements of the data arrive in the trace of a whole program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlfix.probe.runner import Budget, probe

pytestmark = pytest.mark.probe
QUICK = Budget(seconds=10, steps=6, images=48, timeout=240)

PROGRAM = """
import keras
import numpy as np
from keras.src.legacy.preprocessing.image import ImageDataGenerator

train = ImageDataGenerator(rescale=1 / 255, horizontal_flip=True, validation_split=0.2)
training = train.flow_from_directory("data/train", (32, 32), batch_size=16, subset="training")
held_out = train.flow_from_directory("data/train", (32, 32), batch_size=16, shuffle=False)


def build():
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(8, "softmax")])
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    return model


model = build()
stop = keras.callbacks.EarlyStopping(
    monitor="val_accuracy", patience=2)
model.fit(training, validation_data=held_out, callbacks=[stop], steps_per_epoch=2)
x, y = next(train.flow_from_directory("data/train", (32, 32), batch_size=64, shuffle=False))
model.fit(x, y, validation_split=0.25, shuffle=False, batch_size=16)
fresh = build()
fresh.fit(np.concatenate([x, x]), np.concatenate([y, y]), validation_split=0.25, batch_size=64)
"""


def test_a_program_with_three_fits(project: Path) -> None:
    script = project / "train.py"
    script.write_text(PROGRAM, encoding="utf-8")
    trace = probe(script, budget=QUICK, fits=3)
    assert trace.status == "completed", (trace.reason, trace.crash, trace.notes)
    first, second, third = trace.fits
    assert first.training is not None and first.validation is not None
    assert first.training.augmentation == {"horizontal_flip": True}
    assert first.training.repeats_exactly is False and first.validation.repeats_exactly is False
    assert first.training.order == () and set(first.validation.order) == set(range(8))
    assert list(first.validation.order) == sorted(first.validation.order)
    assert first.training.images is not None and first.training.images.n == 48
    assert first.training.sites[-1].settings["subset"] == "training"
    (stop,) = first.callback_settings
    line = next(i for i, t in enumerate(PROGRAM.splitlines(), 1) if "EarlyStopping(" in t)
    assert (stop.monitor, stop.patience, stop.restore_best_weights) == ("val_accuracy", 2, False)
    assert stop.site is not None and stop.site.line == line
    assert first.overlap is not None and first.overlap.by == "file"
    assert first.overlap.shared == 384 and first.overlap.validation == 480
    assert (first.continues, second.continues, third.continues) == (None, 0, None)
    assert second.training is not None and second.training.shuffled is False
    assert second.training.order == (0,) * 48 and second.validation_split == 0.25
    assert second.overlap is not None and second.overlap.by == "array"
    assert third.overlap is not None and third.overlap.shared == 32
    assert third.training is not None and third.training.shuffled is True


def test_a_trial_pays_for_none_of_it(project: Path) -> None:
    script = project / "train.py"
    script.write_text(PROGRAM, encoding="utf-8")
    trace = probe(script, budget=QUICK, fits=3, instruments=False)
    assert trace.status == "completed" and len(trace.fits) == 3
    for fit in trace.fits:
        assert fit.overlap is None and fit.continues is None and fit.training is not None
        assert fit.training.images is None and fit.training.order == ()
        assert fit.training.repeats_exactly is None
    assert "overlap" not in trace.timings
