"""Augmentation is too strong to learn from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence.augmentation import LAYERS, SETTINGS, listed, random_settings, strong
from tlfix.evidence.edits import explained, merged, set_argument
from tlfix.evidence.harm import ALPHA, NOISE_POINTS, lower, mcnemar
from tlfix.evidence.misalignment import TOGETHER
from tlfix.evidence.tasks import Task, tasks
from tlfix.findings import Evidence, Measurement
from tlfix.probe.trace import FitSeen, LinearProbe
from tlfix.program.model import Call, Program

_SYMPTOMS = ("slow-learning", "flat-loss", "chance-accuracy", "chance-validation")
_FACTORS = {
    "RandomRotation": ("factor",),
    "RandomZoom": ("height_factor", "width_factor"),
    "RandomTranslation": ("height_factor", "width_factor"),
    "RandomShear": ("x_factor", "y_factor"),
    "RandomContrast": ("factor",),
    "RandomBrightness": ("factor",),
}


@dataclass(frozen=True)
class _Change:
    """An argument to soften. ``value`` is its new source, None to leave it out."""

    call: Call
    keyword: str
    index: int
    value: str | None


def find(case: Case) -> Iterable[Finding]:
    """One finding for every ``fit`` whose features are worth more without its augmentation."""
    for task in tasks(case):
        if task.seen is None:
            continue
        with_, without = task.seen.probe("as-is"), _without(task.seen)
        if with_ is None or without is None:
            continue
        points, p = without.accuracy - with_.accuracy, _p(with_, without)
        if points < NOISE_POINTS or p >= ALPHA:
            continue
        changes = tuple(_changes(case.program, task))
        remedy = _remedy(changes)
        harmless = _learned(task.seen, without)
        yield Finding(
            severity="note" if harmless else "warning",
            confidence="likely",
            site=changes[0].call.site if changes else task.site,
            evidence=(_evidence(task, with_, without, p),),
            explains=() if harmless else explained(case, *_SYMPTOMS),
            remedy=remedy,
            advice=None
            if remedy
            else "halve the ranges of the random transforms, or leave out the strongest, until "
            "a person still names the class of the images at once",
            cost=None if harmless else points,
        )


def _without(seen: FitSeen) -> LinearProbe | None:
    """The probe that was fitted on images as they are.

    Where a mapped function transforms training images and nothing else sets them apart, that is
    the one on validation images: their scaling is the same, and training labels are not mixed up.
    """
    found = seen.probe("as-is", variant="unaugmented")
    data, near = seen.training, seen.neighbours
    if found is not None or data is None or data.repeats_exactly is not False:
        return found
    doors = seen.door("training"), seen.door("validation")
    scalings = [door.reads_as for door in doors if door is not None]
    alike = len(scalings) == 2 and scalings[0] is not None and scalings[0] == scalings[1]
    labelled = near is not None and (
        near.agreement - near.shuffled_mean > TOGETHER * near.shuffled_std
    )
    if not (alike and labelled and data.augmentation):
        return None
    return seen.probe("as-is", variant="validation")


def _p(with_: LinearProbe, without: LinearProbe) -> float:
    """The chance of such a difference if augmentation made none (McNemar on the same images)."""
    if with_.correct and len(with_.correct) == len(without.correct):
        return mcnemar(without.correct, with_.correct)
    return lower(without.accuracy, without.validation, with_.accuracy, with_.validation)


def _learned(seen: FitSeen, without: LinearProbe) -> bool:
    """True if the model, trained with the augmentation, is as good as the features without it."""
    after = seen.evaluation("validation")
    if after is None or after.accuracy is None or not after.n:
        return False
    return (
        without.accuracy - after.accuracy < NOISE_POINTS
        or lower(without.accuracy, without.validation, after.accuracy, after.n) >= ALPHA
    )


def _evidence(task: Task, with_: LinearProbe, without: LinearProbe, p: float) -> Evidence:
    data = task.seen.training if task.seen is not None else None
    named = f" ({listed(data.augmentation)})" if data is not None and data.augmentation else ""
    instead = "on the same images without"
    if without.variant == "validation":
        instead = f"on {without.training} other validation images, which nothing transforms"
    return Evidence(
        source="probe",
        summary=(
            f"a linear classifier gets {with_.accuracy:.0%} of the validation images right when it "
            f"is fitted on {with_.training} augmented training images{named}, "
            f"{without.accuracy:.0%} {instead}"
        ),
        measured=(
            Measurement(
                name="accuracy",
                value=with_.accuracy,
                threshold=without.accuracy,
                n=with_.validation,
            ),
            Measurement(name="p", value=p, threshold=ALPHA, n=with_.validation),
        ),
    )


def _changes(program: Program, task: Task) -> Iterator[_Change]:
    """What to soften: all that is beyond the usual, else flips that turn images upside down."""
    generators = {
        source.generator.site: source.generator
        for source in (task.fit.training if task.fit is not None else ())
        if source.generator is not None
    }
    found = []
    for generator in generators.values():
        for name, given in random_settings(generator).items():
            if strong(name, given.value):
                found.append(_Change(generator, name, SETTINGS[name].index, SETTINGS[name].usual))
    for name, keywords in _FACTORS.items():
        for layer in program.calls_named(f"layers.{name}"):
            for index, keyword in enumerate(keywords):
                if strong(name, layer.constant(keyword, index)):
                    found.append(_Change(layer, keyword, index, LAYERS[name].usual))
    if found:
        yield from found
        return
    for generator in generators.values():
        if random_settings(generator).get("vertical_flip") is not None:
            yield _Change(generator, "vertical_flip", SETTINGS["vertical_flip"].index, None)
    for layer in program.calls_named("layers.RandomFlip"):
        if layer.constant("mode", 0, "horizontal_and_vertical") == "horizontal_and_vertical":
            yield _Change(layer, "mode", 0, '"horizontal"')


def _remedy(changes: tuple[_Change, ...]) -> Remedy | None:
    if not changes:
        return None
    edits = [
        (
            change.call.site.path,
            set_argument(change.call, change.keyword, change.index, change.value),
        )
        for change in changes
    ]
    named = ", ".join(dict.fromkeys(change.keyword for change in changes))
    return merged("set_argument", f"soften {named} to what is usual", edits, "cursory")


_SICK = """\
import tensorflow as tf
from tensorflow.keras.preprocessing.image import ImageDataGenerator

