"""When the trials of a script may start from a process that has TensorFlow loaded."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import traces
from tlfix.probe.trace import Environment, Trace
from tlfix.repair.running import warmed

KERAS_3 = Environment(python="3.11.2", keras="3.15.0", backend="tensorflow", tensorflow="2.21.0")
PLAIN = "import keras\n\nkeras.utils.set_random_seed(0)\n"


def warm(folder: Path, text: str, trace: Trace | None) -> bool:
    with warmed(folder / "train.py", text, trace, sys.executable) as starter:
        return starter is not None


def test_keras_3_on_tensorflow(tmp_path: Path) -> None:
    assert warm(tmp_path, PLAIN, traces.trace(environment=KERAS_3))


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.environ['TF_ENABLE_ONEDNN_OPTS'] = '0'\nimport tensorflow\n",
        "from os import environ\nenviron.setdefault('KERAS_BACKEND', 'jax')\nimport keras\n",
        "import os\nos.putenv('CUDA_VISIBLE_DEVICES', '')\nimport keras\n",
        "import keras\nimport settings\n",
        "from settings import RATE\nimport keras\n",
    ],
)
def test_not_where_the_script_may_set_what_is_read_at_the_import(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.py").write_text("import os\nos.environ['A'] = 'b'\nRATE = 1\n")
    assert not warm(tmp_path, text, traces.trace(environment=KERAS_3))


@pytest.mark.parametrize(
    "changed",
    [{"backend": "jax"}, {"backend": "torch"}, {"keras": "2.15.0"}, {"keras": None}],
)
def test_not_with_what_was_never_tried(tmp_path: Path, changed: dict[str, str | None]) -> None:
    environment = KERAS_3.model_copy(update=changed)
    assert not warm(tmp_path, PLAIN, traces.trace(environment=environment))


def test_not_without_a_probe(tmp_path: Path) -> None:
    assert not warm(tmp_path, PLAIN, None)
