"""Training batches hold one class at a time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence.edits import end, explained, merged, position, set_argument
from tlfix.evidence.flows import SHUFFLE, keeps_order, predictions_on, shuffles, stage_names
from tlfix.evidence.harm import reaches_reference, shortfall
from tlfix.evidence.tasks import Task, tasks
from tlfix.findings import Evidence, Measurement
from tlfix.probe.trace import DataSeen
from tlfix.program.model import Program, Source

ALPHA = 1e-4
"""The level of the runs test. Shuffled data fail it once in ten thousand programs; data in order
of class fail it beyond any level."""

CLUMPING = 0.5
"""Share (0..1) of the way from mixed batches to batches of a single class that is called one class
at a time. Halfway, a batch of 32 has about 16 images of one class beyond its fair share."""

FEWEST = 64
"""Labels in a row that are needed to judge their order."""

BATCHES = 3
"""Batches that are needed: the order inside one batch has no effect on its gradient."""

_SYMPTOMS = (
    "loss-not-finite",
    "loss-diverging",
    "unstable-loss",
    "chance-validation",
    "chance-accuracy",
    "single-class-predictions",
    "slow-learning",
)
_CLASS_FOLDERS = ("flow_from_directory", "image_dataset_from_directory")


@dataclass(frozen=True)
class Order:
    """How the classes follow each other.

    ``repeats`` of ``n - 1`` neighbours are of one class, ``expected`` if the same labels came in
    random order, with the p-value of that; ``purity`` is the mean share of a batch's largest class
    and ``fair`` that of the largest class of all (both 0..1).
    """

    n: int
    repeats: int
    expected: float
    p: float
    purity: float
    fair: float

    @property
    def one_class_at_a_time(self) -> bool:
        """Far more neighbours alike than chance would have, and batches nearly of one class."""
        return (
            self.p < ALPHA
            and self.purity - self.fair >= CLUMPING * (1 - self.fair)
            and self.repeats - self.expected >= CLUMPING * (self.n - 1 - self.expected)
        )


def order_of(
    labels: Sequence[int], batch: int | None, histogram: dict[int, int] | None = None
) -> Order | None:
    """The order of ``labels``, None if they are too few to tell.

    The p-value is that of the runs test for several classes (Barton & David 1957, Biometrika 44,
    168): the number of runs is nearly normal. Where all labels are of one class, ``histogram``
    (images of each class in the whole data) gives the chance of drawing so many of it in a row.
    """
    n, size = len(labels), batch or 32
    if n < FEWEST or n < BATCHES * size:
        return None
    counts = Counter(labels)
    repeats = sum(a == b for a, b in pairwise(labels))
    whole = {c: k for c, k in (histogram or {}).items() if k > 0} if len(counts) == 1 else counts
    total = sum(whole.values())
    if len(whole) < 2 or total < n:
        return None
    if len(counts) == 1:
        own = whole.get(labels[0], 0)
        expected = (n - 1) * sum(k * (k - 1) for k in whole.values()) / (total * (total - 1))
        p = math.exp(_log_choose(own, n) - _log_choose(total, n)) if own >= n else 1.0
    else:
        expected, p = _runs(n, repeats, list(counts.values()))
    parts = [Counter(labels[i : i + size]) for i in range(0, n - size + 1, size)]
    purity = sum(max(part.values()) / size for part in parts) / len(parts)
    return Order(n, repeats, expected, p, purity, max(whole.values()) / total)


def _runs(n: int, repeats: int, counts: list[int]) -> tuple[float, float]:
    """The expected number of repeats, and the p-value that random order has as many."""
    squares, cubes = sum(k**2 for k in counts), sum(k**3 for k in counts)
    expected = (squares - n) / n
    variance = (squares * (squares + n * (n + 1)) - 2 * n * cubes - n**3) / (n**2 * (n - 1))
    if variance <= 0:
        return expected, 1.0
    return expected, 0.5 * math.erfc((repeats - expected) / math.sqrt(2 * variance))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def find(case: Case) -> Iterable[Finding]:
    """One finding for every ``fit`` whose batches are of one class at a time."""
    for task in tasks(case):
        source = _source(task)
        data = task.seen.training if task.seen is not None else None
        if data is not None and data.order and _fed_in_order(task, data):
            batch = data.batch_size
            whole = data.histogram if data.histogram_of == "all" else None
            order = order_of(data.order, batch, whole)
            if order is not None and order.one_class_at_a_time:
                yield _finding(case, task, source, _measured(order, batch))
            # The order was seen: what the source says of it is of no more interest.
        elif source is not None and (data is None or data.shuffled is not True):
            stated = _stated(source)
            if stated is not None:
                yield _finding(case, task, source, stated)


def _source(task: Task) -> Source | None:
    if task.fit is not None and len(task.fit.training) == 1:
        return task.fit.training[0]
    return task.training.source if task.training is not None else None


def _fed_in_order(task: Task, data: DataSeen) -> bool:
    """True unless ``fit`` shuffles what was recorded: arrays, unless it is told not to."""
    return data.kind != "arrays" or data.shuffled is False or _fit_keeps_order(task)


def _fit_keeps_order(task: Task) -> bool:
    return task.fit is not None and task.fit.call.constant("shuffle", 8, True) is False


def _stated(source: Source) -> Evidence | None:
    """What the source alone makes certain: files in order of their class folders, unshuffled."""
    if source.kind not in _CLASS_FOLDERS or shuffles(source) is not False:
        return None
    mode = source.call.constant("class_mode", 4, "categorical")
    if source.kind == "image_dataset_from_directory":
        mode = source.call.constant("label_mode", 2, "int")
    if mode in (None, "input") or not keeps_order(source):
        return None
    return Evidence(
        source="static",
        summary=f"{source.kind}(shuffle=False) gives the files class folder by class folder, and "
        "feeds the training",
    )


def _measured(order: Order, batch: int | None) -> Evidence:
    return Evidence(
        source="probe",
        summary=(
            f"{order.repeats} of {order.n - 1} neighbouring training labels are alike, where a "
            f"random order has {order.expected:.0f}; the largest class of a batch holds "
            f"{order.purity:.0%} of it on average"
        ),
        measured=(
            Measurement(
                name="neighbours of one class",
                value=round(order.repeats / (order.n - 1), 4),
                threshold=round(order.expected / (order.n - 1), 4),
                n=order.n - 1,
            ),
            Measurement(name="p", value=order.p, threshold=ALPHA, n=order.n),
            Measurement(
                name="largest class in a batch",
                value=round(order.purity, 4),
                threshold=round(order.fair + CLUMPING * (1 - order.fair), 4),
                n=order.n // (batch or 32),
            ),
        ),
    )


def _finding(case: Case, task: Task, source: Source | None, shown: Evidence) -> Finding:
    """A warning, unless the model learned all the same what its features can do."""
    harmless = task.seen is not None and reaches_reference(task.seen)
    loss = shortfall(task.seen) if task.seen is not None else None
    lost = loss if loss is not None and loss.significant else None
    remedy = _remedy(case.program, task, source)
    return Finding(
        severity="note" if harmless else "warning",
        confidence="certain" if shown.source == "probe" else "likely",
        site=source.call.site if source is not None else task.site,
        evidence=(shown,) if lost is None else (shown, lost.evidence),
        explains=() if harmless else explained(case, *_SYMPTOMS),
        remedy=remedy,
        advice=None
        if remedy
        else "shuffle the training data (not the labels alone) before they are batched, "
        "with a buffer as large as the data where that fits in memory",
        cost=None if lost is None else lost.points,
    )


def _remedy(program: Program, task: Task, source: Source | None) -> Remedy | None:
    summary = "shuffle the training data"
    if task.fit is not None and _fit_keeps_order(task):
        call = task.fit.call
        edit = set_argument(call, "shuffle", 8, "True")
        return merged("set_argument", summary, [(call.site.path, edit)], "cursory")
    if source is None:
        return None
    call = source.call
    if source.kind in SHUFFLE and shuffles(source) is False:
        split = call.constant("validation_split") is not None
        # A split of shuffled files needs one order on both sides; a prediction needs a known one.
        if (split and source.kind not in ("flow_from_directory", "flow_from_dataframe")) or any(
            predictions_on(program, source)
        ):
            return None
        edit = set_argument(call, "shuffle", SHUFFLE[source.kind][0], "True")
        return merged("set_argument", summary, [(call.site.path, edit)], "cursory")
    return _stage(program, task, source)


def _stage(program: Program, task: Task, source: Source) -> Remedy | None:
    """``shuffle`` before the one ``batch`` that only the training data go through."""
    assert task.fit is None or source in task.fit.training or task.fit.training == ()
    batches = [stage for stage in source.stages if stage.name.endswith(".batch")]
    names = stage_names(source)
    shared = {
        stage.site
        for other in program.sources
        if other.split != "training"
        for stage in other.stages
    }
    if len(batches) != 1 or batches[0].site in shared or "shuffle" in names:
        return None
    buffer = _buffer(task, source)
    if buffer is None:
        return None
    site = batches[0].site
    return Remedy(
        codemod="shuffle_dataset",
        summary="shuffle the training data before they are batched",
        edits={site.path: {"batch": position(site), "end": end(site), "buffer": buffer}},
        review="cursory",
    )


def _buffer(task: Task, source: Source) -> str | None:
    """How many elements to shuffle among: all of them, as the source or the probe counts them."""
    data = task.seen.training if task.seen is not None else None
    given = source.call.argument("tensors", 0)
    if source.kind == "from_tensor_slices" and given is not None:
        first = given.text.strip("()").split(",")[0].strip()
        if first.isidentifier():
            return f"len({first})"
    if data is not None and data.samples:
        return str(data.samples)
    return None


_SICK = """\
import tensorflow as tf
from tensorflow.keras.preprocessing.image import ImageDataGenerator

