"""Calls: their qualified names, their arguments, what they return."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from tlfix.program.architectures import ARCHITECTURES, THIRD_PARTY
from tlfix.program.imports import normalise
from tlfix.program.meaning import (
    DATASET,
    GENERATOR,
    ITERATOR,
    MODEL,
    constant,
    either,
    instance_kind,
    kind_of,
    made_by,
    options,
)
from tlfix.program.model import UNKNOWN, Argument
from tlfix.program.values import (
    Attribute,
    Class,
    Either,
    Function,
    Instance,
    Item,
    Known,
    Made,
    Mapping,
    Opaque,
    Ref,
    Sequence,
    Value,
)

if TYPE_CHECKING:
    from tlfix.program.walk import Walker

_MODEL_MAKERS: Final = frozenset(
    {
        "keras.Model",
        "keras.Sequential",
        "keras.models.load_model",
        "keras.models.clone_model",
        "keras.models.model_from_json",
    }
)
_KINDS: Final = {
    "keras.utils.image_dataset_from_directory": DATASET,
    "tensorflow_datasets.load": DATASET,
    "keras.Model.fit": "keras.callbacks.History",
    "keras.Model.fit_generator": "keras.callbacks.History",
    "argparse.ArgumentParser": "argparse.ArgumentParser",
    "argparse.ArgumentParser.parse_args": "argparse.Namespace",
    "argparse.ArgumentParser.parse_known_args": "argparse.Namespace",
    "argparse.ArgumentParser.add_argument_group": "argparse.ArgumentParser",
}
_NOT_DATASETS: Final = frozenset(
    ["as_numpy_iterator", "reduce", "cardinality", "save", "element_spec"]
)
# Methods only ``Sequential`` has.
_SEQUENTIAL: Final = frozenset({"add", "pop"})


def architecture(name: str) -> tuple[str, str] | None:
    """``(library, architecture)`` if a qualified name makes a pretrained network."""
    root, _, _ = name.partition(".")
    last = name.rsplit(".", 1)[-1]
    if name.startswith("keras.applications.") and last[:1].isupper():
        return "keras", last
    if root in THIRD_PARTY and last in ARCHITECTURES:
        return THIRD_PARTY[root], last
    return None


def result_kind(name: str) -> str | None:
    """The class of what a call of ``name`` returns, None if unknown."""
    if name in _KINDS:
        return _KINDS[name]
    if name in _MODEL_MAKERS or architecture(name):
        return MODEL
    owner, _, last = name.rpartition(".")
    if owner == GENERATOR and last.startswith("flow"):
        return ITERATOR
    if owner == DATASET and last not in _NOT_DATASETS:
        return DATASET
    if owner.startswith("tf.data") and last.endswith("Dataset"):
        return DATASET
    if last[:1].isupper() and "." in name:
        return name
    return None


def name_of(callee: Value, func: ast.expr) -> str:
    """The qualified name of what is called."""
    if not isinstance(callee, Either):
        return _name(callee)
    names = {_name(option) for option in options(callee)}
    if len(names) == 1:
        return names.pop()
    if isinstance(func, ast.Attribute):
        return f".{func.attr}"
    return func.id if isinstance(func, ast.Name) else ""


def _name(callee: Value) -> str:
    if isinstance(callee, Ref | Function | Class):
        return callee.name
    if isinstance(callee, Made):
        if architecture(callee.call.name):
            return f"{callee.call.name}.__call__"
        return f"{callee.kind or callee.call.name}.__call__"
    if isinstance(callee, Instance):
        return f"{instance_kind(callee.of)}.__call__"
    if isinstance(callee, Attribute):
        base = callee.base
        kind = kind_of(base)
        if kind is None:
            return f".{callee.name}"
        made = made_by(base)
        if callee.name in _SEQUENTIAL and made and made.call.name == "keras.Sequential":
            kind = "keras.Sequential"
        return f"{kind}.{callee.name}"
    return callee.name if isinstance(callee, Opaque) else ""


def argument(walker: Walker, keyword: str | None, value: Value, node: ast.expr) -> Argument:
    """An argument as the contract has it."""
    made = made_by(value)
    site = walker.text.site(node)
    names = {_reference(option) for option in options(value)}
    return Argument(
        keyword,
        constant(value),
        walker.text.cut(site),
        site,
        made.call if made is not None else None,
        names.pop() if len(names) == 1 else None,
    )


def _reference(value: Value) -> str | None:
    if isinstance(value, Function):
        return None if isinstance(value.node, ast.Lambda) else value.name
    return value.name if isinstance(value, Ref | Class) else None


def arguments(
    walker: Walker, node: ast.Call
) -> tuple[list[tuple[Argument, Value]], dict[str, tuple[Argument, Value]]]:
    """The arguments of a call, evaluated; ``*`` and ``**`` are unpacked where that is possible.

    An unknown ``**`` leaves a keyword named ``**``, so that absence can be told from ignorance.
    """
    positional: list[tuple[Argument, Value]] = []
    keywords: dict[str, tuple[Argument, Value]] = {}
    for each in node.args:
        if isinstance(each, ast.Starred):
            value = walker.evaluate(each.value)
            if isinstance(value, Sequence) and not value.open:
                for part in value.parts:
                    positional.append((argument(walker, None, part.value, each), part.value))
                continue
        else:
            value = walker.evaluate(each)
        positional.append((argument(walker, None, value, each), value))
    for keyword in node.keywords:
        value = walker.evaluate(keyword.value)
        walker.keywords[walker.text.site(keyword.value)] = walker.text.site(keyword)
        if keyword.arg is not None:
            made = argument(walker, keyword.arg, value, keyword.value)
            keywords[keyword.arg] = (made, value)
        elif isinstance(value, Mapping) and not value.open:
            for key, item in value.items.items():
                if isinstance(key, str):
                    made = argument(walker, key, item, keyword.value)
                    keywords.setdefault(key, (made, item))
        else:
            keywords["**"] = (argument(walker, "**", value, keyword.value), value)
    return positional, keywords


def resolve(name: str) -> Ref:
    """A reference to an import path."""
    return Ref(name, normalise(name))


def attribute(walker: Walker, base: Value, name: str, node: ast.expr) -> Value:
    """``base.name``."""
    if isinstance(base, Either):
        return either(*(attribute(walker, option, name, node) for option in base.options))
    if isinstance(base, Ref):
        if base.name.endswith("flags.FLAGS") and name in walker.flags:
            return walker.flags[name]
        return resolve(f"{base.raw}.{name}")
    if isinstance(base, Instance):
        found_value = base.attributes.get(name) or base.of.attributes.get(name)
        if isinstance(found_value, Function):
            return _bound(walker, found_value, base)
        if found_value is not None:
            return found_value
    elif isinstance(base, Class):
        if name in base.attributes:
            return base.attributes[name]
    elif isinstance(base, Made):
        if base.kind == "argparse.Namespace":
            return _argument(base, name)
        if base.call.name.endswith("SimpleNamespace") and name in base.keywords:
            return base.keywords[name]
    elif (
        isinstance(base, Item)
        and isinstance(base.base, Made)
        and base.base.kind == "argparse.Namespace"
    ):
        return _argument(base.base, name)
    return Attribute(base, name, walker.text.site(node))


def _bound(walker: Walker, function: Function, instance: Instance) -> Value:
    decorators = {
        each.id
        for each in getattr(function.node, "decorator_list", ())
        if isinstance(each, ast.Name)
    }
    if "staticmethod" in decorators:
        return function
    bound = Function(function.node, function.name, function.scope, (instance, *function.bound))
    if "property" in decorators:
        return walker.invoke(bound, (), {})
    return bound


def _argument(namespace: Made, name: str) -> Value:
    parser = namespace.receiver
    if isinstance(parser, Made) and name in parser.results:
        return parser.results[name]
    return Opaque(name)


_CASTS: Final = {"int": int, "float": float, "str": str}


def add_argument(parser: Made, made: Made) -> None:
    """``parser.add_argument("--lr", type=float, default=1e-3)`` gives ``args.lr`` its default."""
    flags = [constant(value) for value in made.arguments]
    names = [flag for flag in flags if isinstance(flag, str)]
    given = constant(made.given("dest"))
    long = [name for name in names if name.startswith("--")] or names
    if isinstance(given, str):
        target = given
    elif long:
        target = long[0].lstrip("-").replace("-", "_")
    else:
        return
    action = constant(made.given("action"))
    default = made.given("default")
    if default is None:
        implied = {"store_true": False, "store_false": True}.get(str(action), UNKNOWN)
        parser.results[target] = Opaque(target) if implied is UNKNOWN else Known(implied)
        return
    kind = made.given("type")
    value = constant(default)
    if isinstance(kind, Opaque) and kind.name in _CASTS and isinstance(value, str):
        try:
            default = Known(_CASTS[kind.name](value))
        except ValueError:
            default = Opaque(target)
    parser.results[target] = default
