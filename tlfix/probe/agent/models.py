"""Describes models, the pretrained networks inside them, and how they were compiled."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlfix_agent import births, scalings
from tlfix_agent.births import Births
from tlfix_agent.channel import number

_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv1D", "Conv3D")


@dataclass
class Backbone:
    """A pretrained network inside a model that is being trained.

    ``nested`` is true if it is called as a layer; otherwise its layers are part of the model's own
    graph. ``tensor`` is the symbolic tensor it was built on, where the program gave one.
    """

    key: int
    network: Any
    nested: bool
    architecture: str
    module: str
    expects: scalings.Scaling | None
    weights_status: str
    event: dict[str, Any]
    tensor: Any = None

    @property
    def trunk(self) -> Any:
        """The network from its door on: without what the program put before it."""
        if (
            self.tensor is None
            or type(self.tensor._keras_history.operation).__name__ == "InputLayer"
        ):
            return self.network
        return keras_of(self.network).Model(self.tensor, self.network.output)


def is_batchnorm(layer: Any) -> bool:
    """True for every BatchNormalization layer, of any Keras."""
    return any(c.__name__ == "BatchNormalization" for c in type(layer).__mro__)


def layers_below(model: Any) -> list[Any]:
    """Every layer inside ``model``, nested ones included, without ``model`` itself."""
    flatten = getattr(model, "_flatten_layers", None)
    if flatten is None:
        return list(getattr(model, "layers", []))
    return [layer for layer in flatten(include_self=False, recursive=True)]


def batchnorms(network: Any) -> list[Any]:
    """The BatchNorm layers of a network in the order of its graph."""
    return [layer for layer in layers_below(network) if is_batchnorm(layer)]


def axes_but_channels(layer: Any, rank: int) -> tuple[int, ...]:
    """The axes that a BatchNorm layer averages over, for inputs with ``rank`` axes."""
    axis = getattr(layer, "axis", -1)
    axis = axis[0] if isinstance(axis, (list, tuple)) else axis
    return tuple(i for i in range(rank) if i != axis % rank)


def size(variables: Any) -> int:
    """Number of parameters in a list of variables."""
    return int(sum(int(np.prod(v.shape)) for v in variables))


class Models:
    """Gives keys to models and finds their backbones. ``missing`` are networks whose pretrained
    weights could not be had; ``loaded`` those that got weights from a file."""

    def __init__(self, recorded: Births) -> None:
        self._births = recorded
        self._keys: dict[int, Any] = {}
        self.missing: set[int] = set()
        self.loaded: set[int] = set()
        self.reported: dict[int, Backbone] = {}

    def key(self, model: Any) -> int:
        """A small number that stays with ``model``, which is kept alive."""
        for key, known in self._keys.items():
            if known is model:
                return key
        key = len(self._keys)
        self._keys[key] = model
        return key

    def note_weights(self, model: Any, missing: bool) -> None:
        """``model`` was given weights from a file, or should have been."""
        self.key(model)
        (self.missing if missing else self.loaded).add(id(model))

    def backbones(self, model: Any, names: dict[str, scalings.Scaling]) -> list[Backbone]:
        """The pretrained networks in ``model``, outermost first."""
        inside = layers_below(model)
        identities = {id(layer) for layer in inside}
        found = []
        for record in self._births.backbones:
            network = record.model()
            if network is None:
                continue
            if network is model and not record.arguments.get("include_top"):
                nested = False
            elif id(network) in identities:
                nested = True
            elif network is model:
                nested = False
            else:
                own = [x for x in layers_below(network) if x.weights]
                if not own or id(own[0]) not in identities or network is model:
                    continue
                nested = False
            found.append(self._application(record, network, nested, names))
        if not found:
            found = [self._unknown(n, names) for n in self._loaded_networks(model, inside)]
        return found

    def _application(
        self,
        record: births.Recorded,
        network: Any,
        nested: bool,
        names: dict[str, scalings.Scaling],
    ) -> Backbone:
        key = self.key(network)
        if key in self.reported:
            known = self.reported[key]
            known.nested = nested
            return known
        arguments, module = record.arguments, record.birth.module
        weights = arguments.get("weights")
        if id(network) in self.missing:
            status = "missing"
        elif weights is not None or id(network) in self.loaded:
            status = "pretrained"
        else:
            status = "random"
        shape = getattr(network, "input_shape", None)
        expects = scalings.expected(module, names) if module.startswith("keras") else None
        event = {
            "key": key,
            "name": record.birth.function,
            "module": module.rsplit(".", 1)[-1],
            "site": record.birth.place,
            "weights": None if weights is None else str(weights),
            "weights_status": status,
            "include_top": bool(arguments.get("include_top")),
            "input_shape": list(shape) if isinstance(shape, tuple) else None,
            "expects": expects.as_event() if expects else None,
        }
        backbone = Backbone(
            key,
            network,
            nested,
            record.birth.function,
            module,
            expects,
            status,
            self._counted(event, network),
            arguments.get("input_tensor"),
        )
        self.reported[key] = backbone
        return backbone

    def _loaded_networks(self, model: Any, inside: list[Any]) -> list[Any]:
        """Networks nobody knows: nested models with several convolutions and loaded weights."""
        candidates = []
        for layer in inside:
            if not hasattr(layer, "layers") or layer is model:
                continue
            kinds = [type(x).__name__ for x in layers_below(layer)]
            if sum(kind in _CONVOLUTIONS for kind in kinds) >= 3:
                candidates.append(layer)
        return candidates[:1]

    def _unknown(self, network: Any, names: dict[str, scalings.Scaling]) -> Backbone:
        key = self.key(network)
        if key not in self.reported:
            birth = births.of(network)
            loaded = id(network) in self.loaded or (birth is not None and "saving" in birth.module)
            event = {
                "key": key,
                "name": getattr(network, "name", "backbone"),
                "module": None,
                "site": birth.place if birth else None,
                "weights": None,
                "weights_status": "pretrained" if loaded else "unknown",
                "include_top": None,
                "input_shape": None,
                "expects": None,
            }
            self.reported[key] = Backbone(
                key,
                network,
                True,
                str(event["name"]),
                "",
                None,
                str(event["weights_status"]),
                self._counted(event, network),
            )
        return self.reported[key]

    @staticmethod
    def _counted(event: dict[str, Any], network: Any) -> dict[str, Any]:
        event["parameters"] = size(network.weights)
        event["layers"] = len(getattr(network, "layers", []))
        event["batchnorms"] = len(batchnorms(network))
        return event


def describe(model: Any, key: int, backbones: list[Backbone]) -> dict[str, Any]:
    """The model as an event (``ModelSeen``)."""
    inside: set[int] = set()
    for backbone in backbones:
        inside |= {id(v) for v in backbone.network.weights}
    trainable = model.trainable_weights
    birth = births.of(model)
    kinds = [c.__name__ for c in type(model).__mro__]
    kind = (
        "sequential"
        if "Sequential" in kinds
        else "functional"
        if "Functional" in kinds
        else "subclassed"
    )
    total = size(model.weights)
    backbone_parameters = size([v for v in model.weights if id(v) in inside])
    head_trainable = size([v for v in trainable if id(v) not in inside])
    return {
        "key": key,
        "kind": kind,
        "site": birth.place if birth else None,
        "backbones": [b.key for b in backbones],
        "nesting": "none" if not backbones else "nested" if backbones[0].nested else "inlined",
        "input_shape": _shape(getattr(model, "input_shape", None)),
        "output_shape": _shape(getattr(model, "output_shape", None)),
        "output": output_layer(model),
        "parameters": total,
        "trainable": size(trainable),
        "backbone_parameters": backbone_parameters,
        "backbone_trainable": size(trainable) - head_trainable,
        "head_parameters": total - backbone_parameters,
        "head_trainable": head_trainable,
    }


def _shape(value: Any) -> list[int | None] | None:
    if isinstance(value, tuple) and all(v is None or isinstance(v, int) for v in value):
        return list(value)
    return None


def output_layer(model: Any) -> dict[str, Any] | None:
    """The layer that makes the output, through trailing activations."""
    layers = [x for x in getattr(model, "layers", [])]
    outputs = getattr(model, "outputs", None)
    last = None
    if outputs and len(outputs) == 1:
        history = getattr(outputs[0], "_keras_history", None)
        last = getattr(history, "operation", None) or (history[0] if history else None)
        while last is not None and getattr(last, "layers", None):
            last = last.layers[-1]
    if last is None and layers:
        dense = [x for x in layers_below(model) if type(x).__name__ == "Dense"]
        last = dense[-1] if dense else layers[-1]
    if last is None:
        return None
    activation = _activation(last)
    while type(last).__name__ in {"Activation", "Softmax", "Dropout", "Identity"}:
        before = _before(last)
        if before is None:
            break
        if activation in (None, "linear"):
            activation = _activation(before)
        last = before
    birth = births.of(last)
    units = getattr(last, "units", None)
    if units is None:
        shape = getattr(model, "output_shape", None)
        units = shape[-1] if isinstance(shape, tuple) and len(shape) == 2 else None
    return {
        "name": last.name,
        "kind": type(last).__name__,
        "units": units,
        "activation": activation,
        "site": birth.place if birth else None,
    }


def _before(layer: Any) -> Any:
    try:
        tensor = layer.input
        history = tensor._keras_history
    except (AttributeError, ValueError, RuntimeError):
        return None
    return getattr(history, "operation", None) or history[0]


def _activation(layer: Any) -> str | None:
    if type(layer).__name__ == "Softmax":
        return "softmax"
    activation = getattr(layer, "activation", None)
    return getattr(activation, "__name__", None) if activation is not None else None


def describe_compile(model: Any, place: dict[str, Any] | None) -> dict[str, Any]:
    """How ``model`` was compiled, as an event (``CompileSeen``)."""
    optimizer = getattr(model, "optimizer", None)
    config = getattr(model, "_compile_config", None)
    loss = getattr(model, "loss", None)
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    schedule = getattr(inner, "_learning_rate", None)
    metrics = getattr(config, "config", {}).get("metrics") if config is not None else None
    return {
        "site": place,
        "optimizer": type(inner).__name__ if inner is not None else None,
        "learning_rate": learning_rate(model),
        "scheduled": any(c.__name__ == "LearningRateSchedule" for c in type(schedule).__mro__),
        "loss": loss_name(loss),
        "from_logits": from_logits(loss),
        "metrics": [
            m if isinstance(m, str) else getattr(m, "name", str(m))
            for m in (metrics if isinstance(metrics, (list, tuple)) else [])
        ],
    }


def learning_rate(model: Any) -> float | None:
    """The learning rate at the present step."""
    try:
        return number(np.asarray(model.optimizer.learning_rate))
    except Exception:  # a schedule may want a step that there is not yet
        return None


def loss_name(loss: Any) -> str | None:
    """The loss as snake_case, or None."""
    if loss is None or isinstance(loss, (dict, list, tuple)):
        return None
    name = (
        loss if isinstance(loss, str) else (getattr(loss, "__name__", None) or type(loss).__name__)
    )
    if not name.islower():
        name = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
    return str(name)


def from_logits(loss: Any) -> bool | None:
    """Whether the loss takes logits; False for the losses given by name (their default)."""
    if loss is None or isinstance(loss, (str, dict, list, tuple)):
        return False if isinstance(loss, str) else None
    value = getattr(loss, "from_logits", None)
    if value is None:
        value = (getattr(loss, "_fn_kwargs", None) or {}).get("from_logits")
    if value is None:
        try:
            value = loss.get_config().get("from_logits")
        except Exception:  # a loss of the user's own need not have a configuration
            value = None
    return bool(value) if value is not None else None


def snapshot(variables: Any) -> list[np.ndarray]:
    """Copies of variables' values."""
    return [np.array(v.numpy() if hasattr(v, "numpy") else v) for v in variables]


def restore(variables: Any, values: list[np.ndarray]) -> None:
    """Put values taken by :func:`snapshot` back."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def keras_of(model: Any) -> Any:
    """The Keras package (``keras`` or ``tf_keras``) that ``model`` belongs to."""
    for cls in type(model).__mro__:
        root = cls.__module__.split(".")[0]
        if root in {"keras", "tf_keras"}:
            return sys.modules[root]
    return sys.modules.get("keras")
