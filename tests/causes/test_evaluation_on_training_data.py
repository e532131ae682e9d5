from __future__ import annotations

from typing import Any

import pytest

from tests.traces import crashed, data, fit, place, trace
from tlfix.causes.evaluation_on_training_data import CAUSE
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import OverlapSeen, Trace
from tlfix.program.reader import read
from tlfix.symptoms.registry import measure_all

TEXT = CAUSE.examples.sick
HEAD = "import keras\nimport tensorflow as tf\n"
READ = "keras.utils.image_dataset_from_directory"
FIT = "model.fit(train, validation_data=val, epochs=3)\n"


def find(text: str, seen: Trace | None = None) -> list[Finding]:
    symptoms = measure_all(seen) if seen else {}
    return list(CAUSE.find(Case(read(text, "train.py"), seen, symptoms)))


def cure(text: str) -> str:
    (finding,) = find(text)
    assert finding.severity == "warning" and finding.remedy is not None
    return transform(text, finding.remedy.codemod, finding.remedy.edits["train.py"])


def overlapping(shared: int, of: int = 100, by: str = "file", line: int = 9, **other: Any) -> Trace:
    overlap = OverlapSeen(by=by, training=400, validation=of, shared=shared, **other)
    training = data("training", samples=400 if by == "file" else 5000)
    return trace(fit([1.0] * 30, site=place(line), overlap=overlap, training=training))


def folders(training: str, validation: str, kind: str = READ) -> str:
    return f"{HEAD}train = {kind}({training})\nval = {kind}({validation})\n{FIT}"


class TestHalves:
    """The two halves of one folder, as `image_dataset_from_directory` cuts them."""

    TRAIN = '"data", validation_split=0.2, subset="training", seed=1'

    @pytest.mark.parametrize(
        "validation",
        [
            '"data", validation_split=0.2, subset="validation", seed=2',
            '"data", validation_split=0.2, subset="validation"',
            '"data", validation_split=0.2, subset="validation", seed=1, shuffle=False',
            '"data", validation_split=0.3, subset="validation", seed=1',
            '"data", validation_split=0.2, subset="training", seed=1',
            '"data/"',
            '"data", shuffle=False',
        ],
    )
    def test_halves_that_overlap_become_halves_that_fit(self, validation: str) -> None:
        right = f"{HEAD}train = {READ}({self.TRAIN})\nval = {READ}"
        cured = cure(folders(self.TRAIN, validation))
        assert find(cured) == []
        assert cured.startswith(right)
        assert sorted(read(cured, "a.py").sources[1].call.constant(k) for k in ("subset",)) == [
            "validation"
        ]

    @pytest.mark.parametrize(
        ("training", "validation"),
        [
            (TRAIN, TRAIN.replace("training", "validation")),
            (TRAIN, '"other"'),
            (TRAIN, '"data", validation_split=0.1, subset="validation", seed=1'),
            (
                '"data", validation_split=0.2, subset="training", seed=SEED',
                '"data", validation_split=0.2, subset="validation", seed=SEED',
            ),
            (
                '"data", validation_split=0.2, subset="training", shuffle=False',
                '"data", validation_split=0.2, subset="validation", shuffle=False, seed=4',
            ),
            (TRAIN, '"data", validation_split=0.2, subset="validation", seed=other'),
            (TRAIN, '"data", validation_split=0.2, subset=half, seed=2'),
            (TRAIN, '"data", **options'),
            ("folder", "other"),
        ],
    )
    def test_halves_that_fit_or_cannot_be_read(self, training: str, validation: str) -> None:
        assert find(folders(training, validation)) == []

    def test_without_seeds_both_get_one(self) -> None:
        text = folders(self.TRAIN.replace(", seed=1", ""), '"data", 0.2, subset="validation"')
        text = text.replace(", 0.2,", ", validation_split=0.2,")
        assert cure(text).count("seed=1337") == 2

    def test_keras_refuses_a_half_without_a_seed(self) -> None:
        text = folders(self.TRAIN, '"data", validation_split=0.2, subset="validation"')
        message = "If using `validation_split` and shuffling the data, you must provide a `seed`"
        (finding,) = find(text, crashed(f"{message} argument", line=4))
        assert (finding.severity, finding.confidence) == ("error", "certain")
        assert finding.explains == ("crash",)


