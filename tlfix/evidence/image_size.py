"""The places where a program states the size of its images, and a remedy that changes them all."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tlfix.causes.spec import Remedy
from tlfix.evidence.edits import end, position
from tlfix.evidence.scaling_flow import Source, source_of
from tlfix.program.model import Argument, Backbone, Call, Program, Site

_SIZED = {"input_shape", "shape", "target_size", "image_size", "size", "dsize", "output_shape"}
_LOADING = (
    "flow_from_directory",
    "flow_from_dataframe",
    "image_dataset_from_directory",
    "load_img",
    "resize",
    "smart_resize",
    "resize_with_pad",
)


class Unplaced(Exception):
    """No change of the source would change the size safely; the message says why."""


def remedy_for(program: Program, backbone: Backbone, size: tuple[int, int], side: int) -> Remedy:
    """A remedy that makes every image of ``size`` (height, width) ``side`` pixels square.

    Raises:
        Unplaced: the sizes are not plain, or the images are not resized by this program.
    """
    if size[0] != size[1]:
        raise Unplaced("the images are not square")
    if any(program.calls_named("Resizing")):
        raise Unplaced("a Resizing layer sets the size inside the model")
    source = source_of(program.path, program.text)
    spans: dict[Site, str] = {}
    loaded = False
    for call, argument in _stated(program, size[0]):
        if call.site.path != program.path:
            raise Unplaced("the size is also set in another file")
        loaded = loaded or call.name.rsplit(".", 1)[-1] in _LOADING
        for site in _numbers(source, argument, size[0]):
            spans[site] = str(side)
    if not loaded:
        raise Unplaced("the program does not resize its images")
    edits = tuple(
        {"start": position(site), "end": end(site), "value": value}
        for site, value in sorted(spans.items(), key=lambda item: position(item[0]))
    )
    return Remedy(
        "set_image_size",
        f"load the images at {side}x{side} and build the backbone for that",
        {program.path: {"edits": edits}},
        "careful",
    )


def _stated(program: Program, side: int) -> Iterator[tuple[Call, Argument]]:
    """Arguments that say ``(side, side)`` or ``(side, side, channels)``."""
    for call in program.calls:
        sizes = call.name.rsplit(".", 1)[-1] in _LOADING
        for argument in (*call.positional, *call.keywords):
            value = argument.value
            if not (sizes or argument.keyword in _SIZED):
                continue
            if not isinstance(value, tuple | list) or len(value) not in (2, 3):
                continue
            if tuple(value[:2]) == (side, side) and (len(value) == 2 or value[2] in (1, 3)):
                yield call, argument


def _numbers(source: Source, argument: Argument, side: int) -> Iterator[Site]:
    """The literals ``side`` behind an argument: in it, or where the names in it are assigned."""
    if re.search(rf"\b{side}\b", argument.text):
        node = _expression(source, argument.site)
        if node is None:
            raise Unplaced("a size is not plain")
        yield from _literals(source, node, side)
        return
    names = set(re.findall(r"\b[A-Za-z_]\w*\b", argument.text))
    found = 0
    for name in sorted(names):
        flows = [f for f in source.module.flows if f.name == name]
        sites = [s for f in flows for s in _literals(source, f.node, side)]
        if len(flows) == 1 and sites:
            found += 1
            yield from sites
    if not found:
        raise Unplaced(f"where `{argument.text}` gets its value is not plain")


def _literals(source: Source, node: ast.AST, side: int) -> Iterator[Site]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and inner.value == side and type(inner.value) is int:
            yield source.site(inner)


def _expression(source: Source, site: Site) -> ast.expr | None:
    for node in ast.walk(source.tree) if source.tree else ():
        if isinstance(node, ast.expr) and source.site(node) == site:
            return node
    return None
