"""What the probe recorded at the backbone's input and of its features."""

from __future__ import annotations

from typing import Literal

from tlfix.probe.seen import ScalingSeen, Seen


class Door(Seen):
    """The tensor that enters a backbone, sampled on one split in inference mode.

    ``reads_as`` is the scaling recognised in it (null: none fits). ``divergence`` is the symmetric
    Gaussian divergence between what arrives at the backbone's first BatchNorm layer and its stored
    statistics (MobileNetV2: of the order of 0.1 when right, 5 for /255, 20,000 raw), null without
    BatchNorm or without pretrained weights; ``divergence_expected`` is the same after re-scaling
    the same images as the backbone expects. ``integers`` is true if the values are whole numbers.
    """

    backbone: int
    split: Literal["training", "validation"]
    n: int
    shape: tuple[int | None, ...]
    minimum: float
    maximum: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    expected_mean: tuple[float, ...] | None = None
    expected_std: tuple[float, ...] | None = None
    integers: bool = False
    reads_as: ScalingSeen | None = None
    divergence: float | None = None
    divergence_expected: float | None = None
    divergence_flipped: float | None = None
    """The same with the channels reversed, in the program's own scaling."""
    constant_images: int = 0


class LinearProbe(Seen):
    """A ridge classifier on cached backbone features under one scaling.

    ``scaling`` is ``as-is`` (the tensor as the program feeds it), ``expected`` (re-scaled as the
    backbone wants), or a scaling's name. ``correct`` has one flag per validation image, in the same
    order for every probe of a fit, so that two probes can be compared image by image.
    ``weights`` tells whose features: ``initial`` (before training), ``trained``, or
    ``recalibrated`` (initial, with the BatchNorm statistics of this data).
    ``head`` is ``linear`` (ridge) or ``mlp`` (one hidden layer of 128 units).
    ``variant`` sets a probe apart that differs from the others in its images only: ``flipped``
    (channels reversed), ``unaugmented`` and ``augmented`` (training images without and with the
    program's augmentation, made both or neither), ``validation`` (fitted and judged on validation
    images alone, by five-fold cross-validation). A probe ``as-is`` without a variant is augmented
    where a generator or a mapped function does it, and not where random layers of the model do.
    """

    scaling: str
    weights: Literal["initial", "trained", "recalibrated"] = "initial"
    head: Literal["linear", "mlp"] = "linear"
    variant: Literal["flipped", "unaugmented", "augmented", "validation"] | None = None
    accuracy: float
    balanced_accuracy: float
    chance: float
    training: int
    validation: int
    correct: tuple[bool, ...] = ()
    train_accuracy: float | None = None
    features: int | None = None


class FeaturesSeen(Seen):
    """Whether the backbone tells images apart. ``similarity`` is the mean cosine similarity of two
    different images' features (-1..1), ``constant`` the share of feature dimensions that do not
    vary, ``n`` the images. ``weights``: before or after training."""

    n: int
    dimensions: int
    similarity: float
    constant: float
    weights: Literal["initial", "trained"] = "initial"


class NeighboursSeen(Seen):
    """Do images that look alike to the backbone carry the same label?

    For each of ``n`` sampled training images: the share of its ``k`` nearest others in feature
    space (cosine) with its label, averaged. ``shuffled_mean`` and ``shuffled_std`` are the same
    over permutations of the labels.
    """

    n: int
    k: int
    agreement: float
    shuffled_mean: float
    shuffled_std: float


class PermutationSeen(Seen):
    """The renaming of classes that best explains a linear probe's errors on validation images.

    ``mapping[i]`` is the validation label that images predicted as training label i carry most
    often, as a one-to-one assignment; ``accuracy`` before the renaming and ``renamed`` after it,
    both on ``n`` images the assignment was not made from.
    """

    mapping: tuple[int, ...]
    accuracy: float
    renamed: float
    n: int
