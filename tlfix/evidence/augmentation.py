"""Random transforms of images: the settings and layers that make them, and how strong they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tlfix.program.model import UNKNOWN, Argument, Call, Program, Source


@dataclass(frozen=True)
class Setting:
    """An argument of ImageDataGenerator, or a layer, that transforms at random.

    ``index`` is the place among the positional arguments. Above ``limit`` (in the setting's own
    unit) it is called strong; ``usual`` is the source text of a common value, None where the
    setting is on or off.
    """

    name: str
    index: int
    limit: float | None
    usual: str | None


SETTINGS: dict[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting("rotation_range", 6, 45, "20"),  # degrees
        Setting("width_shift_range", 7, 0.3, "0.1"),  # share of the width; above 1: pixels
        Setting("height_shift_range", 8, 0.3, "0.1"),
        Setting("brightness_range", 9, 0.5, "(0.8, 1.2)"),  # factors; the limit is from 1
        Setting("shear_range", 10, 30, "10"),  # degrees
        Setting("zoom_range", 11, 0.3, "0.1"),  # share; as a pair: factors
        Setting("channel_shift_range", 12, 50, "20"),  # of 0..255
        Setting("horizontal_flip", 15, None, None),
        Setting("vertical_flip", 16, None, None),
    )
}
"""Arguments of ImageDataGenerator. Limits lie just above the strongest values of the Keras blog's
recipe for small data, which are 40 degrees, shifts, shear and zoom of 0.2
(https://blog.keras.io/building-powerful-image-classification-models-using-very-little-data.html);
the common values are half of them."""

LAYERS: dict[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting("RandomRotation", 0, 0.15, "0.1"),  # of a full turn
        Setting("RandomZoom", 0, 0.3, "0.1"),
        Setting("RandomTranslation", 0, 0.3, "0.1"),
        Setting("RandomShear", 0, 0.3, "0.1"),
        Setting("RandomContrast", 0, 0.5, "0.1"),
        Setting("RandomBrightness", 0, 0.5, "0.1"),
        Setting("RandomFlip", 0, None, None),
    )
}
"""Layers of Keras, their first argument. The common values are those of the Keras examples and of
https://www.tensorflow.org/tutorials/images/data_augmentation."""

_RANDOM = re.compile(
    r"augment|random_?(flip|rot|zoom|crop|transl|contrast|bright|hue|satur|eras|shear|shift|height"
    r"|width|affine|apply|jpeg|perspective|gauss|color)|albumentations|imgaug|mix_?up|cut_?mix"
    r"|cut_?out",
    re.IGNORECASE,
)


def strength(name: str, value: object) -> float | None:
    """How far a setting goes, in its own unit; None where it cannot be told.

    ``brightness_range`` and pairs of ``zoom_range`` count from a factor of 1.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return abs(float(value))
    if isinstance(value, Mapping):  # a layer's several factors
        parts = [far for v in value.values() if (far := strength(name, v)) is not None]
        return max(parts, default=None)
    if isinstance(value, list | tuple) and value:
        pair = [v for v in value if isinstance(v, int | float) and not isinstance(v, bool)]
        if len(pair) != len(value):
            return None
        factors = name in ("brightness_range", "zoom_range")
        return max(abs(part - 1) if factors else abs(part) for part in pair)
    return None


def strong(name: str, value: object) -> bool:
    """True if a setting or layer goes beyond what is common for photographs."""
    name = name.split(" ")[0]  # the probe numbers layers of one class: ``RandomZoom 2``
    setting = SETTINGS.get(name) or LAYERS.get(name)
    far = strength(name, value)
    if setting is None or setting.limit is None or far is None:
        return False
    if name.endswith("shift_range") and name != "channel_shift_range" and far >= 1:
        return False  # pixels: how many are too many depends on the image
    return far > setting.limit


def random_settings(generator: Call) -> dict[str, Argument]:
    """The arguments of an ImageDataGenerator that transform at random, by name."""
    found = {}
    for name, setting in SETTINGS.items():
        given = generator.argument(name, setting.index)
        if given is not None and (given.value is UNKNOWN or _on(given.value)):
            found[name] = given
    return found


def _on(value: object) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and any(part != value[0] for part in value)
    return bool(value)


def known(settings: Mapping[str, Argument]) -> bool:
    """True if one of the settings at least is a constant that transforms."""
    return any(given.value is not UNKNOWN for given in settings.values())


def listed(settings: Mapping[str, object]) -> str:
    """``rotation_range=20, horizontal_flip=True``, as a program would write it."""
    shown = []
    for name, value in settings.items():
        text = value.text if isinstance(value, Argument) else repr(value)
        shown.append(f"{name}={text}")
    return ", ".join(shown)


def users(program: Program, generator: Call) -> tuple[Source, ...]:
    """The flows that are made from a generator."""
    return tuple(
        source
        for source in program.sources
        if source.generator is not None and source.generator.site == generator.site
    )


def mentions(program: Program) -> str | None:
    """The first call or import in the program that looks like augmentation, None if none does."""
    for generator in program.generators:
        settings = random_settings(generator)
        if settings or any(argument.keyword == "**" for argument in generator.keywords):
            return listed(settings) or "**"
    for qualified in program.imports.values():
        if _RANDOM.search(qualified):
            return qualified
    for call in program.calls:
        arguments = (*call.positional, *call.keywords)
        texts = (call.name, call.receiver_text, *(a.name for a in arguments))
        for text in texts:
            if text is not None and _RANDOM.search(text):
                return text
        if any(_RANDOM.search(a.text) for a in arguments if "\n" not in a.text):
            return call.name
    return None


def transforming_calls(program: Program, source: Source) -> Iterator[Call]:
    """Calls of random image functions inside the functions mapped onto a source, or of layers.

    Only calls that transform by their own nature count: ``tf.image.random_*``, ``RandomFlip`` …
    """
    for stage in source.stages:
        if not stage.name.endswith(".map"):
            continue
        mapped = stage.argument("map_func", 0)
        if mapped is None:
            continue
        for call in program.calls:
            if not call.name.startswith(("tf.image.random_", "tf.image.stateless_random_")):
                continue
            inside = (
                mapped.site.line <= call.site.line <= mapped.site.end_line
                and call.scope.endswith("<lambda>")
            )
            if inside or (mapped.name is not None and call.scope == mapped.name):
                yield call
