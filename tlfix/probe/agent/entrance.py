"""What entered a backbone, on both splits: the images as they are, and how they are scaled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tlfix_agent import door, recovery, scalings
from tlfix_agent.channel import Channel
from tlfix_agent.fits import Fit, Fits
from tlfix_agent.scalings import Scaling

IMAGES = 64
WHAT = "look at the backbone's input"
Change = Callable[[np.ndarray], np.ndarray]


class Entrance:
    """The tensors (n, height, width, channels) that enter the first backbone of ``fit``.

    ``training`` is None where the backbone's input cannot be reached, ``validation`` also without
    validation images of the same shape. ``reads`` and ``reads_validation`` are the scalings
    recognised in them, once :meth:`describe` was called.
    """

    def __init__(self, channel: Channel, fits: Fits, guarded: Callable[..., Any], fit: Fit) -> None:
        self._channel, self._fits, self._guarded, self._fit = channel, fits, guarded, fit
        self._backbone = fit.backbones[0]
        self.reads: Scaling | None = None
        self.reads_validation: Scaling | None = None
        self.training = self._capture(fit.training)
        same = (
            fit.validation is not None
            and fit.training is not None
            and fit.validation.inputs.shape[1:] == fit.training.inputs.shape[1:]
        )
        self.validation = (
            self._capture(fit.validation) if same and self.training is not None else None
        )

    def _capture(self, sample: Any) -> np.ndarray | None:
        if sample is None:
            return None
        model, backbone = self._fit.model, self._backbone
        found: np.ndarray | None = self._guarded(
            self._fit, WHAT, door.capture, model, backbone, sample.inputs
        )
        return found

    def describe(self) -> dict[str, Any]:
        """Report both splits; what later instruments must know of how the backbone is fed."""
        fit, tensor = self._fit, self.training
        assert fit.training is not None and tensor is not None
        if self._backbone.expects is None and self._backbone.weights_status == "pretrained":
            what = "recovery of what the backbone was trained on"
            self._guarded(fit, what, self._recover, tensor)
        self.reads = self._guarded(fit, WHAT, self._split, "training", tensor)
        self.reads_validation = self.reads
        if self.validation is not None:
            self.reads_validation = self._guarded(
                fit, WHAT, self._split, "validation", self.validation
            )
        is_input = tensor.shape == fit.training.inputs.shape and np.allclose(
            tensor[:4], fit.training.inputs[:4], atol=1e-4
        )
        self._channel.send("door-is-input", index=fit.index, value=bool(is_input))
        return {"reads": self.reads, "expects": self._backbone.expects, "is_input": is_input}

    def _recover(self, tensor: np.ndarray) -> None:
        """Let the network's own statistics say what it expects."""
        backbone, names = self._backbone, self._fits.names
        finite = tensor[np.isfinite(tensor).reshape(len(tensor), -1).all(1)]
        fed = scalings.recognise(finite, names) if len(finite) else None
        found = None if fed is None else recovery.recover(backbone.network, finite, fed, names)
        if found is not None:
            backbone.expects = found.scaling
            backbone.event.update(expects=found.scaling.as_event(), recovered=found.as_event())
            self._channel.send("backbone", **backbone.event)

    @property
    def as_expected(self) -> tuple[Change, Change] | None:
        """What re-scales training and validation images as the backbone expects them; None where
        the scaling was not recognised, or nothing is expected."""
        expects = self._backbone.expects
        if expects is None or self.reads is None or self.reads_validation is None:
            return None
        return towards(self.reads, expects), towards(self.reads_validation, expects)

    @property
    def is_expected(self) -> bool:
        """True if both splits are scaled as the backbone expects."""
        expects, reads, validation = self._backbone.expects, self.reads, self.reads_validation
        if expects is None or reads is None or validation is None:
            return False
        return reads.close_to(expects) and validation.close_to(expects)

    def _split(self, split: str, tensor: np.ndarray) -> Scaling | None:
        backbone = self._backbone
        tensor = tensor[np.unique(np.linspace(0, len(tensor) - 1, IMAGES).astype(int))]
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
            if reads is not None:
                event["divergence_flipped"] = door.divergence(backbone, reads.flipped(tensor))
        if reads is not None and backbone.expects is not None:
            expected = towards(reads, backbone.expects)(tensor)
            event["expected_mean"], event["expected_std"] = expected.mean(axes), expected.std(axes)
            if pretrained:
                event["divergence_expected"] = door.divergence(backbone, expected)
        self._channel.send("door", index=self._fit.index, **event)
        return reads


def towards(reads: Scaling, expects: Scaling) -> Change:
    """Re-scales images that were scaled like ``reads`` as ``expects`` would have them."""
    return lambda x: expects.apply(np.clip(reads.invert(x), 0, 255))
