"""The ways of the images from their files to a backbone, and the scalings on each."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tlfix.evidence.scaling import affine, compose, expected_by, same
from tlfix.evidence.scaling_doubts import doubt
from tlfix.evidence.scaling_flow import Slice, Source, covers, label_parts, source_of, within
from tlfix.evidence.scaling_uses import Use, uses
from tlfix.probe.trace import ScalingSeen
from tlfix.program.model import Backbone, Call, Program, Scaling, Site, Split

Kind = Literal["generator", "dataset", "arrays"]

LAMBDA = "keras.layers.Lambda"

_ORIGIN = re.compile(
    r"flow_from_directory|flow_from_dataframe|image_dataset_from_directory|imread|load_img"
    r"|Image\.open|decode_(jpeg|png|image|bmp|gif)|tfds\.load|load_data\("
)
_DATASET = re.compile(r"tf\.data\b|tfds\.|image_dataset_from_directory|\.map\(|\.prefetch\(")
_SHUTS = {"normalization"}


@dataclass(frozen=True, eq=False)
class Path:
    """One use of images (:class:`Use`), and what was done to them before.

    ``data`` is where the images stand in it. ``reason`` says why the path is not understood,
    None if it is; ``raw`` is true if the images are seen to come from files or a known data set.
    """

    split: Split
    call: Site
    method: str
    data: Site
    kind: Kind
    scalings: tuple[Scaling, ...]
    generators: tuple[Call, ...]
    reason: str | None
    raw: bool
    labelled: bool = True
    definition: Site | None = None
    """The last expression assigned to the data's name, where that is a chain of tf.data."""
    bound: Site | None = None
    """The last expression of any kind assigned to the data's name."""
    unread: str | None = None
    """A layer or function on the way that may scale and could not be read."""


@dataclass(frozen=True)
class Paths:
    """All paths of a script, and the scalings inside the model in front of the backbone.

    A use of images has several paths where branches of the script scale in several places, and
    ``entrances`` are several where the backbone is called in several places; all scale alike then.
    ``reason`` says why what is inside the model is not understood, None if it is. ``unread`` names
    a layer or function, inside the model or before it, that may scale and could not be read; None
    where all were.
    """

    paths: tuple[Path, ...]
    entrances: tuple[tuple[Scaling, ...], ...] = ()
    reason: str | None = None
    unread: str | None = None

    @property
    def inside(self) -> tuple[Scaling, ...]:
        """The scalings inside the model, at the first entrance of the backbone."""
        return self.entrances[0] if self.entrances else ()


def steps_of(scalings: tuple[Scaling, ...]) -> tuple[ScalingSeen, ...] | None:
    """The scalings as affine maps; None if one of them is not known."""
    found = []
    for scaling in scalings:
        step = step_of(scaling)
        if step is None:
            return None
        found.append(step)
    return tuple(found)


def step_of(scaling: Scaling) -> ScalingSeen | None:
    """One scaling as an affine map; None if it is not known."""
    if scaling.module is not None:
        return expected_by(scaling.module)
    if scaling.kind in _SHUTS or scaling.scale is None:
        return None
    return affine(scaling.scale, scaling.offset or 0.0)


def misplaced(generator: Call) -> bool:
    """True for ``ImageDataGenerator(preprocess_input)``, which sets ``featurewise_center``."""
    first = generator.positional[0] if generator.positional else None
    return first is not None and (first.name or first.text).endswith("preprocess_input")


def paths_of(program: Program, backbone: Backbone) -> Paths:
    """The paths of ``program`` into ``backbone``; empty where its text cannot be parsed."""
    source = source_of(program.path, program.text)
    if source.tree is None:
        return Paths(())
    entrances = _entrances(program, source, backbone)
    ours = {scaling.site for entrance in entrances or () for scaling in entrance}
    found: list[Path] = []
    for use in uses(program, source, backbone):
        found.extend(_paths(program, source, use, ours))
    unread = [what for use in backbone.uses for what in use.unread]
    unread += [path.unread for path in found if path.unread]
    return Paths(
        tuple(found),
        entrances or (),
        None if entrances is not None else "the backbone is given differently scaled images",
        unread[0] if unread else None,
    )


