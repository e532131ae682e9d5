"""The static reading of one script: ``read(text, path)`` gives its :class:`Program`."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable

from tlfix.program import backbones, functions, pipelines, removed, scalings
from tlfix.program.meaning import GENERATOR
from tlfix.program.merging import merge
from tlfix.program.model import Call, Program, Site, TrainableChange
from tlfix.program.text import Text
from tlfix.program.training import Training, is_custom_loop
from tlfix.program.walk import Walker

# What a script of ours cannot do without; anything else is not even parsed.
_GATE = ("keras", "tensorflow", "efficientnet")


def read(text: str, path: str) -> Program:
    """Everything the static reading finds in a script's text.

    Never raises: a text that cannot be parsed, or is nested beyond all reason, is a program that
    does no training.
    """
    text = text.removeprefix("\ufeff")
    if not any(word in text for word in _GATE):
        return Program(path, text, training=False)
    try:
        with warnings.catch_warnings():
            # Invalid escapes in somebody's strings are none of our business.
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Program(path, text, training=False)
    try:
        return _program(text, path, tree)
    except RecursionError:
        return Program(path, text, training=False)


def _program(text: str, path: str, tree: ast.Module) -> Program:
    walker = Walker(Text(path, text))
    walker.run(tree.body)
    functions.finish(walker)
    final = _finals(walker)
    known = scalings.collect(walker)
    training = Training(walker, known, final)
    networks = backbones.collect(walker, known, final)
    merged = {made.call.site: final(made.call) for made in walker.made}
    calls = sorted(merged.values(), key=_order)
    custom = is_custom_loop(walker.made)
    sources = list(pipelines.distinct(training.sources))
    sources.extend(pipelines.unfed(walker.made, sources, known))
    trains = bool(
        training.compiles
        or training.fits
        or networks
        or custom
        or any(call.name == "tf.GradientTape" or ".text.Tokenizer." in call.name for call in calls)
    )
    return Program(
        path,
        text,
        trains,
        tuple(calls),
        networks,
        tuple(call for call in calls if call.name == GENERATOR),
        tuple(sources),
        tuple(known.values()),
        training.outputs,
        training.compiles,
        training.fits,
        _trainable(walker),
        removed.collect(walker, training),
        dict(walker.imports),
        custom,
    )


def _order(call: Call) -> int:
    return call.order


def _finals(walker: Walker) -> Callable[[Call], Call]:
    """For each place the one call that all readings of it agree on."""
    finals: dict[Site, Call] = {}
    for visits in walker.visits.values():
        finals[visits[0].site] = merge(visits)
    return lambda call: finals[call.site]


def _trainable(walker: Walker) -> tuple[TrainableChange, ...]:
    """The changes of ``trainable``; what a helper does again to the same object counts once."""
    found: dict[object, TrainableChange] = {}
    for change in walker.trainable:
        owner = change.owner.site if change.owner is not None else None
        key = change.site, change.target, repr(change.value), change.condition, owner
        found.setdefault(key, change)
    return tuple(found.values())
