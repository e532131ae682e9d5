"""What meets at a ``fit``: the labels that arrive, the head's shape, and the loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from tlfix.causes.spec import Case
from tlfix.evidence.edits import at
from tlfix.evidence.labels import Labels, labels_of
from tlfix.probe.trace import FitSeen
from tlfix.program.model import UNKNOWN, Compile, Fit, Layer, Program, Site, Source

Family = Literal["categorical", "sparse", "binary"]

LOSSES: dict[str, Family] = {
    "categorical_crossentropy": "categorical",
    "categorical_focal_crossentropy": "categorical",
    "sparse_categorical_crossentropy": "sparse",
    "binary_crossentropy": "binary",
    "binary_focal_crossentropy": "binary",
    "bce": "binary",
    "b_c_e": "binary",
}


@dataclass(frozen=True)
class Task:
    """One ``fit`` with what it trains on, the head it trains, and the loss."""

    fit: Fit | None
    compiled: Compile | None
    layer: Layer | None
    seen: FitSeen | None
    labels: tuple[Labels, ...]
    loss: str | None
    from_logits: bool | None
    units: int | None
    activation: str | None

    @property
    def measured(self) -> bool:
        """True if the probe saw it."""
        return self.seen is not None

    @property
    def trained(self) -> bool:
        """True if a step of it ran."""
        return self.seen is not None and bool(self.seen.steps)

    @property
    def family(self) -> Family | None:
        """The kind of cross-entropy, None for any other loss."""
        return None if self.loss is None else LOSSES.get(self.loss)

    @property
    def training(self) -> Labels | None:
        """The labels of the training split, if anything is known of them."""
        return next((labels for labels in self.labels if labels.split == "training"), None)

    @property
    def site(self) -> Site | None:
        """The call of ``fit``."""
        return None if self.fit is None else self.fit.call.site


def tasks(case: Case) -> tuple[Task, ...]:
    """Every ``fit`` of the program, the ones in the source first, with all that is known of it."""
    program, seen = case.program, list(case.trace.fits if case.trace else ())
    used: set[int] = set()
    found = []
    for fit in program.fits:
        matching = [s for s in seen if s.index not in used and at(s.site, fit.call.site)]
        used.update(s.index for s in matching)
        found.append(_task(program, fit, matching[0] if matching else None))
    found += [_task(program, None, one) for one in seen if one.index not in used]
    # What one fit showed of a pipeline holds where a later fit, not reached, uses it again.
    known = {
        _key(labels.source): labels
        for task in found
        for labels in task.labels
        if labels.source is not None and labels.data is not None
    }
    return tuple(
        replace(task, labels=tuple(_known(labels, known) for labels in task.labels))
        for task in found
    )


def _key(source: Source) -> object:
    """What two sources share if they give the same labels: the call, or the label array."""
    labels = source.call.argument("y", 1)
    return source.call.site if source.kind != "arrays" or labels is None else labels.text


def _known(labels: Labels, known: dict[object, Labels]) -> Labels:
    seen = known.get(_key(labels.source)) if labels.source is not None else None
    return labels if seen is None or labels.data is not None else replace(seen, split=labels.split)


def _task(program: Program, fit: Fit | None, seen: FitSeen | None) -> Task:
    compiled = _compile(program, fit, seen)
    layer = _layer(program, seen)
    loss, logits = _loss(compiled)
    units = layer.units if layer and isinstance(layer.units, int) else None
    activation = _activation(layer)
    if seen is not None:
        output = seen.model.output
        loss = seen.compiled.loss if seen.compiled and seen.compiled.loss else loss
        if seen.compiled and seen.compiled.from_logits is not None:
            logits = seen.compiled.from_logits
        if output is not None:
            units, activation = output.units or units, output.activation or activation
        elif seen.model.output_shape:
            units = seen.model.output_shape[-1]
    return Task(
        fit=fit,
        compiled=compiled,
        layer=layer,
        seen=seen,
        labels=tuple(labels_of(program, fit, seen)),
        loss=loss,
        from_logits=logits,
        units=units,
        activation=activation,
    )


def _compile(program: Program, fit: Fit | None, seen: FitSeen | None) -> Compile | None:
    """The ``compile`` that counts for a fit: seen by the probe, else the last before it."""
    if seen is not None and seen.compiled is not None:
        found = [c for c in program.compiles if at(seen.compiled.site, c.call.site)]
        if found:
            return found[0]
    if len(program.compiles) == 1:
        return program.compiles[0]
    if fit is None:
        return None
    before = [
        c
        for c in program.compiles
        if c.model == fit.model and c.call.order < fit.call.order and c.call.scope == fit.call.scope
    ]
    return before[-1] if before else None


def _layer(program: Program, seen: FitSeen | None) -> Layer | None:
    if seen is not None and seen.model.output is not None and seen.model.output.site is not None:
        place = seen.model.output.site
        found = [
            layer
            for layer in program.outputs
            if at(place, layer.call.site)
            or (layer.activation_call is not None and at(place, layer.activation_call.site))
        ]
        if len(found) == 1:
            return found[0]
    return program.outputs[0] if len(program.outputs) == 1 else None


def _loss(compiled: Compile | None) -> tuple[str | None, bool | None]:
    if compiled is None or compiled.loss is None:
        return None, None
    call = compiled.loss.call
    if call is None:
        return compiled.loss_name, False
    value = call.constant("from_logits", 0, False)
    return compiled.loss_name, value if isinstance(value, bool) else None


def _activation(layer: Layer | None) -> str | None:
    """``linear`` for none at all, null if it cannot be read."""
    if layer is None:
        return None
    value = layer.activation
    if layer.activation_call is not None:
        last = layer.activation_call.name.rsplit(".", 1)[-1]
        if last != "Activation":
            return last.lower()
        value = layer.activation_call.constant("activation", 0, UNKNOWN)
    if value is None:
        return "linear"
    return value.rsplit(".", 1)[-1] if isinstance(value, str) else None
