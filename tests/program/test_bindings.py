from __future__ import annotations

import pytest

from tlfix.program.model import UNKNOWN, Call, Program
from tlfix.program.reader import read


def probe(text: str) -> object:
    """The value of the argument of the call ``keras.probe(…)``."""
    (call,) = list(read("import keras\n" + text, "train.py").calls_named("keras.probe"))
    return call.positional[0].value


def only(program: Program, name: str) -> Call:
    (call,) = list(program.calls_named(name))
    return call


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("keras.probe(1e-3)", 1e-3),
        ("lr = 1e-3\nkeras.probe(lr)", 1e-3),
        ("lr = 1e-3\nlr = lr / 10\nkeras.probe(lr)", 1e-4),
        ("S = 224\nkeras.probe((S, S) + (3,))", (224, 224, 3)),
        ("S = (224, 224, 3)\nkeras.probe(S[:2])", (224, 224)),
        ("S = (224, 100)\nh, w = S\nkeras.probe(w)", 100),
        ("CFG = {'lr': 0.1}\nkeras.probe(CFG['lr'])", 0.1),
        ("CFG = dict(lr=0.1)\nkeras.probe(CFG.get('lr', 2))", 0.1),
        ("CFG = {'a': {'lr': 0.1}}\nCFG['a']['lr'] = 0.2\nkeras.probe(CFG['a']['lr'])", 0.2),
        ("class C:\n    LR = 0.5\nkeras.probe(C.LR)", 0.5),
        ("class C:\n    lr: float = 0.5\nc = C()\nkeras.probe(c.lr)", 0.5),
        ("class C:\n    lr: float = 0.5\nc = C(lr=0.1)\nkeras.probe(c.lr)", 0.1),
        ("class C:\n    def __init__(self):\n        self.lr = 3\nkeras.probe(C().lr)", 3),
        ("def f(lr=0.5):\n    keras.probe(lr)\n", 0.5),
        ("def f(lr=0.5):\n    keras.probe(lr)\nf()", 0.5),
        ("def f(lr=0.5):\n    keras.probe(lr)\nf(0.1)", 0.1),
        ("def f(lr=0.5):\n    keras.probe(lr)\nf(lr=0.1)", 0.1),
        ("def f():\n    return 3, 4\na, b = f()\nkeras.probe(b)", 4),
        ("def f(a):\n    if a:\n        return 3\n    return 4\nkeras.probe(f(True))", 3),
        ("def f(a):\n    if a:\n        return 3\n    return 4\nkeras.probe(f(False))", 4),
        (
            "def f(a):\n    if a:\n        if b:\n            return 4\n    return 4\n"
            "keras.probe(f(True))",
            4,
        ),
        ("import os\nd = 'data'\nkeras.probe(os.path.join(d, 'train'))", "data/train"),
        ("from pathlib import Path\nkeras.probe(Path('data') / 'train')", "data/train"),
        ("d = 'data'\nkeras.probe(f'{d}/train')", "data/train"),
        ("names = ['a', 'b']\nkeras.probe(len(names))", 2),
        ("x = 1 if True else 2\nkeras.probe(x)", 1),
        ("keras.probe(-1)", -1),
        ("a = b = 7\nkeras.probe(a)", 7),
        ("if (n := 4) > 2:\n    keras.probe(n)", 4),
    ],
)
def test_constants_are_followed(text: str, value: object) -> None:
    assert probe(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "keras.probe(unheard)",
        "x = f()\nkeras.probe(x)",
        "def f(a):\n    if a:\n        return 3\n    return 4\nkeras.probe(f(unheard))",
        "def f(a):\n    if a:\n        if b:\n            return 3\n    return 4\n"
        "keras.probe(f(True))",
        "lr = 1\nfor i in range(3):\n    lr = lr / 2\nkeras.probe(lr)",
        "n = 0\nwhile n < 5:\n    n += 1\nkeras.probe(n)",
        "x = 1\nif unheard():\n    x = 2\nkeras.probe(x)",
        "def f(lr):\n    keras.probe(lr)\nf(0.1)\nf(0.2)",
        "def f(lr):\n    keras.probe(lr)",
        "import sys\nkeras.probe(sys.argv[1])",
        "keras.probe(10 ** 10 ** 10)",
        "keras.probe('x' * 10 ** 9)",
        "keras.probe((unheard, 1))",
        "for lr in (1, 2):\n    keras.probe(lr)",
    ],
)
def test_what_cannot_be_known_is_unknown(text: str) -> None:
    assert probe(text) is UNKNOWN


