from __future__ import annotations

import pytest

from tests.causes.label_cases import case, data, fit, line_of
from tlfix.causes.class_order_mismatch import find
from tlfix.causes.spec import Finding
from tlfix.codemods import transform
from tlfix.probe.trace import LinearProbe, PermutationSeen

PROGRAM = """\
import tensorflow as tf
from tensorflow.keras.preprocessing.image import ImageDataGenerator

datagen = ImageDataGenerator()
train = datagen.flow_from_directory('train', target_size=(96, 96))
valid = datagen.flow_from_directory('valid', target_size=(96, 96))
test = datagen.flow_from_directory('test', target_size=(96, 96))
base = tf.keras.applications.MobileNetV2(include_top=False, pooling='avg')
model = tf.keras.Sequential([base, tf.keras.layers.Dense(3, activation='softmax')])
model.compile('adam', 'categorical_crossentropy')
model.fit(train, validation_data=valid, epochs=3)
model.evaluate(test)
"""
THREE = {"ant": 0, "bee": 1, "cat": 2}
SIZED = "target_size=(96, 96)"


def indexed(ours: dict[str, int], theirs: dict[str, int], source: str = PROGRAM) -> list[Finding]:
    seen = fit(
        source,
        labels=data("training", source, "train = ", class_indices=ours),
        validation=data("validation", source, "valid = ", class_indices=theirs),
    )
    return list(find(case(source, seen)))


def cured(source: str, finding: Finding) -> str:
    assert finding.remedy is not None, finding.advice
    (parameters,) = finding.remedy.edits.values()
    return transform(source, finding.remedy.codemod, parameters)


def test_the_same_name_with_two_numbers_is_an_error() -> None:
    (finding,) = indexed(THREE, {"ant": 0, "cat": 1})
    assert (finding.severity, finding.confidence) == ("error", "certain")
    assert "'cat' is number 2 in training and 1 in validation" in finding.evidence[0].summary
    assert "'bee' is missing in validation" in finding.evidence[0].summary
    assert finding.site is not None and finding.site.line == line_of(PROGRAM, "valid = ")


def test_the_training_order_is_given_to_the_others() -> None:
    (finding,) = indexed(THREE, {"ant": 0, "cat": 1})
    classes = f"{SIZED}, classes=list(train.class_indices))"
    after = PROGRAM.replace(f"'valid', {SIZED})", f"'valid', {classes}").replace(
        f"'test', {SIZED})", f"'test', {classes}"
    )
    assert cured(PROGRAM, finding) == after


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (THREE, THREE),
        # A class that only comes behind all others moves none of them.
        (THREE, {"ant": 0, "bee": 1}),
        ({"ant": 0, "bee": 1}, THREE),
        # No name in common: which is which cannot be told.
        (THREE, {"x": 0, "y": 1, "z": 2}),
    ],
)
def test_says_nothing_where_each_name_has_one_number(
    ours: dict[str, int], theirs: dict[str, int]
) -> None:
    assert indexed(ours, theirs) == []


def test_names_of_datasets_are_numbered_in_their_order() -> None:
    source = PROGRAM.replace("datagen.flow_from", "tf.keras.utils.image_dataset_from").replace(
        SIZED, "image_size=(96, 96)"
    )
    seen = fit(
        source,
        labels=data("training", source, "train = ", class_names=("ant", "bee", "cat")),
        validation=data("validation", source, "valid = ", class_names=("ant", "cat")),
    )
    (finding,) = find(case(source, seen))
    assert finding.severity == "error" and finding.remedy is None
    assert finding.advice is not None and "folder" in finding.advice


# Without names ---------------------------------------------------------------------------------

ARRAYS = """\
import numpy as np
import tensorflow as tf
x, y, xv, yv = np.load('x.npy'), np.load('y.npy'), np.load('xv.npy'), np.load('yv.npy')
base = tf.keras.applications.MobileNetV2(include_top=False, pooling='avg')
model = tf.keras.Sequential([base, tf.keras.layers.Dense(3, activation='softmax')])
model.compile('adam', 'sparse_categorical_crossentropy')
model.fit(x, y, validation_data=(xv, yv), epochs=3)
"""


