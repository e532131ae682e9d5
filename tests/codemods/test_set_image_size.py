from __future__ import annotations

import pytest

from tests.codemods.spans import span
from tlfix.codemods import Declined, transform


def sized(source: str, *numbers: str) -> str:
    edits = [{**span(source, number), "value": "299"} for number in numbers]
    return transform(source, "set_image_size", {"edits": edits})


def test_numbers_change_where_they_stand() -> None:
    source = "SIZE = 64  # pixels\r\nf(size=(65,  66, 3))\r\n"
    assert sized(source, "64", "66") == "SIZE = 299  # pixels\r\nf(size=(65,  299, 3))\r\n"


@pytest.mark.parametrize("text", ["SIZE", "64, 65", "'a'"])
def test_declines_what_is_no_number(text: str) -> None:
    with pytest.raises(Declined):
        sized("SIZE = (64, 65)\nname = 'a'\n", text)


def test_all_or_nothing() -> None:
    with pytest.raises(Declined):
        sized("SIZE = 64\nWIDTH = w\n", "64", "w")
