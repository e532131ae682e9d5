"""The public catalogue: every id and code, whether tlfix finds the cause yet or not.

Ids and codes do not change once they are here. Codes say where in the way of the data the cause
sits: TL1 input, TL2 labels and head, TL3 data, TL4 fine-tuning, TL5 optimisation, TL9 API.
"""

from __future__ import annotations

from dataclasses import dataclass

from tlfix.causes import registry

CATALOGUE: tuple[tuple[str, str, str], ...] = (
    ("preprocessing-missing", "TL101", "The backbone gets raw pixels"),
    ("preprocessing-mismatch", "TL102", "Images are scaled another way than the backbone expects"),
    ("preprocessing-double", "TL103", "Images are scaled twice"),
    ("preprocessing-differs", "TL104", "Training, validation or prediction scale images unlike"),
    ("channel-order", "TL105", "The colour channels are in the wrong order"),
    ("target-size-mismatch", "TL106", "Image sizes differ between pipelines or from the backbone"),
    ("input-size-unsuitable", "TL107", "The image size does not suit the backbone"),
    ("inputs-degenerate", "TL108", "Images are blank, constant, NaN or identical"),
    ("class-mode-loss-mismatch", "TL201", "The label encoding does not fit the loss"),
    ("labels-out-of-range", "TL202", "Labels lie outside the range of the output units"),
    ("head-units-mismatch", "TL203", "The output units are not the number of classes"),
    ("activation-loss-mismatch", "TL204", "The last activation does not fit the loss"),
    ("class-order-mismatch", "TL205", "Classes are numbered differently between splits"),
    ("labels-misaligned", "TL206", "Images and labels are paired wrongly"),
    ("labels-single-class", "TL207", "Only one class reaches training"),
    ("head-too-weak", "TL208", "One linear layer underfits features that a small MLP separates"),
    ("head-overfits", "TL209", "The head has too many parameters for the data"),
    ("pooling-missing", "TL210", "The classifier is applied to a feature map"),
    ("class-imbalance", "TL301", "Skewed classes pull predictions to the majority"),
    ("class-weight-invalid", "TL302", "class_weight is malformed or ignored"),
    ("unshuffled-training-data", "TL303", "Training batches hold one class at a time"),
    ("ordered-validation-split", "TL304", "validation_split cuts ordered data"),
    ("augmentation-missing", "TL305", "Small data overfit without augmentation"),
    ("augmentation-on-validation", "TL306", "Validation or test images are augmented"),
    ("augmentation-destructive", "TL307", "Augmentation is too strong to learn from"),
    ("train-validation-overlap", "TL308", "The same images are in both splits"),
    ("evaluation-shuffled", "TL309", "Predictions of shuffled data are compared in order"),
    ("steps-misconfigured", "TL310", "Step counts starve or exhaust the data"),
    ("pixels-oversampled", "TL311", "SMOTE or the like interpolates between pixels"),
    ("evaluation-on-training-data", "TL312", "Validation metrics are computed on training images"),
    ("cross-validation-reuse", "TL313", "K-fold trains the same model object in every fold"),
    ("backbone-unfrozen", "TL401", "The whole backbone trains from the first step"),
    ("backbone-frozen-only", "TL402", "A frozen backbone underfits a distant domain"),
    ("nothing-trainable", "TL403", "No weight is trainable, or the head is frozen too"),
    ("freeze-without-compile", "TL404", "trainable is changed without the compile that it needs"),
    ("batchnorm-training-mode", "TL405", "BatchNorm updates its statistics while fine-tuning"),
    ("batchnorm-statistics-stale", "TL406", "BatchNorm's moving statistics lag behind"),
    ("batchnorm-frozen-shift", "TL407", "Frozen BatchNorm statistics are far from this data"),
    ("weights-random", "TL408", "The backbone is random where a pretrained one was meant"),
    ("learning-rate-high", "TL501", "The learning rate is too high for this stage"),
    ("learning-rate-low", "TL502", "The learning rate is so low that nothing moves"),
    ("too-few-epochs", "TL503", "Training ends while it is still improving fast"),
    ("callbacks-misconfigured", "TL504", "A callback watches what does not exist, or is missing"),
    ("gradients-unhealthy", "TL505", "Gradients vanish, explode or are NaN"),
    ("optimizer-unused", "TL506", "The configured optimizer is not the one compiled"),
    ("removed-api", "TL901", "The script calls what current TensorFlow or Keras removed"),
    ("tokenizer-not-fitted", "TL902", "The tokenizer is used before it is fitted"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row. ``implemented`` is false for a cause that is named and not yet looked for."""

    id: str
    code: str
    title: str
    implemented: bool


def entries() -> tuple[Entry, ...]:
    """The catalogue with the titles of the causes that are there, and third parties' causes."""
    specs = {spec.id: spec for spec in registry.load()}
    rows = {id_: (code, title) for id_, code, title in CATALOGUE}
    rows |= {spec.id: (spec.code, spec.title) for spec in specs.values()}
    found = (Entry(id_, code, title, id_ in specs) for id_, (code, title) in rows.items())
    return tuple(sorted(found, key=lambda entry: entry.code))
