"""TL504: a callback monitors what is never logged, has no patience, or is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding
from tlfix.evidence import tuning
from tlfix.evidence.edits import explained, merged, set_argument
from tlfix.findings import Confidence, Evidence, Measurement, Severity
from tlfix.probe.trace import CallbackSeen, FitSeen, Trace
from tlfix.program.model import Call, Fit, Program

_MONITOR = {"EarlyStopping": 0, "ReduceLROnPlateau": 0, "ModelCheckpoint": 1}
"""The callbacks that monitor, and the place of that argument (keras.io/api/callbacks)."""
_DEFAULT = "val_loss"
_PATIENCE = 2
_ALIASES = {"acc": "accuracy", "accuracy": "acc"}
_RATES = frozenset({"lr", "learning_rate"})

MANY_EPOCHS = 5
"""Below this number of epochs there is little for EarlyStopping to stop."""

# Ways to log more than `compile` names.
_LOGS_MORE = re.compile(r"\badd_metric\b|\bdef (?:train|test)_step\b|\bCallback\s*\)|\blogs\s*\[")


@dataclass(frozen=True)
class _Wrong:
    """A callback whose monitor is not logged. ``better`` is the name that was meant, if clear."""

    name: str
    monitor: str
    why: str
    better: str | None
    call: Call | None
    logged: int | None = None
    """The number of names that were logged, where the probe saw them."""


def _find(case: Case) -> Iterator[Finding]:
    wrong = list(_unlogged(case))
    if wrong:
        yield _finding(case, wrong)
    yield from _impatient(case.program)
    if case.trace is not None and "overfitting" in case.symptoms:
        yield from _missing(case, case.trace)


# The monitor --------------------------------------------------------------------------------------


def _unlogged(case: Case) -> Iterator[_Wrong]:
    """What the logs prove wrong; the source is asked where no logs were seen."""
    fits = [fit for fit in case.trace.fits if fit.epoch_logs] if case.trace else []
    measured = [fit for fit in fits if fit.callback_settings]
    for fit in measured:
        names = {name for log in fit.epoch_logs for name in log}
        for callback in fit.callback_settings:
            if (found := _seen(case.program, fit, callback, names)) is not None:
                yield found
    if not measured:
        yield from _read(case.program)


def _seen(program: Program, fit: FitSeen, callback: CallbackSeen, names: set[str]) -> _Wrong | None:
    monitor = callback.monitor
    if callback.name not in _MONITOR or monitor is None or monitor in names | _RATES:
        return None
    call = None
    if callback.site is not None and tuning.same_file(callback.site, program):
        call = program.call_at(callback.site.line, callback.name)
    if not _matters(callback.name, monitor, call):
        return None
    if monitor.startswith("val_") and not any(name.startswith("val_") for name in names):
        if fit.validation is not None or fit.validation_split:
            # There are validation data; the probe did not come to them.
            return None
        return _Wrong(callback.name, monitor, "fit gets no validation data", None, call, len(names))
    if _LOGS_MORE.search(program.text):
        return None
    why = f"the logs have {', '.join(sorted(names))}"
    return _Wrong(callback.name, monitor, why, _meant(monitor, names), call, len(names))


def _matters(name: str, monitor: str, call: Call | None) -> bool:
    """False for a checkpoint that saves every epoch: it compares nothing.

    Keras 3.15 stops at any name but the loss, even there.
    """
    if name != "ModelCheckpoint" or monitor.removeprefix("val_") != "loss":
        return True
    return call is not None and call.constant("save_best_only", 3) is True


def _read(program: Program) -> Iterator[_Wrong]:
    if not program.fits or not program.compiles or _LOGS_MORE.search(program.text):
        return
    logged = _metrics(program)
    validated = _validated(program)
    for call in program.calls:
        area, _, name = call.name.rpartition(".")
        if area != "keras.callbacks" or name not in _MONITOR or call.argument("**") is not None:
            continue
        monitor = call.constant("monitor", _MONITOR[name], _DEFAULT)
        if not isinstance(monitor, str) or not _matters(name, monitor, call):
            continue
        base = monitor.removeprefix("val_")
        if logged is not None and base not in logged | _RATES and not _of_an_output(base, logged):
            listed = ", ".join(f'"{one}"' for one in sorted(logged - {"loss"}))
            why = f"compile names {f'the metrics {listed}' if listed else 'no metric'}"
            better = _meant(base, logged)
            prefix = monitor[: len(monitor) - len(base)]
            yield _Wrong(name, monitor, why, better and f"{prefix}{better}", call)
        elif monitor.startswith("val_") and validated is False:
            yield _Wrong(name, monitor, "fit gets no validation data", None, call)


def _metrics(program: Program) -> frozenset[str] | None:
    """The names that every ``compile`` logs, None unless all are plain strings."""
    found: set[frozenset[str]] = set()
    for compiled in program.compiles:
        if compiled.call.argument("**") is not None:
            return None
        value = () if compiled.metrics is None else compiled.metrics.value
        given = [value] if isinstance(value, str) else value
        if given is None:
            given = ()
        if not isinstance(given, list | tuple) or not all(isinstance(n, str) for n in given):
            return None
        extra = compiled.call.argument("weighted_metrics")
        if extra is not None or _by_output(compiled.loss.text if compiled.loss else ""):
            return None
        found.add(frozenset({"loss", *given}))
    return found.pop() if len(found) == 1 else None


def _by_output(loss: str) -> bool:
    return loss.lstrip().startswith(("{", "["))


def _of_an_output(base: str, logged: frozenset[str]) -> bool:
    """True for ``age_loss``: models with several outputs log each under its name."""
    return any(base.endswith(f"_{name}") for name in logged)


def _validated(program: Program) -> bool | None:
    """Whether the fits with callbacks have validation data, None where that is not plain."""
    answers = {_has_validation(fit) for fit in program.fits if fit.call.argument("callbacks", 5)}
    return answers.pop() if len(answers) == 1 else None


def _has_validation(fit: Fit) -> bool | None:
    call = fit.call
    if call.argument("**") is not None or len(call.positional) > 6:
        return None
    places: dict[str, int | None] = {"validation_split": None, "validation_data": None}
    if call.name.endswith("fit_generator"):
        places["validation_data"] = 5
    given = [call.argument(keyword, place) for keyword, place in places.items()]
    return any(one is not None and one.value not in (None, 0, 0.0) for one in given)


def _meant(monitor: str, names: set[str] | frozenset[str]) -> str | None:
    """The logged name that was meant: the alias, or the only one of the same split like it."""
    base = monitor.removeprefix("val_")
    prefix = monitor[: len(monitor) - len(base)]
    alias = _ALIASES.get(base)
    if alias is not None and f"{prefix}{alias}" in names:
        return f"{prefix}{alias}"
    if "acc" not in base:
        return None
    like = [n for n in names if n.startswith("val_") == bool(prefix) and "acc" in n]
    return like[0] if len(like) == 1 else None


def _finding(case: Case, wrong: list[_Wrong]) -> Finding:
    crash = case.trace.crash if case.trace else None
    # Keras 3: "EarlyStopping callback received monitor=val_acc, but Keras isn't able to …".
    stopped = [
        one
        for one in wrong
        if crash and f"callback received monitor={one.monitor}," in crash.message
    ]
    edits = [
        (
            one.call.site.path,
            set_argument(one.call, "monitor", _MONITOR[one.name], f'"{one.better}"'),
        )
        for one in wrong
        if one.call is not None and one.better is not None
    ]
    severity: Severity = "error" if stopped else "warning"
    confidence: Confidence = "certain"
    named = dict.fromkeys(one.better or one.monitor for one in wrong)
    return Finding(
        severity=severity,
        confidence=confidence,
        site=next((one.call.site for one in (*stopped, *wrong) if one.call is not None), None),
        evidence=tuple(_evidence(one) for one in wrong)
        + (
            (
                Evidence(
                    source="probe", summary=f"the program stopped with: {_first(crash.message)}"
                ),
            )
            if crash and stopped
            else ()
        ),
        explains=explained(case, "crash") if stopped else explained(case, "overfitting"),
        remedy=merged("set_argument", f"monitor {', '.join(named)}", edits, "none")
        if edits
        else None,
        advice=(
            "monitor a name that the logs have; one that begins with `val_` needs validation_data"
        ),
    )


def _first(message: str) -> str:
    """The first sentence of a message."""
    return message.split(". ", 1)[0].splitlines()[0]


def _evidence(wrong: _Wrong) -> Evidence:
    where = f" (line {wrong.call.site.line})" if wrong.call else ""
    measured = (
        (Measurement(name="logged under that name", value=0, n=wrong.logged),)
        if wrong.logged is not None
        else ()
    )
    return Evidence(
        source="static" if wrong.logged is None else "probe",
        summary=f"{wrong.name}{where} monitors {wrong.monitor}, which is never logged: {wrong.why}",
        measured=measured,
    )


# Patience, and what is missing --------------------------------------------------------------------


def _impatient(program: Program) -> Iterator[Finding]:
    for call in program.calls_named("keras.callbacks.EarlyStopping"):
        if call.argument("**") is None and call.constant("patience", _PATIENCE, 0) == 0:
            yield Finding(
                severity="note",
                confidence="certain",
                site=call.site,
                evidence=(
                    Evidence(
                        source="static",
                        summary="EarlyStopping has no patience (0 is its default): it ends the "
                        "training at the first epoch that is not better than the one before",
                    ),
                ),
                advice="give EarlyStopping a patience of some epochs, 3 to 10",
            )


def _missing(case: Case, trace: Trace) -> Iterator[Finding]:
    fit = trace.fits[-1] if trace.fits else None
    if fit is None or (fit.epochs or 0) < MANY_EPOCHS:
        return
    names = {*fit.callbacks, *(callback.name for callback in fit.callback_settings)}
    if any("EarlyStopping" in name for name in names):
        return
    static = tuning.static_fit(case.program, fit)
    yield Finding(
        severity="note",
        confidence="possible",
        site=static.call.site if static else None,
        evidence=(
            Evidence(
                source="probe",
                summary=f"the training overfits and nothing ends its {fit.epochs} epochs early",
                measured=(Measurement(name="epochs", value=fit.epochs, threshold=MANY_EPOCHS),),
            ),
        ),
        advice="add EarlyStopping(patience=3, restore_best_weights=True) to the callbacks of fit",
    )


_SICK = """\
from tensorflow import keras
from tensorflow.keras.callbacks import EarlyStopping, ModelCheckpoint

base = keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = keras.Sequential([base, keras.layers.Dense(5, activation="softmax")])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
callbacks = [
    EarlyStopping(monitor="val_acc", patience=5, restore_best_weights=True),
    ModelCheckpoint("best.keras", "val_acc", save_best_only=True),
]
model.fit(train_ds, validation_data=val_ds, epochs=30, callbacks=callbacks)
"""
_CURED = _SICK.replace("val_acc", "val_accuracy")

CAUSE = CauseSpec(
    id="callbacks-misconfigured",
    code="TL504",
    title="A callback watches what does not exist, or is missing",
    what=(
        "`EarlyStopping`, `ReduceLROnPlateau` or `ModelCheckpoint` monitors a name that is never "
        "logged: `val_acc` where the metric is called `accuracy`, or a `val_` name without "
        "validation data. As a note: no patience, or no `EarlyStopping` where training overfits."
    ),
    why=(
        "Keras 3 stops at such a name (`isn't able to automatically determine whether that metric "
        "should be maximized or minimized`); where `mode` is given, and in Keras 2, it only warns: "
        "training never ends early, the rate is never lowered, the best model is never saved."
    ),
    sources=(
        "https://keras.io/api/callbacks/early_stopping/",
        "https://keras.io/api/callbacks/model_checkpoint/",
        "https://keras.io/api/callbacks/reduce_lr_on_plateau/",
    ),
    find=_find,
    examples=Examples(sick=_SICK, healthy=_CURED, cured=_CURED),
)
