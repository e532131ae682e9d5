from __future__ import annotations

import pytest

from tests.causes.label_cases import case, fit, line_of
from tlfix.causes.removed_api import CAUSE, find
from tlfix.causes.spec import Finding
from tlfix.codemods import transform

SICK = CAUSE.examples.sick


def cured(source: str, finding: Finding) -> str:
    assert finding.remedy is not None, finding.advice
    (parameters,) = finding.remedy.edits.values()
    return transform(source, finding.remedy.codemod, parameters)


def program(*lines: str) -> str:
    return "\n".join(
        [
            "import tensorflow as tf",
            "model = tf.keras.Sequential([tf.keras.layers.Dense(3, activation='softmax')])",
            *lines,
            "",
        ]
    )


@pytest.mark.parametrize(
    "lines",
    [
        ["model.compile(tf.keras.optimizers.Adam(learning_rate=1), 'mse')", "model.fit(x, y)"],
        [
            "def fit_generator(model, lr):",
            "    return model.fit(x, lr)",
            "fit_generator(model, lr=1)",
        ],
        ["schedule = dict(lr=1e-3)", "model.compile('adam', 'mse')"],
    ],
)
def test_says_nothing_of_current_calls_and_own_functions(lines: list[str]) -> None:
    assert list(find(case(program(*lines)))) == []


def test_all_uses_are_cured_together() -> None:
    (finding,) = find(case(SICK))
    assert (finding.severity, finding.confidence) == ("warning", "likely")
    assert len(finding.evidence) >= 2
    assert cured(SICK, finding) == CAUSE.examples.cured


def test_the_crash_makes_it_certain() -> None:
    message = "Argument(s) not recognized: {'lr': 0.001}"
    line = line_of(SICK, "model.compile")
    (finding,) = find(case(SICK, crash=message, crash_line=line))
    assert (finding.severity, finding.confidence) == ("error", "certain")
    assert message in finding.evidence[-1].summary


def test_keras_2_still_has_it() -> None:
    assert list(find(case(SICK, fit(SICK), keras="2.15.0"))) == []


def test_a_run_that_finished_without_it_leaves_a_warning() -> None:
    source = SICK.replace("model.fit_generator", "if False:\n    model.fit_generator")
    (finding,) = find(case(source, fit(SICK)))
    assert finding.severity == "warning"


def test_decay_is_ignored_not_refused() -> None:
    source = program(
        "model.compile(tf.keras.optimizers.SGD(learning_rate=0.1, decay=1e-6), 'mse')",
        "model.fit(x, y)",
    )
    (finding,) = find(case(source))
    assert finding.severity == "note" and finding.remedy is None and finding.advice
