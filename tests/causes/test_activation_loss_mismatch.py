from __future__ import annotations

import pytest

from tests.causes.label_cases import case, data, fit
from tlfix.causes.activation_loss_mismatch import find
from tlfix.causes.spec import Finding
from tlfix.codemods import transform

PROGRAM = """\
import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, losses

x, y = np.load('x.npy'), np.load('y.npy')
model = tf.keras.Sequential([layers.Flatten(), HEAD])
model.compile(optimizer='adam', loss=LOSS)
model.fit(x, y, epochs=3)
"""


def program(head: str, loss: str) -> str:
    return PROGRAM.replace("HEAD", head).replace("LOSS", loss)


def cured(source: str, finding: Finding) -> str:
    assert finding.remedy is not None, finding.advice
    (parameters,) = finding.remedy.edits.values()
    return transform(source, finding.remedy.codemod, parameters)


@pytest.mark.parametrize(
    ("head", "loss"),
    [
        ("layers.Dense(3, activation='softmax')", "'categorical_crossentropy'"),
        ("layers.Dense(3, 'softmax')", "losses.SparseCategoricalCrossentropy()"),
        ("layers.Dense(3)", "losses.SparseCategoricalCrossentropy(from_logits=True)"),
        ("layers.Dense(3)", "losses.SparseCategoricalCrossentropy(True)"),
        ("layers.Dense(1)", "losses.BinaryCrossentropy(from_logits=True)"),
        ("layers.Dense(1, activation='sigmoid')", "'binary_crossentropy'"),
        ("layers.Dense(2, activation='softmax')", "'binary_crossentropy'"),
        ("layers.Dense(20, activation='sigmoid')", "'binary_crossentropy'"),
        ("layers.Dense(3), layers.Activation('softmax')", "'categorical_crossentropy'"),
        ("layers.Dense(3), layers.Softmax()", "'categorical_crossentropy'"),
        ("layers.Dense(1)", "'mse'"),
        ("layers.Dense(1, activation='relu')", "'mae'"),
        ("layers.Dense(3)", "my_loss"),
        ("layers.Dense(3, activation=chosen)", "'categorical_crossentropy'"),
    ],
)
def test_says_nothing_of_a_pair_that_fits(head: str, loss: str) -> None:
    assert list(find(case(program(head, loss)))) == []


@pytest.mark.parametrize(
    ("head", "loss", "severity", "new_head", "new_loss"),
    [
        (
            "layers.Dense(3)",
            "'categorical_crossentropy'",
            "error",
            'layers.Dense(3, activation="softmax")',
            None,
        ),
        (
            "layers.Dense(1)",
            "'binary_crossentropy'",
            "error",
            'layers.Dense(1, activation="sigmoid")',
            None,
        ),
        (
            "layers.Dense(3, activation='relu')",
            "'categorical_crossentropy'",
            "error",
            "layers.Dense(3, activation='softmax')",
            None,
        ),
        (
            "layers.Dense(1, activation='tanh')",
            "'binary_crossentropy'",
            "warning",
            "layers.Dense(1, activation='sigmoid')",
            None,
        ),
        (
            "layers.Dense(1, activation='softmax')",
            "'binary_crossentropy'",
            "error",
            "layers.Dense(1, activation='sigmoid')",
            None,
        ),
        (
            "layers.Dense(1, activation='softmax')",
            "'categorical_crossentropy'",
            "error",
            "layers.Dense(1, activation='sigmoid')",
            "'binary_crossentropy'",
        ),
        (
            "layers.Dense(1, activation='sigmoid')",
            "'categorical_crossentropy'",
            "error",
            "layers.Dense(1, activation='sigmoid')",
            "'binary_crossentropy'",
        ),
        (
            "layers.Dense(3, activation='relu')",
            "losses.CategoricalCrossentropy(from_logits=True)",
            "warning",
            "layers.Dense(3)",
            None,
        ),
        (
            "layers.Dense(3), layers.Activation('relu')",
            "'categorical_crossentropy'",
            "error",
            "layers.Dense(3), layers.Activation('softmax')",
            None,
        ),
        (
            "layers.Dense(3, activation='softmax')",
            "losses.CategoricalCrossentropy(from_logits=True)",
            "note",
            "layers.Dense(3, activation='softmax')",
            "losses.CategoricalCrossentropy()",
        ),
        (
            "layers.Dense(3, activation='sigmoid')",
            "'categorical_crossentropy'",
            "note",
            "layers.Dense(3, activation='softmax')",
            None,
        ),
    ],
)
def test_finds_and_cures(
    head: str, loss: str, severity: str, new_head: str, new_loss: str | None
) -> None:
    source = program(head, loss)
    (finding,) = find(case(source))
    assert finding.severity == severity
    assert cured(source, finding) == program(new_head, new_loss or loss)


def test_says_nothing_of_a_linear_head_if_a_softmax_stands_elsewhere() -> None:
    source = program("layers.Dense(3)", "'categorical_crossentropy'") + "tf.nn.softmax(model(x))\n"
    assert list(find(case(source))) == []


def test_the_probe_tells_a_linear_head_there_too() -> None:
    source = program("layers.Dense(3)", "'categorical_crossentropy'") + "tf.nn.softmax(model(x))\n"
    seen = fit(
        source, units=3, activation="linear", loss="categorical_crossentropy", from_logits=False
    )
    (finding,) = find(case(source, seen))
    assert (finding.severity, finding.confidence) == ("error", "certain")


@pytest.mark.parametrize(("backend", "severity"), [("tensorflow", "note"), ("torch", "warning")])
def test_logits_after_softmax_weigh_as_the_backend_treats_them(backend: str, severity: str) -> None:
    loss = "losses.SparseCategoricalCrossentropy(from_logits=True)"
    source = program("layers.Dense(3, activation='softmax')", loss)
    seen = fit(
        source,
        units=3,
        activation="softmax",
        loss="sparse_categorical_crossentropy",
        from_logits=True,
        steps=20,
    )
    (finding,) = find(case(source, seen, backend=backend))
    assert finding.severity == severity


def test_softmax_over_one_output_with_rows_is_the_heads_fault() -> None:
    source = program("layers.Dense(1, activation='softmax')", "'categorical_crossentropy'")
    rows = data("training", source, label_kind="one-hot", label_shape=(None, 3))
    seen = fit(source, labels=rows, units=1, activation="softmax", loss="categorical_crossentropy")
    assert list(find(case(source, seen))) == []
