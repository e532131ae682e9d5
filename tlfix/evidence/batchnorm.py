"""BatchNorm in a training: what its statistics cost, how far they lag, and who holds the layers.

A layer keeps ``momentum`` of its moving statistics at each step and takes the rest from the batch
(keras.io/api/layers/normalization_layers/batch_normalization): after n steps, momentum ** n of
what is stored is still from before.

What keeps the statistics of pretrained layers is freezing the layers. ``training=False`` where the
backbone is called does not always: :data:`OVERRIDDEN`.
"""

from __future__ import annotations

import re
from math import ceil

from tlfix.causes.spec import Remedy
from tlfix.evidence import tuning
from tlfix.evidence.edits import merged, position, set_argument
from tlfix.evidence.harm import ALPHA, Loss, lower, mcnemar
from tlfix.findings import Evidence, Measurement
from tlfix.probe.trace import BatchNormSeen, FitSeen, Trace
from tlfix.program.model import Backbone, Fit, Program

LAG = 0.05
"""Share of the statistics (0..1) from before training up to which they count as caught up: three
time constants of the moving average, as one takes for any exponential."""

OVERRIDDEN = ((3, 0), (3, 15))
"""First and last minor version of Keras whose functional models replace a ``training=False`` given
at the backbone's call by the mode they run in themselves. So ``fit`` trains BatchNorm all the same.

Measured on 3.15.1, where the statistics move, and on the source of 3.16.0, where they stand still;
``operation_fn`` in keras/src/models/functional.py reads alike from 3.0.0 to 3.15.1, and
https://github.com/keras-team/keras/pull/23364 removes it. Keras 2 and a model's own ``call`` keep
to the argument."""


def renewed(seen: BatchNormSeen) -> Loss | None:
    """The trained model as it stands against the same weights with new statistics (McNemar)."""
    if seen.accuracy is None or seen.recalibrated is None:
        return None
    n = len(seen.correct)
    if not n or n != len(seen.recalibrated_correct):
        return None
    p = mcnemar(seen.correct, seen.recalibrated_correct)
    evidence = Evidence(
        source="probe",
        summary=(
            f"the trained model gets {seen.accuracy:.0%} of the {seen.split} images right; with "
            "the statistics of its BatchNorm layers computed anew from training images, the same "
            f"weights get {seen.recalibrated:.0%}"
        ),
        measured=(
            Measurement(name="accuracy", value=seen.accuracy, threshold=seen.recalibrated, n=n),
            Measurement(name="recalibrated", value=seen.recalibrated, n=n),
            Measurement(name="p", value=p, threshold=ALPHA, n=n),
        ),
    )
    return Loss(seen.recalibrated - seen.accuracy, p, evidence)


def at_chance(fit: FitSeen, seen: BatchNormSeen) -> bool:
    """True if, in inference mode, the model is no better than always naming the largest class."""
    judged = fit.evaluation(seen.split)
    if judged is None or judged.majority is None or judged.n == 0:
        return False
    accuracy = judged.accuracy if seen.accuracy is None else seen.accuracy
    if accuracy is None:
        return False
    return lower(accuracy, judged.n, judged.majority, judged.n) >= ALPHA


def updates(trace: Trace, fit: FitSeen) -> list[FitSeen]:
    """The fits of this model, up to ``fit``, in which BatchNorm followed the batches."""
    return [
        one
        for one in trace.fits
        if one.model.key == fit.model.key
        and one.index <= fit.index
        and one.batchnorm is not None
        and one.batchnorm.updating
    ]


def lag(trace: Trace, fit: FitSeen) -> float | None:
    """The share of the statistics (0..1) that is still from before training, at the probe's end."""
    momentum = fit.batchnorm.momentum if fit.batchnorm else None
    steps = sum(len(one.steps) for one in updates(trace, fit))
    return None if momentum is None else float(momentum**steps)


def settled(trace: Trace, fit: FitSeen) -> bool:
    """True if what was measured is what the whole training would leave.

    So it is where every fit ran to its end. Where the probe cut one short, the statistics may yet
    catch up: it is so only if even all planned steps leave more than :data:`LAG` of them.
    """
    found = updates(trace, fit)
    if found and all(one.ended == "completed" for one in found):
        return True
    momentum = fit.batchnorm.momentum if fit.batchnorm else None
    planned = [_planned(one) for one in found]
    if momentum is None or not found or None in planned:
        return False
    return float(momentum ** sum(count or 0 for count in planned)) > LAG


