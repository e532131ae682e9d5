"""The program calls what Keras 3 removed."""

from __future__ import annotations

from collections.abc import Iterable

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence.edits import code, explained, position
from tlfix.findings import Confidence, Evidence, Severity
from tlfix.program.model import Program, RemovedUse

_REPLACED = frozenset(
    {
        "optimizer-lr",
        "optimizer-legacy",
        "fit-generator",
        "evaluate-generator",
        "predict-generator",
        "predict-proba",
        "nb-epoch",
        "history-acc",
        "model-input-output",
        "np-utils",
    }
)
_IMPORTED = frozenset({"preprocessing-image", "preprocessing-text", "moved-module"})
# Keras 3.15 warns that it ignores the argument and goes on with a constant rate.
_IGNORED = frozenset({"optimizer-decay"})
_COUNTS_IMAGES = ("samples-per-epoch", "nb-val-samples")


def find(case: Case) -> Iterable[Finding]:
    """One finding for all uses that a rewrite cures together, one for each of the others."""
    if _keras(case) == 2:
        return
    together = [u for u in case.program.removed if _rewritable(case.program, u)]
    if together:
        yield _finding(case, together, _remedy(together))
    for use in case.program.removed:
        if use not in together:
            yield _finding(case, [use], None)


def _keras(case: Case) -> int | None:
    """The major version of Keras the probe met, if it got that far."""
    environment = case.trace.environment if case.trace else None
    version = environment.keras if environment is not None else None
    major = (version or "").split(".")[0]
    return int(major) if major.isdigit() else None


def _rewritable(program: Program, use: RemovedUse) -> bool:
    """True if the codemod can put the current call in its place."""
    if use.row == "predict-classes":
        # One output is compared with 0.5, several by their largest: the head tells which.
        units = [layer.units for layer in program.outputs]
        return len(units) == 1 and isinstance(units[0], int) and units[0] > 1
    if use.row == "fit-generator":
        # They count images, their successors batches: the size of a batch is not known here.
        others = [u for u in program.removed if u.row in _COUNTS_IMAGES]
        return not any(use.site.line <= u.site.line <= use.site.end_line for u in others)
    if use.row in _IMPORTED:
        return use.new != use.old and "(" not in code(program, use.site)
    return use.row in _REPLACED


def _finding(case: Case, uses: list[RemovedUse], remedy: Remedy | None) -> Finding:
    severity, confidence = _grade(case, uses)
    stopped = _crashed_on(case, uses)
    evidence = [
        Evidence(source="static", summary=f"line {u.site.line}: {u.old} is now {u.new}")
        for u in uses
    ]
    if stopped is not None:
        evidence.append(Evidence(source="probe", summary=f"the program stopped with: {stopped}"))
    return Finding(
        severity=severity,
        confidence=confidence,
        site=uses[0].site,
        evidence=tuple(evidence),
        explains=explained(case, "crash") if stopped is not None else (),
        remedy=remedy,
        advice=None if remedy is not None else f"write {uses[0].new} instead of {uses[0].old}",
    )


def _grade(case: Case, uses: list[RemovedUse]) -> tuple[Severity, Confidence]:
    if all(use.row in _IGNORED for use in uses):
        return "note", "certain"
    if _crashed_on(case, uses) is not None:
        return "error", "certain"
    finished = case.trace is not None and case.trace.status == "completed"
    if _keras(case) is None or finished:
        # Another Keras may run it, or the run never came to that line.
        return "warning", "likely"
    return "error", "certain"


def _crashed_on(case: Case, uses: list[RemovedUse]) -> str | None:
    """The first line of the crash's message, if it names one of ``uses``."""
    crash = case.trace.crash if case.trace else None
    if crash is None:
        return None
    first = next((line for line in crash.message.splitlines() if line.strip()), "")
    named = any(f"'{_last(use)}'" in crash.message for use in uses)
    at = crash.site is not None and any(
        use.site.line <= crash.site.line <= use.site.end_line for use in uses
    )
    return first if named or at else None


def _last(use: RemovedUse) -> str:
    return use.old.removesuffix("=").rsplit(".", 1)[-1]


def _remedy(uses: list[RemovedUse]) -> Remedy:
    edits: dict[str, dict[str, object]] = {}
    for use in uses:
        listed = edits.setdefault(use.site.path, {"uses": []})["uses"]
        assert isinstance(listed, list)
        listed.append({"at": position(use.site), "old": use.old, "new": use.new})
    names = ", ".join(dict.fromkeys(use.old for use in uses))
    return Remedy("replace_removed_api", f"replace {names} by the current calls", edits, "cursory")


_SICK = """\
import tensorflow as tf
from tensorflow.keras.preprocessing.image import ImageDataGenerator

preprocess = tf.keras.applications.mobilenet_v2.preprocess_input
datagen = ImageDataGenerator(preprocessing_function=preprocess)
train = datagen.flow_from_directory("data/train", target_size=(96, 96))
valid = datagen.flow_from_directory("data/valid", target_size=(96, 96))

base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(3, activation="softmax")])
model.compile(tf.keras.optimizers.Adam(lr=1e-3), loss="categorical_crossentropy")
model.fit_generator(train, 30, 5, validation_data=valid, workers=4)
"""

_CURED = _SICK.replace("lr=1e-3", "learning_rate=1e-3").replace(
    "model.fit_generator(train, 30, 5, validation_data=valid, workers=4)",
    "model.fit(train, steps_per_epoch=30, epochs=5, validation_data=valid)",
)

CAUSE = CauseSpec(
    id="removed-api",
    code="TL901",
    title="The program calls what Keras 3 removed",
    what=(
        "Names of Keras 1 and 2 that current Keras no longer has: `lr=`, `fit_generator`, "
        "`predict_generator`, `predict_classes`, `keras.utils.np_utils`, `ImageDataGenerator` "
        "under `keras.preprocessing.image`, `workers=` in `fit`, and others."
    ),
    why=(
        "They stop the program (`Argument(s) not recognized: {'lr': 0.001}`, `'Sequential' object "
        "has no attribute 'fit_generator'`). `decay=` is worse: Keras 3 ignores it with a warning, "
        "and the learning rate stays constant."
    ),
    sources=(
        "https://keras.io/guides/migrating_to_keras_3/",
        "https://keras.io/api/optimizers/",
    ),
    find=find,
    examples=Examples(sick=_SICK, healthy=_CURED, cured=_CURED),
)
