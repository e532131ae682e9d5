from __future__ import annotations

import pytest

from tests.causes.scaling_cases import cure, findings
from tests.traces import backbone, crashed, door, fit, place, probe, trace
from tlfix.causes.input_size_unsuitable import CAUSE
from tlfix.probe.trace import Trace

FOLDERS = CAUSE.examples.sick
ARRAYS = """\
import tensorflow as tf
(x, y), (xv, yv) = tf.keras.datasets.cifar10.load_data()
base = tf.keras.applications.VGG16(include_top=False, input_shape=(32, 32, 3))
model = tf.keras.Sequential([base, tf.keras.layers.Flatten(), tf.keras.layers.Dense(10)])
model.compile('adam', 'mse')
model.fit(x, y, validation_data=(xv, yv))
"""
# As Keras 3.15 words it.
MESSAGE = "Input size must be at least 75x75; Received: input_shape=(64, 64, 3)"


def at_door(
    side: int, accuracy: float | None = 0.6, name: str = "MobileNetV2", **network: object
) -> Trace:
    probes = () if accuracy is None else (probe("as-is", accuracy),)
    one = fit(doors=(door(shape=(None, side, side, 3)),), probes=probes)
    fields = {"name": name, "site": place(9)} | network
    return trace(one, backbones=(backbone(**fields),))


def test_below_the_minimum_from_the_source() -> None:
    (finding,) = findings(CAUSE, FOLDERS)
    assert (finding.severity, finding.confidence) == ("error", "likely")
    assert "75x75" in finding.evidence[0].summary and "64x64" in finding.evidence[0].summary


def test_the_crash_proves_it() -> None:
    (finding,) = findings(CAUSE, FOLDERS, crashed(MESSAGE, line=9, backbones=()))
    assert (finding.severity, finding.confidence) == ("error", "certain")
    assert finding.explains == ("crash",)
    assert [m.threshold for m in finding.evidence[0].measured] == [75, 75]
    assert finding.site is not None and finding.site.line == 9


def test_keras_words_it_with_backticks_for_mobilenet_v3() -> None:
    message = "Input size must be at least 32x32; Received `input_shape=(16, 16, 3)`"
    text = FOLDERS.replace("InceptionV3", "MobileNetV3Small").replace("(64, 64", "(16, 16")
    (finding,) = findings(CAUSE, text, crashed(message, line=9, backbones=()))
    assert "32x32" in finding.evidence[0].summary


def test_a_size_in_a_constant_is_changed_there() -> None:
    text = FOLDERS.replace("(64, 64)", "(SIDE, SIDE)").replace("(64, 64, 3)", "(SIDE, SIDE, 3)")
    text = text.replace("\npreprocess =", "\nSIDE = 64  # pixels\npreprocess =")
    assert cure(CAUSE, text) == text.replace("SIDE = 64", "SIDE = 299")


def test_a_tuple_in_a_constant_is_changed_there() -> None:
    text = FOLDERS.replace("(64, 64)", "SIZE").replace("(64, 64, 3)", "SIZE + (3,)")
    text = text.replace("\npreprocess =", "\nSIZE = (64, 64)\npreprocess =")
    assert cure(CAUSE, text) == text.replace("SIZE = (64, 64)", "SIZE = (299, 299)")


def test_images_that_are_small_by_nature_get_advice() -> None:
    text = ARRAYS.replace("VGG16", "Xception")
    (finding,) = findings(CAUSE, text)
    assert finding.remedy is None and finding.advice is not None and "299" in finding.advice


@pytest.mark.parametrize(
    "text",
    [
        FOLDERS.replace("(64, 64", "(75, 75"),
        FOLDERS.replace("(64, 64, 3)", "(None, None, 3)"),
        FOLDERS.replace(", input_shape=(64, 64, 3)", ""),
        FOLDERS.replace("InceptionV3", "MobileNetV2").replace("(64, 64", "(32, 32"),
        ARRAYS,
    ],
)
def test_the_source_alone_says_nothing_of_sizes_that_run(text: str) -> None:
    assert findings(CAUSE, text) == []


@pytest.mark.parametrize(
    ("side", "name"), [(96, "MobileNetV2"), (224, "ResNet50"), (150, "Xception"), (331, "VGG16")]
)
def test_usual_sizes_are_silent(side: int, name: str) -> None:
    assert findings(CAUSE, FOLDERS, at_door(side, 0.3, name)) == []


def test_small_and_large_images_are_noted() -> None:
    for side, text in ((64, "64x64"), (1024, "1024x1024")):
        (finding,) = findings(CAUSE, FOLDERS, at_door(side))
        assert finding.severity == "note" and text in finding.evidence[0].summary
        assert finding.remedy is None and finding.advice


def test_one_cell_and_a_low_accuracy_are_a_warning() -> None:
    (finding,) = findings(CAUSE, FOLDERS, at_door(32, 0.6))
    assert (finding.severity, finding.confidence) == ("warning", "likely")
    assert "1x1" in finding.evidence[0].summary


@pytest.mark.parametrize("accuracy", [0.95, 0.89, None])
def test_one_cell_that_serves_is_only_noted(accuracy: float | None) -> None:
    (finding,) = findings(CAUSE, FOLDERS, at_door(32, accuracy))
    assert finding.severity == "note"


@pytest.mark.parametrize("status", ["random", "unknown"])
def test_a_network_without_pretrained_weights_was_trained_at_no_size(status: str) -> None:
    assert findings(CAUSE, ARRAYS, at_door(32, 0.3, weights_status=status)) == []
