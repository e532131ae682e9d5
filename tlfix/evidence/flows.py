"""Calls that make batches of image files or arrays, and which parts of a program they feed."""

from __future__ import annotations

from collections.abc import Iterator

from tlfix.evidence.edits import at
from tlfix.probe.trace import DataSeen
from tlfix.program.model import UNKNOWN, Call, Program, Source

SHUFFLE: dict[str, tuple[int, bool]] = {
    "flow_from_directory": (6, True),
    "flow_from_dataframe": (10, True),
    "flow": (3, True),
    "image_dataset_from_directory": (7, True),
}
"""Where ``shuffle`` stands among the arguments of each loading call, and its default; from the
signatures in https://keras.io/api/data_loading/image/ and the ImageDataGenerator pages of
TensorFlow 2."""

_ORDER_KEPT = ("map", "batch", "prefetch", "cache", "repeat", "with_options", "ignore_errors")
"""Stages of tf.data that keep elements in the order in which they came."""


def shuffles(source: Source) -> object:
    """The constant given as ``shuffle`` to a loading call, its default, or UNKNOWN.

    None for a kind of source that has no such argument.
    """
    if source.kind not in SHUFFLE:
        return None
    index, default = SHUFFLE[source.kind]
    if any(argument.keyword == "**" for argument in source.call.keywords):
        return UNKNOWN
    return source.call.constant("shuffle", index, default)


def stage_names(source: Source) -> tuple[str, ...]:
    """The tf.data methods applied to a source, in order."""
    return tuple(stage.name.rsplit(".", 1)[-1] for stage in source.stages)


def keeps_order(source: Source) -> bool:
    """True if every stage after the loading call keeps the order of its elements."""
    return all(name in _ORDER_KEPT for name in stage_names(source))


def trains(program: Program, source: Source) -> bool:
    """True if the loading call of ``source`` feeds the training side of a ``fit``."""
    return any(source.call.site == used.call.site for fit in program.fits for used in fit.training)


def sources_of(program: Program, data: DataSeen) -> tuple[Source, ...]:
    """The sources whose calls the probe saw behind ``data``."""
    return tuple(
        source
        for source in program.sources
        if any(at(pipeline.site, source.call.site) for pipeline in data.sites)
    )


def predictions_on(program: Program, source: Source) -> Iterator[Call]:
    """Calls of ``predict`` on what ``source`` makes."""
    for call in program.calls_named("predict", "predict_generator"):
        given = call.argument("x", 0) or call.argument("generator", 0)
        if given is None or given.call is None:
            continue
        if given.call.site in {source.call.site, *(stage.site for stage in source.stages)}:
            yield call