def _planned(fit: FitSeen) -> int | None:
    """The steps that the program asks of a fit, None if that is not known."""
    steps, data = fit.steps_per_epoch, fit.training
    if steps is None and data is not None and data.samples and data.batch_size:
        steps = ceil(data.samples / data.batch_size)
    return None if steps is None or fit.epochs is None else steps * fit.epochs


def lagging(trace: Trace, fit: FitSeen) -> Evidence | None:
    """The momentum and what it leaves of the old statistics, in words."""
    share, seen = lag(trace, fit), fit.batchnorm
    if share is None or seen is None:
        return None
    steps = sum(len(one.steps) for one in updates(trace, fit))
    return Evidence(
        source="probe",
        summary=(
            f"with a momentum of {seen.momentum:g}, {share:.0%} of the statistics are still from "
            f"before training after {steps} steps"
        ),
        measured=(
            Measurement(name="momentum", value=seen.momentum),
            Measurement(name="old_share", value=share, threshold=LAG, n=steps),
        ),
    )


def pretrained(trace: Trace, fit: FitSeen) -> bool:
    """True if a backbone with pretrained weights holds BatchNorm layers that follow the batches.

    More layers follow them than there are outside the backbone: those of the head always do.
    """
    backbone, seen = trace.backbone_of(fit), fit.batchnorm
    return (
        backbone is not None
        and backbone.weights_status == "pretrained"
        and seen is not None
        and seen.updating > max(seen.layers - backbone.batchnorms, 0)
        and backbone.batchnorms > 0
        and fit.model.backbone_training_mode is True
    )


def overridden(trace: Trace, fit: FitSeen, backbone: Backbone | None) -> Evidence | None:
    """That the backbone is called with ``training=False`` and this Keras does not keep to it."""
    version = trace.environment.keras if trace.environment else None
    numbers = re.match(r"(\d+)\.(\d+)", version or "")
    if numbers is None or backbone is None or fit.model.kind not in ("functional", "sequential"):
        return None
    if not OVERRIDDEN[0] <= (int(numbers[1]), int(numbers[2])) <= OVERRIDDEN[1]:
        return None
    use = next((u for u in backbone.uses if u.kind == "nested" and u.training is False), None)
    if use is None:
        return None
    (_, first), (_, last) = OVERRIDDEN
    return Evidence(
        source="static",
        summary=(
            f"line {use.site.line} calls the backbone with training=False, which fit overrides in "
            f"functional models of Keras 3.{first} to 3.{last} (here {version})"
        ),
    )


def freeze(program: Program, backbone: Backbone | None, fit: Fit | None) -> Remedy | None:
    """Freeze the backbone's BatchNorm layers, which holds on every version (:data:`OVERRIDDEN`)."""
    if backbone is None or backbone.variable is None or fit is None:
        return None
    return Remedy(
        codemod="freeze_batchnorm",
        summary="freeze the backbone's BatchNorm layers: they keep their pretrained statistics",
        edits={
            program.path: {
                "backbone": position(backbone.call.site),
                "fit": position(fit.call.site),
            }
        },
        review="cursory",
    )


def quicker(program: Program, momentum: float = 0.9) -> Remedy | None:
    """A lower momentum for the program's own BatchNorm layers; None if it makes none slower."""
    edits = []
    for call in program.calls_named("layers.BatchNormalization"):
        given = call.constant("momentum", 1)
        slow = given is None or (isinstance(given, float) and given > momentum)
        if slow:
            edits.append((program.path, set_argument(call, "momentum", 1, f"{momentum:g}")))
    if not edits:
        return None
    return merged(
        "set_argument", f"let BatchNorm follow faster: momentum {momentum:g}", edits, "careful"
    )


def static(program: Program, trace: Trace, fit: FitSeen) -> tuple[Backbone | None, Fit | None]:
    """The static reading of the backbone and of the fit."""
    return tuning.static_backbone(program, trace, fit), tuning.static_fit(program, fit)
