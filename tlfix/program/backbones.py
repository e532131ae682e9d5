"""Pretrained networks and how they enter the models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tlfix.program.architectures import ARCHITECTURES, position
from tlfix.program.calls import architecture
from tlfix.program.dataflow import Trace, contents, sequential_parts
from tlfix.program.meaning import MODEL, options
from tlfix.program.model import UNKNOWN, Backbone, BackboneUse, Call, Scaling, Site
from tlfix.program.training import is_fit
from tlfix.program.values import Attribute, Element, Item, Made, Part, Sequence, Value

if TYPE_CHECKING:
    from tlfix.program.walk import Walker

# Values looked at to find what one is made of.
_FARTHEST: Final = 16
# Functions that give arrays, whatever they are given.
_READERS: Final = (
    "numpy.",
    "cv2.",
    "tf.data.",
    "tf.io.",
    "keras.utils.",
    "keras.preprocessing.",
)
# Methods that run a network on data: its features are taken outside any model.
_FEATURES: Final = (".predict", ".predict_generator", ".predict_on_batch")


def collect(
    walker: Walker, scalings: dict[Site, Scaling], final: Callable[[Call], Call]
) -> tuple[Backbone, ...]:
    """Every pretrained network the script makes, in the order it makes them."""
    uses: dict[Site, dict[Site, BackboneUse]] = {}
    loaded: set[Site] = set()
    constructors: dict[Site, Made] = {}
    fitted = False
    for made in walker.made:
        if architecture(made.call.name):
            constructors.setdefault(made.call.site, made)
        elif made.call.name.endswith((".load_weights", ".set_weights")):
            inside = _networks(made.receiver)
            if not fitted:
                # Weights of the whole model; after training it would be a checkpoint of ours.
                inside = [*inside, *contents(made.receiver, scalings)]
            loaded.update(each.call.site for each in inside)
        fitted = fitted or is_fit(made)
    for made in walker.made:
        for network, use in _uses(made, scalings):
            uses.setdefault(network.call.site, {}).setdefault(use.site, use)
    for base, site in walker.outputs:
        for network in _networks(base):
            use = _inlined(network, site, scalings)
            known = uses.setdefault(network.call.site, {})
            if not any(each.kind == "inlined" for each in known.values()):
                known[site] = use
    around = _around(walker, scalings)
    found = []
    for site, made in constructors.items():
        seen = tuple(uses.get(site, {}).values())
        if site in around:
            seen = tuple(replace(use, unread=(*use.unread, *around[site])) for use in seen)
        found.append(_backbone(final(made.call), seen, site in loaded))
    return tuple(found)


def _backbone(call: Call, uses: tuple[BackboneUse, ...], loads: bool) -> Backbone:
    library, name = architecture(call.name) or ("keras", "")
    parts = call.name.split(".")
    module = ARCHITECTURES.get(name, parts[2] if len(parts) > 3 else "")
    unknown = call.argument("**") is not None

    def constant(parameter: str, default: object) -> object:
        absent = UNKNOWN if unknown else default
        return call.constant(parameter, position(module, parameter), absent)

    # A use inside a model says more than a mere read of its features.
    inside = tuple(use for use in uses if use.kind != "features") or uses
    return Backbone(
        call,
        name,
        module,
        library,
        constant("weights", "imagenet"),
        constant("include_top", True),
        constant("input_shape", None),
        call.targets[0] if call.targets else None,
        inside,
        loads,
    )


def _networks(value: Value | None) -> list[Made]:
    """The backbones a value is (``base``, or a layer of it), on every branch."""
    found: list[Made] = []
    waiting = [value]
    seen: set[int] = set()
    while waiting and len(seen) < _FARTHEST:
        for option in options(waiting.pop()):
            if id(option) in seen:
                continue
            seen.add(id(option))
            if isinstance(option, Made):
                if architecture(option.call.name):
                    found.append(option)
                elif option.call.name.endswith(".get_layer"):
                    waiting.append(option.receiver)
            elif isinstance(option, Item | Element) or (
                isinstance(option, Attribute) and option.name == "layers"
            ):
                waiting.append(option.base)
    return found


def _uses(made: Made, known: dict[Site, Scaling]) -> list[tuple[Made, BackboneUse]]:
    call = made.call
    if call.name == "keras.Sequential":
        return _sequential(made, known)
    if call.name.endswith(_FEATURES):
        given = made.given("x", 0)
        return [
            (network, _use("features", call, given, known)) for network in _whole(made.receiver)
        ]
    if call.name.endswith("TimeDistributed"):
        return [
            (network, BackboneUse("nested", call.site))
            for network in _whole(made.given("layer", 0))
        ]
    if not call.name.endswith(".__call__"):
        return []
    given = made.given("inputs", 0)
    kind = "features" if _eager(given) else "nested"
    return [(network, _use(kind, call, given, known)) for network in _whole(made.callee)]


def _around(walker: Walker, known: dict[Site, Scaling]) -> dict[Site, tuple[str, ...]]:
    """What scales, or may scale, before a model of the script that has a backbone inside it."""
    found: dict[Site, tuple[str, ...]] = {}

    def note(model: Value | None, before: Trace) -> None:
        names = (*(known[site].name or "a scaling" for site in before.sites), *before.unread)
        inner = [o for o in options(model) if isinstance(o, Made) and o.kind == MODEL]
        for option in inner if names else ():
            for network in contents(option, known) if not architecture(option.call.name) else ():
                found[network.call.site] = names

    for made in walker.made:
        if made.call.name == "keras.Sequential":
            before = Trace(known)
            for part in sequential_parts(made):
                note(part, before)
                before.layer(part)
        elif made.call.name == f"{MODEL}.__call__":
            given = made.given("inputs", 0)
            if not _eager(given):
                note(made.callee, Trace(known).back(given))
    return found


def _whole(value: Value | None) -> list[Made]:
    return [
        option
        for option in options(value)
        if isinstance(option, Made) and architecture(option.call.name)
    ]


def _use(kind: str, call: Call, given: Value | None, known: dict[Site, Scaling]) -> BackboneUse:
    argument = call.argument("inputs" if kind == "nested" else "x", 0)
    before = Trace(known).back(given)
    return BackboneUse(
        kind,  # type: ignore[arg-type]
        call.site,
        argument.text if argument is not None else None,
        argument.site if argument is not None else None,
        call.constant("training", 1 if kind == "nested" else None),
        before.scalings,
        tuple(before.unread),
    )


def _inlined(network: Made, site: Site, known: dict[Site, Scaling]) -> BackboneUse:
    _, name = architecture(network.call.name) or ("", "")
    place = position(ARCHITECTURES.get(name, ""), "input_tensor")
    argument = network.call.argument("input_tensor", place)
    if argument is None or argument.text == "None":
        return BackboneUse("inlined", site)
    before = Trace(known).back(network.given("input_tensor", place))
    return BackboneUse(
        "inlined",
        site,
        argument.text,
        argument.site,
        scalings=before.scalings,
        unread=tuple(before.unread),
    )


def _sequential(made: Made, known: dict[Site, Scaling]) -> list[tuple[Made, BackboneUse]]:
    parts: list[Part] = []
    for option in options(made.given("layers", 0)):
        if isinstance(option, Sequence):
            parts.extend(option.parts)
    parts.extend(made.parts)
    found: list[tuple[Made, BackboneUse]] = []
    before = Trace(known)
    for part in parts:
        for option in options(part.value):
            if isinstance(option, Made) and architecture(option.call.name):
                use = BackboneUse(
                    "sequential",
                    part.site,
                    scalings=before.scalings,
                    unread=tuple(before.unread),
                )
                found.append((option, use))
            else:
                before.layer(option)
    return found


def _eager(value: Value | None, seen: frozenset[int] = frozenset()) -> bool:
    """Whether a network's input is data rather than a tensor of a model."""
    found = list(options(value))
    if not found or len(seen) >= _FARTHEST or id(value) in seen:
        return False
    inside = seen | {id(value)}
    return all(_is_data(each, inside) for each in found)


def _is_data(value: Value, seen: frozenset[int]) -> bool:
    if isinstance(value, Element):
        # A batch taken from somewhere; a model's tensors are not iterated over.
        return True
    if isinstance(value, Item | Attribute):
        return _eager(value.base, seen)
    if not isinstance(value, Made):
        return False
    name = value.call.name
    if name.endswith(".__call__") or name.startswith(("keras.Input", "keras.layers", "keras.ops")):
        return False
    if value.kind == MODEL:
        return False
    if name.startswith(_READERS) or "load_img" in name:
        return True
    # What comes out of a call is data if what it was called on, or with, is.
    origin = value.receiver if value.receiver is not None else next(iter(value.arguments), None)
    return _eager(origin, seen)
