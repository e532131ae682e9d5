"""What the probe recorded of training itself: steps and scores."""

from __future__ import annotations

from typing import Literal

from tlfix.probe.seen import Seen


class Step(Seen):
    """One training step. ``loss`` and ``accuracy`` are of this batch; NaN and Inf are kept as null
    with ``finite`` false."""

    step: int
    epoch: int
    loss: float | None
    accuracy: float | None = None
    finite: bool = True


class Evaluation(Seen):
    """The model scored on sampled images of a split, in inference or in training mode.

    ``majority`` is the share of the largest class among them, ``confusion[i][j]`` counts true class
    i predicted as j, ``loss`` may be null where it is not finite or unknown. ``correct`` has one
    flag per scored image, in the order they came, so that two runs can be compared image by image.
    """

    split: Literal["training", "validation"]
    mode: Literal["inference", "training"]
    when: Literal["before", "after"]
    n: int
    accuracy: float | None = None
    balanced_accuracy: float | None = None
    loss: float | None = None
    majority: float | None = None
    classes: int | None = None
    confusion: tuple[tuple[int, ...], ...] | None = None
    correct: tuple[bool, ...] = ()
    finite: bool = True


class RangeTest(Seen):
    """Short runs from the same initial weights at several learning rates.

    ``losses[i]`` is the median training loss of the last steps at ``rates[i]`` (null: not finite),
    ``initial`` the loss before any step. ``corrected`` tells that images were re-scaled as the
    backbone expects, so that the rate is judged apart from the input. ``current`` is the program's
    rate and is one of ``rates``. ``steps`` per rate.
    """

    rates: tuple[float, ...]
    losses: tuple[float | None, ...]
    accuracies: tuple[float | None, ...] = ()
    initial: float | None
    current: float
    steps: int
    corrected: bool = False


class FineTuneTrial(Seen):
    """A frozen backbone's head-only result against a short run with the top of it unfrozen.

    Accuracies are on the same validation images.
    """

    frozen_accuracy: float
    tuned_accuracy: float
    validation: int
    steps: int
    learning_rate: float
    frozen_correct: tuple[bool, ...] = ()
    tuned_correct: tuple[bool, ...] = ()


class LayerGradient(Seen):
    """Mean gradient norm and weight norm (both L2, over all its trainable weights) of one layer.

    ``dead`` is the share of its ReLU units that are zero for every sampled image, null where it has
    no ReLU. ``part`` tells whether it belongs to a backbone or not.
    """

    layer: str
    kind: str
    part: Literal["backbone", "head"] = "head"
    norm: float | None = None
    weight_norm: float | None = None
    dead: float | None = None
    finite: bool = True


class GradientsSeen(Seen):
    """Gradients over a few batches from the ``weights`` named, layers in order of application."""

    weights: Literal["initial", "trained"]
    batches: int
    layers: tuple[LayerGradient, ...] = ()


class BatchNormSeen(Seen):
    """The BatchNorm layers of the model that was trained, and what new statistics would change.

    ``layers`` of them, ``updating`` of those in training mode during ``fit``; ``momentum`` the
    largest. ``drift`` is the mean symmetric Gaussian divergence between moving statistics before
    and after the fit; ``shift`` the same between the pretrained statistics and those of this data
    (scaled as the backbone expects), over the backbone's layers. The accuracies are of the trained
    model on the validation (else training) sample: as it stands, and after its moving statistics
    were computed anew from training images; ``correct`` flags align image by image.
    """

    layers: int
    updating: int
    momentum: float | None = None
    drift: float | None = None
    shift: float | None = None
    split: Literal["training", "validation"] = "validation"
    accuracy: float | None = None
    recalibrated: float | None = None
    correct: tuple[bool, ...] = ()
    recalibrated_correct: tuple[bool, ...] = ()
