"""TL503: training ends while it is still improving fast, far from what the features allow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence import harm, tuning
from tlfix.evidence.edits import explained, set_argument
from tlfix.findings import Evidence, Measurement
from tlfix.probe.trace import FitSeen, Trace
from tlfix.program.model import Fit, Site
from tlfix.symptoms.statistics import part, trend

FALL = 0.10
"""Share of the loss that its second half lost again. Where training has converged this is the noise
of the batches, a few hundredths; at a tenth, as many epochs again take at least another tenth."""

ENOUGH_STEPS = 10
"""Fewer steps than this show no trend at the level of the test: ten that fall without exception
have p < 1e-6, ten with batch noise about 0.01."""

TELLING_STEPS = 20
"""The last steps that are looked at, where half of the training has fewer."""

TIMES = 3
"""By this the number of epochs is multiplied: with EarlyStopping more of them cost nothing, and the
Keras examples train a head for 10 to 20 epochs where scripts with this fault have 1 to 5."""

_ADVICE = "train for more epochs, with EarlyStopping(restore_best_weights=True) to end them in time"


@dataclass(frozen=True)
class _Slope:
    """The fall of the loss over the last ``n`` of all ``steps`` (share of it, 0..1), and its p."""

    fall: float
    p: float
    n: int
    steps: int

    @property
    def where(self) -> str:
        """The part of the training, in words."""
        return "" if self.n == self.steps else f"the last {self.n} of "


def _find(case: Case) -> Iterator[Finding]:
    if case.trace is None or "overfitting" in case.symptoms:
        return
    last: dict[int, FitSeen] = {fit.model.key: fit for fit in case.trace.fits}
    for fit in last.values():
        if fit.ended == "completed" and _all_epochs(fit):
            yield from _of(case, case.trace, fit)


def _all_epochs(fit: FitSeen) -> bool:
    """True if no callback ended the training before its last epoch."""
    return fit.epochs is not None and fit.ran_epochs >= fit.epochs - _begun(fit) - 0.01


def _begun(fit: FitSeen) -> float:
    """Epochs that ``initial_epoch`` leaves out, as far as the first step tells."""
    return fit.steps[0].epoch if fit.steps else 0


def _of(case: Case, trace: Trace, fit: FitSeen) -> Iterator[Finding]:
    slope, short = _slope(fit), harm.shortfall(_with_reference(trace, fit))
    if slope is None or short is None or not short.significant:
        return
    if slope.p >= harm.ALPHA or slope.fall < FALL or not _validation_improves(fit):
        return
    if _knows_its_images(fit, short):
        return
    evidence = Evidence(
        source="probe",
        summary=(
            f"over {slope.where}all {slope.steps} steps the loss fell by {slope.fall:.0%}, and "
            f"training ended there, after epoch {fit.epochs}"
        ),
        measured=(
            Measurement(name="fall", value=slope.fall, threshold=FALL, n=slope.n),
            Measurement(name="p", value=slope.p, threshold=harm.ALPHA, n=slope.n),
        ),
    )
    static = tuning.static_fit(case.program, fit)
    yield Finding(
        severity="warning",
        confidence="likely",
        site=_site(static),
        evidence=(evidence, short.evidence),
        explains=explained(case, "slow-learning", "chance-accuracy", "chance-validation"),
        remedy=_remedy(static),
        advice=_ADVICE,
        cost=short.points,
    )


def _with_reference(trace: Trace, fit: FitSeen) -> FitSeen:
    """``fit`` with the reference of an earlier fit of the same model, where it has none."""
    if fit.probes:
        return fit
    same = [other for other in trace.fits if other.model.key == fit.model.key and other.probes]
    return fit.model_copy(update={"probes": same[0].probes}) if same else fit


def _slope(fit: FitSeen) -> _Slope | None:
    losses = [step.loss for step in fit.steps if step.finite and step.loss is not None]
    late = losses[-max(len(losses) - len(losses) // 2, TELLING_STEPS) :]
    if len(late) < ENOUGH_STEPS or len(losses) < len(fit.steps):
        return None
    begin, end = part(late, "first"), part(late, "last")
    fall = (begin - end) / begin if begin > 0 else 0.0
    return _Slope(fall, trend(late, "less"), len(late), len(losses))


def _validation_improves(fit: FitSeen) -> bool:
    """True unless the validation loss was logged and its last epoch is not its best."""
    logged = [value for log in fit.epoch_logs if (value := log.get("val_loss")) is not None]
    return len(logged) < 2 or logged[-1] == min(logged)


def _knows_its_images(fit: FitSeen, short: harm.Loss) -> bool:
    """True if the training images come out as right as the reference: more epochs add nothing."""
    training, validation = fit.evaluation("training"), fit.evaluation("validation")
    if training is None or validation is None:
        return False
    reference = (validation.accuracy or 0.0) + short.points
    return training.accuracy is not None and training.accuracy >= reference - harm.NOISE_POINTS


def _site(fit: Fit | None) -> Site | None:
    if fit is None:
        return None
    return fit.epochs.site if fit.epochs is not None else fit.call.site


def _remedy(fit: Fit | None) -> Remedy | None:
    """More epochs: a number where one is written, else a multiple of what is."""
    if fit is None or fit.epochs is None or fit.call.argument("initial_epoch") is not None:
        return None
    given = fit.epochs
    text = given.text.strip()
    if text.isdecimal():
        value = str(TIMES * int(text))
    elif text.replace("_", "a").replace(".", "a").isalnum():
        value = f"{TIMES} * {text}"
    else:
        return None
    edit = set_argument(fit.call, given.keyword or "epochs", None, value)
    return Remedy(
        "set_argument",
        f"train for {TIMES} times as many epochs",
        {fit.call.site.path: {"edits": [edit]}},
    )


_SICK = """\
from tensorflow import keras

base = keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = keras.Sequential([base, keras.layers.Dense(8, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train_ds, validation_data=val_ds, epochs=2)
"""

CAUSE = CauseSpec(
    id="too-few-epochs",
    code="TL503",
    title="Training ends while it is still improving fast",
    what=(
        "The script ran all its epochs, the loss was still falling significantly at the end, and "
        "the model is well below what a linear classifier on the same features reaches."
    ),
    why="The number of epochs, not the data or the model, is what holds the accuracy back.",
    sources=(
        "https://keras.io/guides/transfer_learning/",
        "Mann 1945, Nonparametric tests against trend, Econometrica 13:245",
    ),
    find=_find,
    after=(
        "preprocessing-missing",
        "preprocessing-mismatch",
        "preprocessing-double",
        "preprocessing-differs",
        "learning-rate-low",
        "learning-rate-high",
        "backbone-unfrozen",
        "activation-loss-mismatch",
        "class-mode-loss-mismatch",
        "head-units-mismatch",
        "batchnorm-statistics-stale",
        "steps-misconfigured",
    ),
    examples=Examples(sick=_SICK, healthy=_SICK.replace("epochs=2", "epochs=20")),
)
