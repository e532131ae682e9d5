"""Where images come from: the calls that make batches, and what is done before they reach fit."""

from __future__ import annotations

import re
from typing import Final

from tlfix.program.dataflow import Trace
from tlfix.program.meaning import (
    DATASET,
    GENERATOR,
    ITERATOR,
    PYDATASET,
    PYTHON_GENERATOR,
    made_by,
    options,
)
from tlfix.program.model import Argument, Call, Scaling, Site, Source, Split
from tlfix.program.values import (
    Affine,
    Attribute,
    Element,
    Instance,
    Item,
    Made,
    Mapping,
    Sequence,
    Value,
)

_FLOWS: Final = frozenset({"flow", "flow_from_directory", "flow_from_dataframe"})
_KINDS: Final = {
    "keras.utils.image_dataset_from_directory": "image_dataset_from_directory",
    "tf.data.Dataset.from_tensor_slices": "from_tensor_slices",
    "tf.data.Dataset.from_tensors": "from_tensor_slices",
    "tf.data.Dataset.from_generator": "from_generator",
    "tf.data.Dataset.list_files": "list_files",
    "tf.data.TFRecordDataset": "TFRecordDataset",
    "tensorflow_datasets.load": "tfds",
}
# Steps back that are followed, and sources that one value may have.
_FARTHEST: Final = 60
_MOST: Final = 16

Fed = tuple[Made, tuple[Call, ...]]

_WORDS: Final[tuple[tuple[Split, re.Pattern[str]], ...]] = (
    ("validation", re.compile(r"(^|[^a-z])(val|valid|validation|dev)([^a-z]|$)")),
    ("test", re.compile(r"(^|[^a-z])(test|testing|eval|evaluation)([^a-z]|$)")),
    ("training", re.compile(r"(^|[^a-z])(train|training|tr)([^a-z]|$)")),
)


def kind_of_source(made: Made) -> str | None:
    """The kind of source a call is, None if it is none."""
    name = made.call.name
    if name in _KINDS:
        return _KINDS[name]
    owner, _, last = name.rpartition(".")
    if last in _FLOWS and owner in {GENERATOR, ""} and (owner or last != "flow"):
        return last
    return "generator" if made.kind in {PYTHON_GENERATOR, PYDATASET} else None


def fed(value: Value | None) -> list[Fed]:
    """The sources behind a value given to ``fit``, each with the stages applied to it in order."""
    return _fed(value, set(), 0)


def _fed(value: Value | None, barren: set[int], depth: int) -> list[Fed]:
    """``barren`` are the calls that are known to have no source behind them."""
    found: list[Fed] = []
    if depth > _FARTHEST:
        return found
    for option in options(value):
        if len(found) >= _MOST:
            break
        if isinstance(option, Instance) and option.made is not None:
            option = option.made
        if isinstance(option, Item | Element | Attribute | Affine):
            found.extend(_fed(option.base, barren, depth + 1))
        elif isinstance(option, Mapping):
            for each in option.items.values():
                found.extend(_fed(each, barren, depth + 1))
        elif isinstance(option, Sequence) and option.parts:
            found.extend(_fed(option.parts[0].value, barren, depth + 1))
        elif isinstance(option, Made) and id(option) not in barren:
            behind = _behind(option, barren, depth)
            if not behind:
                barren.add(id(option))
            found.extend(behind)
    return found[:_MOST]


def _behind(made: Made, barren: set[int], depth: int) -> list[Fed]:
    if kind_of_source(made) is not None:
        return [(made, ())]
    stage = (made.call,) if made.kind == DATASET else ()
    inner: list[Value | None] = [made.receiver]
    if not made.call.name.startswith("numpy.") and made.kind != ITERATOR:
        inner.extend(made.arguments[:1])
    for each in inner:
        found = _fed(each, barren, depth + 1)
        if found:
            return [(root, (*stages, *stage)) for root, stages in found]
    return []


