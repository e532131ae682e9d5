"""Pipelines deliver images of different sizes, or of another size than the backbone takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence.edits import explained, position
from tlfix.findings import Evidence, Measurement
from tlfix.program.model import Argument, Backbone, Call, Program, Site

_KEYWORDS = {
    # Function: the size's keyword, its place, and Keras' default.
    "flow_from_directory": ("target_size", 1, (256, 256)),
    "flow_from_dataframe": ("target_size", 4, (256, 256)),
    "image_dataset_from_directory": ("image_size", 7, (256, 256)),
}
Size = tuple[int, int]
_CRASH = re.compile(
    r"expected shape=\((?:None|\d+), (\d+), (\d+), \d+\), found shape=\((?:None|\d+), (\d+), (\d+),"
)


def find(case: Case) -> Iterable[Finding]:
    """At most one finding: the pipelines whose size is not that of the model."""
    loaders = tuple(_loaders(case.program))
    crashed = _crash(case)
    sizes = {size for _, _, size in loaders if size is not None}
    wanted = _wanted(case.program) or (crashed[0] if crashed else None)
    if wanted is None and crashed is None:
        yield from _disagreeing(case, loaders)
        return
    if wanted is None:
        return
    wrong = [row for row in loaders if row[2] is not None and row[2] != wanted]
    seen = _seen(case, wanted)
    if not wrong and not crashed:
        return
    if not crashed and not seen and _resizes(case.program):
        return
    if case.trace is not None and case.trace.fits and not crashed and not seen:
        # The probe ran these pipelines and every shape fitted: something resizes behind them.
        return
    if not wrong and sizes and crashed is not None and crashed[0] != wanted:
        return
    evidence = [*_static(wrong, wanted), *seen]
    if crashed is not None:
        evidence.append(
            Evidence(
                source="probe",
                summary=f"the run stopped: the model takes {_text(crashed[0])} and was given "
                f"{_text(crashed[1])}",
            )
        )
    yield Finding(
        severity="error" if crashed or seen else "warning",
        confidence="certain" if crashed or seen else "likely",
        site=wrong[0][0].site if wrong else _crash_site(case),
        evidence=tuple(evidence),
        explains=explained(
            case, *(("crash",) if crashed else ()), "zero-accuracy", "chance-validation"
        ),
        remedy=_remedy(case.program, wrong, wanted),
        advice=f"load or resize the images of every split to {_text(wanted)}, the model's input",
    )


def _disagreeing(
    case: Case, loaders: tuple[tuple[Call, str, Size | None], ...]
) -> Iterator[Finding]:
    """A model that takes any size: splits of different sizes run, but see other scales."""
    training = {s.call.site for fit in case.program.fits for s in fit.training}
    first = next((size for call, _, size in loaders if call.site in training and size), None)
    fed = {s.call.site for fit in case.program.fits for s in (*fit.training, *fit.validation)}
    wrong = [row for row in loaders if row[2] not in (None, first) and row[0].site in fed]
    if first is None or not wrong or not case.program.backbones:
        return
    yield Finding(
        severity="warning",
        confidence="likely",
        site=wrong[0][0].site,
        evidence=tuple(_static(wrong, first)),
        explains=explained(case, "chance-validation"),
        remedy=_remedy(case.program, wrong, first),
        advice=f"load the images of every split at {_text(first)}",
    )


def _resizes(program: Program) -> bool:
    """True if anything behind the loaders may change the size again."""
    return any(program.calls_named("Resizing", "resize", "smart_resize", "resize_with_pad"))


def _loaders(program: Program) -> Iterator[tuple[Call, str, Size | None]]:
    """Every data-loading call with its function and its size, None where not constant."""
    for name, (keyword, place, default) in _KEYWORDS.items():
        for call in program.calls_named(name):
            if any(p.text == "..." for p in call.positional):
                continue
            given = call.argument(keyword, place)
            yield call, name, default if given is None else _size(given.value)


def _wanted(program: Program) -> Size | None:
    """The one size that all backbones take, None if it is free or not known."""
    found = {_input_size(backbone) for backbone in program.backbones}
    return found.pop() if len(found) == 1 else None


def _input_size(backbone: Backbone) -> Size | None:
    # Called on a resized tensor, a backbone says nothing of the images' own size.
    if any(use.kind == "nested" for use in backbone.uses):
        return None
    shape = backbone.input_shape
    if isinstance(shape, tuple | list) and len(shape) == 3:
        return _size(shape[:2])
    return None


def _size(value: object) -> Size | None:
    if isinstance(value, tuple | list) and len(value) == 2:
        height, width = value
        if isinstance(height, int) and isinstance(width, int):
            return height, width
    return None


def _crash(case: Case) -> tuple[Size, Size] | None:
    """The size the model takes and the size it was given, from the crash's message."""
    crash = case.trace.crash if case.trace else None
    match = _CRASH.search(crash.message) if crash else None
    if match is None:
        return None
    a, b, c, d = (int(n) for n in match.groups())
    return None if (a, b) == (c, d) else ((a, b), (c, d))


