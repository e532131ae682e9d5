"""Writes ``expected_scaling.json`` by evaluating every ``preprocess_input`` of keras.applications.

Run ``python -m tlfix.evidence.derive_scalings`` where TensorFlow is installed, whenever Keras adds
a network. The static reading uses the file because it must not import TensorFlow; the probe
evaluates the installed library instead and never looks here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("expected_scaling.json")

_BLACK = (0.0, 0.0, 0.0)
_RED = (100.0, 0.0, 0.0)
_GREEN = (0.0, 100.0, 0.0)
_BLUE = (0.0, 0.0, 100.0)


def fit_affine(function: Callable[[Any], Any]) -> dict[str, list[float] | list[int]]:
    """The per-channel affine map that ``function`` applies to RGB pixels of 0..255.

    ``function`` takes and returns an array of shape (N, H, W, 3). Each output channel is taken to
    depend on one input channel, which is found by lighting one channel at a time.
    """
    pixels = np.array([_BLACK, _RED, _GREEN, _BLUE], dtype="float32").reshape(4, 1, 1, 3)
    out = np.asarray(function(pixels.copy()), dtype="float64").reshape(4, 3)
    slopes = (out[1:] - out[0]) / 100.0
    source = [int(np.argmax(np.abs(slopes[:, channel]))) for channel in range(3)]
    return {
        "scale": [round(float(slopes[source[c], c]), 8) for c in range(3)],
        "offset": [round(float(out[0, c]), 5) for c in range(3)],
        "source": source,
    }


def derive() -> dict[str, dict[str, list[float] | list[int]]]:
    """The scaling of every submodule of the installed ``keras.applications``, by its name."""
    import keras

    modules = sorted(name for name in dir(keras.applications) if name.islower())
    found = {}
    for name in modules:
        function = getattr(getattr(keras.applications, name), "preprocess_input", None)
        if function is not None and name != "imagenet_utils":
            found[name] = fit_affine(function)
    return found


def main() -> None:
    """Write the file."""
    rows = [f'  "{name}": {json.dumps(value)}' for name, value in derive().items()]
    FILE.write_text("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main()
