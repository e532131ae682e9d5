from __future__ import annotations

import pytest

from tests.codemods.places import place
from tlfix.codemods import Declined, Position, transform

HEAD = "model.compile('adam', 'mse')\nmodel.fit(x)\n"


def again(source: str) -> str:
    """The codemod at the last ``fit``."""
    start = source.rindex("model.fit")
    line = source.count("\n", 0, start) + 1
    return transform(
        source, "recompile", {"fit": Position(line, start - source.rfind("\n", 0, start) - 1)}
    )


def test_the_last_compile_once_more() -> None:
    before = (
        "model.compile('sgd', 'mae')\nmodel.compile(\n    optimizer=Adam(1e-4),  # slow\n"
        "    loss='mse',\n)\nmodel.fit(x)\n\n# Stage two.\nbase.trainable = True\n\n"
        "# Go.\nhistory = model.fit(x)  # long\n"
    )
    after = before.replace(
        "base.trainable = True\n",
        "base.trainable = True\nmodel.compile(\n    optimizer=Adam(1e-4),  # slow\n"
        "    loss='mse',\n)\n",
    )
    assert again(before) == after
    with pytest.raises(Declined, match="compiled right before fit"):
        again(after)


def test_behind_a_loop_over_layers() -> None:
    loop = "for layer in base.layers:\n    layer.trainable = True\n"
    assert again(f"{HEAD}{loop}model.fit(x)\n") == (
        f"{HEAD}{loop}model.compile('adam', 'mse')\nmodel.fit(x)\n"
    )


def test_in_a_function() -> None:
    source = (
        "def main():\n    model.compile('adam', 'mse')\n    model.fit(x)\n"
        "    base.trainable = True\n    model.fit(x)\n"
    )
    assert again(source) == source.replace("= True\n", "= True\n    model.compile('adam', 'mse')\n")


def test_an_optimizer_object_is_made_anew() -> None:
    """Keras refuses an optimizer that was built for other variables."""
    source = f"opt = Adam(1e-4)\n{HEAD}base.trainable = True\nmodel.fit(x)\n".replace(
        "'adam'", "opt"
    )
    assert again(source) == source.replace("= True\n", "= True\nmodel.compile(Adam(1e-4), 'mse')\n")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("for i in x:\n    model.compile('adam')\n    model.fit(x)\n", "in a loop"),
        ("for i in x:\n    model.compile('adam')\nmodel.fit(x)\n", "compiled in a loop"),
        ("other.compile('adam')\nmodel.fit(x)\n", "does not stand in the same function"),
        ("with scope:\n    model.compile('adam')\nmodel.fit(x)\n", "`with` block"),
        ("if x:\n    model.compile('adam')\nmodel.fit(x)\n", "`if` block"),
        ("model.compile('adam')\nif x:\n    model.fit(x)\n", "first statement"),
        ("model.compile('adam')\nx = 1; model.fit(x)\n", "several statements"),
        ("model.compile('adam')\nmodel = other\nmodel.fit(x)\n", "another model"),
        ("model.compile(opt)\nx = 1\nmodel.fit(x)\n", "cannot be made anew"),
        ("opt = a\nopt = b\nmodel.compile(opt)\nx = 1\nmodel.fit(x)\n", "bound in 2 places"),
    ],
)
def test_declines_with_a_reason(source: str, reason: str) -> None:
    with pytest.raises(Declined, match=reason):
        again(source)


def test_there_must_be_a_fit() -> None:
    with pytest.raises(Declined, match="no `fit`"):
        transform(HEAD, "recompile", {"fit": place(HEAD, "model.compile")})