def _seen(case: Case, wanted: Size) -> list[Evidence]:
    """Splits whose images reached ``fit`` in another size than the model's input."""
    found = []
    for fit in case.trace.fits if case.trace else ():
        takes = fit.model.input_shape
        fixed = takes is not None and len(takes) == 4 and takes[1:3] == wanted
        for data in (fit.training, fit.validation):
            if data is None or len(data.input_shape) != 4 or not fixed:
                continue
            height, width = data.input_shape[1:3]
            if height and width and (height, width) != wanted:
                found.append(
                    Evidence(
                        source="probe",
                        summary=f"the {data.split} images are {_text((height, width))}, the model "
                        f"takes {_text(wanted)}",
                        measured=(
                            Measurement(
                                name="height", value=height, threshold=wanted[0], unit="px"
                            ),
                            Measurement(name="width", value=width, threshold=wanted[1], unit="px"),
                        ),
                    )
                )
    return found


def _crash_site(case: Case) -> Site | None:
    place = case.trace.crash.site if case.trace and case.trace.crash else None
    call = case.program.call_at(place.line) if place is not None else None
    return call.site if call is not None else None


def _static(wrong: list[tuple[Call, str, Size | None]], wanted: Size) -> Iterator[Evidence]:
    for call, name, size in wrong:
        if size is not None:
            yield Evidence(
                source="static",
                summary=f"line {call.site.line}: `{name}` loads {_text(size)}, the model takes "
                f"{_text(wanted)}",
            )


def _remedy(
    program: Program, wrong: list[tuple[Call, str, Size | None]], wanted: Size
) -> Remedy | None:
    """One size for all; a codemod takes one keyword, so mixed loaders are left to the reader."""
    names = {name for _, name, _ in wrong}
    if len(names) != 1:
        return None
    keyword, place, _ = _KEYWORDS[names.pop()]
    parameters: dict[str, object] = {
        "calls": tuple(position(call.site) for call, _, _ in wrong),
        "keyword": keyword,
        "index": place,
        "size": _spelled(program, wrong, keyword, place, wanted),
    }
    return Remedy(
        "align_target_size",
        f"load every split at {_text(wanted)}",
        {program.path: parameters},
    )


def _spelled(
    program: Program,
    wrong: list[tuple[Call, str, Size | None]],
    keyword: str,
    place: int,
    wanted: Size,
) -> str:
    """The size as a pipeline that is right writes it, else in figures."""
    ours = {call.site for call, _, _ in wrong}
    for call, _, size in _loaders(program):
        given: Argument | None = call.argument(keyword, place)
        if call.site not in ours and size == wanted and given is not None:
            return given.text
    return f"({wanted[0]}, {wanted[1]})"


def _text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


_SICK = """\
from tensorflow.keras.applications import MobileNetV2
from tensorflow.keras.applications.mobilenet_v2 import preprocess_input
from tensorflow.keras.layers import Dense, GlobalAveragePooling2D
from tensorflow.keras.models import Model
from tensorflow.keras.preprocessing.image import ImageDataGenerator

datagen = ImageDataGenerator(preprocessing_function=preprocess_input)
train = datagen.flow_from_directory("data/train", target_size=(160, 160), batch_size=32)
test = datagen.flow_from_directory("data/test", target_size=(200, 200), batch_size=32)  # held out

base = MobileNetV2(weights="imagenet", include_top=False, input_shape=(160, 160, 3))
base.trainable = False
x = GlobalAveragePooling2D()(base.output)
model = Model(base.input, Dense(5, activation="softmax")(x))
model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=test, epochs=5)
"""

CAUSE = CauseSpec(
    id="target-size-mismatch",
    code="TL106",
    title="Image sizes differ between the pipelines, or from the model's input",
    what="One data-loading call resizes its images to another `target_size` or `image_size` than "
    "the others, or than the `input_shape` the backbone was built with.",
    why="Keras 3 stops with `expected shape=(None, 160, 160, 3), found shape=(None, 200, 200, 3)` "
    "as soon as the split is used; Keras 2 only warns, and the network meets objects at a scale it "
    "was not trained on. A model without a fixed size runs, with worse features on one split.",
    sources=(
        "https://keras.io/api/data_loading/image/",
        "https://arxiv.org/abs/1906.06423",
    ),
    find=find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace("(200, 200)", "(160, 160)"),
        cured=_SICK.replace("(200, 200)", "(160, 160)"),
    ),
)
