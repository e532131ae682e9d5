"""What some calls do besides returning a value: functions handed over, layers added, options."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from tlfix.program import calls
from tlfix.program.meaning import DATASET, GENERATOR, constant, either, made_by, options
from tlfix.program.model import Site
from tlfix.program.values import Element, Function, Item, Made, Opaque, Part, Sequence, Value

if TYPE_CHECKING:
    from tlfix.program.walk import Walker

# Calls that run a function they are given: its parameter's name and position.
_RUNNERS: Final[dict[str, tuple[str, int]]] = {
    f"{DATASET}.map": ("map_func", 0),
    f"{DATASET}.interleave": ("map_func", 0),
    f"{DATASET}.flat_map": ("map_func", 0),
    ".map": ("map_func", 0),
    GENERATOR: ("preprocessing_function", 99),
    "keras.layers.Lambda": ("function", 0),
    "tf.data.Dataset.from_generator": ("generator", 0),
    "tf.py_function": ("func", 0),
    "tf.numpy_function": ("func", 0),
    "tf.map_fn": ("fn", 0),
    "map": ("func", 0),
}


def apply(walker: Walker, made: Made) -> None:
    """Carry out what a call does to the objects it meets."""
    name = made.call.name
    if name in _RUNNERS:
        keyword, position = _RUNNERS[name]
        _run(walker, made, keyword, position)
    elif name == "argparse.ArgumentParser.add_argument":
        parser = made_by(made.receiver)
        if parser is not None:
            calls.add_argument(parser, made)
    elif ".flags.DEFINE_" in name and len(made.arguments) > 1:
        flag = constant(made.arguments[0])
        if isinstance(flag, str):
            walker.flags[flag] = made.arguments[1]
    elif name == "argparse.ArgumentParser.add_argument_group":
        parser = made_by(made.receiver)
        if parser is not None:
            made.results = parser.results
    elif name == "keras.Sequential.add" and made.arguments:
        model = made_by(made.receiver)
        if model is not None:
            model.parts.append(Part(made.arguments[0], made.call.positional[0].site))
    elif name in {".append", ".extend", ".insert"} and isinstance(made.receiver, Sequence):
        _grow(walker, made.receiver, made, name)


def _grow(walker: Walker, items: Sequence, made: Made, name: str) -> None:
    if walker.loops or not made.arguments or name == ".insert":
        items.open = True
    if not made.arguments:
        return
    added = made.arguments[-1]
    if name == ".extend":
        if isinstance(added, Sequence):
            items.parts.extend(added.parts)
            items.open = items.open or added.open
        else:
            items.open = True
    elif len(items.parts) < 256:
        items.parts.append(Part(added, made.call.positional[-1].site))


def _run(walker: Walker, made: Made, keyword: str, position: int) -> None:
    results: list[Value] = []
    for function in options(made.given(keyword, position)):
        if not isinstance(function, Function):
            continue
        walker.yields.append([])
        result = walker.invoke(
            function, _parameters(function, made), owner=_stage(walker, function, made)
        )
        yielded = walker.yields.pop()
        walker.sink(result)
        results.append(either(*yielded) if yielded else result)
    if results:
        made.results[keyword] = either(*results)


def _stage(walker: Walker, function: Function, made: Made) -> Site:
    if isinstance(function.node, ast.Lambda):
        return made.call.site
    return walker.text.site(function.node)


def _parameters(function: Function, made: Made) -> tuple[Value, ...]:
    """What the function receives: the elements of what it is mapped over."""
    spec = function.node.args
    count = len(spec.posonlyargs) + len(spec.args) - len(function.bound)
    if made.call.name in {"tf.py_function", "tf.numpy_function"}:
        inputs = made.given("inp", 1)
        return tuple(part.value for part in inputs.parts) if isinstance(inputs, Sequence) else ()
    if made.call.name in {"tf.map_fn", "map"}:
        mapped = made.given("elems", 1)
        return (Element(mapped),) if mapped is not None else ()
    if made.call.name == GENERATOR:
        return (Opaque("image"),)
    if made.call.name == "keras.layers.Lambda":
        return (Opaque("inputs"),)
    if made.receiver is None or made.call.name.endswith("from_generator"):
        return ()
    element = Element(made.receiver)
    if count <= 1:
        return (element,) if count else ()
    return tuple(Item(element, index) for index in range(count))
