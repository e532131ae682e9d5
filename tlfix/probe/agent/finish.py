"""What is measured once the script has ended: the door, the features, the learning rate.

The instruments need the weights as they were before training; those are put back from a snapshot,
which is why nothing here runs while the program still does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tlfix_agent import door, features, labels, models, rates, scalings
from tlfix_agent.channel import Channel
from tlfix_agent.data import Sample
from tlfix_agent.evaluation import as_array
from tlfix_agent.fits import Fit, Fits
from tlfix_agent.limits import Budget
from tlfix_agent.models import Backbone
from tlfix_agent.scalings import Scaling

DOOR_IMAGES = 64
FEATURE_SECONDS = 20.0
RANGE_SECONDS = 45.0
TUNE_SECONDS = 30.0
TROUBLE = 0.10  # accuracy below the reference that calls for a range test
ROOM = 0.92  # a reference above this leaves fine-tuning little to gain


class Finish:
    """Runs the instruments, each on its own: one that fails costs its own result only."""

    def __init__(self, channel: Channel, budget: Budget, fits: Fits) -> None:
        self._channel, self._budget, self._fits = channel, budget, fits

    def run(self) -> None:
        """Measure the first fit that trains a backbone, then the fit that went wrong."""
        fits = self._fits.all
        self._fits.inside = True
        first = next((f for f in fits if f.backbones and f.training is not None), None)
        reference = None
        fed: dict[str, Any] = {}
        if first is not None:
            reference, fed = self._backbone(first, fits)
        suspect = self._suspect(fits, reference)
        if suspect is not None:
            with self._fits.timed("range test"):
                self._guarded(suspect, "learning-rate range test", self._range, suspect, fed)
        elif first is not None and reference is not None:
            last = fits[-1]
            if self._deserves_tuning(fits, last, reference, fed):
                with self._fits.timed("fine-tuning trial"):
                    self._guarded(last, "fine-tuning trial", self._tune, last, fed)

    def _guarded(self, fit: Fit, what: str, function: Any, *arguments: Any) -> Any:
        self._channel.send("phase", phase="measuring", detail=what)
        try:
            return function(*arguments)
        except Exception as error:
            self._channel.send(
                "note",
                fit=fit.index,
                text=f"The {what} could not be made: {type(error).__name__}: "
                + str(error).strip().partition("\n")[0][:300],
            )
            return None

    def _backbone(self, fit: Fit, fits: list[Fit]) -> tuple[float | None, dict[str, Any]]:
        backbone = fit.backbones[0]
        training, validation = fit.training, fit.validation
        assert training is not None
        if validation is not None and validation.inputs.shape[1:] != training.inputs.shape[1:]:
            validation = None
        fed: dict[str, Any] = {"reads": None}
        with self._fits.timed("door"):
            at_door = self._guarded(
                fit,
                "look at the backbone's input",
                door.capture,
                fit.model,
                backbone,
                training.inputs,
            )
            at_door_validation = (
                None
                if validation is None
                else self._guarded(
                    fit,
                    "look at the backbone's input",
                    door.capture,
                    fit.model,
                    backbone,
                    validation.inputs,
                )
            )
        if at_door is None:
            return None, fed
        moved = any(f.backbone_moved for f in fits if f.model is fit.model)
        judged = backbone.weights_status != "missing"
        with self._fits.timed("linear probes"):
            if moved and judged:
                self._guarded(
                    fit,
                    "linear probe on trained features",
                    self._probe,
                    fit,
                    backbone,
                    "as-is",
                    "trained",
                    at_door,
                    at_door_validation,
                )
        if moved and fit.initial is not None:
            models.restore(fit.model.weights, fit.initial)
        with self._fits.timed("door"):
            reads = self._guarded(
                fit, "look at the backbone's input", self._door, fit, backbone, "training", at_door
            )
            if at_door_validation is not None:
                reads_validation = self._guarded(
                    fit,
                    "look at the backbone's input",
                    self._door,
                    fit,
                    backbone,
                    "validation",
                    at_door_validation,
                )
            else:
                reads_validation = reads
        fed.update(
            reads=reads,
            expects=backbone.expects,
            is_input=at_door.shape == training.inputs.shape
            and np.allclose(at_door[:4], training.inputs[:4], atol=1e-4),
        )
        self._channel.send("door-is-input", index=fit.index, value=bool(fed["is_input"]))
        if (moved and fit.initial is None) or not judged:
            return None, fed
        with self._fits.timed("linear probes"):
            result = self._guarded(
                fit,
                "linear probe",
                self._probes,
                fit,
                backbone,
                at_door,
                at_door_validation,
                reads,
                reads_validation,
            )
        return result, fed

    def _door(self, fit: Fit, backbone: Backbone, split: str, tensor: np.ndarray) -> Scaling | None:
        tensor = tensor[np.unique(np.linspace(0, len(tensor) - 1, DOOR_IMAGES).astype(int))]
        finite = tensor[np.isfinite(tensor).reshape(len(tensor), -1).all(1)]
        axes = tuple(range(tensor.ndim - 1))
        event: dict[str, Any] = {
            "backbone": backbone.key,
            "split": split,
            "n": len(tensor),
            "shape": [None, *tensor.shape[1:]],
            "minimum": float(tensor.min()),
            "maximum": float(tensor.max()),
            "mean": tensor.mean(axes),
            "std": tensor.std(axes),
            "integers": bool((tensor[:8] == np.round(tensor[:8])).all()),
            "constant_images": int((tensor.reshape(len(tensor), -1).std(1) < 1e-6).sum()),
        }
        reads = scalings.recognise(finite, self._fits.names) if len(finite) else None
        event["reads_as"] = reads.as_event() if reads else None
        pretrained = backbone.weights_status == "pretrained"
        if pretrained:
            event["divergence"] = door.divergence(backbone, tensor)
        if reads is not None and backbone.expects is not None:
            expected = backbone.expects.apply(np.clip(reads.invert(tensor), 0, 255))
            event["expected_mean"], event["expected_std"] = expected.mean(axes), expected.std(axes)
            if pretrained:
                event["divergence_expected"] = door.divergence(backbone, expected)
        self._channel.send("door", index=fit.index, **event)
        return reads

    def _probes(
        self,
        fit: Fit,
        backbone: Backbone,
        training: np.ndarray,
        validation: np.ndarray | None,
        reads: Scaling | None,
        reads_validation: Scaling | None,
    ) -> float | None:
        """Linear probes on the tensor as it is, and as the backbone expects it."""
        as_is = self._probe(fit, backbone, "as-is", "initial", training, validation)
        expects = backbone.expects
        if as_is is None or reads is None or expects is None or reads_validation is None:
            return as_is
        if reads.close_to(expects) and reads_validation.close_to(expects):
            assert fit.probe is not None
            self._channel.send("probe", index=fit.index, **{**fit.probe, "scaling": "expected"})
            return as_is
        fixed = expects.apply(np.clip(reads.invert(training), 0, 255))
        fixed_validation = (
            None
            if validation is None
            else expects.apply(np.clip(reads_validation.invert(validation), 0, 255))
        )
        expected = self._probe(fit, backbone, "expected", "initial", fixed, fixed_validation)
        return as_is if expected is None else expected

    def _probe(
        self,
        fit: Fit,
        backbone: Backbone,
        scaling: str,
        weights: str,
        training: np.ndarray,
        validation: np.ndarray | None,
    ) -> float | None:
        true = _classes(fit.training)
        if true is None or len(np.unique(true)) < 2:
            return None
        seconds = min(FEATURE_SECONDS, self._budget.left / 5)
        train = features.of_images(backbone.trunk, training, seconds)
        true_validation = _classes(fit.validation) if validation is not None else None
        if validation is not None and true_validation is not None:
            held_out = features.of_images(backbone.trunk, validation, seconds)
            fitted = features.ridge(
                train, true[: len(train)], held_out, true_validation[: len(held_out)]
            )
        else:
            fitted = features.folded(train, true[: len(train)])
        event = fitted.as_event(scaling, weights)
        if weights == "initial":
            fit.probe = event
        self._channel.send("probe", index=fit.index, **event)
        return float(event["accuracy"])

    def _suspect(self, fits: list[Fit], reference: float | None) -> Fit | None:
        """The first fit that learned nothing, or ended far below the reference or the last fit."""
        before: float | None = None
        for fit in fits:
            if fit.crashed or fit.initial is None or fit.training is None:
                continue
            goal = max(x for x in (reference, before, 0.0) if x is not None)
            accuracy = fit.accuracy
            behind = accuracy is not None and goal and accuracy < goal - TROUBLE
            if behind or not fit.learned:
                return fit
            before = accuracy
        return None

    def _range(self, fit: Fit, fed: dict[str, Any]) -> None:
        assert fit.training is not None and fit.initial is not None
        assert self._fits.original_fit is not None
        sample, corrected = fit.training, False
        reads, expects = fed.get("reads"), fed.get("expects")
        if (
            reads is not None
            and expects is not None
            and not reads.close_to(expects)
            and fed.get("is_input")
        ):
            fixed = expects.apply(np.clip(reads.invert(sample.inputs), 0, 255))
            sample, corrected = Sample(fixed, sample.labels), True
        seconds = min(RANGE_SECONDS, self._budget.left / 2)
        result = rates.range_test(
            fit.model,
            self._fits.original_fit,
            fit.initial,
            sample,
            min(fit.batch_size, len(sample)),
            seconds,
            corrected,
        )
        if result is not None:
            self._channel.send("range-test", index=fit.index, **result)

    def _deserves_tuning(
        self, fits: list[Fit], last: Fit, reference: float, fed: dict[str, Any]
    ) -> bool:
        """A frozen backbone, fed rightly, whose features leave room for improvement."""
        reads, expects = fed.get("reads"), fed.get("expects")
        return bool(
            reference < ROOM
            and not any(f.crashed for f in fits)
            and last.backbones
            and last.validation is not None
            and last.backbones[0].weights_status == "pretrained"
            and not any(f.backbone_moved for f in fits)
            and reads is not None
            and expects is not None
            and reads.close_to(expects)
            and _classes(last.validation) is not None
            and self._budget.left > 60
        )

    def _tune(self, fit: Fit, fed: dict[str, Any]) -> None:
        assert fit.training is not None and fit.validation is not None
        assert self._fits.original_fit is not None
        network = fit.backbones[0].network
        result = rates.fine_tune(
            fit.model,
            network,
            self._fits.original_fit,
            fit.training,
            fit.validation,
            min(fit.batch_size, 32),
            TUNE_SECONDS,
            1e-4,
            fit.from_logits,
        )
        last = fit.probe
        if result is None or last is None or len(last["correct"]) != result["validation"]:
            return
        self._channel.send(
            "fine-tune",
            index=fit.index,
            frozen_accuracy=last["accuracy"],
            frozen_correct=last["correct"],
            **result,
        )


def _classes(sample: Sample | None) -> np.ndarray | None:
    if sample is None or sample.labels is None:
        return None
    values = as_array(sample.labels)
    return labels.classes_of(values, labels.kind_of(values))
