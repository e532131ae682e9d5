"""Compiling and fitting: what is trained, on what, how; and the layers that make the outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from tlfix.program import pipelines
from tlfix.program.dataflow import contents, sequential_parts
from tlfix.program.meaning import MODEL, constant, options
from tlfix.program.model import (
    UNKNOWN,
    Argument,
    Call,
    Compile,
    Fit,
    Layer,
    Scaling,
    Site,
    Source,
)
from tlfix.program.values import Instance, Made, Ref, Sequence, Value

if TYPE_CHECKING:
    from tlfix.program.walk import Walker

_COMPILE_WORDS: Final = frozenset({"optimizer", "loss", "metrics"})
_FIT_WORDS: Final = frozenset(
    [
        "epochs",
        "nb_epoch",
        "validation_data",
        "validation_split",
        "steps_per_epoch",
        "samples_per_epoch",
        "validation_steps",
        "callbacks",
        "class_weight",
        "initial_epoch",
    ]
)
_FITS: Final = frozenset({"fit", "fit_generator"})
_STEPS: Final = frozenset({"apply_gradients", "apply", "minimize"})


def is_compile(made: Made) -> bool:
    """Whether a call is ``compile`` of a Keras model."""
    name = made.call.name
    if name == f"{MODEL}.compile":
        return True
    return name == ".compile" and bool(_COMPILE_WORDS & made.keywords.keys())


def is_fit(made: Made) -> bool:
    """Whether a call is ``fit`` (or ``fit_generator``) of a Keras model."""
    owner, _, last = made.call.name.rpartition(".")
    if last not in _FITS:
        return False
    return owner == MODEL or (owner == "" and bool(_FIT_WORDS & made.keywords.keys()))


def is_custom_loop(made: list[Made]) -> bool:
    """Whether weights are updated by hand: ``train_on_batch``, or a tape and an update."""
    names = {each.call.name.rsplit(".", 1)[-1] for each in made}
    return "train_on_batch" in names or ("GradientTape" in names and bool(names & _STEPS))


class Training:
    """The training part of a script, derived from a finished walk."""

    def __init__(
        self,
        walker: Walker,
        scalings: dict[Site, Scaling],
        final: Callable[[Call], Call],
    ) -> None:
        self._made = walker.made
        self._known = scalings
        self._final = final
        self._returns = walker.call_returns
        self.sources: list[Source] = []
        self.compiles = self._compiles()
        self.fits = self._fits()
        self.outputs = self._outputs()

    def _contents(self, model: Value | None) -> tuple[Call, ...]:
        return tuple(self._final(made.call) for made in contents(model, self._known))

    def _compiles(self) -> tuple[Compile, ...]:
        found: dict[Site, Compile] = {}
        for made in self._made:
            if is_compile(made) and made.call.site not in found:
                call = self._final(made.call)
                optimizer = call.argument("optimizer", 0)
                found[call.site] = Compile(
                    call,
                    optimizer,
                    _rate(optimizer),
                    call.argument("loss", 1),
                    call.argument("metrics", 2),
                    call.receiver_text,
                    self._contents(made.receiver),
                )
        return tuple(found.values())

    def _fits(self) -> tuple[Fit, ...]:
        visits: dict[Site, list[Made]] = {}
        for made in self._made:
            if is_fit(made):
                visits.setdefault(made.call.site, []).append(made)
        return tuple(self._fit(each) for each in visits.values())

    def _fit(self, visits: list[Made]) -> Fit:
        call = self._final(visits[0].call)
        training: list[Source] = []
        validation: list[Source] = []
        for made in visits:
            own = made.call
            name = "x" if "x" in made.keywords else "generator"
            labelled = made.given("y", 1) is not None and own.name.endswith("fit")
            training.extend(
                pipelines.of_fit(
                    call,
                    made.given(name, 0),
                    own.argument(name, 0),
                    labelled,
                    "training",
                    self._known,
                )
            )
            validation.extend(
                pipelines.of_fit(
                    call,
                    made.given("validation_data"),
                    own.argument("validation_data"),
                    False,
                    "validation",
                    self._known,
                )
            )
        fit = Fit(
            call,
            call.receiver_text,
            pipelines.distinct(training),
            pipelines.distinct(validation),
            call.argument("class_weight"),
            call.argument("epochs") or call.argument("nb_epoch"),
            self._contents(visits[0].receiver),
        )
        self.sources.extend((*fit.training, *fit.validation))
        return fit

    def _outputs(self) -> tuple[Layer, ...]:
        trained = [
            made.receiver
            for made in self._made
            if (is_fit(made) or is_compile(made)) and made.receiver is not None
        ]
        self._seen: set[int] = set()
        found: dict[Site, Layer] = {}
        for value in trained:
            for layer in self._ends(value, 0):
                found.setdefault(layer.call.site, layer)
        if not found:
            for made in self._made:
                if made.call.name in {MODEL, "keras.Sequential"}:
                    for layer in self._ends(made, 0):
                        found.setdefault(layer.call.site, layer)
        if not found:
            for _, returned in self._returns:
                for layer in self._ending(returned, None, 0):
                    found.setdefault(layer.call.site, layer)
        return tuple(sorted(found.values(), key=lambda layer: layer.call.order))

    def _ends(self, model: Value, depth: int) -> Iterator[Layer]:
        """The output layers of a model."""
        for option in options(model):
            if depth > 20 or id(option) in self._seen:
                continue
            self._seen.add(id(option))
            if isinstance(option, Instance):
                for instance, returned in self._returns:
                    if instance.of is option.of:
                        yield from self._ending(returned, None, depth + 1)
            elif isinstance(option, Made):
                if option.call.name == "keras.Sequential":
                    yield from self._stack(sequential_parts(option), depth + 1)
                elif option.call.name == MODEL:
                    outputs = option.given("outputs", 1) or option.given("output")
                    if outputs is not None:
                        yield from self._ending(outputs, None, depth + 1)

    def _stack(self, parts: list[Value], depth: int) -> Iterator[Layer]:
        after: Made | None = None
        for part in reversed(parts):
            made = next((each for each in options(part) if isinstance(each, Made)), None)
            if made is None:
                return
            if _is_activation(made) and after is None:
                after = made
                continue
            if made.call.name == "keras.layers.Dense":
                yield self._layer(made, after)
            elif after is None:
                yield from self._ends(made, depth)
            return

    def _ending(self, value: Value, after: Made | None, depth: int) -> Iterator[Layer]:
        """The layers whose call gave ``value``."""
        if depth > 20:
            return
        for option in options(value):
            if isinstance(option, Sequence):
                for part in option.parts:
                    yield from self._ending(part.value, after, depth + 1)
                continue
            if not isinstance(option, Made):
                continue
            if _activation_function(option.call.name) and option.arguments and after is None:
                yield from self._ending(option.arguments[0], option, depth + 1)
                continue
            if not option.call.name.endswith(".__call__") or not option.arguments:
                continue
            for layer in options(option.callee):
                if not isinstance(layer, Made):
                    continue
                if layer.call.name == "keras.layers.Dense":
                    yield self._layer(layer, after)
                elif _is_activation(layer) and after is None:
                    yield from self._ending(option.arguments[0], layer, depth + 1)
                elif after is None:
                    yield from self._ends(layer, depth + 1)

    def _layer(self, dense: Made, after: Made | None) -> Layer:
        call = self._final(dense.call)
        units = call.constant("units", 0, UNKNOWN)
        if after is None:
            activation = _activation(dense.given("activation", 1))
        elif after.call.name == "keras.layers.Activation":
            activation = _activation(after.given("activation", 0))
        else:
            activation = after.call.name.rsplit(".", 1)[-1].lower()
        return Layer(
            call, units, activation, self._final(after.call) if after is not None else None
        )


def _rate(optimizer: Argument | None) -> Argument | None:
    if optimizer is None or optimizer.call is None:
        return None
    call = optimizer.call
    if ".optimizers." not in call.name and not call.name.startswith(
        ("tf.train.", "tensorflow_addons")
    ):
        return None
    for keyword in ("learning_rate", "lr"):
        found = call.argument(keyword)
        if found is not None:
            return found
    return call.argument("learning_rate", 0)


def _is_activation(made: Made) -> bool:
    return made.call.name in {"keras.layers.Activation", "keras.layers.Softmax"}


def _activation_function(name: str) -> bool:
    owner, _, last = name.rpartition(".")
    return owner in {"tf.nn", "keras.activations", "keras.ops"} and last in {"softmax", "sigmoid"}


def _activation(value: Value | None) -> object:
    """An activation as a string; None for none."""
    if value is None:
        return None
    found = {_named(option) for option in options(value)}
    return found.pop() if len(found) == 1 else UNKNOWN


def _named(value: Value) -> object:
    if isinstance(value, Ref):
        return value.name.rsplit(".", 1)[-1]
    if isinstance(value, Made):
        last = value.call.name.rsplit(".", 1)[-1]
        return last.lower() if last == "Softmax" else UNKNOWN
    known = constant(value)
    return known if isinstance(known, str | None) else UNKNOWN
