from __future__ import annotations

import pytest

from tests.traces import fit, place, trace
from tlfix.causes.optimizer_unused import CAUSE
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import CompileSeen, Trace
from tlfix.program.reader import read

TEXT = """\
from tensorflow import keras
from tensorflow.keras.optimizers import Adam, SGD

model = keras.Sequential([keras.layers.Dense(5, activation="softmax")])
opt = Adam(learning_rate=1e-5)
model.compile({}loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train_ds)
"""


def program(given: str = 'optimizer="adam", ') -> str:
    return TEXT.format(given)


def find(text: str, seen: Trace | None = None) -> list[Finding]:
    return list(CAUSE.find(Case(read(text, "train.py"), seen)))


@pytest.mark.parametrize(
    ("given", "after"),
    [
        ('optimizer="adam", ', "optimizer=opt, "),
        ("'sgd', ", "opt, "),
        ("Adam(), ", "opt, "),
        ("optimizer=SGD(0.1), ", "optimizer=opt, "),
    ],
)
def test_a_string_or_another_object_in_its_place(given: str, after: str) -> None:
    (finding,) = find(program(given))
    assert (finding.severity, finding.confidence) == ("warning", "certain")
    assert finding.site is not None and finding.site.line == 5
    assert finding.remedy is not None
    changed = transform(program(given), finding.remedy.codemod, finding.remedy.edits["train.py"])
    assert changed == program(after)
    assert find(changed) == []


def test_no_optimizer_at_all() -> None:
    (finding,) = find(program(""))
    assert finding.severity == "warning"
    assert "rmsprop" in finding.evidence[0].summary


@pytest.mark.parametrize(
    "text",
    [
        program("optimizer=opt, "),
        program() + "opt.apply_gradients(pairs)\n",
        program() + "train(model, opt)\n",
        program() + "def step():\n    opt.apply(g)\n",
        program() + 'print(f"{opt.learning_rate}")\n',
        program() + '__all__ = ["opt"]\n',
        program() + "print(globals())\n",
        program("**settings, "),
        program().replace("opt = ", "opt = other = "),
        program().replace("opt = ", "self.opt = "),
        program().replace("Adam(learning_rate=1e-5)", 'keras.optimizers.get("adam")'),
        program().replace("Adam(learning_rate=1e-5)", "make_optimizer()"),
        program().replace(
            "Adam(learning_rate=1e-5)", "keras.optimizers.schedules.ExponentialDecay(1, 2, 3)"
        ),
        program().replace("model.compile", "other.save").replace("model.fit", "model.predict"),
    ],
)
def test_silent_where_it_is_used_or_cannot_be_told(text: str) -> None:
    assert find(text) == []


def test_another_one_chosen_by_name_is_a_note() -> None:
    text = program("optimizer=sgd, ").replace("opt = ", "sgd = SGD(0.1)\nopt = ")
    (finding,) = find(text)
    assert (finding.severity, finding.remedy) == ("note", None)


def test_the_same_thing_twice_is_a_note() -> None:
    (finding,) = find(program().replace("learning_rate=1e-5", ""))
    assert (finding.severity, finding.remedy) == ("note", None)


def test_of_two_it_is_not_known_which_was_meant() -> None:
    found = find(program().replace("opt = ", "sgd = SGD(0.1)\nopt = "))
    assert [(f.severity, f.confidence, f.remedy) for f in found] == [
        ("warning", "possible", None)
    ] * 2


def test_another_function_cannot_see_it() -> None:
    text = program().replace("model.compile", "def go():\n    model.compile")
    assert find(text) == []


def ran(optimizer: str, rate: float) -> Trace:
    compiled = CompileSeen(site=place(6), optimizer=optimizer, learning_rate=rate)
    return trace(fit([2.0] * 20, compiled=compiled, site=place(7)))


def test_the_run_says_what_it_trained_with() -> None:
    (finding,) = find(program(), ran("adam", 1e-3))
    assert finding.evidence[1].measured[0].value == 1e-3
    assert finding.evidence[1].measured[0].threshold == 1e-5
    assert find(program(), ran("adam", 1e-5)) == []
