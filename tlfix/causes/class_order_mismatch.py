"""Classes are numbered differently in training and validation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence.edits import explained, merged, position, set_argument
from tlfix.evidence.harm import lower
from tlfix.evidence.origins import fit_of, site_of, source_behind
from tlfix.findings import Evidence, Measurement, Severity
from tlfix.probe.trace import DataSeen, FitSeen, PermutationSeen
from tlfix.program.model import UNKNOWN, Program, Source

ENOUGH = 30
"""Images that a renaming of classes is judged on at least."""

ALPHA = 0.001
"""Level of the tests of a renaming, the best of many though on images it was not chosen by."""

GAIN, LARGE_GAIN = 0.10, 0.30
"""Accuracy (0..1) that a renaming must bring to be named, and to be an error: what two classes that
look alike may bring by chance stays well below."""

_ORDERED = {
    # Function: the argument that fixes the order of classes, and its place.
    "flow_from_directory": ("classes", 3),
    "flow_from_dataframe": ("classes", 7),
    "image_dataset_from_directory": ("class_names", 3),
}
_SYMPTOMS = ("chance-validation", "below-chance", "zero-accuracy", "single-class-predictions")

Numbers = Mapping[str, int]


def find(case: Case) -> Iterable[Finding]:
    """One finding for the first ``fit`` whose splits number the classes apart."""
    fits = case.trace.fits if case.trace else ()
    for fit in fits:
        finding = _seen(case, fit)
        if finding is not None:
            yield finding
            return
    if not any(_numbers(f.training) and _numbers(f.validation) for f in fits):
        yield from _read(case.program)


def _numbers(data: DataSeen | None) -> Numbers | None:
    """The class number of every class name of a split, where the data know it."""
    if data is None:
        return None
    if data.class_indices:
        return data.class_indices
    names = data.class_names
    return {name: i for i, name in enumerate(names)} if names else None


def _seen(case: Case, fit: FitSeen) -> Finding | None:
    ours, theirs = _numbers(fit.training), _numbers(fit.validation)
    if ours and theirs:
        return _differing(case, fit, ours, theirs)
    if fit.permutation is not None:
        return _renamed(case, fit, fit.permutation)
    return None


def _apart(ours: Numbers, theirs: Numbers) -> list[str]:
    """The classes that have one number in training and another in validation."""
    return [name for name in ours if name in theirs and ours[name] != theirs[name]]


def _differing(case: Case, fit: FitSeen, ours: Numbers, theirs: Numbers) -> Finding | None:
    apart = _apart(ours, theirs)
    if not apart or fit.validation is None:
        return None
    name = apart[0]
    summary = f"class {name!r} is number {ours[name]} in training and {theirs[name]} in validation"
    missing = sorted(ours.keys() ^ theirs.keys())
    if missing:
        shown = ", ".join(repr(each) for each in missing[:3])
        where = "validation" if missing[0] in ours else "training"
        summary += f"; {shown} {'is' if len(missing) == 1 else 'are'} missing in {where}"
    remedy, advice = _remedy(case.program, fit)
    return Finding(
        severity="error",
        confidence="certain",
        site=site_of(case.program, fit, fit.validation, "labels"),
        evidence=(
            Evidence(
                source="probe",
                summary=summary,
                measured=(
                    Measurement(name="classes_apart", value=len(apart), threshold=0, n=len(ours)),
                ),
            ),
        ),
        explains=explained(case, *_SYMPTOMS),
        remedy=remedy,
        advice=None if remedy else advice,
    )


def _remedy(program: Program, fit: FitSeen) -> tuple[Remedy | None, str]:
    """The training data's order of classes for every other pipeline."""
    advice = "give every pipeline the same list of class names in the same order"
    training = source_behind(program, fit, fit.training) if fit.training else None
    validation = source_behind(program, fit, fit.validation) if fit.validation else None
    given = fit_of(program, fit)
    if training is None or validation is None or given is None:
        return None, advice
    if validation.call.name.endswith("image_dataset_from_directory"):
        mine = _order(training)
        if mine is None:
            advice += "; a class without validation images wants an empty folder there"
            return None, advice
    text = _spelled(training, validation)
    if text is None:
        return None, advice
    edits = [_edit(source, text) for source in _others(program, training, validation)]
    return merged("set_argument", "number the classes as in training", edits, "cursory"), advice


