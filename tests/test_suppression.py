"""Comments that silence, and those that do not because they name nothing."""

from __future__ import annotations

import pytest

from tlfix.suppression import suppressed, unknown

CAUSES = {"preprocessing-missing": "TL101", "learning-rate-low": "TL502"}


def test_by_id_code_or_all() -> None:
    for comment in ("ignore[learning-rate-low]", "ignore[tl502] slow on purpose", "ignore"):
        assert suppressed(f"x = 1  # tlfix: {comment}\n", 1, "learning-rate-low", "TL502")
    assert not suppressed("x = 1  # tlfix: ignore[TL101]\n", 1, "learning-rate-low", "TL502")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1  # tlfix: ignore[nosuch]\n", ["line 1: tlfix: ignore[nosuch] silences nothing"]),
        ("\nx = 1  # tlfix: ignore[TL101, learning-rate-lo]\n", ["line 2: "]),
        ("x = 1  # tlfix: ignore[tl101, learning-rate-low]\n", []),
        ("x = 1  # tlfix: ignore\n", []),
        ('x = "# tlfix: ignore[nosuch]"\n', []),
    ],
)
def test_an_unknown_name_is_told(text: str, said: list[str]) -> None:
    found = list(unknown(text, CAUSES))
    assert len(found) == len(said)
    assert all(each.startswith(begin) for each, begin in zip(found, said, strict=True))


def test_the_nearest_name_is_suggested() -> None:
    (said,) = unknown("x = 1  # tlfix: ignore[learning-rate-lo]\n", CAUSES)
    assert said.endswith('no such cause; did you mean "learning-rate-low"?')
