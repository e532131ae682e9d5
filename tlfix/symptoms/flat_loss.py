"""A loss that does not go down."""

from __future__ import annotations

from tlfix.findings import Measurement, Symptom
from tlfix.probe.trace import Trace
from tlfix.symptoms.history import FEW_STEPS, History, histories
from tlfix.symptoms.spec import SymptomSpec
from tlfix.symptoms.statistics import part, trend

ALREADY_LOW = 0.7
"""Below this share of the loss of guessing the class frequencies there is little left to fall."""

PINNED = 0.02
"""Relative distance within which the loss counts as pinned at the loss of guessing."""


def measure(trace: Trace) -> Symptom | None:
    """No falling trend over 20 steps or more of a loss that is not low, or a loss stuck at ln C."""
    for history in histories(trace):
        losses = history.losses
        if len(losses) < FEW_STEPS:
            continue
        level, chance = part(losses, "last"), history.chance_loss
        flat = not history.falling and _still_high(history, level)
        if not flat and not _pinned(history):
            continue
        held = "" if chance is None else f"; guessing the class frequencies gives {chance:.3g}"
        return Symptom(
            id="flat-loss",
            severity="warning",
            summary=f"the loss stays at {level:.3g} over {len(losses)} steps{held}{history.where}",
            measured=(
                Measurement(name="loss at the end", value=level, threshold=chance, n=len(losses)),
                Measurement(
                    name="p-value of a falling trend",
                    value=trend(losses, "less"),
                    threshold=0.05,
                    n=len(losses),
                ),
            ),
        )
    return None


def _still_high(history: History, level: float) -> bool:
    if history.chance_loss is not None:
        return level >= ALREADY_LOW * history.chance_loss
    # The scale of the loss is unknown: only a model that also predicts nothing is called stuck.
    evaluation = history.after("training")
    return evaluation is not None and not history.above_chance(evaluation)


def _pinned(history: History) -> bool:
    """The second half (at least 20 steps) sits at the loss of guessing, and nothing is predicted.

    This is also where a loss that began far above comes to rest. It is not pinned if the training
    images, scored together, cost less than guessing.
    """
    chance = history.chance_loss
    half = history.losses[len(history.losses) // 2 :]
    evaluation = history.after("training")
    return (
        chance is not None
        and len(half) >= FEW_STEPS
        and abs(part(half, "last", 0.5) - chance) <= PINNED * chance
        and trend(half, "less") >= 0.05
        and evaluation is not None
        and not history.above_chance(evaluation)
        and (evaluation.loss is None or evaluation.loss >= (1 - PINNED) * chance)
    )


SYMPTOM = SymptomSpec(
    id="flat-loss",
    title="The loss does not go down",
    what="Over the steps seen the loss shows no falling trend while there is much left to learn, "
    "or it sits at the loss of always predicting the class frequencies.",
    source="Mann 1945, Nonparametric tests against trend, Econometrica 13:245 (p < 0.05); the loss "
    "before and after on the same images, 5 % apart, counts as falling too.",
    measure=measure,
)
