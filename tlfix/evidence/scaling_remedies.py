"""One remedy for all paths into a backbone: where to scale, and which scalings go."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain

from tlfix.causes.spec import Remedy
from tlfix.evidence.edits import code, end, position
from tlfix.evidence.scaling import compose, describe, same
from tlfix.evidence.scaling_flow import covers
from tlfix.evidence.scaling_paths import LAMBDA, Path, Paths, misplaced, step_of, steps_of
from tlfix.probe.trace import ScalingSeen
from tlfix.program.model import Backbone, Call, Program, Scaling, Site
from tlfix.program.scalings import CONVERT

Span = dict[str, object]
_SHAPES = ("input_shape", "batch_input_shape", "batch_shape")


class Unplaced(Exception):
    """No remedy fits the program; the message says why."""


@dataclass
class _Plan:
    """Spans per parameter of a codemod, each site once."""

    parameters: dict[str, list[Span]] = field(default_factory=dict)

    def add(self, parameter: str, span: Span) -> None:
        if span not in self.parameters.setdefault(parameter, []):
            self.parameters[parameter].append(span)


def span(site: Site) -> Span:
    """A place as the scaling codemods are told."""
    return {"start": position(site), "end": end(site)}


def by_hand(module: str | None, expects: ScalingSeen) -> str:
    """What to do where no codemod can place the change."""
    if expects.name == "raw":
        return "feed this backbone raw 0..255 pixels: it scales them itself"
    if module is None:
        return f"scale the images of every split to {describe(expects)}"
    return (
        f"scale the images of every split to {describe(expects)}, once, with "
        f"keras.applications.{module}.preprocess_input"
    )


def plan(
    program: Program, backbone: Backbone, module: str, expects: ScalingSeen, paths: Paths
) -> Remedy:
    """The change after which every path delivers what the backbone ``expects``.

    Raises:
        Unplaced: a path is not understood well enough, or offers no place.
    """
    if paths.reason is not None:
        raise Unplaced(paths.reason)
    for path in paths.paths:
        if path.reason is not None and not _in_model(backbone, paths):
            raise Unplaced(path.reason)
    inside = steps_of(paths.inside)
    if inside is None:
        raise Unplaced("a scaling inside the model is not constant")
    scaled = [path for path in paths.paths if path.scalings]
    if expects.name == "raw":
        return _remove(program, paths, "the backbone scales its input itself")
    if paths.inside and same(compose(*inside), expects):
        return _remove(program, Paths(paths.paths), "the model already scales its input")
    if paths.inside and not scaled:
        return _correct_inside(program, module, expects, paths)
    if not scaled and not any(misplaced(g) for p in paths.paths for g in p.generators):
        return _scale_in_model(program, backbone, module, expects, paths)
    if not paths.paths:
        raise Unplaced("the images' way to the backbone was not found in the source")
    return _scale_in_pipelines(program, module, expects, paths)


def _in_model(backbone: Backbone, paths: Paths) -> bool:
    return not any(p.scalings for p in paths.paths) and any(
        use.kind in ("nested", "sequential") for use in backbone.uses
    )


def _remedy(
    codemod: str, program: Program, summary: str, made: _Plan, careful: bool = False, **more: object
) -> Remedy:
    if not made.parameters:
        raise Unplaced("there is nothing to change in this file")
    parameters = {name: tuple(spans) for name, spans in made.parameters.items()}
    edits = {program.path: {**more, **parameters}}
    return Remedy(codemod, summary, edits, "careful" if careful else "cursory")


def _remove(program: Program, paths: Paths, why: str) -> Remedy:
    made = _Plan()
    for path in paths.paths:
        for scaling in path.scalings:
            _take_away(program, scaling, path, made)
    for scaling in chain(*paths.entrances):
        made.add("removals", _removal(program, scaling))
    return _remedy("remove_scaling", program, f"remove the extra scaling: {why}", made)


def _removal(program: Program, scaling: Scaling) -> Span:
    """What to take away: of a Lambda that does nothing but scale, the whole layer.

    Raises:
        Unplaced: the layer tells the model its input's shape, or does more than scale.
    """
    call = _layer_of(program, scaling)
    if call is None:
        return _scaled_span(scaling)
    if any(call.argument(keyword) for keyword in _SHAPES):
        raise Unplaced(f"line {call.site.line}: the layer also sets the input's shape")
    if call.site == scaling.site:
        return _scaled_span(scaling)
    given = call.argument("function", 0)
    whole = given is not None and (
        given.site == scaling.site
        or (
            given.site.path == scaling.site.path
            and given.text.startswith("lambda")
            and given.text.partition(":")[2].strip() == code(program, scaling.site)
        )
    )
    if not whole:
        raise Unplaced(f"line {call.site.line}: the scaling is a part of what a Lambda does")
    return span(call.site)


def _layer_of(program: Program, scaling: Scaling) -> Call | None:
    """The Rescaling or Lambda layer that scales; None for any other scaling."""
    for call in program.calls:
        if call.site == (scaling.site if scaling.kind == "layer" else scaling.owner) and (
            scaling.kind == "layer" or call.name == LAMBDA
        ):
            return call
    return None


def _take_away(program: Program, scaling: Scaling, path: Path, made: _Plan) -> None:
    if scaling.kind in ("argument", "reference"):
        generator = _generator_of(scaling, path)
        if generator is None:
            raise Unplaced(f"line {scaling.site.line}: the scaling is handed over elsewhere")
        parameter = "rescale" if scaling.kind == "argument" else "preprocessing"
        made.add(parameter, span(generator.site))
    else:
        made.add("removals", _removal(program, scaling))


def _generator_of(scaling: Scaling, path: Path) -> Call | None:
    return next((g for g in path.generators if covers(g.site, scaling.site)), None)


def _correct_inside(program: Program, module: str, expects: ScalingSeen, paths: Paths) -> Remedy:
    made = _Plan()
    for inside in paths.entrances:
        fine = next((scaling for scaling in inside if _is(scaling, expects)), None)
        try:
            removals = [_removal(program, s) for s in inside if s is not (fine or inside[0])]
        except Unplaced:
            # A first layer that carries the input's shape is corrected, and the others go.
            removals, fine = [_removal(program, s) for s in inside[1:]], None
        for each in removals:
            made.add("removals", each)
        if fine is None:
            _correct(inside[0], made)
    if made.parameters.keys() <= {"removals"}:
        summary = "remove the extra scaling: another one in the model is right"
        return _remedy("remove_scaling", program, summary, made)
    if made.parameters.keys() <= {"removals", "layers"} and expects.name == "tf":
        return _rescale(program, made)
    return _use(program, module, made, "in the model")


def _correct(scaling: Scaling, made: _Plan) -> None:
    """Replace what scales inside a model."""
    if scaling.kind in ("function", "reference"):
        made.add("renames", span(scaling.site))
    elif scaling.kind == "layer":
        made.add("layers", span(scaling.site))
    else:
        made.add("expressions", _scaled_span(scaling))


def _rescale(
    program: Program, made: _Plan, shape: str | None = None, where: str = "in the model"
) -> Remedy:
    return _remedy(
        "use_rescaling",
        program,
        f"scale to -1..1 with a Rescaling layer {where}",
        made,
        scale="1.0 / 127.5",
        offset="-1",
        input_shape=shape,
    )


def _use(program: Program, module: str, made: _Plan, where: str) -> Remedy:
    return _remedy(
        "use_preprocess_input",
        program,
        f"apply {module}.preprocess_input {where}",
        made,
        careful="wraps" in made.parameters or "datasets" in made.parameters,
        module=module,
    )


def _scale_in_model(
    program: Program, backbone: Backbone, module: str, expects: ScalingSeen, paths: Paths
) -> Remedy:
    """Nothing scales: in the model if it has a place for it, else in every pipeline."""
    made = _Plan()
    uses = [use for use in backbone.uses if use.kind != "features"]
    if uses and all(use.kind == "nested" and use.input_site for use in uses):
        for use in uses:
            assert use.input_site is not None
            made.add("wraps", span(use.input_site))
        return _use(program, module, made, "in front of the backbone")
    if uses and all(use.kind == "sequential" for use in uses) and expects.name == "tf":
        for use in uses:
            made.add("before", span(use.site))
        shape = backbone.call.argument("input_shape")
        text = shape.text if shape else f"{backbone.variable}.input_shape[1:]"
        if shape is None and backbone.variable is None:
            raise Unplaced("the backbone's input shape is not known")
        return _rescale(program, made, text)
    if not paths.paths:
        raise Unplaced("the images' way to the backbone was not found in the source")
    return _scale_in_pipelines(program, module, expects, paths)


def _scale_in_pipelines(
    program: Program, module: str, expects: ScalingSeen, paths: Paths
) -> Remedy:
    made = _Plan()
    for path in paths.paths:
        if path.reason is not None:
            raise Unplaced(path.reason)
        if path.scalings:
            _one_scaling(program, path, expects, made)
        else:
            _insert(path, made)
    for scaling in chain(*paths.entrances):
        made.add("removals", _removal(program, scaling))
    kept = made.parameters.get("removals", [])
    for parameter in ("expressions", "renames"):
        # What one path replaces another may not remove.
        if any(s in kept for s in made.parameters.get(parameter, [])):
            raise Unplaced("two paths share scalings in different ways")
    if made.parameters and made.parameters.keys() <= {"removals", "rescale", "preprocessing"}:
        summary = "remove the extra scaling: another one on each path is right"
        return _remedy("remove_scaling", program, summary, made)
    if made.parameters.keys() <= {"layers", "removals"} and expects.name == "tf":
        return _rescale(program, made, where="in every pipeline")
    return _use(program, module, made, "in every pipeline")


def _one_scaling(program: Program, path: Path, expects: ScalingSeen, made: _Plan) -> None:
    """Of the scalings on a path one stays, or is replaced; the others go."""
    right = next((s for s in path.scalings if _is(s, expects)), None)
    keep = right or path.scalings[0]
    for scaling in path.scalings:
        if scaling is keep:
            continue
        same_generator = keep.kind in ("argument", "reference") and scaling.kind == "argument"
        if not (same_generator and right is None):
            _take_away(program, scaling, path, made)
    if right is not None:
        return
    if keep.kind in ("argument", "reference"):
        generator = _generator_of(keep, path)
        if generator is None:
            raise Unplaced(f"line {keep.site.line}: the scaling is handed over elsewhere")
        made.add("generators", span(generator.site))
    elif keep.kind == "function":
        made.add("renames", span(keep.site))
    elif keep.kind == "arithmetic":
        made.add("expressions", _scaled_span(keep, _cast(program, keep, path)))
    elif keep.kind == "layer":
        made.add("layers", span(keep.site))
    else:
        raise Unplaced(f"line {keep.site.line}: this scaling has no plain replacement")


def _is(scaling: Scaling, expects: ScalingSeen) -> bool:
    step = step_of(scaling)
    return step is not None and same(step, expects)


def _insert(path: Path, made: _Plan) -> None:
    if path.kind == "generator":
        for generator in path.generators:
            made.add("generators", span(generator.site))
    elif path.kind == "dataset":
        if not path.labelled:
            raise Unplaced(f"line {path.call.line}: a data set without labels is predicted")
        made.add("datasets", span(path.definition or path.data))
    else:
        made.add("wraps", {**span(path.data), "cast": "array"})


def _scaled_span(scaling: Scaling, cast: str | None = None) -> Span:
    found = span(scaling.site)
    if scaling.operand_site is not None:
        found["operand"] = span(scaling.operand_site)
    if cast is not None:
        found["cast"] = cast
    return found


def _cast(program: Program, scaling: Scaling, path: Path) -> str | None:
    """How the operand is made floating point: preprocess_input neither casts tensors nor copies
    floating-point arrays."""
    if scaling.name == CONVERT:
        return "tensor"
    operand = scaling.operand_text or ""
    if path.kind != "dataset" and "tf." not in operand:
        return None if "astype(" in operand else "array"
    # A float divisor is refused by TensorFlow for whole-number tensors: they are float already.
    whole = re.search(r"/=?\s*255\b(?!\.)", code(program, scaling.site))
    return "tensor" if whole and "cast(" not in operand else None
