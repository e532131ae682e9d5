from __future__ import annotations

import random
from itertools import pairwise

import pytest

from tests.traces import data, evaluation, fit, place, probe, trace
from tlfix.causes.spec import Case, Finding
from tlfix.causes.unshuffled_training_data import _runs, find, order_of
from tlfix.codemods import transform
from tlfix.probe.trace import FitSeen, PipelineSeen
from tlfix.program.reader import read

FOLDERS = """\
import tensorflow as tf
from tensorflow.keras.preprocessing.image import ImageDataGenerator

datagen = ImageDataGenerator(rescale=1 / 255)
train = datagen.flow_from_directory('train', SHUFFLE)
valid = datagen.flow_from_directory('valid', shuffle=False)
model = tf.keras.Sequential([tf.keras.layers.Dense(8, activation='softmax')])
model.compile('adam', 'categorical_crossentropy')
model.fit(train, validation_data=valid)
"""
PIPELINE = """\
import numpy as np
import tensorflow as tf

images, labels = np.load('x.npy'), np.load('y.npy')
train = tf.data.Dataset.from_tensor_slices((images, labels))
train = train.batch(32).prefetch(2)
model = tf.keras.Sequential([tf.keras.layers.Dense(8, activation='softmax')])
model.compile('adam', 'sparse_categorical_crossentropy')
model.fit(train)
"""
ARRAYS = PIPELINE.replace("model.fit(train)", "model.fit(images, labels, shuffle=False)")
ORDERED = tuple(i // 64 for i in range(512))
MIXED = tuple(random.Random(3).sample(ORDERED, len(ORDERED)))


def found(source: str, seen: FitSeen | None = None) -> list[Finding]:
    return list(find(Case(read(source, "train.py"), None if seen is None else trace(seen))))


def measured(source: str, order: tuple[int, ...], **more: object) -> FitSeen:
    """A fit at the line of ``model.fit``, fed by the line that makes ``train``."""
    lines = source.splitlines()
    here = next(i for i, line in enumerate(lines, 1) if line.startswith("model.fit"))
    made = next(i for i, line in enumerate(lines, 1) if line.startswith("train = "))
    sites = (PipelineSeen(kind="", site=place(made)),)
    fields = {"kind": "tf.data", "order": order, "sites": sites} | more
    return fit(site=place(here), training=data("training", **fields))


def cured(source: str, finding: Finding) -> str:
    assert finding.remedy is not None, finding.advice
    (parameters,) = finding.remedy.edits.values()
    return transform(source, finding.remedy.codemod, parameters)


class TestOrder:
    def test_the_runs_test_agrees_with_permutations(self) -> None:
        """The normal approximation against 4,000 random orders of unequal classes."""
        labels = [0] * 60 + [1] * 30 + [2] * 10
        rng, repeats = random.Random(5), []
        for _ in range(4_000):
            rng.shuffle(labels)
            repeats.append(sum(a == b for a, b in pairwise(labels)))
        expected, _ = _runs(100, 0, [60, 30, 10])
        assert expected == pytest.approx(sum(repeats) / len(repeats), abs=0.3)
        for limit in (45, 50, 55):
            share = sum(r >= limit for r in repeats) / len(repeats)
            # A count from ``limit`` on begins halfway before it on a continuous scale.
            assert _runs(100, limit, [60, 30, 10])[1] == pytest.approx(share, abs=0.05)

    def test_ordered_and_mixed(self) -> None:
        ordered, mixed = order_of(ORDERED, 32), order_of(MIXED, 32)
        assert ordered is not None and mixed is not None
        assert ordered.one_class_at_a_time and ordered.purity == 1.0 and ordered.p < 1e-100
        assert not mixed.one_class_at_a_time and mixed.p > 1e-3

    def test_classes_smaller_than_a_batch_are_mixed_in_it(self) -> None:
        few = tuple(i // 4 for i in range(256))
        order = order_of(few, 64)
        assert order is not None and order.p < 1e-50 and not order.one_class_at_a_time

    def test_skewed_classes_in_random_order_are_not_ordered(self) -> None:
        skewed = random.Random(1).sample([0] * 480 + [1] * 32, 512)
        order = order_of(skewed, 32)
        assert order is not None and order.purity > 0.9 and not order.one_class_at_a_time

    @pytest.mark.parametrize("labels", [ORDERED[:40], ORDERED[:80]])
    def test_too_few_to_tell(self, labels: tuple[int, ...]) -> None:
        assert order_of(labels, 32) is None

    def test_a_long_start_of_one_class_is_told_from_the_counts_of_all(self) -> None:
        start = (0,) * 1024
        order = order_of(start, 32, {0: 2_000, 1: 2_000})
        assert order is not None and order.one_class_at_a_time
        assert order_of(start, 32) is None
        rare = order_of(start[:128], 32, {0: 99_990, 1: 10})
        assert rare is not None and not rare.one_class_at_a_time


class TestMeasured:
    def test_pure_batches_are_a_warning_with_numbers(self) -> None:
        (finding,) = found(PIPELINE, measured(PIPELINE, ORDERED))
        assert (finding.severity, finding.confidence) == ("warning", "certain")
        neighbours, p, largest = finding.evidence[0].measured
        assert neighbours.n == 511 and neighbours.value is not None and neighbours.value > 0.98
        assert p.value is not None and p.threshold is not None and p.value < p.threshold
        assert largest.value == 1.0

    @pytest.mark.parametrize("order", [MIXED, ORDERED[:40], ()])
    def test_nothing_where_the_order_is_mixed_or_unknown(self, order: tuple[int, ...]) -> None:
        assert found(PIPELINE, measured(PIPELINE, order)) == []

    def test_arrays_are_shuffled_by_fit(self) -> None:
        plain = ARRAYS.replace(", shuffle=False", "")
        assert found(plain, measured(plain, ORDERED, kind="arrays", shuffled=True)) == []
        assert found(plain, measured(plain, ORDERED, kind="arrays", shuffled=None)) == []

    def test_no_harm_is_a_note_and_harm_is_counted(self) -> None:
        seen = measured(PIPELINE, ORDERED)
        good = {"probes": (probe("as-is", 0.9),), "evaluations": (evaluation("validation", 0.9),)}
        (finding,) = found(PIPELINE, seen.model_copy(update=good))
        assert finding.severity == "note" and finding.cost is None
        bad = good | {"evaluations": (evaluation("validation", 0.4),)}
        (finding,) = found(PIPELINE, seen.model_copy(update=bad))
        assert finding.severity == "warning" and finding.cost == pytest.approx(0.5)


class TestStatic:
    def test_only_class_folders_in_order_are_certain(self) -> None:
        (finding,) = found(FOLDERS.replace("SHUFFLE", "shuffle=False"))
        assert (finding.severity, finding.confidence) == ("warning", "likely")
        for harmless in ("shuffle=True", "seed=1", "class_mode=None, shuffle=False"):
            assert found(FOLDERS.replace("SHUFFLE", harmless)) == []
        assert found(PIPELINE) == found(ARRAYS) == []

    def test_a_measured_mix_refutes_it(self) -> None:
        source = FOLDERS.replace("SHUFFLE", "shuffle=False")
        seen = measured(source, MIXED, kind="DirectoryIterator", shuffled=False)
        assert found(source, seen) == []

    def test_a_dataset_shuffled_later_is_healthy(self) -> None:
        source = PIPELINE.replace(
            "tf.data.Dataset.from_tensor_slices((images, labels))",
            "tf.keras.utils.image_dataset_from_directory('t', shuffle=False, batch_size=None)",
        )
        assert [f.severity for f in found(source)] == ["warning"]
        assert found(source.replace("train.batch", "train.shuffle(1000).batch")) == []


class TestCure:
    def test_the_flow_shuffles(self) -> None:
        source = FOLDERS.replace("SHUFFLE", "shuffle=False")
        (finding,) = found(source)
        assert cured(source, finding) == FOLDERS.replace("SHUFFLE", "shuffle=True")

    def test_a_flow_whose_order_predictions_need_is_left_alone(self) -> None:
        (finding,) = found(FOLDERS.replace("SHUFFLE", "shuffle=False") + "model.predict(train)\n")
        assert finding.remedy is None and finding.advice

    def test_the_dataset_is_shuffled_before_it_is_batched(self) -> None:
        (finding,) = found(PIPELINE, measured(PIPELINE, ORDERED))
        assert cured(PIPELINE, finding) == PIPELINE.replace(
            "train.batch(32)", "train.shuffle(len(images)).batch(32)"
        )

    def test_fit_shuffles_arrays(self) -> None:
        (finding,) = found(ARRAYS, measured(ARRAYS, ORDERED, kind="arrays", shuffled=False))
        assert cured(ARRAYS, finding) == ARRAYS.replace("shuffle=False", "shuffle=True")

    def test_a_buffer_that_is_there_is_advised_on(self) -> None:
        small = PIPELINE.replace("train.batch", "train.shuffle(8).batch")
        (finding,) = found(small, measured(small, ORDERED, shuffled=True))
        assert finding.remedy is None and "buffer" in (finding.advice or "")