preprocess = tf.keras.applications.mobilenet_v2.preprocess_input
train_datagen = ImageDataGenerator(
    preprocessing_function=preprocess, rotation_range=180, zoom_range=0.9, width_shift_range=0.8
)
valid_datagen = ImageDataGenerator(preprocessing_function=preprocess)
train = train_datagen.flow_from_directory("data/train", target_size=(96, 96))
valid = valid_datagen.flow_from_directory("data/valid", target_size=(96, 96))

base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(3, activation="softmax")])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=valid, epochs=5)
"""

CAUSE = CauseSpec(
    id="augmentation-destructive",
    code="TL307",
    title="Augmentation is too strong to learn from",
    what=(
        "The random transforms take away what tells the classes apart: a linear classifier on the "
        "backbone's features is significantly better when it is fitted on the training images as "
        "they are than when it is fitted on the transformed ones. Only that measurement counts: "
        "images from a microscope may be turned by any angle, digits may not be mirrored."
    ),
    why=(
        "The network is trained on images unlike those it is asked about, and may never see the "
        "object at all. Cubuk et al. 2020 measured that the best strength depends on data and "
        "network, and that small ones want little."
    ),
    sources=(
        "https://arxiv.org/abs/1909.13719",
        "https://www.tensorflow.org/tutorials/images/data_augmentation",
    ),
    find=find,
    after=("preprocessing-missing", "preprocessing-mismatch", "preprocessing-double"),
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace(
            "rotation_range=180, zoom_range=0.9, width_shift_range=0.8",
            "rotation_range=20, zoom_range=0.1, width_shift_range=0.1",
        ),
        cured=None,
    ),
)