class TestGenerators:
    FLOW = "gen.flow_from_directory"
    MADE = "gen = keras.preprocessing.image.ImageDataGenerator(horizontal_flip=True)\n"

    def text(self, training: str, validation: str, made: str = MADE) -> str:
        return folders(training, validation, self.FLOW).replace(HEAD, HEAD + made)

    def test_one_folder_for_both_is_split(self) -> None:
        cured = cure(self.text('"data/train"', '"data/train", shuffle=False'))
        assert "ImageDataGenerator(horizontal_flip=True, validation_split=0.2)" in cured
        assert '("data/train", subset="training")' in cured
        assert '("data/train", shuffle=False, subset="validation")' in cured
        assert find(cured) == []

    def test_one_half_missing(self) -> None:
        split = self.MADE.replace("True)", "True, validation_split=0.25)")
        cured = cure(self.text('"data"', '"data", subset="validation"', split))
        assert 'train = gen.flow_from_directory("data", subset="training")' in cured
        assert find(cured) == []

    def test_the_split_of_generators_needs_no_seed(self) -> None:
        split = self.MADE.replace("True)", "True, validation_split=0.25)")
        both = '"data", subset="training", seed=1', '"data", subset="validation", seed=2'
        assert find(self.text(*both, split)) == []

    def test_two_generators_of_unlike_splits(self) -> None:
        two = (
            "gen = keras.preprocessing.image.ImageDataGenerator(validation_split=0.1)\n"
            "other = keras.preprocessing.image.ImageDataGenerator(validation_split=0.3)\n"
        )
        text = self.text('"data", subset="training"', '"data", subset="validation"', two)
        text = text.replace("val = gen.", "val = other.")
        assert "other = keras.preprocessing.image.ImageDataGenerator(validation_split=0.1)" in cure(
            text
        )

    @pytest.mark.parametrize("between", ["frame = frame[:100]\n", "frame, rest = split(frame)\n"])
    def test_a_name_bound_anew_is_another_thing(self, between: str) -> None:
        same = self.text("frame", "frame").replace("flow_from_directory", "flow_from_dataframe")
        assert len(find(same)) == 1
        assert find(same.replace("val = ", f"{between}val = ")) == []


class TestCuts:
    def text(self, shuffle: str, training: str = "ds.take(80)", validation: str = "ds.skip(80)"):
        return (
            f"{HEAD}ds = tf.data.Dataset.from_tensor_slices((x, y))\n{shuffle}"
            f"train = {training}\nval = {validation}\n"
            "model.fit(train.batch(8), validation_data=val.batch(8), epochs=3)\n"
        )

    @pytest.mark.parametrize("shuffle", ["ds = ds.shuffle(99)\n", "ds = ds.shuffle(99, seed=1)\n"])
    def test_a_data_set_shuffled_anew(self, shuffle: str) -> None:
        cured = cure(self.text(shuffle))
        assert "reshuffle_each_iteration=False)" in cured
        assert find(cured) == []
        assert len(find(self.text(shuffle, "ds.skip(80)", "ds.take(80)"))) == 1

    @pytest.mark.parametrize(
        "shuffle",
        [
            "",
            "ds = ds.shuffle(99, reshuffle_each_iteration=False)\n",
            "ds = ds.shuffle(99, 1, False)\n",
            "ds = ds.shuffle(99, reshuffle_each_iteration=again)\n",
            "ds = ds.shuffle(99).cache('there')\n",
        ],
    )
    def test_a_data_set_in_a_fixed_order(self, shuffle: str) -> None:
        assert find(self.text(shuffle)) == []

    def test_shuffling_behind_the_cut_is_right(self) -> None:
        assert find(self.text("", "ds.take(80).shuffle(80)")) == []

    @pytest.mark.parametrize("made", [f'{READ}("data")', 'tf.data.Dataset.list_files("*.jpg")'])
    def test_folders_and_lists_of_files_shuffle_by_themselves(self, made: str) -> None:
        plain = "tf.data.Dataset.from_tensor_slices((x, y))"
        (finding,) = find(self.text("").replace(plain, made))
        assert finding.remedy is None and finding.advice
        assert find(self.text("").replace(plain, made.replace(")", ", shuffle=False)"))) == []

    def test_taken_and_kept(self) -> None:
        (finding,) = find(self.text("", "ds.shuffle(99)", "ds.take(20)"))
        assert "keep" in finding.evidence[0].summary and finding.advice
        assert find(self.text("", "ds.shuffle(99)", "other.take(20)")) == []

    def test_the_parts_of_one_load_are_not_one_data_set(self) -> None:
        text = (
            "import tensorflow_datasets as tfds\n"
            'train, val = tfds.load("cats", split=["train", "test"])\n'
            "model.fit(train.shuffle(9), validation_data=val.take(9), epochs=3)\n"
        )
        assert find(text) == []


