"""The form in which labels reach a ``fit``: class numbers or rows, of how many classes.

Facts come from the probe where it saw the ``fit``, else from the source; what is not known is
None. Nothing here judges: the causes of the families TL2xx and TL3xx do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tlfix.evidence.edits import at
from tlfix.probe.trace import DataSeen, FitSeen
from tlfix.program.model import Fit, Program, Source

Form = Literal["integer", "vector"]
"""``integer``: one class number per image, (n,) or (n, 1); ``vector``: one row each, (n, k)."""

# Argument, its place, the default and the meaning of each value; from the signatures in
# https://keras.io/api/data_loading/image/ and the ImageDataGenerator pages of TensorFlow 2.
_MODES: dict[str, tuple[str, int, str]] = {
    "flow_from_directory": ("class_mode", 4, "categorical"),
    "flow_from_dataframe": ("class_mode", 8, "categorical"),
    "image_dataset_from_directory": ("label_mode", 2, "int"),
}
_FORMS: dict[object, Form] = {
    "categorical": "vector",
    "sparse": "integer",
    "int": "integer",
    "binary": "integer",
}
_SEEN: dict[str, Form] = {
    "integer": "integer",
    "binary": "integer",
    "one-hot": "vector",
    "multi-hot": "vector",
    "soft": "vector",
}


@dataclass(frozen=True)
class Labels:
    """The labels of one split. ``mode`` is the argument that decides their form, if one does.

    ``two`` is true where they are said to be of two classes (``class_mode="binary"``).
    ``classes`` is null unless every class is known, not only those in a sample.
    """

    split: str
    form: Form | None
    classes: int | None
    two: bool = False
    single: bool = True
    source: Source | None = None
    data: DataSeen | None = None
    mode: str | None = None
    mode_index: int | None = None

    def beyond(self, outputs: int) -> bool:
        """True if there are more classes than ``outputs``, and labels that show it were seen.

        Names of classes are inherited from the folders through every ``map``: where the labels were
        relabelled on the way, only the class numbers that arrived tell.
        """
        if self.classes is None or self.classes <= outputs:
            return False
        if self.data is None or self.form != "integer":
            return True
        counted = self.data.histogram or {}
        highest = max([*counted, self.data.label_maximum or 0])
        return highest >= outputs


def labels_of(program: Program, fit: Fit | None, seen: FitSeen | None) -> Iterator[Labels]:
    """The labels of each split of a ``fit`` of which anything is known, training first."""
    for split in ("training", "validation"):
        sources: tuple[Source, ...] = ()
        if fit is not None:
            sources = fit.training if split == "training" else fit.validation
        data = None
        if seen is not None:
            data = seen.training if split == "training" else seen.validation
            if fit is None and data is not None:
                sources = tuple(
                    s for s in program.sources if any(at(p.site, s.call.site) for p in data.sites)
                )
        source = sources[0] if len(sources) == 1 else None
        if data is not None:
            yield _seen_labels(split, data, source)
        elif source is not None:
            yield _static_labels(program, split, source)


def _mode(source: Source | None) -> tuple[str, int, str] | None:
    if source is None:
        return None
    return next((m for name, m in _MODES.items() if source.call.name.endswith(name)), None)


def _seen_labels(split: str, data: DataSeen, source: Source | None) -> Labels:
    """Labels as they reached ``fit``."""
    form = _SEEN.get(data.label_kind)
    width = data.label_shape[-1] if data.label_shape and len(data.label_shape) == 2 else None
    named = data.class_indices or data.class_names
    classes = None
    if form == "vector":
        classes = width
    elif named:
        classes = len(named)
    elif data.histogram and data.histogram_of == "all":
        classes = data.classes or len(data.histogram)
    mode = _mode(source)
    return Labels(
        split=split,
        form=form,
        classes=classes,
        two=data.label_kind == "binary" and classes in (None, 2),
        single=data.label_kind != "multi-hot",
        source=source,
        data=data,
        mode=mode[0] if mode else None,
        mode_index=mode[1] if mode else None,
    )


def _static_labels(program: Program, split: str, source: Source) -> Labels:
    """Labels as the loading call's own argument makes them, if nothing may change them later."""
    mode = _mode(source)
    if mode is None:
        return Labels(split, *_array_labels(source), source=source)
    keyword, index, default = mode
    value = source.call.constant(keyword, index, default)
    names = source.call.constant("classes", 3) or source.call.constant("class_names", 3)
    classes = len(names) if isinstance(names, list | tuple) and names else None
    mapped = any(stage.name.endswith("map") for stage in source.stages)
    if mapped and any(word in program.text for word in ("one_hot", "to_categorical", "argmax")):
        return Labels(split, None, classes, source=source)
    return Labels(
        split=split,
        form=_FORMS.get(value) if isinstance(value, str) else None,
        classes=2 if value == "binary" and classes is None else classes,
        two=value == "binary",
        source=source,
        mode=keyword,
        mode_index=index,
    )


def _array_labels(source: Source) -> tuple[Form | None, int | None]:
    """Labels given as arrays: only ``to_categorical`` tells their form."""
    given = source.call.argument("y", 1)
    call = given.call if given is not None else None
    if call is None or not call.name.endswith("to_categorical"):
        return None, None
    number = call.constant("num_classes", 1)
    return "vector", number if isinstance(number, int) else None
