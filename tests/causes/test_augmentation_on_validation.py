from __future__ import annotations

import pytest

from tests.traces import data, fit, place, trace
from tlfix.causes.augmentation_on_validation import CAUSE, find
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import FitSeen, PipelineSeen
from tlfix.program.reader import read

OWN = CAUSE.examples.sick
SHARED = """\
import tensorflow as tf
from tensorflow.keras.preprocessing.image import ImageDataGenerator

datagen = ImageDataGenerator(rescale=1 / 255, SETTINGS, validation_split=0.2)
train = datagen.flow_from_directory('data', subset='training')
valid = datagen.flow_from_directory('data', subset='validation')
model = tf.keras.Sequential([tf.keras.layers.Dense(8, activation='softmax')])
model.compile('adam', 'categorical_crossentropy')
model.fit(train, validation_data=valid)
"""
MILD = SHARED.replace("SETTINGS", "horizontal_flip=True, rotation_range=10")
STRONG = SHARED.replace("SETTINGS", "rotation_range=120")
MAPPED = """\
import tensorflow as tf

train = tf.keras.utils.image_dataset_from_directory('train')
valid = tf.keras.utils.image_dataset_from_directory('valid')
valid = valid.map(lambda x, y: (tf.image.random_brightness(x, 0.3), y))
model = tf.keras.Sequential([tf.keras.layers.Dense(8, activation='softmax')])
model.compile('adam', 'sparse_categorical_crossentropy')
model.fit(train, validation_data=valid)
"""


def seen(source: str, repeats: bool | None, **augmentation: object) -> FitSeen:
    lines = source.splitlines()
    here = next(i for i, line in enumerate(lines, 1) if line.startswith("model.fit"))
    made = next(i for i, line in enumerate(lines, 1) if line.startswith("valid = "))
    sites = (PipelineSeen(kind="", site=place(made)),)
    validation = data("validation", sites=sites, repeats_exactly=repeats, augmentation=augmentation)
    return fit(site=place(here), validation=validation)


def found(source: str, one: FitSeen | None = None) -> list[Finding]:
    return list(find(Case(read(source, "train.py"), trace(one) if one else None)))


def grades(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(f.severity, f.confidence) for f in findings]


class TestStatic:
    def test_a_generator_of_its_own_that_distorts_is_a_warning(self) -> None:
        assert grades(found(OWN)) == [("warning", "likely")]
        assert grades(found(MAPPED)) == [("warning", "likely")]

    def test_what_training_shares_or_only_mirrors_is_a_note(self) -> None:
        assert grades(found(MILD)) == grades(found(STRONG)) == [("note", "likely")]
        mirrored = OWN.replace("rotation_range=20, ", "")
        assert grades(found(mirrored)) == [("note", "likely")]

    @pytest.mark.parametrize(
        "source",
        [
            SHARED.replace("SETTINGS, ", ""),
            SHARED.replace("SETTINGS", "rotation_range=0, zoom_range=0.0, horizontal_flip=False"),
            MAPPED.replace("tf.image.random_brightness(x, 0.3)", "x / 255"),
            MAPPED.replace("valid = valid.map", "train = train.map"),
            "# TTA of ten passes\n" + OWN,
            "# TTA: the mean of ten passes\n" + OWN,
            "# test-time augmentation\n" + OWN,
        ],
    )
    def test_nothing_where_nothing_is_random(self, source: str) -> None:
        assert found(source) == []


class TestMeasured:
    def test_equal_passes_refute_it(self) -> None:
        assert found(OWN, seen(OWN, True)) == []
        assert found(MILD, seen(MILD, True)) == []

    def test_unequal_passes_make_it_certain(self) -> None:
        (finding,) = found(OWN, seen(OWN, False, rotation_range=20))
        assert grades([finding]) == [("warning", "certain")]
        assert "rotation_range=20" in finding.evidence[0].summary
        assert [e.source for e in finding.evidence] == ["probe", "static"]

    def test_what_is_shared_is_a_warning_only_if_it_is_strong(self) -> None:
        mild = seen(MILD, False, rotation_range=10, horizontal_flip=True)
        assert grades(found(MILD, mild)) == [("note", "certain")]
        assert grades(found(STRONG, seen(STRONG, False, rotation_range=120))) == [
            ("warning", "certain")
        ]

    def test_a_function_mapped_over_validation_too_is_a_warning_once_it_is_seen(self) -> None:
        both = MAPPED.replace(
            "valid = valid.map(lambda x, y: (tf.image.random_brightness(x, 0.3), y))",
            "def augment(x, y):\n    return tf.image.random_brightness(x, 0.3), y\n"
            "train = train.map(augment)\nvalid = valid.map(augment)",
        )
        assert grades(found(both)) == [("note", "likely")]
        assert grades(found(both, seen(both, False))) == [("warning", "certain")]

    def test_an_unknown_pass_leaves_the_static_reading(self) -> None:
        assert grades(found(OWN, seen(OWN, None))) == [("warning", "likely")]

    def test_layers_of_the_pipeline_count_without_a_static_reading(self) -> None:
        plain = MAPPED.replace("tf.image.random_brightness(x, 0.3)", "(augment(x))")
        (finding,) = found(plain, seen(plain, False, RandomRotation={"factor": [-0.5, 0.5]}))
        assert grades([finding]) == [("warning", "certain")]
        assert finding.remedy is None and finding.advice
        assert finding.site is not None

    def test_differences_that_nothing_explains_are_not_reported(self) -> None:
        plain = MAPPED.replace("tf.image.random_brightness(x, 0.3)", "x / 255")
        assert found(plain, seen(plain, False)) == []


class TestCure:
    def test_what_validation_shares_gets_a_generator_of_its_own(self) -> None:
        (finding,) = found(MILD)
        assert finding.remedy is not None
        (parameters,) = finding.remedy.edits.values()
        assert transform(MILD, finding.remedy.codemod, parameters) == MILD.replace(
            "validation_split=0.2)\n",
            "validation_split=0.2)\n"
            "validation_datagen = ImageDataGenerator(rescale=1 / 255, validation_split=0.2)\n",
        ).replace("valid = datagen", "valid = validation_datagen")
