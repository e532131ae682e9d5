from __future__ import annotations

import pytest

from tests.codemods.places import place
from tlfix.codemods import Declined, transform


def put(source: str, rate: float = 1e-4) -> str:
    parameters = {"compile": place(source, "m.compile"), "rate": rate}
    return transform(source, "set_learning_rate", parameters)


@pytest.mark.parametrize(
    ("imports", "written"),
    [
        ("import tensorflow as tf\n", "tf.keras.optimizers.Adam"),
        ("import keras\n", "keras.optimizers.Adam"),
        ("from tensorflow import keras\n", "keras.optimizers.Adam"),
        ("from tensorflow.keras import layers, optimizers\n", "optimizers.Adam"),
        ("import tensorflow.keras.optimizers as O\n", "O.Adam"),
        ("from keras.optimizers import SGD, Adam as A\n", "A"),
        ("from tensorflow.keras.optimizers import *\n", "Adam"),
        ("import tensorflow\n", "tensorflow.keras.optimizers.Adam"),
    ],
)
def test_a_string_becomes_a_call_in_the_programs_import_style(imports: str, written: str) -> None:
    before = imports + "m.compile(optimizer='adam', loss='mse')\n"
    after = imports + f"m.compile(optimizer={written}(learning_rate=1e-4), loss='mse')\n"
    assert put(before) == after


def test_an_import_is_added_only_where_none_serves() -> None:
    before = (
        "from keras.layers import Dense\nfrom keras.models import Model\nimport numpy as np\n\n"
        "m.compile('rmsprop', 'mse')\n"
    )
    assert put(before) == (
        "from keras.layers import Dense\nfrom keras.models import Model\n"
        "from keras.optimizers import RMSprop\nimport numpy as np\n\n"
        "m.compile(RMSprop(learning_rate=1e-4), 'mse')\n"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Adam(1e-3)", "Adam(1e-4)"),
        ("Adam(lr=1e-3, decay=0)", "Adam(learning_rate=1e-4, decay=0)"),
        ("SGD(momentum=0.9)", "SGD(momentum=0.9, learning_rate=1e-4)"),
        ("Adam()", "Adam(learning_rate=1e-4)"),
        ("K.optimizers.Adam(0.1)", "K.optimizers.Adam(1e-4)"),
        ("tfa.optimizers.AdamW(1, learning_rate=1)", "tfa.optimizers.AdamW(1, learning_rate=1e-4)"),
    ],
)
def test_a_call_gets_the_rate_where_its_rate_stands(before: str, after: str) -> None:
    for pattern in (
        "m.compile({}, 'mse')  # kept\n",
        "m.compile(optimizer={})\n",
        "o = {}\nm.compile(optimizer=o)\n",
        "self.o = {}\nm.compile(self.o, loss=l)\n",
        "def f():\n    o: object = {}\n    m.compile(o)\n",
    ):
        assert put(pattern.format(before)) == pattern.format(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("LR = 1e-3\nm.compile(Adam(LR))", "LR = 1e-4\nm.compile(Adam(LR))"),
        (
            "LR = 1e-3\nprint(LR)\nm.compile(Adam(LR))",
            "LR = 1e-3\nprint(LR)\nm.compile(Adam(1e-4))",
        ),
        (
            "C = {'lr': 1e-3, 'n': 2}\nm.compile(Adam(lr=C['lr']))",
            "C = {'lr': 1e-4, 'n': 2}\nm.compile(Adam(lr=C['lr']))",
        ),
        (
            "p.add_argument('--lr', type=float, default=1e-3)\nargs = p.parse_args()\n"
            "m.compile(Adam(args.lr))",
            "p.add_argument('--lr', type=float, default=1e-4)\nargs = p.parse_args()\n"
            "m.compile(Adam(args.lr))",
        ),
        ("LR = float(x)\nm.compile(Adam(learning_rate=LR))", None),
        ("m.compile(Adam(learning_rate=LR))", "m.compile(Adam(learning_rate=1e-4))"),
    ],
)
def test_a_constant_is_changed_where_it_is_defined_if_only_used_here(
    before: str, after: str | None
) -> None:
    if after is None:
        with pytest.raises(Declined, match="schedule"):
            put(before + "\n")
    else:
        assert put(before + "\n") == after + "\n"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("m.compile(Adam(ExponentialDecay(1e-3, 10, 0.9)))\n", "schedule"),
        ("s = CosineDecay(1e-3, 10)\nm.compile(Adam(s))\n", "schedule"),
        ("m.compile(optimizer=make(1))\n", "no optimizer of Keras"),
        ("m.compile(tfa.optimizers.AdamW(1e-4, 1e-3))\n", "no optimizer of Keras"),
        ("o = Adam()\no = SGD()\nm.compile(o)\n", "bound in 2 places"),
        ("m.compile(optimizer)\n", "not made in this file"),
        ("m.compile(**options)\n", "argument"),
        ("m.compile(Adam(1e-4))\n", "nothing to change"),
        ("import keras\nm.compile('adamant')\n", "no optimizer named"),
    ],
)
def test_declines(source: str, reason: str) -> None:
    with pytest.raises(Declined, match=reason):
        put(source)


def test_twice_is_once() -> None:
    once = put("import keras\nm.compile('adam')\n")
    with pytest.raises(Declined, match="nothing to change"):
        put(once)
