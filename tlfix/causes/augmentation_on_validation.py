"""Validation or test images are transformed at random."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence.augmentation import (
    SETTINGS,
    known,
    listed,
    random_settings,
    strong,
    transforming_calls,
    users,
)
from tlfix.evidence.edits import end, explained, merged, position, set_argument
from tlfix.evidence.flows import sources_of, trains
from tlfix.evidence.tasks import tasks
from tlfix.findings import Confidence, Evidence, Measurement, Severity
from tlfix.probe.trace import DataSeen
from tlfix.program.model import UNKNOWN, Argument, Call, Program, Site, Source

_FLIPS = {"horizontal_flip", "vertical_flip", "RandomFlip"}
_SYMPTOMS = ("chance-validation",)
# Test-time augmentation, by name.
_MEANT = re.compile(r"(?<![a-z])tta(?![a-z])|test.time.aug", re.IGNORECASE)


@dataclass(frozen=True)
class _Suspect:
    """A source of validation or test images with the generator or calls that transform them.

    ``shared`` is true where training images go through the same generator or function.
    """

    source: Source
    generator: Call | None
    settings: Mapping[str, Argument]
    calls: tuple[Call, ...]
    shared: bool

    @property
    def constants(self) -> dict[str, object]:
        """The settings whose values are known."""
        return {n: a.value for n, a in self.settings.items() if a.value is not UNKNOWN}


def find(case: Case) -> Iterable[Finding]:
    """One finding for every generator, or measured split, that augments what is only scored."""
    suspects = list(_suspects(case.program))
    told: set[object] = set()
    for task in tasks(case):
        data = task.seen.validation if task.seen is not None else None
        if data is None or data.repeats_exactly is None:
            continue
        fed = sources_of(case.program, data) or (task.fit.validation if task.fit else ())
        mine = [s for s in suspects if s.source.call.site in {f.call.site for f in fed}]
        if not data.repeats_exactly and (mine or data.augmentation):
            yield _finding(case, mine, data, task.site)
        # Told now, or refuted: two passes were alike, so these settings are never reached.
        told.update(_key(s) for s in mine)
    groups: dict[object, list[_Suspect]] = {}
    for suspect in suspects:
        if _key(suspect) not in told:
            groups.setdefault(_key(suspect), []).append(suspect)
    for group in groups.values():
        yield _finding(case, group, None, None)


def _key(suspect: _Suspect) -> object:
    if suspect.generator is not None:
        return suspect.generator.site
    return tuple(call.site for call in suspect.calls)


def _suspects(program: Program) -> Iterator[_Suspect]:
    if _MEANT.search(program.text):
        return
    for source in program.sources:
        if source.split not in ("validation", "test") or trains(program, source):
            continue
        if source.generator is not None:
            settings = random_settings(source.generator)
            if settings and known(settings):
                others = users(program, source.generator)
                shared = any(
                    trains(program, other) or other.split == "training" for other in others
                )
                yield _Suspect(source, source.generator, settings, (), shared)
            continue
        calls = tuple(transforming_calls(program, source))
        if calls:
            training = {
                call.site
                for other in program.sources
                if other.split == "training"
                for call in transforming_calls(program, other)
            }
            yield _Suspect(source, None, {}, calls, any(c.site in training for c in calls))


def _finding(
    case: Case, suspects: list[_Suspect], data: DataSeen | None, fallback: Site | None
) -> Finding:
    first = suspects[0] if suspects else None
    severity, confidence = _grade(first, data)
    remedy = _remedy(case.program, first) if first is not None else None
    site = fallback
    if first is not None:
        site = first.generator.site if first.generator is not None else first.calls[0].site
    elif data is not None and data.sites:
        place = data.sites[-1].generator_site or data.sites[-1].site
        call = case.program.call_at(place.line)
        site = call.site if call is not None else fallback
    return Finding(
        severity=severity,
        confidence=confidence,
        site=site,
        evidence=tuple(_evidence(suspects, data)),
        explains=explained(case, *_SYMPTOMS) if severity != "note" else (),
        remedy=remedy,
        advice=None
        if remedy
        else "transform the training images alone: validation and test images are to be scaled as "
        "training ones are, and left as they are otherwise",
    )


def _grade(suspect: _Suspect | None, data: DataSeen | None) -> tuple[Severity, Confidence]:
    """How bad it is.

    Mirror images alone, and the transforms of training on a half of the same folder, cost little
    beyond a score that varies from pass to pass: a note. A generator of its own that distorts what
    is only scored serves nothing: a warning. So does anything strong that the probe saw happen, and
    a function that is mapped over validation images on purpose.
    """
    measured = data is not None
    names: dict[str, object] = dict(data.augmentation) if data is not None else {}
    if suspect is not None:
        names = {**names, **suspect.constants}
    hard = any(strong(name, value) for name, value in names.items())
    confidence: Confidence = "certain" if measured else "likely"
    if measured and hard:
        return "warning", confidence
    own = suspect is not None and (not suspect.shared or (measured and bool(suspect.calls)))
    distorts = bool(set(names) - _FLIPS) or (
        suspect is not None and any("flip" not in call.name for call in suspect.calls)
    )
    if own and distorts:
        return "warning", confidence
    return "note", confidence


def _evidence(suspects: list[_Suspect], data: DataSeen | None) -> Iterator[Evidence]:
    if data is not None:
        named = f" ({listed(data.augmentation)})" if data.augmentation else ""
        yield Evidence(
            source="probe",
            summary=f"two passes over the validation data give different pixels for the same "
            f"images{named}",
            measured=(
                Measurement(name="passes that agree", value=1, threshold=2, n=data.sampled or None),
            ),
        )
    for suspect in suspects:
        split = suspect.source.split
        with_training = ", as it does training images" if suspect.shared else ""
        if suspect.generator is not None:
            summary = (
                f"the generator of {suspect.source.variable or 'the data'} ({split}) transforms "
                f"at random{with_training}: {listed(suspect.settings)}"
            )
        else:
            names = ", ".join(dict.fromkeys(call.name for call in suspect.calls))
            summary = f"{names} transforms {split} images at random{with_training}"
        yield Evidence(source="static", summary=summary)


def _remedy(program: Program, suspect: _Suspect) -> Remedy | None:
    generator = suspect.generator
    if generator is None:
        return None
    if not suspect.shared:
        edits = [
            (generator.site.path, set_argument(generator, name, SETTINGS[name].index, None))
            for name in suspect.settings
        ]
        return merged(
            "set_argument", "take the random transforms off these images", edits, "cursory"
        )
    if len(generator.targets) != 1 or not generator.targets[0].isidentifier():
        return None
    flows = [s for s in users(program, generator) if s.split in ("validation", "test")]
    name = generator.targets[0]
    if any(s.call.receiver_text != name or s.call.scope != generator.scope for s in flows):
        return None
    edit: dict[str, object] = {
        "generator": position(generator.site),
        "end": end(generator.site),
        "flows": [{"start": position(s.call.site), "end": end(s.call.site)} for s in flows],
        "arguments": [[n, SETTINGS[n].index] for n in suspect.settings],
    }
    return Remedy(
        codemod="separate_generator",
        summary="give these images a generator of their own, without random transforms",
        edits={generator.site.path: edit},
        review="cursory",
    )


_SICK = """\
import tensorflow as tf
from tensorflow.keras.preprocessing.image import ImageDataGenerator

