"""Everything that changes the range of pixels, and which of it lies on the way to a value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tlfix.program.architectures import MODES, THIRD_PARTY, affine
from tlfix.program.meaning import DATASET, GENERATOR, constant, options
from tlfix.program.model import UNKNOWN, Argument, Call, Scaling, Site
from tlfix.program.values import Element, Fact, Item, Made, Ref, Value

if TYPE_CHECKING:
    from tlfix.program.walk import Walker

RESCALING: Final = "keras.layers.Rescaling"
CONVERT: Final = "tf.image.convert_image_dtype"
_NORMALIZATIONS: Final = frozenset(
    {"tf.image.per_image_standardization", "keras.layers.Normalization", "albumentations.Normalize"}
)
_FLAGS: Final = (
    ("featurewise_center", 0),
    ("samplewise_center", 1),
    ("featurewise_std_normalization", 2),
    ("samplewise_std_normalization", 3),
)
_FLOATS: Final = frozenset({"float16", "float32", "float64"})
# Values looked at to find whether pixels are floats.
_FARTHEST: Final = 32
_MAPPERS: Final = frozenset({f"{DATASET}.map", ".map", "keras.layers.Lambda"})


def collect(walker: Walker) -> dict[Site, Scaling]:
    """Every scaling by its site, in source order."""
    found: dict[Site, Scaling] = {}
    for fact in walker.facts:
        if not fact.extended or fact.used or fact.shown:
            _add(found, _from_fact(fact))
    for made in walker.made:
        for scaling in scalings_of(made):
            _add(found, scaling)
    return dict(sorted(found.items(), key=lambda item: (item[0].line, item[0].column)))


def _add(found: dict[Site, Scaling], scaling: Scaling) -> None:
    old = found.get(scaling.site)
    if old is None:
        found[scaling.site] = scaling
        return
    found[scaling.site] = Scaling(
        old.kind,
        old.site,
        old.scale if old.scale == scaling.scale else None,
        old.offset if old.offset == scaling.offset else None,
        old.module,
        old.operand_text,
        old.operand_site,
        old.owner or scaling.owner,
        old.scope,
        old.display and scaling.display,
        old.targets or scaling.targets,
        old.statements,
        old.name,
    )


def _from_fact(fact: Fact) -> Scaling:
    return Scaling(
        "arithmetic",
        fact.site,
        fact.scale,
        fact.offset,
        None,
        fact.operand_text,
        fact.operand_site,
        fact.owner,
        fact.scope,
        fact.born_displayed or (fact.shown and not fact.used),
        fact.targets,
        fact.statements,
    )


def scalings_of(made: Made) -> Iterator[Scaling]:
    """The scalings a single call is or configures, in order of application."""
    call = made.call
    name = call.name
    if name == RESCALING:
        scale = _number(call.constant("scale", 0, UNKNOWN))
        offset = _number(call.constant("offset", 1, 0.0))
        yield Scaling(
            "layer", call.site, scale, offset, scope=call.scope, targets=call.targets, name=name
        )
    elif is_preprocess_input(name):
        yield _function(made)
    elif name == CONVERT and _to_float(made) and not _is_float(made.arguments[:1]):
        yield _on_argument(made, "arithmetic", 1 / 255, 0.0)
    elif name in _NORMALIZATIONS:
        yield _on_argument(made, "normalization", None, None)
    elif name == GENERATOR:
        yield from _generator(made)
    elif name in _MAPPERS:
        argument = call.argument("map_func" if name.endswith("map") else "function", 0)
        if argument is not None:
            yield from _reference(argument, call)


def is_preprocess_input(name: str) -> bool:
    """Whether a qualified name is the ``preprocess_input`` of a known library."""
    root, _, _ = name.partition(".")
    return name.endswith(".preprocess_input") and (
        name.startswith("keras.applications.") or root in THIRD_PARTY
    )


def _module(name: str) -> str | None:
    if name.startswith("keras.applications."):
        return name.removeprefix("keras.applications.").removesuffix(".preprocess_input")
    return None


def _number(value: object) -> float | None:
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if numeric else None  # type: ignore[arg-type]


def _function(made: Made) -> Scaling:
    module = _module(made.call.name)
    scale, offset = affine(MODES.get(module or ""))
    if made.call.constant("mode") == "tf":
        scale, offset = affine("tf")
    return _on_argument(made, "function", scale, offset, module)


def _on_argument(
    made: Made,
    kind: str,
    scale: float | None,
    offset: float | None,
    module: str | None = None,
) -> Scaling:
    call = made.call
    first = call.positional[0] if call.positional else None
    if first is None:
        first = call.argument("x") or call.argument("image")
    return Scaling(
        kind,  # type: ignore[arg-type]
        call.site,
        scale,
        offset,
        module,
        first.text if first is not None else None,
        first.site if first is not None else None,
        made.owner,
        call.scope,
        made.display,
        call.targets,
        name=call.name,
    )


def _reference(argument: Argument, call: Call) -> Iterator[Scaling]:
    if argument.name is not None and is_preprocess_input(argument.name):
        module = _module(argument.name)
        scale, offset = affine(MODES.get(module or ""))
        yield Scaling(
            "reference",
            argument.site,
            scale,
            offset,
            module,
            owner=call.site,
            scope=call.scope,
            name=argument.name,
        )


def _generator(made: Made) -> Iterator[Scaling]:
    # ``standardize`` calls the function first, then rescales, then centres.
    call = made.call
    function = call.argument("preprocessing_function")
    if function is not None:
        yield from _reference(function, call)
    rescale = call.argument("rescale")
    if rescale is not None and rescale.value not in (None, 0, False, 1):
        yield Scaling(
            "argument",
            rescale.site,
            _number(rescale.value),
            0.0,
            owner=call.site,
            scope=call.scope,
            name=call.name,
        )
    for flag, position in _FLAGS:
        given = call.argument(flag, position)
        # A function here is ``preprocess_input`` given by position: it does nothing.
        if given is not None and given.value is True:
            yield Scaling(
                "normalization",
                given.site,
                owner=call.site,
                scope=call.scope,
                name=call.name,
            )


def _to_float(made: Made) -> bool:
    given = made.given("dtype", 1)
    names = {
        option.name if isinstance(option, Ref) else str(constant(option))
        for option in options(given)
    }
    return bool(names) and all(name.rsplit(".", 1)[-1] in _FLOATS for name in names)


def _is_float(values: tuple[Value, ...]) -> bool:
    """Whether pixels are floats already, so that a conversion leaves them as they are."""
    waiting: list[Value | None] = list(values)
    seen: set[int] = set()
    while waiting and len(seen) < _FARTHEST:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Made):
            name = value.call.name
            if name == CONVERT or (name == "tf.cast" and _to_float(value)):
                return True
            if name in {"tf.image.resize", "tf.image.resize_with_pad"}:
                return True
            if name == "keras.utils.image_dataset_from_directory":
                return True
            waiting.extend((value.receiver,) if value.kind == DATASET else value.arguments[:1])
        elif isinstance(value, Item | Element):
            waiting.append(value.base)
    return False
