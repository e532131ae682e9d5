"""TL210: the classifier is applied to a feature map, once at every position."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence import tuning
from tlfix.evidence.edits import crash_matches, end, explained, position, set_argument
from tlfix.evidence.heads import KEEPS_RANK, Head, heads, insertion
from tlfix.findings import Evidence, Measurement
from tlfix.probe.trace import FitSeen
from tlfix.program.architectures import position as place_of
from tlfix.program.model import Program

_ADVICE = (
    "pool the backbone's feature map into one vector per image before the classifier: "
    '`pooling="avg"` in its constructor, or a GlobalAveragePooling2D layer'
)
_LOSSES = frozenset(
    {"categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy"}
)
_MASKS = re.compile(r"mask|segment|heatmap|pixel_?wise|per_pixel", re.IGNORECASE)
# Keras 3.15 on labels (n,) or (n, classes) and outputs (n, height, width, classes).
_MESSAGES = ("must have rank (ndim)", "must have the same rank (ndim)", "must have the same shape")
# What may be done with the backbone's variable without seeing the shape of its output.
_HARMLESS = re.compile(
    r"\s*(?:=(?!=)|\(|,|\)|\]|$|\.(?:trainable\b|summary\(|load_weights\(|name\b|inputs?\b|output\b(?!_)"
    r"|layers(?:\s*:|\[\s*:\s*-?\d)))"
)


def _find(case: Case) -> Iterator[Finding]:
    trace = case.trace
    if trace is None or not trace.fits:
        for head in heads(case.program):
            if _unpooled(head) and _classifies(case.program):
                evidence = Evidence(
                    source="static",
                    summary=(
                        f"{head.backbone.architecture} ends in a feature map (include_top=False, "
                        f"no pooling), and what stands on it ({_listed(head)}) acts at every "
                        "position alike: the output keeps height and width, where the loss "
                        "compares one answer per image"
                    ),
                )
                yield _finding(case, head, evidence, proven=False)
        return
    for fit in trace.fits:
        if _answers_everywhere(fit):
            backbone = tuning.static_backbone(case.program, trace, fit)
            own = [
                head
                for head in heads(case.program)
                if backbone is not None
                and head.backbone.call.site == backbone.call.site
                and _unpooled(head)
            ]
            yield _finding(case, own[0] if len(own) == 1 else None, _seen(case, fit), proven=True)
            return


def _unpooled(head: Head) -> bool:
    """True if the source shows the backbone's feature map reach the output with all its axes."""
    return head.feature_map is True and all(kind in KEEPS_RANK for kind in head.kinds)


def _classifies(program: Program) -> bool:
    """True if the losses are of classes, and nothing speaks of labels for every pixel."""
    losses = {compiled.loss_name for compiled in program.compiles}
    return bool(losses) and losses <= _LOSSES and not _MASKS.search(program.text)


def _answers_everywhere(fit: FitSeen) -> bool:
    """True if the output has height and width and the labels have not."""
    shape = fit.model.output_shape
    labels = fit.training.label_shape if fit.training else None
    loss = fit.compiled.loss if fit.compiled else None
    return (
        shape is not None
        and len(shape) == 4
        and labels is not None
        and len(labels) <= 2
        and loss in _LOSSES
    )


def _seen(case: Case, fit: FitSeen) -> Evidence:
    shape, labels = fit.model.output_shape or (), fit.training.label_shape if fit.training else ()
    summary = f"the model's output has the shape {shape}, its labels {labels}"
    if (message := crash_matches(case, *_MESSAGES)) is not None:
        summary += f"; the program stopped with: {message[:200]}"
    measured = Measurement(name="axes of the output", value=len(shape), threshold=2)
    return Evidence(source="probe", summary=summary, measured=(measured,))


def _listed(head: Head) -> str:
    return ", ".join(dict.fromkeys(head.kinds))


def _finding(case: Case, head: Head | None, evidence: Evidence, *, proven: bool) -> Finding:
    crashed = crash_matches(case, *_MESSAGES) is not None
    return Finding(
        severity="error" if proven else "warning",
        confidence="certain" if proven else "likely",
        site=None if head is None else head.output.made.site,
        evidence=(evidence,),
        explains=explained(case, "crash") if crashed else (),
        remedy=None if head is None else _remedy(case.program, head),
        advice=_ADVICE,
    )


def _remedy(program: Program, head: Head) -> Remedy:
    made = head.backbone.call
    place = place_of(head.backbone.module, "pooling")
    if head.backbone.library == "keras" and _only_use(program, head):
        return Remedy(
            "set_argument",
            "pool the backbone's features over the image",
            {made.site.path: {"edits": [set_argument(made, "pooling", place, '"avg"')]}},
        )
    before = insertion(head, head.layers[0])
    return Remedy(
        "insert_layers",
        "pool the backbone's features over the image",
        {
            before.path: {
                "before": {"start": position(before), "end": end(before)},
                "layers": [{"symbol": "layers.GlobalAveragePooling2D", "arguments": ""}],
            }
        },
    )


def _only_use(program: Program, head: Head) -> bool:
    """True if nothing but this head sees the shape of what the backbone gives."""
    backbone = head.backbone
    if len(backbone.uses) != 1:
        return False
    name = backbone.variable
    if name is None:
        return True
    text = "\n".join(line.split("#", 1)[0] for line in program.text.splitlines())
    uses = list(re.finditer(rf"(?<![\w.]){re.escape(name)}\b", text))
    outputs = len(re.findall(rf"(?<![\w.]){re.escape(name)}\.output\b(?!_)", text))
    return outputs <= 1 and all(_HARMLESS.match(text, use.end()) for use in uses)


_SICK = """\
from tensorflow import keras
from tensorflow.keras import layers

base = keras.applications.VGG16(weights="imagenet", include_top=False, input_shape=(224, 224, 3))
base.trainable = False
model = keras.Sequential([base, layers.Dense(256, activation="relu"), layers.Dense(5)])
model.compile(
    optimizer="adam",
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(train_ds, validation_data=val_ds, epochs=5)
"""

CAUSE = CauseSpec(
    id="pooling-missing",
    code="TL210",
    title="The classifier is applied to a feature map",
    what=(
        "A backbone without its top gives a feature map, height by width by channels. `Dense` "
        "layers act on the last axis only, so the model's output is a map of answers too, where "
        "the labels are one per image."
    ),
    why=(
        "The loss compares tensors of different rank and stops the program (`must have the same "
        "rank (ndim)`), or, in older Keras, compares them by broadcasting."
    ),
    sources=(
        "https://keras.io/api/applications/",
        "https://keras.io/api/layers/core_layers/dense/",
        "https://keras.io/guides/transfer_learning/",
    ),
    find=_find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace("[base, ", "[base, layers.GlobalAveragePooling2D(), ").replace(
            'layers.Dense(256, activation="relu"), ', ""
        ),
        cured=_SICK.replace("(224, 224, 3))", '(224, 224, 3), pooling="avg")'),
    ),
)