preprocess = tf.keras.applications.mobilenet_v2.preprocess_input
train_datagen = ImageDataGenerator(
    preprocessing_function=preprocess, rotation_range=20, horizontal_flip=True
)
val_datagen = ImageDataGenerator(
    preprocessing_function=preprocess, rotation_range=20, horizontal_flip=True
)
train = train_datagen.flow_from_directory("data/train", target_size=(96, 96))
valid = val_datagen.flow_from_directory("data/valid", target_size=(96, 96))

base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(3, activation="softmax")])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=valid, epochs=5)
"""
_OWN = """\
val_datagen = ImageDataGenerator(
    preprocessing_function=preprocess, rotation_range=20, horizontal_flip=True
)
"""
_CURED = _SICK.replace(
    _OWN, "val_datagen = ImageDataGenerator(\n    preprocessing_function=preprocess\n)\n"
)

CAUSE = CauseSpec(
    id="augmentation-on-validation",
    code="TL306",
    title="Validation or test images are augmented",
    what=(
        "Images that are only scored are rotated, shifted or otherwise changed at random, by a "
        "generator that was copied from training or shared with it, or by a function mapped onto "
        "every split."
    ),
    why=(
        "The score is then that of other images than those the model will meet: lower, and another "
        "one at each pass, so that early stopping and comparisons follow noise. The tutorials of "
        "Keras and TensorFlow augment the training images only."
    ),
    sources=(
        "https://www.tensorflow.org/tutorials/images/data_augmentation",
        "https://blog.keras.io/building-powerful-image-classification-models-using-very-little-data.html",
    ),
    find=find,
    examples=Examples(sick=_SICK, healthy=_CURED, cured=_CURED),
)