def _paths(program: Program, source: Source, use: Use, inside: set[Site]) -> Iterator[Path]:
    """One path, or where branches scale in several places alike one for each way."""
    node = use.images
    path = _path(program, source, use, inside)
    followed = _followed(program, use, path)
    if followed is None:
        yield replace(path, reason="which scalings lie on the way is not clear")
        return

    def scaled(cut: Slice) -> tuple[Scaling, ...]:
        return _scalings(program, source, cut, inside)

    ways = _ways(source, node, use.site.line, path.scalings, scaled, followed)
    if ways is None:
        yield replace(path, reason="branches of the script scale in different ways")
        return
    for scalings in ways:
        yield replace(path, scalings=scalings)


def _followed(program: Program, use: Use, path: Path) -> set[Site] | None:
    """Those of the scalings in a slice that the reading of the values met on the way of ``use``.

    A slice holds too much: all methods of a class, all that is put into a dict. What it holds too
    much is met on the way to another use. None if that does not explain the difference, or if the
    values pass through a scaling that the slice does not hold.
    """
    sites = {scaling.site for scaling in path.scalings}
    mine: set[Site] = set()
    for fit in program.fits:
        if fit.call.site == use.site:
            feeding = fit.training if use.split == "training" else fit.validation
            mine.update(s.site for each in feeding for s in each.scalings if not s.display)
    if mine - sites:
        return None
    if len(sites) < 2:
        return sites
    ways = [{scaling.site for scaling in feeding.scalings} & sites for feeding in program.sources]
    everywhere: set[Site] = set().union(*ways)
    if mine:
        return mine if sites - mine <= everywhere else None
    return None if sites == everywhere and sites not in ways else sites


def _ways(
    source: Source,
    node: ast.expr | ast.stmt,
    line: int,
    usual: tuple[Scaling, ...],
    scaled: Callable[[Slice], tuple[Scaling, ...]],
    followed: set[Site] | None = None,
) -> tuple[tuple[Scaling, ...], ...] | None:
    """The scalings on each way through the script's branches; None if they do not scale alike.

    Only those ``followed`` count, where they are known, and ways through others only if all are.
    """
    if len(usual) < 2:
        return (usual,)
    ways = source.ways(node, line, scaled)
    if ways is not None and followed is not None:
        known = followed
        kept = tuple(way for way in ways if all(s.site in known for s in way))
        ways = kept or tuple(
            dict.fromkeys(tuple(s for s in way if s.site in known) for way in ways)
        )
    return ways if ways is not None and _agree(ways) else None


def _agree(ways: Sequence[tuple[Scaling, ...]]) -> bool:
    if len(ways) < 2:
        return True
    steps = [steps_of(way) for way in ways]
    results = [compose(*each) for each in steps if each is not None]
    return len(results) == len(steps) and all(same(each, results[0]) for each in results)


def _scalings(
    program: Program, source: Source, cut: Slice, inside: set[Site]
) -> tuple[Scaling, ...]:
    """What scales in a slice, outside the model, in order of application."""
    sites = [source.site(n) for n in cut.nodes]
    out = [source.site(part) for n in cut.nodes for part in label_parts(n)]
    out += _left_out(source, cut)
    out += [g.positional[0].site for g in program.generators if misplaced(g)]
    return _ordered(
        tuple(
            scaling
            for scaling in program.scalings
            if within(scaling.site, sites)
            and not scaling.display
            and not within(scaling.site, out)
            and scaling.site not in inside
        )
    )


def _path(program: Program, source: Source, use: Use, inside: set[Site]) -> Path:
    node = use.images
    cut = source.slice(node, use.site.line)
    scalings = _scalings(program, source, cut, inside)
    text = "\n".join(source.code(n) for n in cut.nodes)
    sites = [source.site(n) for n in cut.nodes]
    generators = tuple(g for g in program.generators if within(g.site, sites))
    kind: Kind = "generator" if generators else "dataset" if _DATASET.search(text) else "arrays"
    return Path(
        split=use.split,
        call=use.site,
        method=use.method,
        data=source.site(node),
        kind=kind,
        scalings=scalings,
        generators=generators,
        reason=doubt(program, cut.names, text, sites)
        or ("a scaling on the way is not constant" if steps_of(scalings) is None else None),
        unread=_unread(program, use, sites),
        raw=bool(_ORIGIN.search(text)),
        labelled=use.method != "predict" or "label_mode=None" not in text,
        definition=_definition(source, node, use.site.line),
        bound=source.site(last) if (last := _bound(source, node, use.site.line)) else None,
    )


