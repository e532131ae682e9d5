"""Run a training script in full, unedited, and write down what its fits reached.

    python harness.py OUT.json SEED SCRIPT

Runs where the script runs and imports nothing of this package. ``Model.fit`` is wrapped: it gets
one more callback, which notes when each step ended. Accuracy is the last epoch's validation
accuracy of each fit, as the program logs it; without one it is computed from the validation data.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import time
import traceback

BEGAN = time.perf_counter()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")


def logged_accuracy(logs):
    """The last value of a validation accuracy in a fit's history, None if it has none."""
    for name, values in logs.items():
        if name.startswith("val_") and "acc" in name and values:
            return float(values[-1])
    return None


def batches(data, size=32):
    """Pairs of images and labels, from whatever ``validation_data`` was."""
    if isinstance(data, (tuple, list)):
        x, y = data[0], data[1]
        for start in range(0, len(x), size):
            yield x[start : start + size], y[start : start + size]
    elif hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        for index in range(len(data)):
            yield data[index][:2]
    else:
        for batch in data:
            yield batch[0], batch[1]


def computed_accuracy(model, data):
    """Share of right labels over ``data``: argmax, or each unit against one half."""
    import numpy as np

    right, seen = 0.0, 0
    for x, y in batches(data):
        scores, labels = np.asarray(model.predict_on_batch(x)), np.asarray(y)
        if scores.shape[-1] == 1:
            correct = (scores.reshape(-1) > 0.5) == (labels.reshape(-1) > 0.5)
        elif labels.ndim < 2 or labels.shape[-1] == 1:
            correct = scores.argmax(-1) == labels.reshape(-1)
        elif (labels.sum(-1) == 1).all():
            correct = scores.argmax(-1) == labels.argmax(-1)
        else:
            correct = (scores > 0.5) == (labels > 0.5)
        right, seen = right + float(correct.sum()), seen + correct.size
    return right / seen if seen else None


def watch_fits(fits):
    """Wrap ``Model.fit`` so that each call adds a record to ``fits``."""
    import keras

    original = keras.Model.fit

    class Clock(keras.callbacks.Callback):
        def __init__(self, ends):
            super().__init__()
            self.ends = ends

        def on_train_batch_end(self, batch, logs=None):
            self.ends.append(time.perf_counter() - BEGAN)

    def fit(self, *args, **kwargs):
        record = {"began": time.perf_counter() - BEGAN, "ends": [], "accuracy": None}
        fits.append(record)
        given = kwargs.get("callbacks") or []
        if not isinstance(given, keras.callbacks.CallbackList):
            listed = list(given) if isinstance(given, (list, tuple)) else [given]
            kwargs["callbacks"] = [*listed, Clock(record["ends"])]
        history = original(self, *args, **kwargs)
        record["ended"] = time.perf_counter() - BEGAN
        logs = getattr(history, "history", {})
        record["accuracy"] = logged_accuracy(logs)
        record["epochs"] = len(logs.get("loss", []))
        if record["accuracy"] is None and kwargs.get("validation_data") is not None:
            try:
                record["accuracy"] = computed_accuracy(self, kwargs["validation_data"])
            except Exception as error:
                record["unscored"] = repr(error)[:300]
        return history

    keras.Model.fit = fit
    return keras


def main():
    """Run the script and write the record; the exit status tells nothing about the script."""
    target, seed, script = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    record = {"status": "completed", "error": None, "fits": []}
    keras = watch_fits(record["fits"])
    keras.utils.set_random_seed(seed)
    sys.argv = [script]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as leaving:
        if leaving.code not in (None, 0):
            record.update(status="crashed", error=f"SystemExit: {leaving.code}")
    except BaseException as error:
        traceback.print_exc()
        record.update(status="crashed", error=f"{type(error).__name__}: {error}"[:500])
    record["seconds"] = time.perf_counter() - BEGAN
    with open(target, "w", encoding="utf-8") as file:
        json.dump(record, file)


if __name__ == "__main__":
    main()
