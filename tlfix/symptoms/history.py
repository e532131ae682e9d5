"""What the probe saw of one model: its fits in order, judged by the last.

A program that trains a head and then fine-tunes calls ``fit`` twice on one model. Its loss is one
series, and what it reached is what the last fit left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tlfix.probe.trace import Evaluation, FitSeen, LinearProbe, Trace
from tlfix.symptoms.statistics import entropy, part, proportion_interval, trend

ENOUGH_IMAGES = 30
"""Fewer images than this tell nothing: at n = 30 the 99 % interval of 0.5 is 0.26 .. 0.74."""

FEW_STEPS = 20
"""Fewer steps than this tell nothing about learning (the trend test needs about as many)."""


@dataclass(frozen=True)
class History:
    """The fits of one model. ``several`` is true if the program trains other models too."""

    fits: tuple[FitSeen, ...]
    several: bool = False

    @cached_property
    def judged(self) -> FitSeen:
        """The last fit that was evaluated, else the last."""
        evaluated = [fit for fit in self.fits if any(e.when == "after" for e in fit.evaluations)]
        return evaluated[-1] if evaluated else self.fits[-1]

    @property
    def where(self) -> str:
        """Which model this is, for a summary; empty where there is only one."""
        if not self.several or self.judged.site is None:
            return ""
        return f" (model of the fit at line {self.judged.site.line})"

    @cached_property
    def losses(self) -> tuple[float, ...]:
        """The finite batch losses of all fits, in order."""
        return tuple(
            s.loss for fit in self.fits for s in fit.steps if s.finite and s.loss is not None
        )

    @property
    def steps(self) -> int:
        """Training steps seen, over all fits."""
        return sum(len(fit.steps) for fit in self.fits)

    @property
    def images(self) -> int:
        """Training images shown to the model, over all fits; steps where the batch is unknown."""
        return sum(
            len(fit.steps) * ((fit.training.batch_size if fit.training else None) or 1)
            for fit in self.fits
        )

    def after(self, split: str, mode: str = "inference") -> Evaluation | None:
        """The evaluation after training, if it has an accuracy and enough images to tell."""
        evaluation = self.judged.evaluation(split, mode, "after")
        if evaluation is None or evaluation.accuracy is None or evaluation.n < ENOUGH_IMAGES:
            return None
        return evaluation

    def guessing(self, evaluation: Evaluation) -> float | None:
        """The accuracy of guessing uniformly, ``1/C``.

        ``C`` counts the classes of the training data too: a sample need not hold all of them.
        """
        training = self.judged.training
        count = max(evaluation.classes or 0, (training.classes if training else None) or 0)
        if not count and evaluation.confusion:
            count = len(evaluation.confusion)
        return 1 / count if count else None

    def baseline(self, evaluation: Evaluation) -> float | None:
        """The accuracy of always naming one class: the evaluated images' largest.

        A sample of unshuffled data may hold one class alone, and its majority is 1: where classes
        are lacking, the training data's largest class stands in, which is what a model that
        learned nothing else would name.
        """
        if self.representative(evaluation, share=1.0):
            return majority(evaluation)
        histogram = self.judged.training.histogram if self.judged.training else None
        if histogram and (total := sum(histogram.values())):
            return max(histogram.values()) / total
        return self.guessing(evaluation)

    def representative(self, evaluation: Evaluation, share: float = 0.5) -> bool:
        """True if the evaluated images hold at least this share of the training data's classes."""
        known = (self.judged.training.classes if self.judged.training else None) or 0
        return evaluation.classes is None or evaluation.classes >= share * known

    def at_chance(self, evaluation: Evaluation) -> bool:
        """True if the accuracy cannot be told from guessing.

        Its interval reaches into the range from uniform guessing to the baseline.
        """
        baseline = self.baseline(evaluation)
        if baseline is None:
            return False
        low, high = interval(evaluation)
        return low <= baseline and high >= (self.guessing(evaluation) or baseline)

    def above_chance(self, evaluation: Evaluation) -> bool:
        """True if the interval of the accuracy lies above the baseline."""
        baseline = self.baseline(evaluation)
        return baseline is not None and interval(evaluation)[0] > baseline

    @property
    def reference(self) -> LinearProbe | None:
        """What the features could do: the probe under the backbone's scaling, else as fed."""
        return reference(self.fits)

    @cached_property
    def chance_loss(self) -> float | None:
        """The loss of always predicting the class frequencies (``ln C`` when balanced).

        None for a loss other than cross-entropy, and under class weights, which rescale it.
        """
        fit = self.fits[0]
        loss = fit.compiled.loss if fit.compiled else None
        if loss is None or not loss.endswith("crossentropy") or "focal" in loss or fit.class_weight:
            return None
        if (shares := self._shares()) is None:
            return None
        units = fit.model.output.units if fit.model.output else None
        if loss == "binary_crossentropy" and units and units > 1:
            # Keras averages over the outputs: each is its own binary question.
            return sum(entropy((share, 1 - share)) for share in shares) / len(shares)
        return entropy(shares)

    def _shares(self) -> list[float] | None:
        fit = self.fits[0]
        if fit.training and fit.training.label_kind in ("continuous", "multi-hot", "soft"):
            return None
        if fit.training and fit.training.histogram:
            total = sum(fit.training.histogram.values())
            return [count / total for count in fit.training.histogram.values()] if total else None
        classes = fit.training.classes if fit.training else None
        return [1 / classes] * classes if classes and classes > 1 else None

    @cached_property
    def falling(self) -> bool:
        """True if the loss goes down: by the trend test, or on the same images before and after."""
        if len(self.losses) >= 4 and trend(self.losses, "less") < 0.05:
            return True
        for split in ("training", "validation"):
            for mode in ("inference", "training"):
                before = self.fits[0].evaluation(split, mode, "before")
                after = self.judged.evaluation(split, mode, "after")
                if (
                    before is not None
                    and after is not None
                    and before.loss is not None
                    and after.loss is not None
                    and after.loss < 0.95 * before.loss
                ):
                    return True
        return False

    @property
    def learned(self) -> bool:
        """True if the model has learned something of its training images, by accuracy or by loss.

        The predictions of an untrained model fall in clumps of look-alike images, so its accuracy
        strays from chance further than the binomial law allows.
        """
        for mode in ("inference", "training"):
            evaluation = self.after("training", mode)
            if evaluation is not None and self.above_chance(evaluation):
                return True
        return (
            self.falling
            and self.chance_loss is not None
            and part(self.losses, "last") < 0.9 * self.chance_loss
        )

    @property
    def had_time(self) -> bool:
        """True if the training was long enough for an absence of learning to mean something.

        A healthy program may still be at chance after a few steps. Long enough is: 30 steps without
        a falling loss; 50 steps with a falling loss that still is no better than always predicting
        the class frequencies; 100 steps whatever the loss does (an official Keras fine-tuning
        example at a rate of 1e-4 is far above chance by then).
        """
        if self.steps >= 100:
            return True
        if self.steps >= 50 and self.chance_loss is not None and len(self.losses) >= 50:
            return part(self.losses, "last") >= self.chance_loss
        return self.steps >= 30 and not self.falling


