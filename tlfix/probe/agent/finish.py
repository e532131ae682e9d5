"""What is measured once the script has ended: BatchNorm, features, learning rate, gradients.

The instruments need the weights as they were before training; those are put back from a snapshot,
which is why nothing here runs while the program still does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tlfix_agent import batchnorm, gradients, models, rates
from tlfix_agent.channel import Channel
from tlfix_agent.feed import Sample
from tlfix_agent.fits import Fit, Fits
from tlfix_agent.forward import as_array
from tlfix_agent.limits import Budget
from tlfix_agent.probing import Probing, classes_of

SCORE_SECONDS = 10.0
SCORED_MODELS = 2  # a K-fold loop has more
GRADIENT_SECONDS = 30.0
RANGE_SECONDS = 45.0
TUNE_SECONDS = 30.0
TROUBLE = 0.10  # accuracy below the reference that calls for a range test
ROOM = 0.92  # a reference above this leaves fine-tuning little to gain


class Finish:
    """Runs the instruments, each on its own: one that fails costs its own result only."""

    def __init__(self, channel: Channel, budget: Budget, fits: Fits) -> None:
        self._channel, self._budget, self._fits = channel, budget, fits
        self._batchnorms: dict[int, dict[str, Any]] = {}
        self._scored = 0

    def run(self) -> None:
        """Measure what training left, the first fit that trains a backbone, then the fit that went
        wrong."""
        fits = self._fits.all
        self._fits.inside = True
        after: dict[int, Kept] = {}
        if fits:
            what = "comparison of weights before and after"
            after = self._guarded(fits[0], what, self._endings, fits) or {}
        with self._fits.timed("batchnorm"):
            for fit in fits:
                if not fit.crashed:
                    self._guarded(
                        fit, "look at BatchNorm", self._batchnorm, fit, after.get(fit.index)
                    )
        first = next((f for f in fits if f.backbones and f.training is not None), None)
        reference = None
        fed: dict[str, Any] = {}
        if first is not None:
            probing = Probing(self._channel, self._budget, self._fits, self._guarded, first)
            reference = probing.run()
            fed = probing.fed
            if probing.shift is not None:
                self._add_shift(first.backbones[0].network, probing.shift)
        suspect = self._suspect(fits, reference)
        if suspect is not None:
            with self._fits.timed("range test"):
                self._guarded(suspect, "learning-rate range test", self._range, suspect, fed)
            self._look_into(suspect, after.get(suspect.index))
        elif first is not None and reference is not None:
            last = fits[-1]
            if self._deserves_tuning(fits, last, reference, fed):
                with self._fits.timed("fine-tuning trial"):
                    self._guarded(last, "fine-tuning trial", self._tune, last, fed)

    def _add_shift(self, network: Any, shift: float) -> None:
        """Every fit that trains on this backbone has the same distance to its statistics."""
        for fit in self._fits.all:
            event = self._batchnorms.get(fit.index)
            if event is not None and fit.backbones and fit.backbones[0].network is network:
                self._measured(fit, "batchnorm", {**event, "shift": shift})

    @staticmethod
    def _endings(fits: list[Fit]) -> dict[int, Kept]:
        """The weights each fit ended with: those the next fit of its model began with, or those
        the model has now."""
        found: dict[int, Kept] = {}
        following: dict[int, list[Any]] = {}
        for fit in reversed(fits):
            if fit.initial is not None:
                later = following.get(id(fit.model))
                now = fit.model.weights if later is None else later
                if len(now) == len(fit.initial):
                    found[fit.index] = Kept(fit.initial, now)
                following[id(fit.model)] = fit.initial
        return found

    def _look_into(self, suspect: Fit, after: Kept | None) -> None:
        """Where the gradients of the fit that went wrong break: before it, and after."""
        initial = suspect.initial
        assert initial is not None
        states = {"initial": initial}
        if after is not None:
            states["trained"] = after.over(initial)
        with self._fits.timed("gradients"):
            for weights, values in states.items():
                what = "look at gradients"
                self._guarded(suspect, what, self._gradients, suspect, weights, values)

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

    def _batchnorm(self, fit: Fit, after: Kept | None) -> None:
        """BatchNorm layers over one fit; for the last fit of its model, whose weights the model
        still has, also what new statistics would change."""
        final = None if after is None or fit.initial is None else after.over(fit.initial)
        event = batchnorm.describe(fit.model, fit.initial, final)
        if event is None:
            return
        self._batchnorms[fit.index] = event
        same = [f for f in self._fits.all if f.model is fit.model]
        updated = [f for f in same if self._batchnorms.get(f.index, {}).get("updating")]
        split, scored = "validation", fit.validation
        if scored is None:
            split, scored = "training", fit.training
        last = fit is same[-1] and self._scored < SCORED_MODELS
        if last and updated and fit.training is not None and scored is not None:
            self._scored += 1
            seconds = min(SCORE_SECONDS, self._budget.left / 5)
            found = batchnorm.scores(
                fit.model, fit.training, scored, split, fit.from_logits, seconds
            )
            event.update(found)
        self._measured(fit, "batchnorm", event)

    def _gradients(self, fit: Fit, weights: str, values: list[Any]) -> None:
        assert fit.training is not None
        models.restore(fit.model.weights, values)
        seconds = min(GRADIENT_SECONDS, self._budget.left / 5)
        size = min(fit.batch_size, len(fit.training))
        event = gradients.measure(fit.model, fit.backbones, fit.training, size, weights, seconds)
        if event is not None:
            self._measured(fit, "gradients", event, append=True)

    def _measured(self, fit: Fit, field: str, value: dict[str, Any], append: bool = False) -> None:
        self._channel.send("measured", index=fit.index, field=field, value=value, append=append)

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
            and classes_of(last.validation) is not None
            and self._budget.left > 60
        )

    def _tune(self, fit: Fit, fed: dict[str, Any]) -> None:
        assert fit.training is not None and fit.validation is not None
        assert self._fits.original_fit is not None
        if fit.probe is None:
            return
        result = rates.fine_tune(
            fit.model,
            fit.backbones[0].network,
            self._fits.original_fit,
            fit.training,
            fit.validation,
            np.asarray(fit.probe["correct"]),
            min(fit.batch_size, 32),
            TUNE_SECONDS,
            fit.from_logits,
        )
        if result is not None:
            self._channel.send("fine-tune", index=fit.index, **result)


class Kept:
    """Values of variables, of which only those that differ from ``base`` take memory."""

    def __init__(self, base: list[np.ndarray], variables: Any) -> None:
        now = ((i, as_array(v)) for i, v in enumerate(variables))
        self._changed = {i: v.copy() for i, v in now if not np.array_equal(v, base[i])}

    def over(self, base: list[np.ndarray]) -> list[np.ndarray]:
        """All values, given the ``base`` they were kept against."""
        return [self._changed.get(i, value) for i, value in enumerate(base)]
