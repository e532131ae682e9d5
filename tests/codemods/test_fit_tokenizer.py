from __future__ import annotations

import pytest

from tests.codemods.places import place
from tlfix.codemods import Declined, Position, transform


def fitted(source: str, line: int) -> str:
    column = source.splitlines()[line - 1].index("words.")
    return transform(source, "fit_tokenizer", {"use": Position(line, column)})


def test_goes_before_the_first_use() -> None:
    before = "import keras\n\n# Numbers.\nx = pad(words.texts_to_sequences(texts), 9)  # ids\n"
    assert fitted(before, 4) == (
        "import keras\n\n# Numbers.\nwords.fit_on_texts(texts)\n"
        "x = pad(words.texts_to_sequences(texts), 9)  # ids\n"
    )


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        ("x = words.texts_to_sequences([t for t in texts])\n", 1, "plain variable"),
        ("for t in texts:\n    x = words.texts_to_sequences(t)\n", 2, "in a loop"),
        ("x = words.texts_to_sequences()\n", 1, "plain names"),
        ("x = words.sequences_to_texts(y)\n", 1, "no `texts_to_sequences`"),
    ],
)
def test_declines_with_a_reason(source: str, line: int, reason: str) -> None:
    with pytest.raises(Declined, match=reason):
        fitted(source, line)


def test_declines_in_a_lambda() -> None:
    source = "encode = lambda texts: tokenizer.texts_to_sequences(texts)\n"
    with pytest.raises(Declined, match="lambda"):
        transform(source, "fit_tokenizer", {"use": place(source, "tokenizer.")})
