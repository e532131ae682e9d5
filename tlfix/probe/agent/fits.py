"""Runs the program's training calls within the budget, and records each."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlfix_agent import data, evaluation, labels, models, scalings
from tlfix_agent.channel import Channel
from tlfix_agent.data import Feed, Sample
from tlfix_agent.limits import Budget, Finished
from tlfix_agent.models import Backbone, Models
from tlfix_agent.steps import Watch

SAMPLING_SECONDS = 6.0
SNAPSHOT_BYTES = 120 * 2**20
MEASURED_FITS = 6  # a K-fold loop may hold dozens: the first ones are measured
_SILENT = ("ProgbarLogger", "TensorBoard", "CSVLogger", "BackupAndRestore", "RemoteMonitor")


@dataclass
class Fit:
    """One training call, as far as the instruments need it after the script has ended."""

    index: int
    model: Any
    backbones: list[Backbone]
    training: Sample | None
    validation: Sample | None
    initial: list[np.ndarray] | None
    from_logits: bool
    batch_size: int
    class_weight: Any = None

    accuracy: float | None = None
    backbone_moved: bool = False
    crashed: bool = False
    learned: bool = True  # false if the loss ended where it began, or higher, or not finite
    probe: dict[str, Any] | None = None  # the latest linear probe on initial weights


class Fits:
    """All training calls of the program. ``inside`` is true while Keras itself is training."""

    def __init__(self, channel: Channel, budget: Budget, known: Models, instruments: bool) -> None:
        self._channel, self._budget, self._models = channel, budget, known
        self._instruments = instruments
        self.all: list[Fit] = []
        self.inside = False
        self.original_fit: Callable[..., Any] | None = None
        self.names: dict[str, scalings.Scaling] = {}
        self.timings: dict[str, float] = {}
        self._batch_fits: dict[int, _Batches] = {}

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Adds the time spent inside to ``timings[name]``."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.timings[name] = self.timings.get(name, 0.0) + time.monotonic() - start

    def run(
        self,
        model: Any,
        original: Callable[..., Any],
        arguments: dict[str, Any],
        place: dict[str, Any] | None,
    ) -> Any:
        """One ``Model.fit``, within the budget; returns its History."""
        self._budget.watch()
        if self._budget.exhausted or len(self.all) >= MEASURED_FITS:
            raise Finished
        self.inside = True
        try:
            with self.timed("sampling"):
                training, validation = self._sample(arguments)
            fit = self._begin(model, training, validation, arguments, place, "fit")
            watch = Watch(self._channel, self._budget, fit.index, model)
            arguments = {**arguments, **self._bounded(arguments, training, validation)}
            arguments["callbacks"] = self._callbacks(model, arguments.get("callbacks"), watch)
            arguments["verbose"] = 0
            try:
                with self.timed("training"):
                    history = original(model, **arguments)
            except Exception:
                fit.crashed = True
                watch.close()
                self._channel.send(
                    "fit-end", index=fit.index, ended="crashed", ran_epochs=watch.epochs
                )
                raise
            watch.close()
            self._end(fit, watch)
        finally:
            self.inside = False
        self._budget.watch_idle()
        return history

    def _sample(self, arguments: dict[str, Any]) -> tuple[Feed, Feed | None]:
        images = self._budget.images
        x, y, batch = arguments.get("x"), arguments.get("y"), arguments.get("batch_size")
        split = arguments.get("validation_split") or 0.0
        given = arguments.get("validation_data")
        plain = hasattr(x, "shape") and (y is None or hasattr(y, "shape"))
        if (
            split
            and given is None
            and x is not None
            and plain
            and arguments.get("sample_weight") is None
        ):
            cut = int(np.floor(len(x) * (1.0 - split)))
            given = (x[cut:], None if y is None else y[cut:])
            x, y = x[:cut], None if y is None else y[:cut]
            arguments.update(x=x, y=y, validation_split=0.0, validation_data=given)
        seconds = min(SAMPLING_SECONDS, self._budget.left / 10)
        training = data.take(x, y, batch, images, seconds)
        arguments["x"] = training.x
        self._report(training)
        if given is None:
            return training, None
        pair = given if isinstance(given, (tuple, list)) and len(given) in (2, 3) else (given, None)
        if data.kind_of(pair[0]) != "arrays":
            pair = (pair[0], None)
        validation = data.take(
            pair[0],
            pair[1],
            arguments.get("validation_batch_size") or batch,
            images,
            seconds,
            whole=True,
        )
        self._report(validation)
        return training, validation

    def _report(self, feed: Feed) -> None:
        if feed.problem is not None:
            text = f"The data could not be sampled: {feed.problem}"[:300]
            self._channel.send("note", text=text)
        elif feed.sample is None:
            self._channel.send(
                "note",
                text="The data are several tensors at once; the instruments "
                "look at single tensors only and did not run.",
            )

    def _begin(
        self,
        model: Any,
        training: Feed,
        validation: Feed | None,
        arguments: dict[str, Any],
        place: dict[str, Any] | None,
        method: str,
        compiled: dict[str, Any] | None = None,
    ) -> Fit:
        if not self.names:
            self.names = scalings.known(models.keras_of(model))
        if not model.built and training.sample is not None:
            # What fails here fails again, and is reported, in the program's own fit.
            with contextlib.suppress(Exception):
                model(training.sample.inputs[:1], training=False)
        backbones = self._models.backbones(model, self.names)
        for backbone in backbones:
            self._channel.send("backbone", **backbone.event)
        if compiled is None:
            compiled = models.describe_compile(model, getattr(model, "_tlfix_compiled_at", None))
        weights = model.weights if model.built else []
        keep = (
            self._instruments and sum(int(np.prod(v.shape)) for v in weights) * 4 <= SNAPSHOT_BYTES
        )
        fit = Fit(
            len(self.all),
            model,
            backbones,
            training.sample,
            validation.sample if validation else None,
            models.snapshot(weights) if keep and weights else None,
            bool(compiled.get("from_logits")),
            training.batch_size or 32,
            arguments.get("class_weight"),
        )
        self.all.append(fit)
        weight = fit.class_weight
        described = models.describe(model, self._models.key(model), backbones)
        self._channel.send(
            "fit",
            index=fit.index,
            site=place,
            method=method,
            model=described,
            compiled=compiled,
            training=labels.describe(training, "training"),
            validation=labels.describe(validation, "validation") if validation else None,
            epochs=arguments.get("epochs"),
            steps_per_epoch=arguments.get("steps_per_epoch"),
            class_weight=weight if isinstance(weight, dict) else None,
            class_weight_type=None if weight is None else type(weight).__name__,
            callbacks=[type(c).__name__ for c in _listed(arguments.get("callbacks"))],
        )
        return fit

    @staticmethod
    def _bounded(
        arguments: dict[str, Any], training: Feed, validation: Feed | None
    ) -> dict[str, Any]:
        """``fit``'s validation replaced by the sample of it, so that every epoch can afford one."""
        if validation is None or validation.sample is None or validation.variable_shapes:
            return {}
        given = arguments["validation_data"]
        if isinstance(given, (tuple, list)) and len(given) == 3:
            return {}  # with sample weights: left as it is
        sample = validation.sample
        numbers = "biuf"
        if (
            sample.labels is None
            or sample.inputs.dtype.kind not in numbers
            or sample.labels.dtype.kind not in numbers
        ):
            return {}
        return {"validation_data": (sample.inputs, sample.labels), "validation_steps": None}

    def _callbacks(self, model: Any, given: Any, watch: Watch) -> Any:
        kept = [c for c in _listed(given) if type(c).__name__ not in _SILENT]
        return [*kept, watch.callback(models.keras_of(model))]

    def _end(self, fit: Fit, watch: Watch) -> None:
        """The cheap measurements, made right after training."""
        ended = watch.reason or "completed"
        fit.learned = watch.learned
        change = self._changes(fit)
        self._channel.send(
            "fit-end", index=fit.index, ended=ended, ran_epochs=watch.epochs, **change
        )
        with self.timed("evaluation"):
            for split, sample in (("training", fit.training), ("validation", fit.validation)):
                if sample is not None:
                    self._evaluate(fit, sample, split, "inference")
            if self._instruments and fit.training is not None:
                self._evaluate(fit, fit.training, "training", "training")

    def _evaluate(self, fit: Fit, sample: Sample, split: str, mode: str) -> None:
        seconds = min(20.0, self._budget.left / 4)
        batch = fit.batch_size if mode == "training" else evaluation.BATCH
        try:
            event = evaluation.evaluate(
                fit.model, sample, split, mode, fit.from_logits, seconds, batch
            )
        except Exception as error:
            self._channel.send(
                "note", fit=fit.index, text=f"The {split} sample could not be scored: {error}"
            )
            return
        if split == "validation" or fit.accuracy is None:
            fit.accuracy = event.get("accuracy") if event else None
        self._channel.send("evaluation", index=fit.index, **(event or {}))

    def _changes(self, fit: Fit) -> dict[str, float | None]:
        """Relative change of kernels (two or more axes) since the fit began."""
        if fit.initial is None:
            return {}
        inside = {id(v) for b in fit.backbones for v in b.network.weights}
        sums = {True: [0.0, 0.0], False: [0.0, 0.0]}
        for variable, old in zip(fit.model.weights, fit.initial, strict=True):
            if old.ndim < 2:
                continue
            new = evaluation.as_array(variable)
            part = sums[id(variable) in inside]
            part[0] += float(np.sum((new - old) ** 2))
            part[1] += float(np.sum(old**2))
        changes = {
            name: float(np.sqrt(part[0] / part[1])) if part[1] else None
            for name, part in (("backbone_change", sums[True]), ("head_change", sums[False]))
        }
        fit.backbone_moved = bool(changes["backbone_change"])
        return changes

    def batch(
        self,
        model: Any,
        original: Callable[..., Any],
        x: Any,
        y: Any,
        args: Any,
        kwargs: Any,
        place: dict[str, Any] | None,
    ) -> Any:
        """One ``train_on_batch``: a fit of its own per model, ended by the budget."""
        key = self._models.key(model)
        self._budget.watch()
        self.inside = True
        try:
            if key not in self._batch_fits:
                feed = data.take(x, y, None, self._budget.images, 1.0)
                self._report(feed)
                fit = self._begin(model, feed, None, {"epochs": None}, place, "train_on_batch")
                self._batch_fits[key] = _Batches(
                    fit, Watch(self._channel, self._budget, fit.index, model)
                )
            state = self._batch_fits[key]
            state.add(x, y, self._budget.images)
            kwargs["return_dict"], wanted = True, kwargs.get("return_dict", False)
            logs = original(model, x, y, *args, **kwargs)
            state.watch.on_step(0, logs, fresh=True)
            if self._budget.exhausted or state.watch.reason:
                raise Finished
        finally:
            self.inside = False
        self._budget.watch_idle()
        return logs if wanted else list(logs.values())

    def begin_loop(
        self, model: Any, feed: Feed, place: dict[str, Any] | None, compiled: dict[str, Any]
    ) -> Fit:
        """A custom loop has made its first step on ``model``."""
        return self._begin(model, feed, None, {}, place, "custom-loop", compiled)

    def end_loop(self, fit: Fit, watch: Watch, training: Feed, validation: Feed) -> None:
        """The custom loop is over: what it was fed is known now."""
        watch.close()
        fit.training, fit.validation = training.sample, validation.sample
        self._channel.send(
            "data",
            index=fit.index,
            training=labels.describe(training, "training"),
            validation=labels.describe(validation, "validation") if validation.sample else None,
        )
        self.inside = True
        self._end(fit, watch)

    def close_batches(self) -> None:
        """After the script: score what ``train_on_batch`` trained."""
        for state in self._batch_fits.values():
            state.fit.training = state.sample()
            state.watch.close()
            self.inside = True
            self._end(state.fit, state.watch)
            self.inside = False


def _listed(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    if isinstance(callbacks, (list, tuple)):
        return list(callbacks)
    return list(getattr(callbacks, "callbacks", [callbacks]))


class _Batches:
    """The batches given to ``train_on_batch`` for one model."""

    def __init__(self, fit: Fit, watch: Watch) -> None:
        self.fit, self.watch = fit, watch
        self._x: list[np.ndarray] = []
        self._y: list[np.ndarray] = []

    def add(self, x: Any, y: Any, images: int) -> None:
        if data.is_structure(x) or data.is_structure(y) or y is None:
            return
        if sum(map(len, self._x)) < images:
            self._x.append(evaluation.as_array(x))
            self._y.append(evaluation.as_array(y))

    def sample(self) -> Sample | None:
        if not self._x:
            return self.fit.training
        return Sample(np.concatenate(self._x), np.concatenate(self._y))