ARGPARSE = """
import argparse
def options():
    parser = argparse.ArgumentParser()
    group = parser.add_argument_group("training")
    parser.add_argument("--lr", type=float, default="1e-3")
    group.add_argument("-e", "--max-epochs", type=int, default=12)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--out", dest="target", default="runs")
    parser.add_argument("folder")
    return parser.parse_args()
args = options()
"""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("keras.probe(args.lr)", 1e-3),
        ("keras.probe(args.max_epochs)", 12),
        ("keras.probe(args.cold)", False),
        ("keras.probe(args.target)", "runs"),
        ("keras.probe(args.folder)", UNKNOWN),
        ("args = vars(args)\nkeras.probe(args['lr'])", 1e-3),
        ("def main(a):\n    keras.probe(a.lr)\nif __name__ == '__main__':\n    main(args)", 1e-3),
    ],
)
def test_argparse_defaults(text: str, value: object) -> None:
    assert probe(ARGPARSE + text) == value


def test_a_name_means_what_it_last_was() -> None:
    program = read(
        """\
from keras.applications import VGG16
from keras import Model, layers
model = VGG16(include_top=False)
x = layers.Flatten()(model.output)
model.trainable = False
model = Model(model.input, layers.Dense(2)(x))
model.compile("adam", "mse")
""",
        "train.py",
    )
    assert program.trainable[0].owner is program.backbones[0].call
    compiled = only(program, "compile")
    assert compiled.receiver is not None and compiled.receiver.name == "keras.Model"
    assert program.backbones[0].uses[0].kind == "inlined"


def test_an_argument_knows_the_call_behind_it() -> None:
    program = read(
        """\
import keras
def optimizer(rate):
    return keras.optimizers.Adam(rate)
opt = optimizer(0.01)
keras.Model().compile(optimizer=opt, loss=keras.losses.binary_crossentropy)
""",
        "train.py",
    )
    compiled = only(program, "compile")
    argument = compiled.argument("optimizer")
    assert argument is not None and argument.call is not None
    assert (argument.text, argument.call.name) == ("opt", "keras.optimizers.Adam")
    assert argument.call.constant("learning_rate", 0) == 0.01
    loss = compiled.argument("loss")
    assert loss is not None and loss.name == "keras.losses.binary_crossentropy"


def test_either_branch_may_be_the_one() -> None:
    program = read(
        """\
import keras
if unheard():
    base = keras.applications.VGG16(include_top=False)
else:
    base = keras.applications.ResNet50(include_top=False)
model = keras.Sequential([base, keras.layers.Dense(3)])
""",
        "train.py",
    )
    assert [(b.architecture, b.uses[0].kind) for b in program.backbones] == [
        ("VGG16", "sequential"),
        ("ResNet50", "sequential"),
    ]


def test_a_helper_called_twice_keeps_what_both_calls_agree_on() -> None:
    program = read(
        """\
import keras
def head(units, rate):
    return keras.layers.Dense(units, activation="relu", name=rate)
head(8, "a")
head(8, "b")
""",
        "train.py",
    )
    dense = only(program, "Dense")
    assert dense.constant("units", 0) == 8
    assert dense.constant("activation") == "relu"
    assert dense.constant("name") is UNKNOWN


def test_unknown_options_are_not_absent_ones() -> None:
    program = read(
        "import keras\nkeras.applications.VGG16(**options)\n"
        "known = {'weights': None}\nkeras.applications.VGG19(**known)\n",
        "train.py",
    )
    assert [backbone.weights for backbone in program.backbones] == [UNKNOWN, None]


def test_calls_in_loops_say_so() -> None:
    program = read(
        "import keras\nfor fold in folds:\n    m = keras.Sequential()\nn = keras.Sequential()\n",
        "train.py",
    )
    assert [call.in_loop for call in program.calls] == [True, False]


def test_order_is_that_of_execution() -> None:
    program = read(
        "import keras\ndef late():\n    keras.second()\nkeras.first()\nlate()\nkeras.third()\n",
        "train.py",
    )
    ordered = [call.name.rsplit(".", 1)[-1] for call in program.calls]
    assert ordered == ["first", "late", "second", "third"]


def test_recursion_and_mutual_calls_end() -> None:
    program = read(
        "import keras\ndef a(n):\n    keras.one()\n    return b(n)\n"
        "def b(n):\n    keras.two()\n    return a(n)\na(1)\n",
        "train.py",
    )
    assert {call.name for call in program.calls} == {"a", "b", "keras.one", "keras.two"}


def test_click_defaults() -> None:
    text = "import click\n@click.command()\n@click.option('--max-lr', default=0.5)\n"
    assert probe(text + "def main(max_lr):\n    keras.probe(max_lr)\nmain()\n") == 0.5


@pytest.mark.parametrize(
    "flags", ["from absl import flags\n", "import tensorflow as tf\nflags = tf.compat.v1.flags\n"]
)
def test_absl_defaults(flags: str) -> None:
    text = "FLAGS = flags.FLAGS\nflags.DEFINE_float('lr', 0.5, 'rate')\n"
    assert probe(flags + text + "def main(_):\n    keras.probe(FLAGS.lr)\n") == 0.5