def histories(trace: Trace) -> tuple[History, ...]:
    """One history per model that took a step.

    Models whose pretrained weights could not be had are left out: how they learn says nothing about
    the program.
    """
    found: dict[int, list[FitSeen]] = {}
    for fit in trace.fits:
        backbone = trace.backbone_of(fit)
        if fit.steps and (backbone is None or backbone.weights_status != "missing"):
            found.setdefault(fit.model.key, []).append(fit)
    return tuple(History(tuple(fits), several=len(found) > 1) for fits in found.values())


def reference(fits: tuple[FitSeen, ...]) -> LinearProbe | None:
    """The linear probe that stands for what the features can do.

    The one on images re-scaled as the backbone expects, else on the images as the program feeds
    them; of untrained backbones only, so that a bad training does not lower its own yardstick.
    """
    for scaling in ("expected", "as-is"):
        for fit in fits:
            if (probe := fit.probe(scaling)) is not None:
                return probe
    return None


def correct(evaluation: Evaluation) -> int:
    """The number of images an evaluation got right."""
    return round((evaluation.accuracy or 0.0) * evaluation.n)


def interval(evaluation: Evaluation) -> tuple[float, float]:
    """The confidence interval of an evaluation's accuracy."""
    return proportion_interval(correct(evaluation), evaluation.n)


def majority(evaluation: Evaluation) -> float | None:
    """The accuracy of always naming the largest class of the evaluated images."""
    if evaluation.majority is not None:
        return evaluation.majority
    if evaluation.confusion:
        return max(sum(row) for row in evaluation.confusion) / max(evaluation.n, 1)
    return 1 / evaluation.classes if evaluation.classes else None
