from __future__ import annotations

import pytest

from tlfix.codemods import Declined, Position, transform

CHAIN = """\
train = (
    tf.data.Dataset.from_tensor_slices((x, y))
    .map(load)  # decodes
    .batch(32)
    .prefetch(2)
)
"""


def shuffle(source: str, start: Position, end: Position, buffer: str = "len(x)") -> str:
    return transform(source, "shuffle_dataset", {"batch": start, "end": end, "buffer": buffer})


def test_goes_before_the_batch() -> None:
    assert shuffle("d = d.map(f).batch(8).prefetch(1)\n", Position(1, 4), Position(1, 21)) == (
        "d = d.map(f).shuffle(len(x)).batch(8).prefetch(1)\n"
    )


def test_a_chain_of_one_call_a_line_stays_one() -> None:
    assert shuffle(CHAIN, Position(2, 4), Position(4, 14), "512") == CHAIN.replace(
        "    .batch(32)", "    .shuffle(512)\n    .batch(32)"
    )


def test_declines_where_it_is_shuffled_or_nothing_is_there() -> None:
    with pytest.raises(Declined, match="shuffled already"):
        shuffle("d = d.shuffle(9).batch(8)\n", Position(1, 4), Position(1, 25))
    with pytest.raises(Declined, match="no such call"):
        shuffle("d = d.batch(8)\n", Position(1, 0), Position(1, 14))