def _spelled(training: Source, validation: Source) -> str | None:
    """The training data's classes in order, as the validation call can say them."""
    order = _order(training)
    if order is not None:
        literal = order[1].startswith(("[", "("))
        return order[1] if literal or training.call.scope == validation.call.scope else None
    before = (
        training.call.scope == validation.call.scope
        and training.call.site.path == validation.call.site.path
        and position(training.call.site) < position(validation.call.site)
    )
    if before and training.variable and training.kind.startswith("flow_from"):
        return f"list({training.variable}.class_indices)"
    return None


def _order(source: Source) -> tuple[object, str] | None:
    """The list of classes given to a call: its value and its text."""
    for name, (keyword, place) in _ORDERED.items():
        if source.call.name.endswith(name):
            given = source.call.argument(keyword, place)
            return None if given is None or given.value is None else (given.value, given.text)
    return None


def _others(program: Program, training: Source, validation: Source) -> Iterator[Source]:
    """The validation pipeline, and test pipelines that are ordered as it is."""
    yield validation
    mine = _order(validation)
    for source in program.sources:
        if source.call.site in (training.call.site, validation.call.site):
            continue
        if source.kind == validation.kind and source.split in ("test", "unknown"):
            theirs = _order(source)
            if (theirs and theirs[0]) == (mine and mine[0]):
                yield source


def _edit(source: Source, text: str) -> tuple[str, dict[str, object]]:
    for name, (keyword, place) in _ORDERED.items():
        if source.call.name.endswith(name):
            return source.call.site.path, set_argument(source.call, keyword, place, text)
    raise AssertionError(source.call.name)


# A renaming that explains the errors ------------------------------------------------------------


def _renamed(case: Case, fit: FitSeen, found: PermutationSeen) -> Finding | None:
    """A linear probe that is right once its answers are renamed, on images not used for that."""
    from scipy.stats import binom

    gain = found.renamed - found.accuracy
    moved = [i for i, j in enumerate(found.mapping) if i != j]
    if found.n < ENOUGH or gain < GAIN or len(moved) < 2:
        return None
    chance = _chance(fit, len(found.mapping))
    hits = round(found.renamed * found.n)
    # The renamed probe must be better than naming the largest class, and than it was before.
    p_chance = float(binom.sf(hits - 1, found.n, chance))
    p_before = lower(found.renamed, found.n, found.accuracy, found.n)
    p = max(p_chance, p_before)
    if p >= ALPHA:
        return None
    severity: Severity = "error" if gain >= LARGE_GAIN else "warning"
    two = len(found.mapping) == 2
    shown = ", ".join(f"{i} is {found.mapping[i]}" for i in moved[:4])
    summary = (
        "validation labels are inverted" if two else f"validation labels are renamed ({shown})"
    )
    summary = f"read as if the {summary}, a linear classifier on the features gets "
    summary += (
        f"{found.renamed:.0%} of the validation images right in place of {found.accuracy:.0%}"
    )
    return Finding(
        severity=severity,
        confidence="likely",
        site=site_of(case.program, fit, fit.validation, "labels"),
        evidence=(
            Evidence(
                source="probe",
                summary=summary,
                measured=(
                    Measurement(
                        name="accuracy_renamed", value=found.renamed, threshold=chance, n=found.n
                    ),
                    Measurement(name="accuracy", value=found.accuracy, n=found.n),
                    Measurement(name="p", value=p, threshold=ALPHA, n=found.n),
                ),
            ),
        ),
        explains=explained(case, *_SYMPTOMS),
        advice="number the classes of both splits by one sorted list or one fitted encoder; the "
        "orders of a set, of os.listdir and of two encoders differ",
        cost=gain,
    )


