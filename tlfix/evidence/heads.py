"""What the source puts between a backbone and the model's output, layer by layer."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tlfix.evidence import tuning
from tlfix.evidence.edits import code
from tlfix.program.architectures import position as place_of
from tlfix.program.model import Backbone, BackboneUse, Call, Layer, Program, Site

POOLINGS = frozenset(
    f"Global{kind}{name}2D" for kind in ("Average", "Max") for name in ("Pooling", "Pool")
)
KEEPS_RANK = frozenset(
    {
        "Activation",
        "ActivityRegularization",
        "BatchNormalization",
        "Dense",
        "Dropout",
        "ELU",
        "GaussianDropout",
        "GaussianNoise",
        "LayerNormalization",
        "LeakyReLU",
        "PReLU",
        "ReLU",
        "Softmax",
    }
)
"""Layers whose output has as many axes as their input, each position treated like the others."""

_LONGEST = 30


@dataclass(frozen=True)
class Placed:
    """A layer in its place: its constructor, and the text that stands for it there."""

    made: Call
    site: Site

    @property
    def kind(self) -> str:
        """The class of the layer, ``Dense``."""
        return self.made.name.rsplit(".", 1)[-1]


@dataclass(frozen=True)
class Head:
    """The layers from a backbone's output (exclusive) to the model's output layer (inclusive)."""

    backbone: Backbone
    use: BackboneUse
    layers: tuple[Placed, ...]
    style: Literal["functional", "sequential"]

    @property
    def output(self) -> Placed:
        """The layer that makes the model's output."""
        return self.layers[-1]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The classes of the layers, in order."""
        return tuple(layer.kind for layer in self.layers)

    @property
    def feature_map(self) -> bool | None:
        """True if the backbone gives a feature map, False if pooled or classes, None if unknown."""
        backbone = self.backbone
        if backbone.include_top is True or pooling(backbone) in ("avg", "max"):
            return False
        if backbone.include_top is False and pooling(backbone) is None:
            return True
        return None


def pooling(backbone: Backbone) -> object:
    """The constructor's ``pooling``; UNKNOWN (falsy, not None) if it is not constant."""
    call = backbone.call
    if call.argument("**") is not None:
        return call.argument("**")
    return call.constant("pooling", place_of(backbone.module, "pooling"))


def heads(program: Program) -> tuple[Head, ...]:
    """The head of every model that is plainly one chain of layers on one backbone."""
    found = []
    for output in program.outputs:
        head = _functional(program, output) or _sequential(program, output)
        if head is not None:
            found.append(head)
    return tuple(found)


def insertion(head: Head, before: Placed) -> Site:
    """Where the codemod ``insert_layers`` finds ``before``: its constructor or list element."""
    return before.site if head.style == "sequential" else before.made.site


# Functional ---------------------------------------------------------------------------------------


def _functional(program: Program, output: Layer) -> Head | None:
    call = next(
        (
            c
            for c in program.calls
            if c.name.endswith(".__call__")
            and c.receiver is not None
            and c.receiver.site == output.call.site
        ),
        None,
    )
    layers: list[Placed] = []
    while call is not None and len(layers) < _LONGEST:
        if not call.name.endswith(".__call__") or call.receiver is None:
            return None
        nested = _nested(program, call)
        if nested is not None:
            return Head(*nested, tuple(reversed(layers)), "functional")
        if not call.receiver.name.startswith("keras.layers.") or len(call.positional) != 1:
            return None
        layers.append(Placed(call.receiver, call.site))
        given = call.positional[0]
        if given.call is None:
            inlined = _inlined(program, given.site, given.text)
            if inlined is None:
                return None
            return Head(*inlined, tuple(reversed(layers)), "functional")
        call = given.call
    return None


def _nested(program: Program, call: Call) -> tuple[Backbone, BackboneUse] | None:
    for backbone in program.backbones:
        for use in backbone.uses:
            if use.kind == "nested" and use.site == call.site:
                return backbone, use
    return None


def _inlined(program: Program, site: Site, text: str) -> tuple[Backbone, BackboneUse] | None:
    """The backbone whose ``.output`` the argument is: written there, or bound to its name."""
    for backbone in program.backbones:
        for use in backbone.uses:
            if use.kind != "inlined":
                continue
            written = code(program, use.site)
            if not written.endswith(".output"):
                continue
            if use.site == site or text == written:
                return backbone, use
            line = program.text.splitlines()[use.site.line - 1].split("#", 1)[0]
            if line.strip() == f"{text} = {written}" and use.site.line < site.line:
                return backbone, use
    return None


# Sequential ---------------------------------------------------------------------------------------


def _sequential(program: Program, output: Layer) -> Head | None:
    for model in program.calls:
        if model.name != "keras.Sequential":
            continue
        elements = [*_listed(program, model), *_added(program, model)]
        ends = [i for i, (_, made) in enumerate(elements) if made and made.site == output.call.site]
        if len(ends) != 1:
            continue
        for backbone in program.backbones:
            for use in backbone.uses:
                starts = [i for i, (site, _) in enumerate(elements) if site == use.site]
                if use.kind != "sequential" or len(starts) != 1 or starts[0] >= ends[0]:
                    continue
                between = elements[starts[0] + 1 : ends[0] + 1]
                layers = [Placed(made, site) for site, made in between if made is not None]
                if len(layers) == len(between) and all(
                    layer.made.name.startswith("keras.layers.") for layer in layers
                ):
                    return Head(backbone, use, tuple(layers), "sequential")
    return None


def _added(program: Program, model: Call) -> Iterator[tuple[Site, Call | None]]:
    adds = [
        call
        for call in program.calls
        if call.name == "keras.Sequential.add"
        and call.receiver is not None
        and call.receiver.site == model.site
        and call.positional
    ]
    for call in sorted(adds, key=lambda c: c.order):
        given = call.positional[0]
        # One that is added in a loop stands for several layers.
        yield given.site, None if call.in_loop and not model.in_loop else given.call


def _listed(program: Program, model: Call) -> Iterator[tuple[Site, Call | None]]:
    given = model.argument("layers", 0)
    if given is None:
        return
    try:
        tree = ast.parse(f"({given.text}\n)", mode="eval").body
    except SyntaxError:
        return
    if not isinstance(tree, ast.List):
        return
    lines = f"({given.text}\n)".split("\n")
    by_site = {call.site: call for call in program.calls}
    for element in tree.elts:
        site = Site(
            given.site.path,
            *_absolute(given.site, lines, element.lineno, element.col_offset),
            *_absolute(given.site, lines, element.end_lineno or 1, element.end_col_offset or 0),
        )
        made = by_site.get(site)
        if made is None and isinstance(element, ast.Name):
            made = tuning.bound_to(program, element.id, site, model.scope)
        yield site, made


def _absolute(origin: Site, lines: list[str], line: int, offset: int) -> tuple[int, int]:
    """A place in the parsed text (bytes, one bracket before it) as one in the source."""
    column = len(lines[line - 1].encode()[:offset].decode())
    if line == 1:
        return origin.line, origin.column + column - 1
    return origin.line + line - 1, column
