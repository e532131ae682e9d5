"""What the probe recorded, as typed values.

The agent streams JSON lines; :func:`Trace.add` folds each into the trace, so that whatever was
measured before a crash is kept. Arrays are plain lists of floats; images are never carried.
Lines count from 1, columns from 0.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tlfix.probe.data_seen import (
    DataSeen,
    InputsSeen,
    OverlapSeen,
    PipelineSeen,
)
from tlfix.probe.feature_seen import (
    Door,
    FeaturesSeen,
    LinearProbe,
    NeighboursSeen,
    PermutationSeen,
)
from tlfix.probe.learning_seen import (
    BatchNormSeen,
    Evaluation,
    FineTuneTrial,
    GradientsSeen,
    LayerGradient,
    RangeTest,
    Step,
)
from tlfix.probe.model_seen import (
    BackboneSeen,
    CallbackSeen,
    CompileSeen,
    LayerSeen,
    ModelSeen,
)
from tlfix.probe.seen import (
    Place,
    ScalingSeen,
    Seen,
)

__all__ = [
    "BackboneSeen",
    "BatchNormSeen",
    "CallbackSeen",
    "CompileSeen",
    "Crash",
    "DataSeen",
    "Door",
    "Environment",
    "Evaluation",
    "FeaturesSeen",
    "FineTuneTrial",
    "FitSeen",
    "GradientsSeen",
    "InputsSeen",
    "LayerGradient",
    "LayerSeen",
    "LinearProbe",
    "ModelSeen",
    "NeighboursSeen",
    "OverlapSeen",
    "PermutationSeen",
    "PipelineSeen",
    "Place",
    "RangeTest",
    "ScalingSeen",
    "Step",
    "Trace",
]


class Environment(Seen):
    """The interpreter and libraries the agent met."""

    python: str
    keras: str | None = None
    backend: str | None = None
    tensorflow: str | None = None
    device: str | None = None


class FitSeen(Seen):
    """One ``fit`` call, or one custom loop."""

    index: int
    site: Place | None = None
    method: Literal["fit", "train_on_batch", "custom-loop"] = "fit"
    model: ModelSeen
    compiled: CompileSeen | None = None
    training: DataSeen | None = None
    validation: DataSeen | None = None
    epochs: int | None = None
    steps_per_epoch: int | None = None
    class_weight: dict[str, float] | None = None
    class_weight_type: str | None = None
    callbacks: tuple[str, ...] = ()
    callback_settings: tuple[CallbackSeen, ...] = ()
    validation_split: float | None = None
    validation_steps: int | None = None
    continues: int | None = None
    """The earlier fit whose final weights this one starts from, null for fresh weights."""
    ended: Literal["completed", "budget", "time", "crashed", "running"] = "running"
    ran_epochs: float = 0.0
    steps: tuple[Step, ...] = ()
    epoch_logs: tuple[dict[str, float | None], ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    doors: tuple[Door, ...] = ()
    probes: tuple[LinearProbe, ...] = ()
    range_test: RangeTest | None = None
    fine_tune: FineTuneTrial | None = None
    overlap: OverlapSeen | None = None
    neighbours: NeighboursSeen | None = None
    permutation: PermutationSeen | None = None
    features: tuple[FeaturesSeen, ...] = ()
    gradients: tuple[GradientsSeen, ...] = ()
    batchnorm: BatchNormSeen | None = None
    backbone_change: float | None = None
    """Relative change of the backbone's kernels during the fit: |w1 - w0| / |w0|."""
    head_change: float | None = None
    notes: tuple[str, ...] = ()

    def evaluation(
        self, split: str, mode: str = "inference", when: str = "after"
    ) -> Evaluation | None:
        """The evaluation of ``split`` in ``mode``, if it was made."""
        for evaluation in self.evaluations:
            if (evaluation.split, evaluation.mode, evaluation.when) == (split, mode, when):
                return evaluation
        return None

    def probe(
        self,
        scaling: str,
        weights: str = "initial",
        *,
        head: str = "linear",
        variant: str | None = None,
    ) -> LinearProbe | None:
        """The probe made under ``scaling``, if any."""
        wanted = (scaling, weights, head, variant)
        for probe in self.probes:
            if (probe.scaling, probe.weights, probe.head, probe.variant) == wanted:
                return probe
        return None

    def door(self, split: str = "training") -> Door | None:
        """What entered the (first) backbone on ``split``, if it was measured."""
        for door in self.doors:
            if door.split == split:
                return door
        return None


class Crash(Seen):
    """An exception that left the user's script. ``frames`` are the user's own, innermost last."""

    type: str
    message: str
    site: Place | None = None
    frames: tuple[Place, ...] = ()
    during: Literal["import", "build", "fit", "after"] = "build"


class Trace(Seen):
    """Everything one run of the probe recorded."""

    status: Literal["completed", "crashed", "timed-out", "skipped"] = "skipped"
    reason: str | None = None
    seed: int = 0
    seconds: float = 0.0
    environment: Environment | None = None
    backbones: tuple[BackboneSeen, ...] = ()
    fits: tuple[FitSeen, ...] = ()
    crash: Crash | None = None
    notes: tuple[str, ...] = ()
    timings: dict[str, float] = Field(default_factory=dict)

    def backbone(self, key: int) -> BackboneSeen | None:
        """The backbone with ``key``."""
        return next((b for b in self.backbones if b.key == key), None)

    def backbone_of(self, fit: FitSeen) -> BackboneSeen | None:
        """The first backbone of the model that ``fit`` trained, or None."""
        return self.backbone(fit.model.backbones[0]) if fit.model.backbones else None

    @property
    def steps(self) -> int:
        """Training steps over all fits."""
        return sum(len(fit.steps) for fit in self.fits)