def _chance(fit: FitSeen, classes: int) -> float:
    """The share of the largest validation class (0..1)."""
    probe = fit.probe("expected") or fit.probe("as-is")
    if probe is not None:
        return probe.chance
    counts = (fit.validation.histogram if fit.validation else None) or {}
    return max(counts.values()) / sum(counts.values()) if counts else 1 / classes


# What the source says ---------------------------------------------------------------------------


def _read(program: Program) -> Iterator[Finding]:
    """Lists of classes in the calls themselves: two that differ, or one that is not in order."""
    for fit in program.fits:
        if len(fit.training) != 1 or len(fit.validation) != 1:
            continue
        ours, theirs = fit.training[0], fit.validation[0]
        mine, other = _list(ours), _list(theirs)
        if mine is None or other is None or (not mine and not other):
            continue
        # Without a list the classes are the names of the folders in alphabetical order.
        mine, other = mine or sorted(other), other or sorted(mine)
        apart = _apart(_numbered(mine), _numbered(other))
        if not apart:
            continue
        name = apart[0]
        text = _spelled(ours, theirs) if _order(ours) is not None else repr(mine)
        edits = [_edit(source, text or repr(mine)) for source in _others(program, ours, theirs)]
        yield Finding(
            severity="error",
            confidence="likely",
            site=theirs.call.site,
            evidence=(
                Evidence(
                    source="static",
                    summary=f"class {name!r} is number {mine.index(name)} in training (line "
                    f"{ours.call.site.line}) and {other.index(name)} in validation",
                ),
            ),
            remedy=merged("set_argument", "number the classes as in training", edits, "cursory"),
        )
        return


def _numbered(names: list[str]) -> Numbers:
    return {name: i for i, name in enumerate(names)}


def _list(source: Source) -> list[str] | None:
    """The list of classes given, an empty one where the folders decide, None if not known."""
    if not any(source.call.name.endswith(name) for name in _ORDERED):
        return None
    if any(keyword.keyword == "**" for keyword in source.call.keywords):
        return None
    order = _order(source)
    if order is None:
        return []
    value = order[0]
    if value is UNKNOWN or not isinstance(value, list | tuple):
        return None
    names = [name for name in value if isinstance(name, str)]
    return names if len(names) == len(value) else None


_SICK = """\
import tensorflow as tf
from tensorflow.keras.preprocessing.image import ImageDataGenerator

preprocess = tf.keras.applications.mobilenet_v2.preprocess_input
datagen = ImageDataGenerator(preprocessing_function=preprocess)
train = datagen.flow_from_directory(
    "data/train", target_size=(96, 96), classes=["healthy", "blight", "rust"]
)
valid = datagen.flow_from_directory("data/valid", target_size=(96, 96))

base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(3, activation="softmax")])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=valid, epochs=5)
"""
_LIST = 'classes=["healthy", "blight", "rust"]'

CAUSE = CauseSpec(
    id="class-order-mismatch",
    code="TL205",
    title="Classes are numbered differently between splits",
    what=(
        "A class has one number in the training labels and another in the validation labels. A "
        "list of `classes` is given to one pipeline only, a folder is missing in one split so that "
        "all behind it move up, or each split is numbered by an encoder or a set of its own."
    ),
    why=(
        "The model learns well and is told that it is wrong: training accuracy rises, validation "
        "accuracy stays at chance or below, and early stopping and checkpoints act on nonsense. "
        "Without names, tlfix looks for the renaming of classes that makes a linear probe right, "
        "and tests it on images that it was not chosen by."
    ),
    sources=(
        "https://www.tensorflow.org/api_docs/python/tf/keras/preprocessing/image/ImageDataGenerator",
        "https://keras.io/api/data_loading/image/",
    ),
    find=find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace(_LIST, 'classes=["blight", "healthy", "rust"]'),
        cured=_SICK.replace(
            '"data/valid", target_size=(96, 96)', f'"data/valid", target_size=(96, 96), {_LIST}'
        ),
    ),
)
