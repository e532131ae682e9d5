"""Walking back from a value: which scalings and which backbones it passed through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tlfix.program.calls import architecture
from tlfix.program.meaning import (
    DATASET,
    GENERATOR,
    ITERATOR,
    MODEL,
    PYTHON_GENERATOR,
    either,
    options,
)
from tlfix.program.model import Scaling, Site
from tlfix.program.plain import is_plain, is_reader
from tlfix.program.scalings import scalings_of
from tlfix.program.values import (
    Affine,
    Attribute,
    Either,
    Element,
    Instance,
    Item,
    Known,
    Made,
    Mapping,
    Mixed,
    Opaque,
    Sequence,
    Value,
)

# Steps back that are followed; a network of that many layers is read no further.
_FARTHEST: Final = 80


class Trace:
    """One walk back from a value. ``sites`` are the scalings met, in order of application.

    ``unread`` names what was met on the way of the pixels and may scale them unseen: layers and
    functions of somebody else, arithmetic with values that are not known.
    """

    def __init__(self, known: dict[Site, Scaling]) -> None:
        self._known = known
        self._seen: set[int] = set()
        self._depth = 0
        self.sites: list[Site] = []
        self.backbones: list[Made] = []
        self.unread: list[str] = []
        self._aside = 0

    @property
    def scalings(self) -> tuple[Scaling, ...]:
        """The scalings met."""
        return tuple(self._known[site] for site in self.sites)

    def back(self, value: Value | None) -> Trace:
        """Walk back from ``value``."""
        if value is None or id(value) in self._seen or self._depth >= _FARTHEST:
            return self
        self._seen.add(id(value))
        self._depth += 1
        self._step(value)
        self._depth -= 1
        return self

    def _all(self, values: Iterable[Value | None]) -> None:
        for value in values:
            self.back(value)

    def _beside(self, values: Iterable[Value | None]) -> None:
        """Walk back from what is no image: sizes, paths, labels."""
        self._aside += 1
        self._all(values)
        self._aside -= 1

    def _doubt(self, what: str) -> None:
        if not self._aside and what not in self.unread:
            self.unread.append(what)

    def _met(self, made: Made) -> None:
        scalings = tuple(scalings_of(made))
        for scaling in scalings:
            self._note(scaling.site)
        if not scalings and not is_plain(made.call.name):
            self._doubt(made.call.name)

    def layer(self, value: Value | None) -> None:
        """What an element of a ``Sequential``, or an object that is called, does to its input."""
        for option in options(value):
            if isinstance(option, Made):
                self.model(option)
            elif isinstance(option, Item | Element) and isinstance(option.base, Sequence):
                for part in option.base.parts:
                    self.layer(part.value)
            elif isinstance(option, Instance):
                self._doubt(option.of.name)
            else:
                self._doubt(getattr(option, "name", "") or "a layer")

    def _note(self, site: Site) -> None:
        if site in self._known and site not in self.sites:
            self.sites.append(site)

    def _step(self, value: Value) -> None:
        if isinstance(value, Affine):
            self.back(value.base)
            if value.fact is not None:
                self._note(value.fact.site)
        elif isinstance(value, Either):
            self._all(value.options)
        elif isinstance(value, Mixed):
            self._doubt("arithmetic")
            self._all(value.parts)
        elif isinstance(value, Sequence):
            self._all(part.value for part in value.parts)
        elif isinstance(value, Mapping):
            self._all(value.items.values())
        elif isinstance(value, Item):
            self._item(value)
        elif isinstance(value, Element):
            self.back(value.base)
        elif isinstance(value, Attribute):
            self._attribute(value)
        elif isinstance(value, Instance):
            if value.made is not None:
                self.back(value.made.results.get("yield"))
        elif isinstance(value, Made):
            self._made(value)

    def _item(self, value: Item) -> None:
        base = value.base
        if isinstance(base, Element) and isinstance(value.key, int) and value.key > 0:
            # The labels of a data set's elements.
            return
        if isinstance(base, Made) and base.call.name.endswith("train_test_split"):
            index = value.key // 2 if isinstance(value.key, int) else 0
            self._all(base.arguments[index : index + 1])
        else:
            self.back(base)

    def _attribute(self, value: Attribute) -> None:
        base = value.base
        if value.name in {"output", "outputs"}:
            for option in options(base):
                if isinstance(option, Made):
                    self.model(option)
        elif value.name in {"input", "inputs"}:
            return
        else:
            self.back(base)

    def model(self, made: Made) -> None:
        """What happens between a model's (or layer's) input and its output."""
        name = made.call.name
        if architecture(name):
            self.back(made.given("input_tensor"))
            if made not in self.backbones:
                self.backbones.append(made)
        elif name == "keras.Sequential":
            for part in sequential_parts(made):
                self.layer(part)
        elif name == "keras.Model":
            self.back(made.given("outputs", 1) or made.given("output"))
        elif name == "keras.layers.Lambda":
            result = made.results.get("function")
            self.back(result)
            if result is None or (isinstance(result, Opaque) and result.name != "inputs"):
                self._met(made)
        elif name == "keras.layers.TimeDistributed":
            self.layer(made.given("layer", 0))
        elif name.endswith(".get_layer") and isinstance(made.receiver, Made):
            self.model(made.receiver)
        elif name.endswith(".__call__"):
            self.back(made)
        else:
            self._met(made)

    def _made(self, made: Made) -> None:
        name = made.call.name
        if name.endswith(".__call__") or _is_object(made.callee):
            self._all(made.arguments[:1] or list(made.keywords.values())[:1])
            result = made.results.get("call")
            if result is None or isinstance(result, Opaque):
                self.layer(made.receiver if made.receiver is not None else made.callee)
            self.back(result)
        elif made.kind == DATASET:
            self._dataset(made)
        elif made.kind == ITERATOR:
            if name.endswith(".flow"):
                self._all(first(value) for value in made.arguments[:1])
            for option in options(made.receiver):
                if isinstance(option, Made) and option.call.name == GENERATOR:
                    self._handed(option, "preprocessing_function")
                    self._met(option)
        elif made.kind == PYTHON_GENERATOR:
            self.back(first(made.results.get("yield")))
        elif made.kind == MODEL:
            self.model(made)
        elif name in {"tf.py_function", "tf.numpy_function"} and "func" in made.results:
            self.back(first(made.results["func"]))
        elif is_reader(name):
            self._beside((made.receiver, *made.arguments[:3]))
            self._met(made)
        else:
            self._all((made.receiver, *made.arguments[:1]))
            self._beside(made.arguments[1:3])
            self._met(made)

    def _handed(self, made: Made, keyword: str, position: int | None = None) -> None:
        """A function that is handed over: its result, or that it could not be followed."""
        result = made.results.get(keyword)
        self.back(result)
        given = made.call.argument(keyword, position)
        if given is None or (given.value is None and given.text == "None"):
            return
        known = any(scaling.module for scaling in scalings_of(made))
        if not known and (result is None or (isinstance(result, Opaque) and not result.name)):
            self._doubt(given.text)

    def _dataset(self, made: Made) -> None:
        result = made.results.get("map_func")
        if result is not None and made.call.name.endswith("map"):
            self.back(made.receiver) if isinstance(first(result), Known) else None
            self.back(first(result))
        elif "generator" in made.results:
            self.back(first(made.results["generator"]))
        elif made.receiver is not None and made.call.name.startswith(f"{DATASET}."):
            if made.call.name.endswith((".from_tensor_slices", ".from_tensors", ".zip")):
                self._all(first(value) for value in made.arguments[:1])
            else:
                self.back(made.receiver)
            if made.call.name.endswith(".map"):
                self._handed(made, "map_func", 0)
            self._met(made)
        else:
            self._all(first(value) for value in made.arguments[:1])


def _is_object(callee: Value) -> bool:
    """Whether what is called is an object: one layer or another, not a function."""
    return any(isinstance(option, Made | Instance) for option in options(callee))


def first(value: Value | None) -> Value | None:
    """The images of an ``(images, labels)`` tuple, on every branch."""
    found: list[Value] = []
    for option in options(value):
        if isinstance(option, Sequence) and option.kind == "tuple" and option.parts:
            found.append(option.parts[0].value)
        else:
            found.append(option)
    return either(*found) if found else None


def sequential_parts(made: Made) -> list[Value]:
    """The layers of a ``Sequential``: given in its list, then added."""
    values: list[Value] = []
    given = made.given("layers", 0)
    for option in options(given):
        if isinstance(option, Sequence):
            values.extend(part.value for part in option.parts)
            break
    values.extend(part.value for part in made.parts)
    return values


def contents(model: Value | None, known: dict[Site, Scaling]) -> list[Made]:
    """The backbones inside a model, by their constructors."""
    trace = Trace(known)
    for option in options(model):
        if isinstance(option, Made):
            trace.model(option)
        elif isinstance(option, Instance):
            for attribute in option.attributes.values():
                for each in options(attribute):
                    if isinstance(each, Made) and each.kind == MODEL:
                        trace.model(each)
    return trace.backbones
