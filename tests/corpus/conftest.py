"""A folder to run the corpus in: images, skewed where a program is about that, and weights."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.corpus.expected import Data
from tlfix.api import DiagnoseResult, Options, diagnose

# Training images of each class in turn, the rarest a fifth of the commonest.
SKEWED = (100, 100, 80, 60, 40, 40, 20, 20)
# One class ten times as large as each of the others.
RARE = (200, 20, 20, 20, 20, 20, 20, 20)

# What 000-2 loads: any network that takes a hundred word indices.
TEXT_MODEL = """
import keras
model = keras.Sequential([
    keras.Input((100,)), keras.layers.Embedding(5000, 8), keras.layers.GlobalAveragePooling1D(),
    keras.layers.Dense(1, activation="sigmoid")])
model.save("sentiment_model.h5")
"""


@pytest.fixture(scope="session")
def uneven_photographs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Data], Path]:
    """The photographs with far more images of some classes than of others."""
    import images

    @cache
    def made(data: Data) -> Path:
        counts = {"skewed": SKEWED, "rare": RARE}[data]
        return images.write(tmp_path_factory.mktemp(data), "photographs", counts=counts)

    return made


@pytest.fixture
def examine(
    project: Path, uneven_photographs: Callable[[Data], Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., DiagnoseResult]:
    """Diagnoses a program of the corpus in a folder of its own, off the network."""
    from weights import SOURCE

    # Weights that are not in the cache cannot be had; that must not take minutes to find out.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    (project / "pretrained").mkdir()
    shutil.copyfile(SOURCE, project / "pretrained" / "backbone.h5")

    def run(
        program: Path, data: Data = "balanced", options: Options | None = None
    ) -> DiagnoseResult:
        if data != "balanced":
            (project / "data").unlink()
            (project / "data").symlink_to(uneven_photographs(data))
        text = program.read_text(encoding="utf-8")
        if "sentiment_model" in text:
            subprocess.run([sys.executable, "-c", TEXT_MODEL], check=True, capture_output=True)
        script = project / program.name
        script.write_text(text, encoding="utf-8")
        return diagnose(script, options or Options(), keep=False)

    return run
