"""Remembers from which line of the user's code layers, models, callbacks and data came.

Every Keras layer is made through ``Operation.__new__`` and every ``tf.data`` set through
``DatasetV2.__init__``; noting the calling frame there covers all constructors, wherever they were
imported from and however the values reached them.
"""

from __future__ import annotations

import functools
import sys
import weakref
from dataclasses import dataclass
from types import FrameType
from typing import Any

from tlfix_agent import places

_MARK = "_tlfix_birth"


@dataclass(frozen=True)
class Birth:
    """Where something was made: the user's line, and the library function called there."""

    place: dict[str, Any] | None
    function: str
    module: str


@dataclass
class Recorded:
    """A pretrained network as its constructor was called."""

    model: weakref.ref[Any]
    birth: Birth
    arguments: dict[str, Any]


def of(thing: Any) -> Birth | None:
    """The birth of ``thing``, if it was seen."""
    try:
        found = object.__getattribute__(thing, _MARK)
    except AttributeError:
        return None
    return found if isinstance(found, Birth) else None


def _note(thing: Any) -> FrameType | None:
    frame, below = places.callers(3)
    if frame is None:
        return None
    birth = Birth(
        places.of_frame(frame),
        below.f_code.co_name if below is not None else "",
        below.f_globals.get("__name__", "") if below is not None else "",
    )
    try:
        object.__setattr__(thing, _MARK, birth)
    except (AttributeError, TypeError):
        return None
    found: FrameType | None = below
    return found


class Births:
    """Notes constructions; ``backbones`` collects the networks made by application functions."""

    def __init__(self) -> None:
        self.backbones: list[Recorded] = []

    def watch_keras(self, keras: Any) -> None:
        """Note every layer and model from now on, and every network of ``keras.applications``."""
        operation = keras.layers.Layer
        for candidate in keras.layers.Layer.__mro__:
            if candidate.__name__ == "Operation":
                operation = candidate
        original = operation.__new__
        functional = self._functional(keras)

        def make(cls: type, *args: Any, **kwargs: Any) -> Any:
            made = original(cls, *args, **kwargs)
            below = _note(made)
            if below is not None and functional is not None and issubclass(cls, functional):
                self._note_application(made, below)
            return made

        operation.__new__ = staticmethod(functools.wraps(original)(make))
        callback = getattr(getattr(keras, "callbacks", None), "Callback", None)
        if callback is not None:
            _note_made(callback)

    @staticmethod
    def _functional(keras: Any) -> type | None:
        module = sys.modules.get("keras.src.models.functional")
        return getattr(module, "Functional", None)

    def _note_application(self, model: Any, below: FrameType) -> None:
        """The frames between the user's call and ``Functional`` tell architecture and arguments."""
        module = below.f_globals.get("__name__", "")
        if not _is_application(module):
            return
        birth = of(model)
        if birth is None or any(r.model() is model for r in self.backbones):
            return
        innermost: FrameType | None = sys._getframe(2)
        arguments: dict[str, Any] = {}
        while innermost is not None and innermost is not below.f_back:
            if _is_application(innermost.f_globals.get("__name__", "")):
                for key in ("weights", "include_top", "input_tensor", "input_shape", "pooling"):
                    if key in innermost.f_locals and key not in arguments:
                        arguments[key] = innermost.f_locals[key]
            innermost = innermost.f_back
        self.backbones.append(Recorded(weakref.ref(model), birth, arguments))

    @staticmethod
    def watch_tensorflow() -> None:
        """Note every ``tf.data`` set."""
        module = sys.modules.get("tensorflow.python.data.ops.dataset_ops")
        if module is not None:
            _note_after_init(module.DatasetV2)

    @staticmethod
    def watch_generators() -> None:
        """Note every ImageDataGenerator and its iterators."""
        for name in ("keras.src.legacy.preprocessing.image", "keras.src.preprocessing.image"):
            module = sys.modules.get(name)
            if module is not None:
                _note_after_init(module.ImageDataGenerator)
                _note_after_init(module.Iterator)


def _is_application(module: str) -> bool:
    return ".applications." in module or module.split(".")[0] in {
        "efficientnet",
        "keras_efficientnets",
        "classification_models",
        "vit_keras",
    }


def _note_made(cls: Any) -> None:
    """Note every object of ``cls``, whose own ``__new__`` must be that of ``object``."""

    def make(made: type, *args: Any, **kwargs: Any) -> Any:
        following = super(cls, made).__new__
        plain = following is object.__new__
        thing = following(made) if plain else following(made, *args, **kwargs)
        _note(thing)
        return thing

    if cls.__new__ is object.__new__:
        cls.__new__ = staticmethod(make)


def _note_after_init(cls: Any) -> None:
    original = cls.__init__

    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        _note(self)
        original(self, *args, **kwargs)

    cls.__init__ = init
