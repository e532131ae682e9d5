"""Wraps the verbs of Keras: ``fit``, ``compile``, ``train_on_batch`` and what writes or waits."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from typing import Any

from tlfix_agent import places
from tlfix_agent.fits import Fits
from tlfix_agent.models import Models
from tlfix_agent.overlay import Overlay

_PLACE = "_tlfix_compiled_at"


def watch_models(keras: Any, fits: Fits, overlay: Overlay) -> None:
    """Replace the training verbs of ``keras.Model`` by watched ones."""
    model = keras.Model
    _watch_compile(model)
    _watch_fit(model, fits)
    _watch_bounded(model, fits)
    for name in ("save", "save_weights", "export"):
        _redirect_path(model, name, overlay)
    _redirect_checkpoints(keras, overlay)


def _watch_compile(model: Any) -> None:
    # Where it is defined: Keras compiles no loaded model whose class has a ``compile`` of its own.
    model = next(owner for owner in model.__mro__ if "compile" in vars(owner))
    original = model.compile

    @functools.wraps(original)
    def compile(self: Any, *args: Any, **kwargs: Any) -> Any:
        object.__setattr__(self, _PLACE, places.here())
        return original(self, *args, **kwargs)

    model.compile = compile


def _watch_fit(model: Any, fits: Fits) -> None:
    original = model.fit
    signature = inspect.signature(original)

    @functools.wraps(original)
    def fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        if fits.inside:
            return original(self, *args, **kwargs)
        try:
            bound = signature.bind(self, *args, **kwargs)
        except TypeError:
            return original(self, *args, **kwargs)
        bound.apply_defaults()
        arguments = dict(bound.arguments)
        arguments.pop("self")
        return fits.run(self, original, arguments, places.here())

    model.fit = fit
    fits.original_fit = original
    train = model.train_on_batch

    @functools.wraps(train)
    def train_on_batch(self: Any, x: Any, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        if fits.inside:
            return train(self, x, y, *args, **kwargs)
        return fits.batch(self, train, x, y, args, kwargs, places.here())

    model.train_on_batch = train_on_batch


def _watch_bounded(model: Any, fits: Fits) -> None:
    """``evaluate`` and ``predict`` after training run a few steps only, silently."""
    for name in ("evaluate", "predict"):
        original = getattr(model, name)

        @functools.wraps(original)
        def bounded(self: Any, *args: Any, _original: Any = original, **kwargs: Any) -> Any:
            if fits.inside:
                return _original(self, *args, **kwargs)
            kwargs["verbose"] = 0
            return _original(self, *args, **kwargs)

        setattr(model, name, bounded)


def _redirect_path(owner: Any, name: str, overlay: Overlay) -> None:
    original = getattr(owner, name, None)
    if original is None:
        return

    @functools.wraps(original)
    def redirected(self: Any, filepath: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(filepath, (str, os.PathLike)):
            filepath = overlay.for_writing(os.fspath(filepath))
        kwargs.setdefault("overwrite", True) if name != "export" else None
        return original(self, filepath, *args, **kwargs)

    setattr(owner, name, redirected)


def _redirect_checkpoints(keras: Any, overlay: Overlay) -> None:
    checkpoint = keras.callbacks.ModelCheckpoint
    original = checkpoint.__init__

    @functools.wraps(original)
    def init(self: Any, filepath: Any, *args: Any, **kwargs: Any) -> None:
        if isinstance(filepath, (str, os.PathLike)):
            filepath = overlay.for_writing(os.fspath(filepath))
        original(self, filepath, *args, **kwargs)

    checkpoint.__init__ = init
    for owner, name in ((keras.Model, "load_weights"), (keras.models, "load_model")):
        _read_from_overlay(owner, name, overlay)


def _read_from_overlay(owner: Any, name: str, overlay: Overlay) -> None:
    original = getattr(owner, name)
    method = inspect.isclass(owner)

    @functools.wraps(original)
    def reading(*args: Any, **kwargs: Any) -> Any:
        arguments = list(args)
        index = 1 if method else 0
        if len(arguments) > index:
            arguments[index] = overlay.for_reading(arguments[index])
        elif "filepath" in kwargs:
            kwargs["filepath"] = overlay.for_reading(kwargs["filepath"])
        return original(*arguments, **kwargs)

    setattr(owner, name, reading)


def watch_folders(overlay: Overlay) -> None:
    """Folders of images that the script has made itself are looked for where they really are."""
    utils: Any = sys.modules.get("keras.src.utils.dataset_utils")
    original = getattr(utils, "index_directory", None)
    if original is None:
        return

    @functools.wraps(original)
    def index_directory(directory: Any, *args: Any, **kwargs: Any) -> Any:
        return original(overlay.for_reading(directory), *args, **kwargs)

    utils.index_directory = index_directory


def watch_weights(keras: Any, models: Models) -> None:
    """Pretrained weights that cannot be downloaded are noted and left random; weights loaded from a
    file are noted too."""
    utils: Any = sys.modules.get("keras.src.utils.file_utils")
    if utils is None:
        return
    get_file = utils.get_file
    nowhere = "/nonexistent/tlfix/weights-not-to-be-had"

    @functools.wraps(get_file)
    def get(*args: Any, **kwargs: Any) -> Any:
        try:
            return get_file(*args, **kwargs)
        except Exception:
            caller = sys._getframe(1).f_globals.get("__name__", "")
            if ".applications." in caller and "imagenet_utils" not in caller:
                return nowhere
            raise

    utils.get_file = get
    load = keras.Model.load_weights

    @functools.wraps(load)
    def load_weights(self: Any, filepath: Any, *args: Any, **kwargs: Any) -> Any:
        if filepath == nowhere:
            models.note_weights(self, missing=True)
            return None
        models.note_weights(self, missing=False)
        return load(self, filepath, *args, **kwargs)

    keras.Model.load_weights = load_weights
