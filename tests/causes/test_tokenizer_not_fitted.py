from __future__ import annotations

import pytest

from tests.traces import crashed
from tlfix.causes.spec import Case, Finding
from tlfix.causes.tokenizer_not_fitted import CAUSE, find
from tlfix.program.reader import read

SICK = CAUSE.examples.sick


def found(source: str) -> list[Finding]:
    return list(find(Case(read(source, "train.py"))))


def test_a_tokenizer_without_a_vocabulary_is_certain() -> None:
    (finding,) = found(SICK)
    assert (finding.severity, finding.confidence) == ("warning", "certain")
    assert "fit_on_texts is called nowhere" in finding.evidence[0].summary
    assert finding.site is not None and finding.site.line == 8


@pytest.mark.parametrize(
    "change",
    [
        ("sequences = tok", "tokenizer.fit_on_texts(texts)\nsequences = tok"),
        ("sequences = tok", "prepare(tokenizer)\nsequences = tok"),
        ("sequences = tok", "tokenizer.word_index = saved\nsequences = tok"),
        ("sequences = tok", "tokenizer.word_index.update(saved)\nsequences = tok"),
        ("Tokenizer(num_words=5000)", "pickle.load(open('tokenizer.pickle', 'rb'))"),
        (
            "Tokenizer(num_words=5000)",
            "Tokenizer(num_words=5000)\nfor t in [tokenizer]:\n    t.fit_on_texts(texts)",
        ),
        ("sequences = tokenizer.texts_to_sequences(texts)", "sequences = texts"),
        ("keras.preprocessing.text import Tokenizer", "mine import Tokenizer"),
    ],
)
def test_nothing_where_it_may_know_its_words(change: tuple[str, str]) -> None:
    assert change[0] in SICK
    assert found(SICK.replace(*change)) == []


def test_a_fit_that_comes_too_late_is_advised_on() -> None:
    (finding,) = found(SICK.replace("padded =", "tokenizer.fit_on_texts(texts)\npadded ="))
    assert "comes later" in finding.evidence[0].summary
    assert finding.remedy is None and "before line 8" in (finding.advice or "")


def test_a_fit_in_a_function_is_not_judged_by_its_place() -> None:
    inside = SICK.replace(
        "sequences = tok", "def learn():\n    tokenizer.fit_on_texts(texts)\n\nsequences = tok"
    )
    assert found(inside) == []


def test_a_loaded_model_needs_its_own_tokenizer() -> None:
    loaded = SICK + "model.load_weights('earlier.weights.h5')\n"
    (finding,) = found(loaded)
    assert finding.remedy is None
    assert "that the model was trained with" in (finding.advice or "")


VECTORIZED = """\
import keras

vectorize = keras.layers.TextVectorization(max_tokens=2000)
train = train.map(lambda text, label: (vectorize(text), label))
model = keras.Sequential([keras.layers.Embedding(2000, 8), keras.layers.Dense(5)])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(train)
"""
EMPTY = crashed("Error in user-defined function passed to MapDataset: Table not initialized.")


def test_a_vectorization_without_a_vocabulary_stops_the_training() -> None:
    (finding,) = find(Case(read(VECTORIZED, "train.py"), EMPTY))
    assert (finding.severity, finding.confidence) == ("error", "certain")
    assert finding.site is not None and finding.site.line == 3
    assert "adapt" in (finding.advice or "")


@pytest.mark.parametrize("given", ["", "vectorize.adapt(texts)\n", "vocabulary"])
def test_nothing_without_the_crash_or_with_a_vocabulary(given: str) -> None:
    source = VECTORIZED.replace("train = train", f"{given}train = train", 1)
    if given == "vocabulary":
        source = VECTORIZED.replace("max_tokens=2000", "vocabulary=words")
    seen = EMPTY if given else crashed("shapes differ")
    assert list(find(Case(read(source, "train.py"), seen))) == []