def renamed(
    mapping: tuple[int, ...], before: float, after: float, n: int = 120, chance: float = 0.34
) -> list[Finding]:
    probe = LinearProbe(
        scaling="as-is",
        accuracy=before,
        balanced_accuracy=before,
        chance=chance,
        training=200,
        validation=2 * n,
    )
    seen = fit(
        ARRAYS,
        permutation=PermutationSeen(mapping=mapping, accuracy=before, renamed=after, n=n),
        probes=(probe,),
    )
    return list(find(case(ARRAYS, seen)))


def test_a_renaming_that_explains_the_errors() -> None:
    (finding,) = renamed((1, 2, 0), 0.05, 0.90)
    assert (finding.severity, finding.confidence) == ("error", "likely")
    assert finding.cost == pytest.approx(0.85)
    p = next(m for m in finding.evidence[0].measured if m.name == "p")
    assert p.value is not None and p.value < 0.001 and p.n == 120
    assert finding.advice


def test_two_classes_are_inverted() -> None:
    (finding,) = renamed((1, 0), 0.08, 0.92, chance=0.5)
    assert "inverted" in finding.evidence[0].summary


@pytest.mark.parametrize(
    ("mapping", "before", "after", "n", "chance"),
    [
        ((0, 1, 2), 0.90, 0.90, 120, 0.34),
        # Two classes that look alike.
        ((1, 0, 2), 0.70, 0.76, 120, 0.34),
        # A probe at chance: some renaming always looks a little better.
        ((1, 2, 0), 0.30, 0.41, 120, 0.34),
        # Better than before, and still no better than the largest class.
        ((1, 2, 0), 0.05, 0.60, 120, 0.60),
        ((1, 2, 0), 0.05, 0.90, 12, 0.34),
    ],
)
def test_a_renaming_by_chance_is_no_finding(
    mapping: tuple[int, ...], before: float, after: float, n: int, chance: float
) -> None:
    assert renamed(mapping, before, after, n, chance) == []


def test_a_large_gain_is_an_error_and_a_small_one_a_warning() -> None:
    assert [f.severity for f in renamed((1, 0, 2), 0.50, 0.75)] == ["warning"]


def test_names_that_agree_are_believed() -> None:
    seen = fit(
        PROGRAM,
        labels=data("training", PROGRAM, class_indices=THREE),
        validation=data("validation", PROGRAM, class_indices=THREE),
        permutation=PermutationSeen(mapping=(1, 2, 0), accuracy=0.1, renamed=0.9, n=100),
    )
    assert list(find(case(PROGRAM, seen))) == []


# From the source -------------------------------------------------------------------------------


def listed(train: str = "", valid: str = "") -> str:
    text = PROGRAM.replace(f"'train', {SIZED}", f"'train', {SIZED}{train}")
    return text.replace(f"'valid', {SIZED}", f"'valid', {SIZED}{valid}")


def test_a_list_given_to_one_pipeline_only() -> None:
    source = listed(", classes=['cat', 'ant']")
    (finding,) = find(case(source))
    assert (finding.severity, finding.confidence) == ("error", "likely")
    after = source.replace(f"'valid', {SIZED}", f"'valid', {SIZED}, classes=['cat', 'ant']")
    after = after.replace(f"'test', {SIZED}", f"'test', {SIZED}, classes=['cat', 'ant']")
    assert cured(source, finding) == after


def test_a_list_given_to_validation_only() -> None:
    source = listed("", ", classes=['cat', 'ant']")
    (finding,) = find(case(source))
    assert cured(source, finding) == source.replace("['cat', 'ant']", "['ant', 'cat']")


def test_a_variable_is_given_by_its_name() -> None:
    source = listed(", classes=NAMES").replace("datagen =", "NAMES = ['cat', 'ant']\ndatagen =")
    (finding,) = find(case(source))
    assert cured(source, finding).count("classes=NAMES") == 3


@pytest.mark.parametrize(
    "source",
    [
        PROGRAM,
        listed(", classes=['ant', 'cat']"),
        listed(", classes=['cat', 'ant']", ", classes=['cat', 'ant']"),
        listed(", classes=somewhere()"),
        listed(", **options"),
    ],
)
def test_the_source_is_not_blamed_for_what_it_does_not_say(source: str) -> None:
    assert list(find(case(source))) == []


def test_numbers_seen_refute_the_source() -> None:
    assert indexed(THREE, THREE, listed(", classes=['cat', 'ant']")) == []
