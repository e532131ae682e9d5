"""What the static reading of a training script finds: calls, and the parts they play.

Everything here is a plain immutable value. Lines count from 1 and columns from 0, in characters
(the convention of LibCST; the ``ast`` module's byte offsets are converted on the way in).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal


class Unknown:
    """The value of an expression that the static reading cannot evaluate."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        return False


UNKNOWN: Final = Unknown()

Split = Literal["training", "validation", "test", "unknown"]


@dataclass(frozen=True, slots=True)
class Site:
    """A stretch of source: where a call or an expression stands."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call.

    ``value`` is the constant it evaluates to (numbers, strings, booleans, None, tuples, lists,
    dicts of those; names, attributes of constant dicts, argparse defaults and simple arithmetic
    are followed) or UNKNOWN. ``text`` is its source. ``call`` is the call it resolves to, through
    variables, if it is one (``optimizer=opt`` with ``opt = Adam(1e-3)`` gives the ``Adam`` call).
    ``name`` is the qualified name it resolves to if it is a function or class
    (``preprocess_input``).
    """

    keyword: str | None
    value: object
    text: str
    site: Site
    call: Call | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call with its resolved, normalised name.

    ``name`` starts with ``keras.`` however it was imported (``tf.keras``, ``tensorflow.keras``,
    ``keras``, ``tf_keras``); other libraries keep their own (``tf.data.Dataset.map``,
    ``numpy.array``).
    A method call on something whose origin is known is named after the class
    (``keras.Model.fit``, ``keras.preprocessing.image.ImageDataGenerator.flow_from_directory``,
    ``tf.data.Dataset.map``), otherwise it is ``.method``.
    ``receiver`` is the call that made the object the method is called on, where known, and
    ``receiver_text`` its source text. ``targets`` are the names the result is assigned to.
    ``scope`` is the qualified name of the enclosing function or class, "" for the module.
    ``order`` counts calls as they would run (source order in a straight script; a function's body
    counts where it is first called). A call read in several ways (a helper called twice) keeps what
    all readings agree on. ``x(y)`` on an object is named ``<class>.__call__``
    (``keras.layers.Dense.__call__``). An unknown ``**options`` is a keyword argument named ``**``.
    """

    name: str
    site: Site
    positional: tuple[Argument, ...]
    keywords: tuple[Argument, ...]
    receiver: Call | None = None
    receiver_text: str | None = None
    targets: tuple[str, ...] = ()
    scope: str = ""
    order: int = 0
    in_loop: bool = False

    def argument(self, keyword: str, position: int | None = None) -> Argument | None:
        """The argument given as ``keyword`` or at ``position`` (from 0), or None."""
        for argument in self.keywords:
            if argument.keyword == keyword:
                return argument
        if position is not None and position < len(self.positional):
            return self.positional[position]
        return None

    def constant(self, keyword: str, position: int | None = None, default: object = None) -> object:
        """The constant value of an argument; ``default`` if absent, UNKNOWN if not constant."""
        argument = self.argument(keyword, position)
        return default if argument is None else argument.value


@dataclass(frozen=True, slots=True)
class BackboneUse:
    """How a backbone enters a model.

    ``nested``: called like a layer, ``input_text``/``input_site`` is its first argument.
    ``inlined``: its ``.output`` is built upon and its ``.input`` is the model's input.
    ``sequential``: an element of a ``Sequential`` list or ``.add``; ``site`` is that element.
    ``features``: only ``.predict`` or a call outside any model is used.
    """

    kind: Literal["nested", "inlined", "sequential", "features"]
    site: Site
    input_text: str | None = None
    input_site: Site | None = None
    training: object = UNKNOWN
    """The constant given as ``training=`` in a nested call; None when it is absent."""
    scalings: tuple[Scaling, ...] = ()
    """What scales the images inside the model before the backbone, in order of application."""
    unread: tuple[str, ...] = ()
    """Layers and functions in the model before the backbone that may scale, and are not read."""


@dataclass(frozen=True, slots=True)
class Backbone:
    """A pretrained network made by a constructor of ``keras.applications`` (or a known relative).

    ``module`` is the submodule of ``keras.applications`` that holds its ``preprocess_input``
    (``mobilenet_v2``); ``library`` is ``keras`` or the third-party package (``efficientnet``).
    ``loads_weights`` is true if ``load_weights`` is called on it later.
    """

    call: Call
    architecture: str
    module: str
    library: str
    weights: object
    include_top: object
    input_shape: object
    variable: str | None
    uses: tuple[BackboneUse, ...] = ()
    loads_weights: bool = False


@dataclass(frozen=True, slots=True)
class Scaling:
    """An expression that changes the range of pixel values.

    ``kind``: ``argument`` (``rescale=`` of ImageDataGenerator), ``arithmetic`` (``x / 255.0``,
    ``x / 127.5 - 1``, ``x * (1/255)``; ``operand_text`` and ``operand_site`` are ``x``), ``layer``
    (a ``Rescaling`` layer), ``function`` (a call of ``preprocess_input``), ``reference``
    (``preprocess_input`` handed over as ``preprocessing_function=`` or to ``.map``),
    ``normalization`` (``per_image_standardization``, ``Normalization`` layer, featurewise flags) .
    The result is ``scale * x + offset`` where both are known; ``module`` is the submodule of
    ``keras.applications`` of a ``preprocess_input``. ``display`` is true where only plotting code
    consumes it. ``owner`` is the site of the pipeline stage that contains it: the
    ImageDataGenerator call, the mapped function's ``def``, the ``.map`` call; None at module level
    or in a model.
    """

    kind: Literal["argument", "arithmetic", "layer", "function", "reference", "normalization"]
    site: Site
    scale: float | None = None
    offset: float | None = None
    module: str | None = None
    operand_text: str | None = None
    operand_site: Site | None = None
    owner: Site | None = None
    scope: str = ""
    display: bool = False
    targets: tuple[str, ...] = ()
    statements: int = 1
    """Above 1, ``site`` spans several statements (``x /= 127.5`` then ``x -= 1``)."""
    name: str | None = None
    """The qualified name of the function or layer, where there is one."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where images enter: a call that makes batches or a data set.

    ``kind``: ``flow_from_directory``, ``flow_from_dataframe``, ``flow``,
    ``image_dataset_from_directory``, ``from_tensor_slices``, ``from_generator``, ``tfds``,
    ``arrays`` (numpy arrays given to ``fit`` directly; ``call`` is then the ``fit``),
    ``generator`` (a Python generator or a ``keras.utils.Sequence``), ``list_files``,
    ``TFRecordDataset``. ``generator`` is the ImageDataGenerator call behind a ``flow*``. ``stages``
    are the tf.data calls applied to it in order (``map``, ``batch``, ``shuffle``, ``prefetch`` …).
    ``split`` comes from the ``fit`` it feeds, else from its folder and variable names.
    """

    kind: str
    call: Call
    split: Split
    variable: str | None = None
    generator: Call | None = None
    stages: tuple[Call, ...] = ()
    scalings: tuple[Scaling, ...] = ()
    """What scales the images on this path before they reach the model, in order of application."""
    unread: tuple[str, ...] = ()
    """Layers, functions and arithmetic on this path that may scale the images, and are not read."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A ``Dense`` (or ``Activation``) that makes a model's output."""

    call: Call
    units: object
    activation: object
    """``None`` for no activation (linear), a string, or UNKNOWN."""
    activation_call: Call | None = None
    """A separate ``Activation``/``Softmax`` layer applied to it, if there is one."""