def source(
    made: Made,
    stages: tuple[Call, ...],
    split: Split,
    known: dict[Site, Scaling],
    value: Value | None,
    variable: str | None,
) -> Source:
    """One source; ``value`` is what reaches ``fit``."""
    kind = kind_of_source(made) or "arrays"
    generator = made_by(made.receiver) if made.kind == ITERATOR or kind in _FLOWS else None
    trace = Trace(known).back(value if value is not None else made)
    return Source(
        kind,
        made.call,
        split,
        variable or (made.call.targets[0] if made.call.targets else None),
        generator.call if generator is not None else None,
        stages,
        trace.scalings,
        tuple(trace.unread),
    )


def of_fit(
    call: Call,
    value: Value | None,
    argument: Argument | None,
    labelled: bool,
    split: Split,
    known: dict[Site, Scaling],
) -> tuple[Source, ...]:
    """The sources behind one argument of ``fit``.

    ``labelled``: labels were given beside the images, so that the images are arrays.
    """
    if value is None:
        return ()
    variable = argument.text if argument is not None and argument.text.isidentifier() else None
    found = [
        source(made, stages, split, known, _images(value), variable) for made, stages in fed(value)
    ]
    if found:
        return distinct(found)
    images = _images(value)
    if not labelled and images is value:
        return ()
    text = argument.text if argument is not None else None
    if images is not value and text is not None:
        text = text.strip("([").split(",")[0].strip()
    name = text if text is not None and text.isidentifier() else None
    trace = Trace(known).back(images)
    unread = tuple(trace.unread)
    return (Source("arrays", call, split, name, None, (), trace.scalings, unread),)


def _images(value: Value) -> Value:
    """The images of a tuple or list of images and labels, the value itself otherwise."""
    if isinstance(value, Sequence) and len(value.parts) > 1:
        return value.parts[0].value
    return value


def unfed(
    walker_made: list[Made], sources: list[Source], known: dict[Site, Scaling]
) -> list[Source]:
    """The sources no ``fit`` receives, each with the longest run of stages applied to it."""
    taken = {each.call.site for each in sources}
    longest: dict[int, tuple[Made, tuple[Call, ...], Value]] = {}
    for made in walker_made:
        if made.kind not in {DATASET, ITERATOR, PYTHON_GENERATOR, PYDATASET} and (
            kind_of_source(made) is None
        ):
            continue
        for root, stages in fed(made):
            if root.call.site in taken:
                continue
            old = longest.get(id(root))
            if old is None or len(stages) > len(old[1]):
                longest[id(root)] = (root, stages, made)
    found = [
        source(root, stages, guess(root.call), known, value, None)
        for root, stages, value in longest.values()
    ]
    return list(distinct(found))


def guess(call: Call) -> Split:
    """The split a source is for, by its subset, its variables' and its folder's names."""
    subset = call.constant("subset")
    if subset in {"training", "validation"}:
        return "training" if subset == "training" else "validation"
    texts = [*call.targets, call.scope]
    for argument in (*call.positional[:1], *call.keywords):
        if argument.keyword in {None, "directory", "split", "dataframe"}:
            value = argument.value
            texts.append(value if isinstance(value, str) else argument.text)
    for text in texts:
        for split, pattern in _WORDS:
            if pattern.search(text.lower()):
                return split
    return "unknown"


def distinct(sources: list[Source]) -> tuple[Source, ...]:
    """Sources that differ; a helper read twice with the same arguments counts once."""
    found: list[Source] = []
    for each in sources:
        if not any(_same(each, other) for other in found):
            found.append(each)
    return tuple(found)


def _same(one: Source, other: Source) -> bool:
    if one.call is other.call:
        return _stages(one) == _stages(other) and one.split == other.split
    return (
        one.call.site == other.call.site
        and one.split == other.split
        and _stages(one) == _stages(other)
        and _values(one.call) == _values(other.call)
    )


def _stages(source: Source) -> list[Site]:
    return [stage.site for stage in source.stages]


def _values(call: Call) -> list[tuple[str | None, str]]:
    return [
        (argument.keyword, repr(argument.value)) for argument in (*call.positional, *call.keywords)
    ]
