"""What the probe recorded of the data given to ``fit``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tlfix.probe.seen import Place, Seen


class PipelineSeen(Seen):
    """A data-loading call: ``kind`` is its function (``flow_from_directory``, ``map`` …)."""

    kind: str
    site: Place
    generator_site: Place | None = None
    """Where the ImageDataGenerator behind a ``flow*`` call was made."""
    function_site: Place | None = None
    """Where the function given to ``map`` was defined."""
    settings: dict[str, object] = Field(default_factory=dict)


class InputsSeen(Seen):
    """The sampled images of a split, one by one; counts of ``n``.

    ``constant``: one value everywhere. ``repeated``: byte for byte equal to an earlier image of
    the sample. ``grey``: three equal channels. ``not_finite``: NaN or Inf somewhere.
    """

    n: int
    constant: int = 0
    repeated: int = 0
    grey: int = 0
    not_finite: int = 0


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
    images: InputsSeen | None = None
    order: tuple[int, ...] = ()
    """Classes in the order in which the split feeds them, from its start, up to 1,024."""
    repeats_exactly: bool | None = None
    """False if a second pass gives other pixels for the same images (random transforms)."""
    augmentation: dict[str, object] = Field(default_factory=dict)
    """What transforms at random, by name of the setting or layer, with its strength."""


class OverlapSeen(Seen):
    """Images of the validation data that are also training data, by hash of their content.

    ``by``: ``file`` (every image file of both), ``array`` (every row of both), ``sample`` (the
    sampled tensors; an overlap of whole splits shows only partly). ``validation`` images were
    looked up among ``training``; ``shared`` were found. ``same_data`` is true where ``fit`` got the
    very object, or another over the same files in full, for both.
    """

    by: Literal["file", "array", "sample"]
    training: int
    validation: int
    shared: int
    same_data: bool = False
