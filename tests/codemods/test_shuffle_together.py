from __future__ import annotations

import pytest

from tests.codemods.places import place
from tlfix.codemods import Declined, transform


def together(source: str, call: str, *drop: str, listed: bool = False) -> str:
    parameters = {
        "shuffle": place(source, call),
        "images": "x",
        "labels": "y",
        "listed": listed,
        "drop": [place(source, other) for other in drop],
    }
    return transform(source, "shuffle_together", parameters)


HEAD = "import random\nimport numpy as np\n\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "# mixed\nnp.random.shuffle(x)  # now\n",
            "# mixed\norder = np.random.permutation(len(x))\nx, y = x[order], y[order]  # now\n",
        ),
        (
            "random.shuffle(x)\n",
            "order = np.random.permutation(len(x))\nx, y = x[order], y[order]\n",
        ),
        (
            "rng.shuffle(x)\n",
            "order = rng.permutation(len(x))\nx, y = x[order], y[order]\n",
        ),
        (
            "order = 3\nnp.random.shuffle(x)\n",
            "order = 3\norder_ = np.random.permutation(len(x))\nx, y = x[order_], y[order_]\n",
        ),
        ("x = shuffle(x)\n", "x, y = shuffle(x, y)\n"),
        ("x = shuffle(x, random_state=1)\n", "x, y = shuffle(x, y, random_state=1)\n"),
    ],
)
def test_arrays(before: str, after: str) -> None:
    call = next(word for word in before.split() if "shuffle(x" in word)
    assert together(HEAD + before, call) == HEAD + after
    windows = (HEAD + before).replace("\n", "\r\n")
    assert together(windows, call) == (HEAD + after).replace("\n", "\r\n")


def test_lists() -> None:
    assert together(f"{HEAD}random.shuffle(x)\n", "random.shuffle(x)", listed=True) == (
        f"{HEAD}pairs = list(zip(x, y))\nrandom.shuffle(pairs)\nx, y = map(list, zip(*pairs))\n"
    )


def test_the_other_shuffling_goes() -> None:
    source = f"{HEAD}np.random.shuffle(x)\nnp.random.shuffle(y)\nuse(x, y)\n"
    assert together(source, "np.random.shuffle(x)", "np.random.shuffle(y)") == (
        f"{HEAD}order = np.random.permutation(len(x))\nx, y = x[order], y[order]\nuse(x, y)\n"
    )


def test_both_keep_their_rows_together() -> None:
    import numpy as np

    source = f"{HEAD}np.random.seed(1)\nnp.random.shuffle(x)\n"
    names = {"x": np.arange(50), "y": np.arange(50) * 2}
    exec(together(source, "np.random.shuffle(x)"), names)
    assert (names["y"] == names["x"] * 2).all() and names["x"][0] != 0


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ("z = shuffle(x)\n", "shuffle(x)"),
        ("if shuffle(x):\n    pass\n", "shuffle(x)"),
        ("shuffle(x)\n", "shuffle(x)"),
        ("import random\nrandom.shuffle(x)\n", "random.shuffle(x)"),
        ("np.random.shuffle(x); use(x)\n", "np.random.shuffle(x)"),
    ],
)
def test_declines(source: str, call: str) -> None:
    with pytest.raises(Declined):
        together(source, call)


def test_done_once_it_is_not_done_again() -> None:
    once = together(f"{HEAD}np.random.shuffle(x)\n", "np.random.shuffle(x)")
    with pytest.raises(Declined):
        together(once, "np.random.permutation")


@pytest.mark.parametrize(
    ("source", "drop", "reason"),
    [
        ("x, y = load()\ndef f():\n    np.random.shuffle(x)\n", None, "not a variable"),
        (
            "if a:\n    np.random.shuffle(x)\nnp.random.shuffle(y)\n",
            "np.random.shuffle(y)",
            "by itself",
        ),
    ],
)
def test_declines_across_functions_and_blocks(source: str, drop: str | None, reason: str) -> None:
    parameters = {"shuffle": place(source, "np.random.shuffle(x)"), "images": "x", "labels": "y"}
    dropped = [place(source, drop)] if drop else []
    with pytest.raises(Declined, match=reason):
        transform(source, "shuffle_together", {**parameters, "listed": False, "drop": dropped})
