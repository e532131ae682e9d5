"""Runs the program's training calls within the budget, and records each."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tlfix_agent import (
    augmentation,
    callbacks,
    content,
    data,
    evaluation,
    fed,
    labels,
    models,
    scalings,
    splits,
    transforms,
)
from tlfix_agent.channel import Channel
from tlfix_agent.continuing import Ending
from tlfix_agent.data import Feed, Sample
from tlfix_agent.forward import as_array
from tlfix_agent.limits import Budget
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
    random_layers: dict[str, Any] = field(default_factory=dict)
    source: Any = None  # the iterator that augmented the sampled images, to read them without
    ending: Ending | None = None  # the weights that it ended with

    accuracy: float | None = None
    backbone_moved: bool = False
    crashed: bool = False
    trained: bool = True  # false if it crashed before its first step was over
    learned: bool = True  # false if the loss ended where it began, or higher, or not finite
    probe: dict[str, Any] | None = None  # the latest linear probe on initial weights


class Fits:
    """All training calls of the program. ``inside`` is true while Keras itself is training."""

    def __init__(self, channel: Channel, budget: Budget, known: Models, instruments: bool) -> None:
        self._channel, self._budget, self._models = channel, budget, known
        self.instruments = instruments
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
            self._budget.end()
        self.inside = True
        try:
            given = dict(arguments)
            with self.timed("sampling"):
                seconds = min(SAMPLING_SECONDS, self._budget.left / 10)
                training, validation = splits.take(
                    arguments, self._budget.images, seconds, self.instruments
                )
            for feed in (training, validation):
                self._report(feed)
            fit = self._begin(model, training, validation, given, place, "fit")
            self._compare(fit, training, validation)
            watch = Watch(self._channel, self._budget, fit.index, model)
            arguments = {**arguments, **self._bounded(arguments, training, validation)}
            arguments["callbacks"] = self._callbacks(model, arguments.get("callbacks"), watch)
            arguments["verbose"] = 0
            try:
                with self.timed("training"):
                    history = original(model, **arguments)
            except Exception:
                fit.crashed, fit.trained = True, bool(watch.losses)
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

    def _report(self, feed: Feed | None) -> None:
        if feed is None:
            return
        for trouble in feed.troubles:
            self._channel.send("note", text=trouble[:300])
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
            self.instruments and sum(int(np.prod(v.shape)) for v in weights) * 4 <= SNAPSHOT_BYTES
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
        given = callbacks.listed(arguments.get("callbacks"))
        if self.instruments:
            with self._noting(fit, "random layers of the model could not be listed"):
                fit.random_layers = transforms.of_model(model)
                fit.source = augmentation.source_of(training.given)
            training.augmentation.update(fit.random_layers)
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
            callbacks=[type(c).__name__ for c in given],
            callback_settings=[callbacks.describe(c) for c in given],
            validation_split=arguments.get("validation_split") or None,
            validation_steps=arguments.get("validation_steps"),
            continues=self._continued(fit),
        )
        return fit

    @contextmanager
    def _noting(self, fit: Fit, what: str) -> Iterator[None]:
        """What fails inside costs its own result only."""
        try:
            yield
        except Exception as error:
            text = f"The {what}: {type(error).__name__}: {error}"[:300]
            self._channel.send("note", fit=fit.index, text=text)

    def _continued(self, fit: Fit) -> int | None:
        """The latest fit of the same model, if its final weights are still there."""
        with self._noting(fit, "weights could not be compared with an earlier fit's"):
            for earlier in reversed(self.all[: fit.index]):
                ending = earlier.ending if earlier.model is fit.model else None
                if ending is not None and ending.continued_by(fit.model):
                    return earlier.index
        return None

    def _compare(self, fit: Fit, training: Feed, validation: Feed | None) -> None:
        """Which images are in both splits."""
        if not self.instruments or validation is None:
            return
        with (
            self._noting(fit, "splits could not be compared"),
            self.timed("overlap"),
        ):
            found = content.overlap(training, validation)
            if found is not None:
                self._channel.send("measured", index=fit.index, field="overlap", value=found)

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
        kept = [c for c in callbacks.listed(given) if type(c).__name__ not in _SILENT]
        return [*kept, watch.callback(models.keras_of(model))]

    def _end(self, fit: Fit, watch: Watch) -> None:
        """The cheap measurements, made right after training."""
        ended = watch.reason or "completed"
        fit.learned = watch.learned
        change = self._changes(fit)
        if self.instruments:
            with self._noting(fit, "final weights could not be noted"):
                fit.ending = Ending(fit.model)
        self._channel.send(
            "fit-end", index=fit.index, ended=ended, ran_epochs=watch.epochs, **change
        )
        with self.timed("evaluation"):
            for split, sample in (("training", fit.training), ("validation", fit.validation)):
                if sample is not None:
                    self._evaluate(fit, sample, split, "inference")
            if self.instruments and fit.training is not None:
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
            new = as_array(variable)
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
                    fit,
                    Watch(self._channel, self._budget, fit.index, model),
                    fed.Kept(self._budget.images),
                )
            state = self._batch_fits[key]
            state.kept.add(x, y)
            kwargs["return_dict"], wanted = True, kwargs.get("return_dict", False)
            logs = original(model, x, y, *args, **kwargs)
            state.watch.on_step(0, logs, fresh=True)
            if self._budget.exhausted or state.watch.reason:
                self._budget.end()
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
        training.augmentation.update(fit.random_layers)
        self._channel.send(
            "data",
            index=fit.index,
            training=labels.describe(training, "training"),
            validation=labels.describe(validation, "validation") if validation.sample else None,
        )
        self._compare(fit, training, validation)
        self.inside = True
        self._end(fit, watch)

    def close_batches(self) -> None:
        """After the script: score what ``train_on_batch`` trained."""
        for state in self._batch_fits.values():
            fit = state.fit
            state.watch.close()
            self.inside = True
            if state.kept.pairs:
                training = fed.feed(state.kept.pairs, "arrays", self.instruments)
                training.augmentation.update(fit.random_layers)
                fit.training = training.sample
                seen = labels.describe(training, "training")
                self._channel.send("data", index=fit.index, training=seen)
            self._end(fit, state.watch)
            self.inside = False


@dataclass
class _Batches:
    """A model that ``train_on_batch`` trains, and what it was given."""

    fit: Fit
    watch: Watch
    kept: fed.Kept
