from __future__ import annotations

import pytest

from tests.corpus.expected import SEEDS
from tests.traces import data, evaluation, fit, place, probe, trace
from tlfix.causes.augmentation_missing import CAUSE, find
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.findings import Symptom
from tlfix.probe.trace import FitSeen
from tlfix.program.reader import read

SOURCE = CAUSE.examples.sick
LINE = SOURCE[: SOURCE.index("model.fit(")].count("\n") + 1
DATASET = """\
import tensorflow as tf

train = tf.keras.utils.image_dataset_from_directory('train', image_size=(96, 96))
valid = tf.keras.utils.image_dataset_from_directory('valid', image_size=(96, 96))
base = tf.keras.applications.MobileNetV2(include_top=False, pooling='avg')
model = tf.keras.Sequential([base, tf.keras.layers.Dense(8, activation='softmax')])
model.compile('adam', 'sparse_categorical_crossentropy')

model.fit(train, validation_data=valid)
"""
OVERFITTING = {"overfitting": Symptom(id="overfitting", severity="warning", summary="a gap")}


def seen(
    validation: float, reference: float, *, repeats: bool | None = True, **more: object
) -> FitSeen:
    """A training that knows its own images; 512 of them in 8 classes unless told otherwise."""
    training = data("training", **({"repeats_exactly": repeats, "samples": 512} | more))
    return fit(
        site=place(LINE),
        training=training,
        evaluations=(evaluation("training", 0.99), evaluation("validation", validation)),
        probes=(probe("as-is", reference),),
    )


def found(
    one: FitSeen | None = None, source: str = SOURCE, symptoms: dict[str, Symptom] = OVERFITTING
) -> list[Finding]:
    return list(find(Case(read(source, "train.py"), trace(one) if one else None, symptoms)))


def test_small_data_that_overfit_below_their_reference_are_a_warning() -> None:
    (finding,) = found(seen(0.6, 0.85))
    assert (finding.severity, finding.explains) == ("warning", ("overfitting",))
    assert finding.cost == pytest.approx(0.25)
    few, wide, _ = finding.evidence
    assert (few.measured[0].value, few.measured[0].threshold) == (64.0, 1_000)
    assert wide.measured[0].value == pytest.approx(0.39)


def test_it_is_a_note_where_the_features_do_no_better_or_it_is_not_known_to_repeat() -> None:
    assert [f.severity for f in found(seen(0.6, 0.61))] == ["note"]
    assert [f.severity for f in found(seen(0.6, 0.85, repeats=None))] == ["note"]


@pytest.mark.parametrize(
    "one",
    [
        seen(0.95, 0.96),
        seen(0.6, 0.85, repeats=False),
        seen(0.6, 0.85, augmentation={"RandomFlip": "horizontal"}),
        seen(0.6, 0.85, samples=80_000),
        seen(0.6, 0.85, samples=None),
    ],
)
def test_the_measurement_refutes_it(one: FitSeen) -> None:
    assert found(one) == []


def test_a_gap_that_is_no_symptom_is_nothing() -> None:
    assert found(seen(0.6, 0.85), symptoms={}) == []


def test_without_a_run_it_is_advice() -> None:
    assert [f.severity for f in found()] == ["note"]
    assert [f.severity for f in found(source=DATASET)] == ["note"]


@pytest.mark.parametrize(
    "change",
    [
        (
            "train_datagen = ImageDataGenerator(",
            "train_datagen = ImageDataGenerator(shear_range=1, ",
        ),
        ("import tensorflow as tf\n", "import tensorflow as tf\nimport albumentations\n"),
        ("Sequential([base", "Sequential([tf.keras.layers.RandomFlip(), base"),
        ("tf.keras.applications.MobileNetV2(", "build("),
    ],
)
def test_nothing_where_there_is_augmentation_or_no_pretrained_network(
    change: tuple[str, str],
) -> None:
    assert change[0] in SOURCE
    assert found(source=SOURCE.replace(*change)) == []
    assert found(seen(0.6, 0.85), source=SOURCE.replace(*change)) == []


def test_a_comment_is_no_augmentation() -> None:
    assert found(source="# no augmentation\n" + SOURCE)


def test_a_generator_that_validation_shares_is_advised_on() -> None:
    shared = SOURCE.replace("valid_datagen.flow", "train_datagen.flow")
    (finding,) = found(source=shared)
    assert finding.remedy is None and "validation" in (finding.advice or "")


def test_the_dataset_is_mapped_before_the_fit() -> None:
    (finding,) = found(source=DATASET)
    assert finding.remedy is not None and finding.remedy.review == "careful"
    (parameters,) = finding.remedy.edits.values()
    assert transform(DATASET, finding.remedy.codemod, parameters) == DATASET.replace(
        "\nmodel.fit",
        "\n# Of the training images only; each epoch sees them another way.\n"
        'augmentation = tf.keras.models.Sequential([tf.keras.layers.RandomFlip("horizontal"), '
        "tf.keras.layers.RandomRotation(0.1)])\n"
        "train = train.map(lambda x, y: (augmentation(x, training=True), y))\n"
        "model.fit",
    )


@pytest.mark.parametrize("name", ["s001_1_small", "s004_2_small"])
def test_the_seeds_that_miss_it_are_advised(name: str) -> None:
    source = (SEEDS / f"{name}.py").read_text()
    (finding,) = found(source=source)
    assert finding.severity == "note" and finding.remedy is not None
    (parameters,) = finding.remedy.edits.values()
    changed = transform(source, finding.remedy.codemod, parameters)
    added = "train_datagen = ImageDataGenerator(rescale=1./255, horizontal_flip=True, "
    assert added + "rotation_range=20, zoom_range=0.1)\n" in changed
