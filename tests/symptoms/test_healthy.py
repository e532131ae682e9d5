"""Programs with nothing wrong give no symptom at all: these are the cases that matter most."""

from __future__ import annotations

from typing import Any

import pytest

from tests.traces import (
    backbone,
    data,
    evaluation,
    falling,
    fit,
    flat,
    healthy,
    model,
    place,
    probe,
    trace,
)
from tlfix.probe.trace import Trace
from tlfix.symptoms.registry import measure_all


def eight_steps_on_a_slow_machine() -> Trace:
    return trace(
        fit(
            falling(8, start=2.4, end=2.0),
            evaluations=(evaluation("training", 0.14), evaluation("validation", 0.13)),
            probes=(probe("as-is", 0.91),),
        )
    )


def one_class_predicted_after_eight_steps() -> Trace:
    one = tuple(tuple(25 if j == 0 else 0 for j in range(8)) for _ in range(8))
    return trace(
        fit(
            falling(8, start=2.4, end=2.0),
            evaluations=(evaluation("validation", 0.125, confusion=one),),
            probes=(probe("as-is", 0.91),),
        )
    )


def keras_tutorial_at_a_low_rate() -> Trace:
    """Rate 1e-4: 0.60 after 63 steps while the features allow 0.95, and still improving."""
    return trace(
        fit(
            falling(63, start=2.4, end=1.1),
            evaluations=(
                evaluation("training", 0.14, when="before", loss=2.4),
                evaluation("training", 0.62, loss=1.2),
                evaluation("validation", 0.60, loss=1.25),
            ),
            probes=(probe("as-is", 0.95),),
        )
    )


def head_then_fine_tuning() -> Trace:
    """The second stage begins low and stays there: its own loss is flat."""
    head = fit(
        falling(40),
        evaluations=(
            evaluation("training", 0.12, when="before", loss=2.4),
            evaluation("training", 0.94, loss=0.3),
            evaluation("validation", 0.90, loss=0.4),
        ),
        probes=(probe("as-is", 0.91),),
    )
    tuned = fit(
        flat(40, level=0.3, noise=0.05),
        index=1,
        site=place(30),
        model=model(backbone_trainable=200_000),
        evaluations=(
            evaluation("training", 0.94, when="before", loss=0.3),
            evaluation("training", 0.95, loss=0.29),
            evaluation("validation", 0.91, loss=0.38),
        ),
    )
    return trace(head, tuned)


def head_cut_short_then_fine_tuning() -> Trace:
    """The budget ended the head's training early; the low rate of the second stage moves little."""
    head = fit(
        falling(24, start=2.4, end=1.5),
        ended="budget",
        evaluations=(
            evaluation("training", 0.12, when="before", loss=2.4),
            evaluation("training", 0.55, loss=1.55),
        ),
        probes=(probe("as-is", 0.91),),
    )
    tuned = fit(
        flat(24, level=1.55),
        index=1,
        evaluations=(
            evaluation("training", 0.55, when="before", loss=1.55),
            evaluation("training", 0.57, loss=1.53),
            evaluation("validation", 0.55, loss=1.6),
        ),
    )
    return trace(head, tuned)


def heavy_dropout() -> Trace:
    """Dropout makes training mode the worse one."""
    return trace(
        fit(
            falling(60, noise=0.3),
            evaluations=(
                evaluation("training", 0.95, loss=0.2),
                evaluation("training", 0.60, mode="training", loss=1.1),
                evaluation("validation", 0.91, loss=0.3),
            ),
            probes=(probe("as-is", 0.91),),
        )
    )


def validation_sample_of_one_class() -> Trace:
    """Unshuffled validation data: the sample is one class, a hard one, and its majority is 1."""
    one = evaluation("validation", 0.70, classes=1, majority=1.0)
    return trace(
        fit(
            falling(60),
            evaluations=(evaluation("training", 0.95, loss=0.2), one),
            probes=(probe("as-is", 0.91),),
        )
    )


def few_images() -> Trace:
    """A gap that a linear classifier on the same features has too, at the same validation."""
    return trace(
        fit(
            falling(90),
            evaluations=(evaluation("training", 0.76), evaluation("validation", 0.60)),
            probes=(probe("as-is", 0.64, train_accuracy=0.98),),
        )
    )


def rare_second_class() -> Trace:
    """Ninety-five to five: naming the majority is no collapse, and the features do no better."""
    table = ((190, 0), (10, 0))
    seen: dict[str, Any] = {
        "majority": 0.95,
        "confusion": table,
        "balanced_accuracy": 0.5,
        "classes": 2,
    }
    return trace(
        fit(
            falling(60, start=0.7, end=0.2, noise=0.05),
            training=data("training", classes=2, histogram={0: 486, 1: 26}),
            evaluations=(
                evaluation("training", 0.95, **seen),
                evaluation("validation", 0.95, **seen),
            ),
            probes=(probe("as-is", 0.96, chance=0.95),),
        )
    )


def hard_task() -> Trace:
    """Training from scratch, or classes the features cannot tell apart: chance is no fault yet."""
    return trace(
        fit(
            flat(40),
            evaluations=(
                evaluation("training", 0.14, when="before", loss=2.1),
                evaluation("training", 0.15, loss=1.95),
                evaluation("validation", 0.13, loss=1.98),
            ),
            probes=(probe("as-is", 0.16),),
        )
    )


def regression() -> Trace:
    return trace(
        fit(
            falling(60, start=300, end=20),
            training=data("training", label_kind="continuous", classes=None, histogram=None),
            evaluations=(evaluation("training", None), evaluation("validation", None)),
        )
    )


def a_spike_that_recovers() -> Trace:
    losses = falling(60)
    losses[3] = 40.0
    return trace(fit(losses, evaluations=(evaluation("validation", 0.9),)))


def weights_could_not_be_had() -> Trace:
    """Random weights in place of the pretrained ones: what is learned says nothing."""
    return trace(
        fit(
            flat(60),
            evaluations=(evaluation("training", 0.12), evaluation("validation", 0.12)),
            probes=(probe("as-is", 0.4),),
        ),
        backbones=(backbone(weights_status="missing"),),
    )


def nothing_ran() -> Trace:
    return Trace()


@pytest.mark.parametrize(
    "make",
    [
        healthy,
        eight_steps_on_a_slow_machine,
        one_class_predicted_after_eight_steps,
        keras_tutorial_at_a_low_rate,
        head_then_fine_tuning,
        head_cut_short_then_fine_tuning,
        heavy_dropout,
        validation_sample_of_one_class,
        few_images,
        rare_second_class,
        hard_task,
        regression,
        a_spike_that_recovers,
        weights_could_not_be_had,
        nothing_ran,
    ],
)
def test_no_symptom(make: object) -> None:
    assert callable(make)
    assert measure_all(make()) == {}
