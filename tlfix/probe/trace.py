"""What the probe recorded, as typed values.

The agent streams JSON lines; :func:`Trace.add` folds each into the trace, so that whatever was
measured before a crash is kept. Arrays are plain lists of floats; images are never carried.
Lines count from 1, columns from 0.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Seen(BaseModel):
    """Base of the recorded values. Unknown fields are ignored: an agent may be newer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Place(Seen):
    """A line of the user's code from which something was called."""

    path: str
    line: int
    column: int | None = None


class Environment(Seen):
    """The interpreter and libraries the agent met."""

    python: str
    keras: str | None = None
    backend: str | None = None
    tensorflow: str | None = None
    device: str | None = None


class ScalingSeen(Seen):
    """An affine map from raw 0..255 RGB pixels: ``x[c] = scale[c] * raw[source[c]] + offset[c]``.

    ``name`` is ``raw`` (0..255), ``unit`` (0..1), ``tf`` (-1..1), ``torch``, ``caffe``, or two of
    them joined by ``+`` in the order of application (``unit+tf``: divided by 255, then scaled to
    -1..1 as if it were raw), or ``other``.
    """

    name: str
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    source: tuple[int, ...] = (0, 1, 2)


class BackboneSeen(Seen):
    """A pretrained network the program built or loaded.

    ``weights_status``: ``pretrained`` (from keras.applications or loaded from a file), ``random``
    (``weights=None`` and nothing loaded), ``missing`` (pretrained weights were asked for and could
    not be had; the probe went on with random ones), ``unknown``.
    ``expects`` is what its own ``preprocess_input`` does, found by evaluating it.
    """

    key: int
    name: str
    module: str | None = None
    site: Place | None = None
    weights: str | None = None
    weights_status: Literal["pretrained", "random", "missing", "unknown"] = "unknown"
    include_top: bool | None = None
    input_shape: tuple[int | None, ...] | None = None
    parameters: int = 0
    layers: int = 0
    batchnorms: int = 0
    expects: ScalingSeen | None = None


class PipelineSeen(Seen):
    """A data-loading call: ``kind`` is its function (``flow_from_directory``, ``map`` …)."""

    kind: str
    site: Place
    generator_site: Place | None = None
    """Where the ImageDataGenerator behind a ``flow*`` call was made."""
    function_site: Place | None = None
    """Where the function given to ``map`` was defined."""
    settings: dict[str, object] = {}


class DataSeen(Seen):
    """One split as it reached ``fit``.

    ``minimum``/``maximum`` are over the sampled inputs; ``histogram`` counts samples per class,
    over all samples where the program's data tells, else over the sample (``histogram_of``).
    ``sites`` is the chain of calls that made it, the outermost last.
    """

    split: Literal["training", "validation"]
    kind: str
    sites: tuple[PipelineSeen, ...] = ()
    samples: int | None = None
    sampled: int = 0
    batch_size: int | None = None
    input_shape: tuple[int | None, ...] = ()
    input_dtype: str = ""
    minimum: float | None = None
    maximum: float | None = None
    label_shape: tuple[int | None, ...] | None = None
    label_dtype: str | None = None
    label_kind: Literal[
        "integer", "binary", "one-hot", "multi-hot", "soft", "continuous", "none"
    ] = "none"
    label_minimum: float | None = None
    label_maximum: float | None = None
    classes: int | None = None
    class_names: tuple[str, ...] | None = None
    class_indices: dict[str, int] | None = None
    histogram: dict[int, int] | None = None
    histogram_of: Literal["all", "sample"] | None = None
    shuffled: bool | None = None


class LayerSeen(Seen):
    """The layer that makes the model's output."""

    name: str
    kind: str
    units: int | None
    activation: str | None
    """``softmax``, ``sigmoid``, ``linear`` …; of the last activation applied."""
    site: Place | None = None


class ModelSeen(Seen):
    """The model given to ``fit``, at the moment of the call.

    ``backbone_trainable`` is the number of trainable parameters inside the backbones, ``head_*``
    everything else. ``backbone_training_mode`` is true if the backbone's BatchNorm layers run in
    training mode during ``fit`` (not frozen and not called with ``training=False``).
    """

    key: int
    kind: Literal["functional", "sequential", "subclassed", "other"]
    site: Place | None = None
    backbones: tuple[int, ...] = ()
    nesting: Literal["nested", "inlined", "none"] = "none"
    input_shape: tuple[int | None, ...] | None = None
    output_shape: tuple[int | None, ...] | None = None
    output: LayerSeen | None = None
    parameters: int = 0
    trainable: int = 0
    backbone_parameters: int = 0
    backbone_trainable: int = 0
    head_parameters: int = 0
    head_trainable: int = 0
    backbone_training_mode: bool | None = None
    door_is_input: bool = False
    """True if the backbone receives exactly the model's input: nothing inside the model scales."""


class CompileSeen(Seen):
    """``loss`` is snake_case; ``learning_rate`` the rate at the first step."""

    site: Place | None = None
    optimizer: str | None = None
    optimizer_site: Place | None = None
    learning_rate: float | None = None
    scheduled: bool = False
    loss: str | None = None
    from_logits: bool | None = None
    metrics: tuple[str, ...] = ()


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
    constant_images: int = 0


class LinearProbe(Seen):
    """A ridge classifier on cached backbone features under one scaling.

    ``scaling`` is ``as-is`` (the tensor as the program feeds it), ``expected`` (re-scaled as the
    backbone wants), or a scaling's name. ``correct`` has one flag per validation image, in the same
    order for every probe of a fit, so that two probes can be compared image by image.
    ``weights`` tells whose features: ``initial`` (before training) or ``trained``.
    """

    scaling: str
    weights: Literal["initial", "trained"] = "initial"
    accuracy: float
    balanced_accuracy: float
    chance: float
    training: int
    validation: int
    correct: tuple[bool, ...] = ()
    train_accuracy: float | None = None
    features: int | None = None


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
    ended: Literal["completed", "budget", "time", "crashed", "running"] = "running"
    ran_epochs: float = 0.0
    steps: tuple[Step, ...] = ()
    epoch_logs: tuple[dict[str, float | None], ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    doors: tuple[Door, ...] = ()
    probes: tuple[LinearProbe, ...] = ()
    range_test: RangeTest | None = None
    fine_tune: FineTuneTrial | None = None
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

    def probe(self, scaling: str, weights: str = "initial") -> LinearProbe | None:
        """The linear probe made under ``scaling``, if any."""
        for probe in self.probes:
            if probe.scaling == scaling and probe.weights == weights:
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
    timings: dict[str, float] = {}

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
