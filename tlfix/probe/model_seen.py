"""What the probe recorded of backbones, models, and how they were compiled."""

from __future__ import annotations

from typing import Literal

from tlfix.probe.seen import Place, ScalingSeen, Seen


class RecoveredSeen(Seen):
    """What a network nobody knows was trained on, recovered from its first BatchNorm layers.

    ``mean`` and ``std`` are subtracted and divided by, in grey levels (0..255) per channel of the
    network; two halves of the ``images`` disagree by ``*_error``. ``loss`` is the mean over the
    layers of log(1 + divergence) that is left, ``as_fed`` that of the images as the program scales
    them.
    """

    loss: float
    as_fed: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    mean_error: tuple[float, ...]
    std_error: tuple[float, ...]
    images: int


class BackboneSeen(Seen):
    """A pretrained network the program built or loaded.

    ``weights_status``: ``pretrained`` (from keras.applications or loaded from a file), ``random``
    (``weights=None`` and nothing loaded), ``missing`` (pretrained weights were asked for and could
    not be had; the probe went on with random ones), ``unknown``.
    ``expects`` is what its own ``preprocess_input`` does, found by evaluating it; for a network
    nobody knows, what was ``recovered``.
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
    recovered: RecoveredSeen | None = None


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
    everything else. ``backbone_training_mode`` is measured, not read: true if BatchNorm layers
    replaced statistics when the trained model ran in training mode, as ``fit`` runs it.
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


class CallbackSeen(Seen):
    """A callback given to ``fit``; what it does not have is null."""

    name: str
    site: Place | None = None
    monitor: str | None = None
    patience: int | None = None
    restore_best_weights: bool | None = None