class TestOneObject:
    @pytest.mark.parametrize(
        "arguments",
        ["train, validation_data=train", "x, y, validation_data=(x, y)"],
    )
    def test_it_is_certain(self, arguments: str) -> None:
        (finding,) = find(f"import keras\nmodel.fit({arguments}, epochs=3)\n")
        assert (finding.severity, finding.confidence) == ("warning", "certain")
        assert finding.remedy is None and finding.advice

    @pytest.mark.parametrize(
        "arguments",
        ["x[tr], y[tr], validation_data=(x[te], y[te])", "x, y, validation_split=0.2", "x, y"],
    )
    def test_other_data(self, arguments: str) -> None:
        assert find(f"import keras\nmodel.fit({arguments}, epochs=3)\n") == []

    def test_a_helper_called_twice(self) -> None:
        text = (
            "import keras\ndef load(folder):\n"
            "    return keras.utils.image_dataset_from_directory(folder)\n"
            'model.fit(load("a"), validation_data=load("b"), epochs=3)\n'
        )
        assert find(text) == []


class TestMeasured:
    def test_a_reason_and_its_count(self) -> None:
        (finding,) = find(TEXT, overlapping(70))
        assert (finding.severity, finding.confidence) == ("warning", "certain")
        assert [e.source for e in finding.evidence] == ["static", "probe"]
        assert finding.remedy is not None

    def test_the_count_overrules_the_source(self) -> None:
        assert find(TEXT, overlapping(0)) == []
        assert find(TEXT, overlapping(2)) == []  # duplicates, not the split

    def test_a_sample_confirms_or_leaves_it_open(self) -> None:
        (finding,) = find(TEXT, overlapping(2, by="sample"))
        assert (finding.severity, finding.confidence) == ("warning", "certain")
        (finding,) = find(TEXT, overlapping(0, by="sample"))
        assert finding.severity == "note"

    def test_the_same_data_by_whatever_way(self) -> None:
        text = "import keras\nmodel.fit(load(), validation_data=load_too(), epochs=3)\n"
        for seen in (overlapping(0, same_data=True, by="sample", line=2), overlapping(99, line=2)):
            (finding,) = find(text, seen)
            assert (finding.severity, finding.confidence) == ("warning", "certain")
            assert finding.site is not None and finding.site.line == 2
            assert finding.remedy is None and finding.advice
        assert find(text, overlapping(60, line=2)) == []  # images in both: another cause

    def test_nothing_counted_nothing_changed(self) -> None:
        (finding,) = find(TEXT, trace(fit([1.0] * 30, site=place(9))))
        assert (finding.severity, finding.confidence) == ("warning", "likely")
        assert find(CAUSE.examples.healthy, trace(fit([1.0] * 30, site=place(9)))) == []


class TestHelpers:
    """A function that reads the data and is called once for each split."""

    def helper(self, parameters: str, arguments: str, training: str, validation: str) -> str:
        return (
            f"{HEAD}def load({parameters}):\n    return {READ}({arguments})\n"
            f"train = load({training})\nval = load({validation})\n{FIT}"
        )

    def test_one_folder_for_both(self) -> None:
        (finding,) = find(self.helper("path", "path, batch_size=8", '"data"', '"data"'))
        assert finding.remedy is None and finding.site is not None and finding.site.line == 4

    @pytest.mark.parametrize(
        ("parameters", "arguments", "training", "validation"),
        [
            ("path", "path", '"train"', '"valid"'),
            ("part", "root / part", '"train"', '"valid"'),
            (
                "part",
                '"data", validation_split=0.2, subset=part, seed=1',
                '"training"',
                '"validation"',
            ),
        ],
    )
    def test_what_is_told_apart(
        self, parameters: str, arguments: str, training: str, validation: str
    ) -> None:
        assert find(self.helper(parameters, arguments, training, validation)) == []

    def test_a_seed_for_both_halves(self) -> None:
        arguments = '"data", validation_split=0.2, subset=part'
        sick = self.helper("part", arguments, '"training"', '"validation"')
        cured = cure(sick)
        assert cured.count("seed=1337") == 1
        assert find(cured) == []