def _ordered(scalings: tuple[Scaling, ...]) -> tuple[Scaling, ...]:
    """In the order of application: source order, but a generator's own function before rescale=."""
    last = {"reference": 1, "argument": 2}
    return tuple(sorted(scalings, key=lambda s: (last.get(s.kind, 0), s.site.line, s.site.column)))


def _unread(program: Program, use: Use, sites: list[Site]) -> str | None:
    """The layer or function on the path that the reading of the program could not follow."""
    feeding = [source for source in program.sources if within(source.call.site, sites)]
    for fit in program.fits:
        if fit.call.site == use.site:
            feeding += fit.training if use.split == "training" else fit.validation
    return next((what for source in feeding for what in source.unread), None)


def _bound(source: Source, node: ast.expr, line: int) -> ast.expr | ast.stmt | None:
    """What was last assigned to the name ``node``, if it is one."""
    if not isinstance(node, ast.Name):
        return None
    flows = [
        flow
        for flow in source.scope_at(node.lineno).flows
        if flow.name == node.id and flow.node.lineno <= line
    ]
    return max(flows, key=lambda flow: flow.node.lineno).node if flows else None


def _definition(source: Source, node: ast.expr, line: int) -> Site | None:
    last = _bound(source, node, line)
    if not isinstance(last, ast.Call) or not isinstance(last.func, ast.Attribute):
        return None
    chain = {"prefetch", "batch", "map", "cache", "shuffle", "repeat"}
    return source.site(last) if last.func.attr in chain else None


def _entrances(
    program: Program, source: Source, backbone: Backbone
) -> tuple[tuple[Scaling, ...], ...] | None:
    """Scalings in the model, in front of the backbone, for each place that calls it.

    None if they do not scale alike.
    """
    starts: list[tuple[ast.expr | ast.stmt, int]] = []
    for use in backbone.uses:
        site = use.input_site if use.kind == "nested" and use.input_site else use.site
        if use.kind in ("nested", "sequential"):
            starts += [(node, use.site.end_line) for node in _statement(source, site)]
    tensor = backbone.call.argument("input_tensor")
    if tensor is not None:
        starts += [(node, tensor.site.end_line) for node in _statement(source, tensor.site)]

    def scaled(cut: Slice) -> tuple[Scaling, ...]:
        return _in_model(program, source, cut)

    found: dict[tuple[Scaling, ...], None] = {}
    for node, line in starts:
        usual = scaled(source.slice(node, line))
        ways = _ways(source, node, line, usual, scaled)
        if ways is None:
            return None
        found.update(dict.fromkeys(ways))
    return tuple(found) if _agree(tuple(found)) else None


def _in_model(program: Program, source: Source, cut: Slice) -> tuple[Scaling, ...]:
    layers = {call.site for call in program.calls if call.name == LAMBDA}
    sites = [source.site(n) for n in cut.nodes]
    out = _left_out(source, cut)
    found = (
        scaling
        for scaling in program.scalings
        if (
            scaling.kind in ("layer", "function", "normalization", "arithmetic")
            or scaling.owner in layers
        )
        and not scaling.display
        and within(scaling.site, sites)
        and not within(scaling.site, out)
    )
    return tuple(sorted(found, key=lambda s: (s.site.line, s.site.column)))


def _statement(source: Source, site: Site) -> list[ast.expr | ast.stmt]:
    """The assigned or evaluated expression, of one statement, that contains ``site``."""
    found: list[ast.expr | ast.stmt] = []
    for node in ast.walk(source.tree) if source.tree else ():
        if (
            isinstance(node, ast.Assign | ast.Expr | ast.Return | ast.AnnAssign)
            and node.value is not None
            and covers(source.site(node.value), site)
        ):
            found.append(node.value)
    return found


def _left_out(source: Source, cut: Slice) -> list[Site]:
    return [source.site(n) for n in cut.without if isinstance(n, ast.expr | ast.stmt)]
