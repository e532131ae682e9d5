"""Uses of what current Keras removed.

The rows name Keras 3 as the state of affairs; each gives the page that says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from tlfix.program.imports import normalise
from tlfix.program.meaning import GENERATOR, MODEL
from tlfix.program.model import Call, RemovedUse, Site
from tlfix.program.training import Training, is_fit
from tlfix.program.values import Made, Ref

if TYPE_CHECKING:
    from tlfix.program.walk import Walker


@dataclass(frozen=True, slots=True)
class Row:
    """One removed thing: what was written, what is written now, and where that is documented."""

    name: str
    old: str
    new: str
    source: str


_GUIDE = "https://keras.io/guides/migrating_to_keras_3/"
_TF_NOTES = "https://github.com/tensorflow/tensorflow/releases/tag/"
_OPTIMIZERS = "https://keras.io/api/optimizers/"
_MODEL = "https://keras.io/api/models/model_training_apis/"

ROWS: Final[dict[str, Row]] = {
    row.name: row
    for row in (
        Row("optimizer-lr", "lr=", "learning_rate=", _OPTIMIZERS),
        Row("optimizer-decay", "decay=", "a learning rate schedule", _OPTIMIZERS),
        Row("optimizer-legacy", "keras.optimizers.legacy", "keras.optimizers", _GUIDE),
        Row("fit-generator", "fit_generator", "fit", _MODEL),
        Row("evaluate-generator", "evaluate_generator", "evaluate", _MODEL),
        Row("predict-generator", "predict_generator", "predict", _MODEL),
        Row("predict-classes", "predict_classes", "argmax of predict", _TF_NOTES + "v2.6.0"),
        Row("predict-proba", "predict_proba", "predict", _TF_NOTES + "v2.6.0"),
        Row("nb-epoch", "nb_epoch=", "epochs=", _MODEL),
        Row("samples-per-epoch", "samples_per_epoch=", "steps_per_epoch=", _MODEL),
        Row("nb-val-samples", "nb_val_samples=", "validation_steps=", _MODEL),
        Row("history-acc", '"acc"', '"accuracy"', _MODEL),
        Row("model-input-output", "input=, output=", "inputs=, outputs=", _MODEL),
        Row(
            "preprocessing-image",
            "keras.preprocessing.image",
            "tensorflow.keras.preprocessing.image",
            _GUIDE,
        ),
        Row(
            "preprocessing-text",
            "keras.preprocessing.text",
            "tensorflow.keras.preprocessing.text",
            _GUIDE,
        ),
        Row("np-utils", "keras.utils.np_utils", "keras.utils", _GUIDE),
        Row("moved-module", "a private submodule of Keras", "its public name", _GUIDE),
    )
}

_METHODS: Final = {
    "fit_generator": "fit-generator",
    "evaluate_generator": "evaluate-generator",
    "predict_generator": "predict-generator",
    "predict_classes": "predict-classes",
    "predict_proba": "predict-proba",
}
_FIT_KEYWORDS: Final = {
    "nb_epoch": "nb-epoch",
    "samples_per_epoch": "samples-per-epoch",
    "nb_val_samples": "nb-val-samples",
}
# Still public in standalone ``keras.preprocessing.image``.
_KEPT_IMAGE: Final = frozenset(
    {"array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"}
)
_MOVED: Final = (
    "keras.engine.",
    "keras.layers.advanced_activations",
    "keras.layers.convolutional",
    "keras.layers.core",
    "keras.layers.embeddings",
    "keras.layers.experimental",
    "keras.layers.merge",
    "keras.layers.noise",
    "keras.layers.normalization",
    "keras.layers.pooling",
    "keras.layers.preprocessing",
    "keras.layers.recurrent",
    "keras.layers.wrappers",
    "keras.callbacks.callbacks",
    "keras.optimizers.adam",
    "keras.optimizers.gradient_descent",
    "keras.optimizers.rmsprop",
    "keras.optimizers.schedules.learning_rate_schedule",
    "keras.utils.data_utils",
    "keras.utils.generic_utils",
    "keras.utils.vis_utils",
    "tensorflow.python.keras",
    "tensorflow.contrib.keras",
    "tensorflow_core.python.keras",
)


def collect(walker: Walker, training: Training) -> tuple[RemovedUse, ...]:
    """Every use of something removed, in source order.

    A script that asks for Keras 2 by name (``tf_keras``) gets none: nothing is removed there.
    """
    if any(raw.split(".")[0] == "tf_keras" for raw, _ in walker.import_sites):
        return ()
    found: dict[Site, RemovedUse] = {}
    for raw, site in walker.import_sites:
        row = _import_row(raw)
        if row is not None:
            found.setdefault(site, _moved(row, raw, site))
    imported = {normalise(raw) for raw, _ in walker.import_sites}
    for made in walker.made:
        for use in _uses(walker, made, imported):
            found.setdefault(use.site, use)
    if _accuracy(training):
        for key, site in walker.history:
            if key in {"acc", "val_acc"}:
                new = key.replace("acc", "accuracy")
                found.setdefault(site, RemovedUse(site, "history-acc", key, new))
    return tuple(sorted(found.values(), key=lambda use: (use.site.line, use.site.column)))


def _plain(raw: str) -> str:
    return raw.removeprefix("tensorflow.") if raw.startswith("tensorflow.keras.") else raw


@cache
def _import_row(raw: str) -> str | None:
    area, _, last = raw.rpartition(".")
    if area == "keras.preprocessing.image" and last not in _KEPT_IMAGE and last != "*":
        return "preprocessing-image"
    if raw == "keras.preprocessing.text" or area == "keras.preprocessing.text":
        return "preprocessing-text"
    plain = _plain(raw)
    if f"{plain}.".startswith("keras.utils.np_utils."):
        return "np-utils"
    if f"{plain}.".startswith("keras.optimizers.legacy."):
        return "optimizer-legacy"
    if any(plain == each or plain.startswith((f"{each}.", each + "_v")) for each in _MOVED):
        return "moved-module"
    return "moved-module" if plain.startswith("keras.engine.") else None


def _moved(row: str, raw: str, site: Site) -> RemovedUse:
    if row in {"preprocessing-image", "preprocessing-text"}:
        return RemovedUse(site, row, raw, f"tensorflow.{raw}")
    public = normalise(raw)
    if row == "moved-module" and raw.startswith("tensorflow.") and public.startswith("keras."):
        public = f"tensorflow.{public}"
    if row == "optimizer-legacy":
        public = raw.replace(".legacy", "")
    if row == "np-utils":
        public = raw.replace(".np_utils", "")
    return RemovedUse(site, row, raw, public)


def _uses(walker: Walker, made: Made, imported: set[str]) -> Iterator[RemovedUse]:
    call = made.call
    owner, _, last = call.name.rpartition(".")
    row = _METHODS.get(last)
    # scikit-learn has ``predict_proba`` too: that one counts only on what is surely a Keras model.
    unknown = call.name.startswith(".") and row != "predict-proba"
    if row is not None and (owner == MODEL or unknown):
        yield RemovedUse(call.site, row, last, ROWS[row].new)
    if is_fit(made):
        for keyword, name in _FIT_KEYWORDS.items():
            yield from _keyword(walker, call, keyword, name)
    if owner == "keras.optimizers" and last[:1].isupper() and not _legacy(made):
        yield from _keyword(walker, call, "lr", "optimizer-lr")
        yield from _keyword(walker, call, "decay", "optimizer-decay")
    if call.name == MODEL:
        for keyword, new in (("input", "inputs="), ("output", "outputs=")):
            for use in _keyword(walker, call, keyword, "model-input-output"):
                yield RemovedUse(use.site, use.row, f"{keyword}=", new)
    if isinstance(made.callee, Ref) and call.name not in imported:
        # ``keras.preprocessing.image.ImageDataGenerator(…)`` spelled out.
        row = _import_row(made.callee.raw)
        if row is not None and call.name in {GENERATOR, *_spelled(row, call)}:
            yield _moved(row, made.callee.raw, call.site)


def _spelled(row: str, call: Call) -> set[str]:
    return {call.name} if row in {"np-utils", "optimizer-legacy", "moved-module"} else set()


def _legacy(made: Made) -> bool:
    return isinstance(made.callee, Ref) and ".legacy." in made.callee.raw


def _keyword(walker: Walker, call: Call, keyword: str, row: str) -> Iterator[RemovedUse]:
    argument = call.argument(keyword)
    if argument is not None and argument.site in walker.keywords:
        site = walker.keywords[argument.site]
        yield RemovedUse(site, row, ROWS[row].old, ROWS[row].new)


def _accuracy(training: Training) -> bool:
    """Whether the history has ``accuracy``, and no metric that is called ``acc``."""
    texts = [each.metrics.text for each in training.compiles if each.metrics is not None]
    joined = " ".join(texts).replace("'", '"')
    return '"accuracy"' in joined and '"acc"' not in joined
