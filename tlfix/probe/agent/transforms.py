"""What transforms images at random, and how strongly: by setting or layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tlfix_agent import passes, pipelines

_SETTINGS = (
    "rotation_range",
    "width_shift_range",
    "height_shift_range",
    "shear_range",
    "zoom_range",
    "channel_shift_range",
    "brightness_range",
    "horizontal_flip",
    "vertical_flip",
)
_LAYERS = ("AugMix", "CutMix", "MixUp", "RandAugment")
# Of a layer's configuration: not how strong the transform is.
_OTHER = (
    "name",
    "trainable",
    "dtype",
    "data_format",
    "seed",
    "fill_mode",
    "fill_value",
    "interpolation",
    "value_range",
    "bounding_box_format",
)


def of_data(x: Any) -> dict[str, Any]:
    """Random transforms of a pipeline, by ImageDataGenerator setting or layer name.

    A function given to ``map`` that draws random numbers stands under its own name (``map`` for a
    lambda), with the operations that draw, unless it calls Keras layers.
    """
    found: dict[str, Any] = {}
    for node in pipelines.chain(x):
        generator = getattr(node, "image_data_generator", None)
        if generator is not None:
            found.update(of_generator(generator))
        drawn = sorted(op for op in passes.operations_of(node) if passes.is_random(op))
        if not drawn:
            continue
        function = getattr(node._map_func, "_func", None)
        layers = of_layers(_called(function))
        if layers:
            found.update(layers)
        else:
            name = getattr(function, "__name__", "map")
            found["map" if name == "<lambda>" else name] = ", ".join(drawn)
    return found


def of_generator(generator: Any) -> dict[str, Any]:
    """The settings of an ``ImageDataGenerator`` that transform at random."""
    values = {name: getattr(generator, name, None) for name in _SETTINGS}
    if values["zoom_range"] is not None and list(values["zoom_range"]) == [1, 1]:
        del values["zoom_range"]
    return {name: _plain(value) for name, value in values.items() if _is_set(value)}


def _is_set(value: Any) -> bool:
    try:
        return bool(value)
    except ValueError:  # an array
        return True


def of_layers(layers: Iterable[Any]) -> dict[str, Any]:
    """Random image layers by class (numbered from the second of a class on), with their strength:
    one number or word, a range [low, high], or several by name."""
    found: dict[str, Any] = {}
    for layer in layers:
        name = type(layer).__name__
        if not name.startswith("Random") and name not in _LAYERS:
            continue
        config = layer.get_config()
        kept = {k: _plain(v) for k, v in config.items() if k not in _OTHER and v is not None}
        number, key = 2, name
        while key in found:
            key, number = f"{name} {number}", number + 1
        found[key] = next(iter(kept.values())) if len(kept) == 1 else kept
    return found


def of_model(model: Any) -> dict[str, Any]:
    """The random layers inside ``model``, which work on training data only."""
    return of_layers(_below(model))


def _called(function: Any) -> Iterator[Any]:
    """The Keras layers that a function of the user's names, with those below them."""
    function = getattr(function, "__wrapped__", function)
    code = getattr(function, "__code__", None)
    if code is None:
        yield from _with_inner(function)
        return
    scope = getattr(function, "__globals__", {})
    values = [scope.get(name) for name in code.co_names]
    for cell in function.__closure__ or ():
        try:
            values.append(cell.cell_contents)
        except ValueError:  # not yet assigned
            continue
    for value in values:
        yield from _with_inner(value)


def _with_inner(value: Any) -> Iterator[Any]:
    if hasattr(value, "get_config") and hasattr(value, "call"):
        yield value
        yield from _below(value)


def _below(layer: Any) -> Iterator[Any]:
    """The layers inside ``layer`` in the order in which they were added, nested ones included."""
    flatten = getattr(layer, "_flatten_layers", None)
    if flatten is None:
        return
    for inner in flatten(include_self=False, recursive=False):
        yield inner
        yield from _below(inner)


def _plain(value: Any) -> Any:
    if isinstance(value, (bool, int, float, str, type(None))):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value.tolist() if hasattr(value, "tolist") else str(value)