@dataclass(frozen=True, slots=True)
class Compile:
    """A ``compile`` call. ``learning_rate`` is the argument that sets the rate, where visible."""

    call: Call
    optimizer: Argument | None
    learning_rate: Argument | None
    loss: Argument | None
    metrics: Argument | None
    model: str | None
    """The variable the model is bound to."""
    backbones: tuple[Call, ...] = ()
    """The constructors of the backbones inside that model, as far as it is known."""

    @property
    def loss_name(self) -> str | None:
        """The loss as snake_case (``categorical_crossentropy``), None if unknown."""
        return None if self.loss is None else _loss_name(self.loss)


def _loss_name(argument: Argument) -> str | None:
    raw = argument.value if isinstance(argument.value, str) else None
    if raw is None:
        raw = argument.call.name if argument.call else argument.name
    if raw is None:
        return None
    last = raw.rsplit(".", 1)[-1]
    if last.islower():
        return last
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in last).lstrip("_")
    return snake


@dataclass(frozen=True, slots=True)
class Fit:
    """A ``fit`` / ``fit_generator`` call, and the sources of its training and validation data."""

    call: Call
    model: str | None
    training: tuple[Source, ...]
    validation: tuple[Source, ...]
    class_weight: Argument | None
    epochs: Argument | None
    backbones: tuple[Call, ...] = ()
    """The constructors of the backbones inside that model, as far as it is known."""


@dataclass(frozen=True, slots=True)
class TrainableChange:
    """``target.trainable = value``; ``target`` is the source of what is changed.

    In a loop ``for layer in base.layers[:-5]: layer.trainable = False`` the target is
    ``base.layers[:-5]`` and ``site`` covers the loop; ``variable`` is ``base``. ``order`` is the
    order of the first call that runs after it. ``condition`` is the test it stands under
    (``isinstance(layer, BatchNormalization)``), ``owner`` the call that made the object.
    """

    site: Site
    target: str
    variable: str | None
    value: object
    order: int
    scope: str = ""
    condition: str | None = None
    owner: Call | None = None


@dataclass(frozen=True, slots=True)
class RemovedUse:
    """A use of something that current Keras removed. ``row`` names the row of the table.

    ``site`` is the keyword with its value (``lr=0.1``), the imported name in its import statement,
    the subscript's string (``"acc"``), or the whole call (``model.fit_generator(…)``).
    """

    site: Site
    row: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Program:
    """One script, read. ``training`` is false when nothing in it looks like Keras training."""

    path: str
    text: str
    training: bool
    calls: tuple[Call, ...] = ()
    backbones: tuple[Backbone, ...] = ()
    generators: tuple[Call, ...] = ()
    sources: tuple[Source, ...] = ()
    scalings: tuple[Scaling, ...] = ()
    outputs: tuple[Layer, ...] = ()
    compiles: tuple[Compile, ...] = ()
    fits: tuple[Fit, ...] = ()
    trainable: tuple[TrainableChange, ...] = ()
    removed: tuple[RemovedUse, ...] = ()
    imports: dict[str, str] = field(default_factory=dict)
    """Local name to qualified name of every import: ``{"K": "keras.backend"}``."""
    custom_loop: bool = False
    """True if it trains with ``GradientTape`` or ``train_on_batch``."""

    def calls_named(self, *names: str) -> Iterator[Call]:
        """Calls whose qualified name ends in one of ``names`` at a dot boundary."""
        for call in self.calls:
            if any(call.name == name or call.name.endswith("." + name) for name in names):
                yield call

    def call_at(self, line: int, *names: str) -> Call | None:
        """The call that stands at (or spans) ``line`` and ends in one of ``names`` if given.

        This is how a place recorded by the probe meets the static reading.
        """
        found = [
            call
            for call in self.calls
            if call.site.line <= line <= call.site.end_line
            and (not names or any(call.name.endswith(name) for name in names))
        ]
        return min(found, key=lambda c: c.site.end_line - c.site.line, default=None)