preprocess = tf.keras.applications.mobilenet_v2.preprocess_input
datagen = ImageDataGenerator(preprocessing_function=preprocess)
train = datagen.flow_from_directory("data/train", target_size=(96, 96), shuffle=False)
valid = datagen.flow_from_directory("data/valid", target_size=(96, 96), shuffle=False)

base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(3, activation="softmax")])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=valid, epochs=5)
"""
_CURED = _SICK.replace(
    '"data/train", target_size=(96, 96), shuffle=False',
    '"data/train", target_size=(96, 96), shuffle=True',
)

CAUSE = CauseSpec(
    id="unshuffled-training-data",
    code="TL303",
    title="Training batches hold one class at a time",
    what=(
        "The training images arrive in order of their class: from class folders without shuffling, "
        "from arrays with `fit(shuffle=False)`, or from a `tf.data` pipeline without `shuffle` "
        "(or with a buffer smaller than a class). Whole batches are then of one class."
    ),
    why=(
        "The gradient of a batch of one class only raises that class's bias. The network learns to "
        "name whatever class came last and forgets the others; BatchNorm statistics follow. "
        "Bengio 2012 (section 2.1) and Bottou 2012 both make shuffled examples a condition of "
        "stochastic gradient descent."
    ),
    sources=(
        "https://arxiv.org/abs/1206.5533",
        "https://www.tensorflow.org/api_docs/python/tf/data/Dataset#shuffle",
        "https://doi.org/10.1007/978-3-642-35289-8_25",
    ),
    find=find,
    examples=Examples(sick=_SICK, healthy=_CURED, cured=_CURED),
)
