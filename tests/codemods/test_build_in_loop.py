from __future__ import annotations

import pytest

from tests.codemods.places import place
from tlfix.codemods import Declined, transform

BUILD = """\
def build(size):
    base = VGG16(input_shape=size)
    return Sequential([base, Dense(2)])
"""


def move(source: str) -> str:
    fit = "self.model.fit" if "self.model.fit" in source else "model.fit"
    return transform(source, "build_in_loop", {"fit": place(source, fit)})


def test_moves_the_model_and_its_compile() -> None:
    before = f"""{BUILD}
# One model.
model = build(SIZE)
kf = KFold(5)
model.compile("adam", "mse")  # kept

for train, test in kf.split(x):
    # A fold.
    model.fit(x[train])
    scores.append(model.evaluate(x[test]))
model.save("last.keras")
"""
    after = f"""{BUILD}
kf = KFold(5)

for train, test in kf.split(x):
    # One model.
    model = build(SIZE)
    model.compile("adam", "mse")  # kept
    # A fold.
    model.fit(x[train])
    scores.append(model.evaluate(x[test]))
model.save("last.keras")
"""
    assert move(before) == after
    with pytest.raises(Declined, match="not built in the block"):
        move(after)


def test_inside_a_function_with_tabs() -> None:
    before = (
        f"{BUILD}\ndef main():\n\tmodel = build(3)\n"
        "\tfor a, b in kf.split(x):\n\t\tmodel.fit(x[a])\n"
    )
    after = (
        f"{BUILD}\ndef main():\n\tfor a, b in kf.split(x):\n"
        "\t\tmodel = build(3)\n\t\tmodel.fit(x[a])\n"
    )
    assert move(before) == after


def test_a_saved_model_is_loaded_anew() -> None:
    before = "model = keras.models.load_model('m')\nfor a in folds:\n    model.fit(a)\n"
    assert move(before) == (
        "for a in folds:\n    model = keras.models.load_model('m')\n    model.fit(a)\n"
    )


LOOP = "for a, b in kf.split(x):\n    model.fit(x[a])\n"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (f"model = Sequential([Dense(2)])\n{LOOP}", "not made by one call"),
        (f"{BUILD}model = build(a)\n{LOOP}", "`a`, which builds the model"),
        (f"{BUILD}model = build(3)\nmodel.summary()\n{LOOP}", "line 5 uses `model`"),
        (f"{BUILD}model, other = build(3), 1\n{LOOP}", "does more than build"),
        (f"{BUILD}model = build(3); x = 2\n{LOOP}", "does more than build"),
        (f"{BUILD}model = build(3)\nmodel.compile(opt, 'mse')\n{LOOP}", "one optimizer"),
        (f"{BUILD}model = build(3)\nx = 1\nmodel.fit(x)\n", "not stand in a for loop"),
        (f"{BUILD}if x:\n    model = build(3)\n{LOOP}", "does more than build"),
        (f"{BUILD}model = build(3)\nfor a in f: model.fit(a)\n", "on one line"),
        (
            "base = VGG16()\ndef build():\n    return Sequential([base, Dense(2)])\n"
            f"model = build()\n{LOOP}",
            "builds on `base`",
        ),
        (f"{BUILD}self.model = build(3)\nfor a in f:\n    self.model.fit(a)\n", "plain variable"),
    ],
)
def test_declines_with_a_reason(source: str, reason: str) -> None:
    with pytest.raises(Declined, match=reason):
        move(source)
