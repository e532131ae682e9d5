"""What is measured on a backbone's features: linear probes, and all that the features tell besides.

Features are the expensive part. They are computed once per scaling and weights and kept, and every
classifier and comparison works on those.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlfix_agent import (
    augmentation,
    batchnorm,
    door,
    features,
    heads,
    labels,
    models,
    neighbours,
)
from tlfix_agent.channel import Channel
from tlfix_agent.entrance import Change, Entrance
from tlfix_agent.features import Fitted
from tlfix_agent.feed import Sample
from tlfix_agent.fits import Fit, Fits
from tlfix_agent.forward import as_array, inference
from tlfix_agent.limits import Budget

SECONDS = 20.0  # for the features of one split
FURTHER_SECONDS = 12.0  # the same, for the comparisons beyond the linear probes proper
SHIFT = 0.25
"""From this divergence on, features with the statistics of these data are worth their time.
Measured on MobileNetV2 0.35, rightly scaled: .018 on photographs and .13 on scanned digits, where
new statistics gain nothing; on the same at a fifth of their brightness .32 and .45."""
FEWEST = 60  # images from which a classifier is fitted on validation images alone
GREY = 1.0  # grey levels between the channels, on average; below, reversing them changes nothing


@dataclass
class Cached:
    """Features (n, d) of a fit's images under one scaling; ``validation`` may be missing."""

    scaling: str
    training: np.ndarray
    validation: np.ndarray | None


