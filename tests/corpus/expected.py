"""What must be found in each program of the corpus, and where its seed's advice is wrong.

A seed is a published answer to "why does my transfer learning fail?" with code examples; the
programs in ``seeds/`` are those examples, completed with data so that they run. Each is there with
the backbone it names (``own``) and with a MobileNetV2 small enough for a laptop (``small``), whose
pretrained weights come with this repository.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tlfix.probe.runner import Budget

SEEDS = Path(__file__).parent / "seeds"
HEALTHY = Path(__file__).parent / "healthy"

Data = Literal["balanced", "skewed", "rare"]

FEW_STEPS = Budget(seconds=20, steps=24)
"""For networks of full size, which take seconds a step on two cores."""


@dataclass(frozen=True)
class Seed:
    """One code example of a seed.

    ``read`` are the causes (above a note) that the source alone gives away, ``measured`` those that
    stand after the probe; ``allowed`` may be named beside them without being wrong. Nothing else
    may be named. ``first`` leads the ranking. ``noted`` must be there, as a note at least.
    ``crash`` is the exception that ends the small form. ``truth`` says what the seed makes of it,
    and what is right.
    """

    name: str
    own: str
    truth: str
    read: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()
    first: str | None = None
    crash: str | None = None
    data: Data = "balanced"
    small: str | None = "small"

    @property
    def paths(self) -> Sequence[Path]:
        """The program in each of its forms."""
        return [SEEDS / f"{self.name}_{form}.py" for form in (self.own, self.small) if form]

    @property
    def small_path(self) -> Path:
        """The form that runs on two cores in a minute; the only one where there is one."""
        return self.paths[-1]


PROGRAMS = (
    Seed(
        name="s000_1",
        own="resnet50",
        truth=(
            "The seed sees the two sizes as the fault. They are one: the validation images crash "
            "the first epoch. Its `rescale=1./255`, which it calls correct, is a second: ResNet50 "
            "expects BGR minus the ImageNet mean, MobileNetV2 [-1, 1]. And everything trains at "
            "once."
        ),
        read=("target-size-mismatch", "preprocessing-mismatch", "backbone-unfrozen"),
        measured=("target-size-mismatch", "preprocessing-mismatch"),
        first="target-size-mismatch",
        crash="ValueError",
    ),
    Seed(
        name="s000_2",
        own="text",
        small=None,
        truth=(
            "A tokenizer that was never fitted turns every text into nothing; the seed blames the "
            "order of the labels. The model was trained elsewhere, so the right tokenizer can be "
            "loaded and not made: advice, and no codemod. Nothing else may be invented."
        ),
        allowed=("tokenizer-not-fitted",),
        noted=("tokenizer-not-fitted",),
    ),
    Seed(
        name="s000_3",
        own="inceptionv3",
        truth=(
            "Given as the cured program, and still wrong: InceptionV3 and MobileNetV2 expect "
            "[-1, 1], not [0, 1], and the whole backbone trains from the first step."
        ),
        read=("preprocessing-mismatch", "backbone-unfrozen"),
        measured=("preprocessing-mismatch", "backbone-unfrozen"),
    ),
    Seed(
        name="s001_1",
        own="resnet50",
        truth=(
            "The seed misses augmentation; the scaling is wrong for the backbone, and the whole "
            "backbone trains at Adam's default rate with a fresh head."
        ),
        read=("preprocessing-mismatch", "backbone-unfrozen"),
        measured=("preprocessing-mismatch", "backbone-unfrozen"),
    ),
    Seed(
        name="s001_2",
        own="resnet50",
        truth="One rate of 0.001 for a fresh head and a pretrained backbone, and a wrong scaling.",
        read=("preprocessing-mismatch", "backbone-unfrozen"),
        measured=("preprocessing-mismatch", "backbone-unfrozen"),
    ),
    Seed(
        name="s001_3",
        own="resnet50",
        truth=(
            "The seed's cure of imbalance hands `fit` the array of scikit-learn; `class_weight` "
            "must be a dict keyed by class index, and Keras stops. The scaling is wrong too."
        ),
        read=("class-weight-invalid", "preprocessing-mismatch"),
        measured=("class-weight-invalid", "preprocessing-mismatch"),
        first="class-weight-invalid",
        crash="AttributeError",
        data="skewed",
    ),
    Seed(
        name="s002_1",
        own="resnet50",
        truth=(
            "Inference only, so nothing is measured. The seed says [-1, 1] is wrong and [0, 1] "
            "right; ResNet50 wants neither, but BGR minus the ImageNet mean. The small form has "
            "the seed's cure, which is wrong for MobileNetV2 as well."
        ),
        read=("preprocessing-mismatch",),
        measured=("preprocessing-mismatch",),
        first="preprocessing-mismatch",
    ),
    Seed(
        name="s002_2",
        own="vgg16",
        truth=(
            "A frozen backbone and five epochs. That is a sound recipe with a ceiling: worth a "
            "note, and more only where a short fine-tuning measurably does better."
        ),
        allowed=("backbone-frozen-only",),
        noted=("backbone-frozen-only",),
    ),
    Seed(
        name="s002_3",
        own="mobilenetv2",
        truth=(
            "SMOTE on pixels mixes images into double exposures. What can be measured is the wrong "
            "scaling and the open backbone. The own form imports imbalanced-learn, which is not "
            "installed here: it crashes at the import and is only read. The small form does the "
            "same in numpy, where `pixels-oversampled` is not recognised."
        ),
        read=("backbone-unfrozen",),
        measured=("backbone-unfrozen",),
        allowed=("preprocessing-mismatch", "pixels-oversampled"),
        data="skewed",
    ),
    Seed(
        name="s003_1",
        own="mobilenetv2",
        truth=(
            "Raw pixels: right. The seed's cure, `Rescaling(1./255)`, is wrong for MobileNetV2, "
            "which expects [-1, 1]."
        ),
        read=("preprocessing-missing",),
        measured=("preprocessing-missing",),
        first="preprocessing-missing",
    ),
    Seed(
        name="s003_2",
        own="mobilenetv2",
        truth=(
            "The seed blames frozen BatchNormalization, which is as it should be: frozen layers "
            "keep the statistics the backbone was trained with. The fault is the scaling: [0, 1] "
            "instead of [-1, 1]."
        ),
        read=("preprocessing-mismatch",),
        measured=("preprocessing-mismatch",),
        first="preprocessing-mismatch",
    ),
    Seed(
        name="s003_3",
        own="mobilenetv2",
        truth="All layers train from the first step, as the seed says; and the scaling is wrong.",
        read=("preprocessing-mismatch", "backbone-unfrozen"),
        measured=("preprocessing-mismatch", "backbone-unfrozen"),
    ),
    Seed(
        name="s004_1",
        own="inception_resnet_v2",
        truth=(
            "The seed blames the frozen backbone, which is worth a note. What stops the program "
            "is `Adam(lr=…)`: Keras 3 knows `learning_rate` only."
        ),
        read=("removed-api",),
        measured=("removed-api",),
        noted=("backbone-frozen-only",),
        first="removed-api",
        crash="ValueError",
    ),
    Seed(
        name="s004_2",
        own="inception_resnet_v2",
        truth=(
            "The seed misses augmentation. `Adam(lr=…)` stops the program; behind it the scaling "
            "is wrong: the Inception family expects [-1, 1]."
        ),
        read=("removed-api", "preprocessing-mismatch"),
        measured=("removed-api", "preprocessing-mismatch"),
        first="removed-api",
        crash="ValueError",
    ),
    Seed(
        name="s004_3",
        own="inception_resnet_v2",
        truth=(
            "A rate of 0.01 is ten times Adam's default with half the backbone open, as the seed "
            "says; but first `Adam(lr=…)` stops the program, and the scaling is wrong."
        ),
        read=("removed-api", "preprocessing-mismatch", "learning-rate-high"),
        measured=("removed-api", "preprocessing-mismatch", "learning-rate-high"),
        first="removed-api",
        crash="ValueError",
    ),
)