class Probing:
    """The instruments at the first backbone of ``fit``, run in order by :meth:`run`.

    ``fed`` tells later instruments how the backbone is fed: ``reads`` (the scaling recognised),
    ``expects``, and ``is_input`` (its input is the model's own). ``shift`` is how far the
    backbone's BatchNorm statistics are from these data's (``BatchNormSeen.shift``).
    """

    def __init__(
        self,
        channel: Channel,
        budget: Budget,
        fits: Fits,
        guarded: Callable[..., Any],
        fit: Fit,
    ) -> None:
        self._channel, self._budget, self._fits = channel, budget, fits
        self._guarded, self._fit, self._backbone = guarded, fit, fit.backbones[0]
        self._true, self._true_validation = classes_of(fit.training), classes_of(fit.validation)
        self._trunk: Any = None
        self._entrance: Entrance
        self._images: np.ndarray  # of training, at the backbone's input
        self._floor = 0.0
        self.fed: dict[str, Any] = {"reads": None}
        self.shift: float | None = None

    def run(self) -> float | None:
        """Everything in order; the accuracy of the linear probe that stands as the reference."""
        fit, timed = self._fit, self._fits.timed
        with timed("door"):
            entrance = Entrance(self._channel, self._fits, self._guarded, fit)
        if entrance.training is None:
            return None
        self._entrance, self._images = entrance, entrance.training
        moved = any(f.backbone_moved for f in self._fits.all if f.model is fit.model)
        judged = self._backbone.weights_status != "missing"
        tells = judged and self._true is not None and len(np.unique(self._true)) > 1
        trained = as_is = best = None
        with timed("linear probes"):
            if moved and tells:
                trained = self._guard("linear probe on trained features", self._as_is)
        if moved and fit.initial is not None:
            models.restore(fit.model.weights, fit.initial)
        with timed("door"):
            self.fed = entrance.describe()
        with timed("linear probes"):
            if tells and (not moved or fit.initial is not None):
                as_is = self._guard("linear probe", self._as_is)
            if as_is is not None:
                best = self._guard("linear probe", self._expected, as_is)
            reference = self._guard("linear probe", self._linear, trained, as_is, best)
        if as_is is not None and reference is not None:
            with timed("further probes"):
                self._further(trained, as_is, best or as_is, reference)
        return None if reference is None else float(reference.accuracy)

    def _guard(self, what: str, function: Any, *arguments: Any) -> Any:
        return self._guarded(self._fit, what, function, *arguments)

    def _features(
        self, images: np.ndarray, change: Change | None = None, seconds: float = SECONDS
    ) -> np.ndarray:
        if self._trunk is None:
            self._trunk = self._backbone.trunk
        seconds = min(seconds, self._budget.left / 5)
        return features.of_images(inference(self._trunk), images, seconds, change)

    def _as_is(self, change: Change | None = None, change_validation: Change | None = None) -> Any:
        entrance = self._entrance
        training = self._features(self._images, change)
        validation = None
        if entrance.validation is not None and self._true_validation is not None:
            validation = self._features(entrance.validation, change_validation)
        return Cached("as-is", training, validation)

    def _expected(self, as_is: Cached) -> Cached | None:
        if self._entrance.is_expected:
            return Cached("expected", as_is.training, as_is.validation)
        changes = self._entrance.as_expected
        if changes is None:
            return None
        fixed: Cached = self._as_is(*changes)
        fixed.scaling = "expected"
        return fixed

    def _linear(
        self, trained: Cached | None, as_is: Cached | None, best: Cached | None
    ) -> Fitted | None:
        """Report the linear probes; the last one on untrained weights is the reference.

        One floor for all: what counts as nearly constant is told by the features that the backbone
        makes of images scaled as it expects, where they could be made.
        """
        known = best or as_is
        if known is not None:
            self._floor = features.spread_floor(known.training)
        if trained is not None:
            self._report(self._classified(trained), "as-is", "trained")
        reference = None
        for cached in (as_is, best):
            if cached is None:
                continue
            if reference is None or as_is is None or cached.training is not as_is.training:
                reference = self._classified(cached)
            self._fit.probe = self._report(reference, cached.scaling)
        return reference

    def _classified(self, cached: Cached, fit: Callable[..., Fitted] = features.ridge) -> Fitted:
        assert self._true is not None
        train = cached.training
        true = self._true[: len(train)]
        if cached.validation is None or self._true_validation is None:
            return features.folded(train, true, self._floor, fit)
        true_validation = self._true_validation[: len(cached.validation)]
        return fit(train, true, cached.validation, true_validation, self._floor)

    def _report(
        self, fitted: Fitted, scaling: str, weights: str = "initial", **more: Any
    ) -> dict[str, Any]:
        event = fitted.as_event(scaling, weights, **more)
        self._channel.send("probe", index=self._fit.index, **event)
        return event

    def _measured(self, field: str, value: dict[str, Any] | None, append: bool = False) -> None:
        if value is not None:
            index = self._fit.index
            self._channel.send("measured", index=index, field=field, value=value, append=append)

    # Beyond the linear probes

    def _further(
        self, trained: Cached | None, as_is: Cached, best: Cached, reference: Fitted
    ) -> None:
        """Comparisons on the same features, then those that need features of other images."""
        for weights, cached in (("initial", as_is), ("trained", trained)):
            if cached is not None:
                self._guard("look at the features", self._similarity, cached, weights)
        if self._fit.trained:
            self._guard("hidden-layer probe", self._hidden, best)
        self._guard("comparison of neighbours", self._neighbours, best)
        if best.validation is not None:
            self._guard("search for a renaming of classes", self._renaming, reference)
        if not self._fit.trained:
            return  # a fit that cannot take a step has one fault that matters
        self._guard("probe of the validation images", self._validation, as_is)
        if len(as_is.training) < len(self._images):
            return  # so slow a network that its features are not computed once more
        self._guard("probe with reversed channels", self._flipped, as_is)
        self._guard("probe of the augmentation", self._augmentation, as_is)
        if best.scaling == "expected" and self._backbone.weights_status == "pretrained":
            self._guard("comparison of BatchNorm statistics", self._statistics, best)

    def _similarity(self, cached: Cached, weights: str) -> None:
        value = features.similarity(cached.training)
        if value is not None:
            self._measured("features", {**value, "weights": weights}, append=True)

    def _hidden(self, best: Cached) -> None:
        self._report(self._classified(best, heads.mlp), best.scaling, head="mlp")

    def _validation(self, as_is: Cached) -> None:
        """What the validation images teach of themselves, that training images may not."""
        if as_is.validation is None or self._true_validation is None:
            return
        true = self._true_validation[: len(as_is.validation)]
        if len(true) >= FEWEST and len(np.unique(true)) > 1:
            found = features.folded(as_is.validation, true, self._floor)
            self._report(found, "as-is", variant="validation")

    def _neighbours(self, best: Cached) -> None:
        assert self._true is not None
        true = self._true[: len(best.training)]
        self._measured("neighbours", neighbours.agreement(best.training, true, self._floor))

    def _renaming(self, reference: Fitted) -> None:
        self._measured("permutation", neighbours.renaming(reference.predicted, reference.true))

    def _again(self, as_is: Cached, training: Change | None, validation: Change | None) -> Any:
        """Features of all images after a change, or None if time ran out on the way."""
        changed = Cached("as-is", self._features(self._images, training, FURTHER_SECONDS), None)
        if self._entrance.validation is not None and as_is.validation is not None:
            changed.validation = self._features(
                self._entrance.validation, validation, FURTHER_SECONDS
            )
            if len(changed.validation) < len(as_is.validation):
                return None
        return changed if len(changed.training) == len(as_is.training) else None

    def _flipped(self, as_is: Cached) -> None:
        """The channels reversed in the program's own scaling; not for images that are grey."""
        reads, reads_validation = self._entrance.reads, self._entrance.reads_validation
        if self._backbone.weights_status != "pretrained" or not reads or not reads_validation:
            return
        raw = reads.invert(self._images[:64])
        if float(np.abs(raw - raw[..., ::-1]).mean()) < GREY:
            return
        changed = self._again(as_is, reads.flipped, reads_validation.flipped)
        if changed is not None:
            self._report(self._classified(changed), "as-is", variant="flipped")

    def _augmentation(self, as_is: Cached) -> None:
        """Training images with and without the program's augmentation; validation as it is.

        As fed means augmented for a generator's images, and not augmented for random layers, which
        rest in inference mode. Both probes are reported under their own name in either case.
        """
        fit, backbone = self._fit, self._backbone
        assert fit.training is not None
        other: np.ndarray | None = None
        made = "unaugmented"
        if fit.source is not None:
            plain = augmentation.without(fit.source, fit.training, FURTHER_SECONDS)
            if plain is not None:
                other = door.capture(fit.model, backbone, plain.inputs)
        elif fit.random_layers:
            kept = models.snapshot(fit.model.non_trainable_variables)
            try:
                other = door.capture(fit.model, backbone, fit.training.inputs, training=True)
            finally:
                models.restore(fit.model.non_trainable_variables, kept)
            made = "augmented"
        if other is None or np.allclose(other[:16], self._images[:16], atol=1e-3):
            return
        changed = self._features(other, None, FURTHER_SECONDS)
        if len(changed) == len(as_is.training):
            found = self._classified(Cached("as-is", changed, as_is.validation))
            self._report(found, "as-is", variant=made)
            made = "augmented" if made == "unaugmented" else "unaugmented"
            self._report(self._classified(as_is), "as-is", variant=made)

    def _statistics(self, best: Cached) -> None:
        """The backbone's BatchNorm statistics against these data's, and what the latter give."""
        statistics = batchnorm.Statistics(self._backbone.network)
        changes = self._entrance.as_expected
        if not statistics.layers or changes is None:
            return
        same = (None, None) if self._entrance.is_expected else changes
        batches = batchnorm.mixed(self._images, batches=1, size=128)
        batches = [b if same[0] is None else same[0](b) for b in batches]
        with statistics.kept():
            pretrained = statistics.values()
            batchnorm.recalibrate(self._trunk, statistics, batches)
            self.shift = batchnorm.divergence(pretrained, statistics.values())
            if self.shift is not None and self.shift > SHIFT:
                changed = self._again(best, *same)
                if changed is not None:
                    self._report(self._classified(changed), best.scaling, "recalibrated")


def classes_of(sample: Sample | None) -> np.ndarray | None:
    """The classes (n,) of a sample's images; None where labels are not single classes."""
    if sample is None or sample.labels is None:
        return None
    values = as_array(sample.labels)
    return labels.classes_of(values, labels.kind_of(values))
