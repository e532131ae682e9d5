"""Traces of one ``fit`` as the probe records them, for the tests of labels, heads and classes."""

from __future__ import annotations

from tlfix.causes.spec import Case
from tlfix.probe.trace import (
    CompileSeen,
    Crash,
    DataSeen,
    Environment,
    Evaluation,
    FitSeen,
    LayerSeen,
    ModelSeen,
    PipelineSeen,
    Place,
    Step,
    Trace,
)
from tlfix.program.reader import read

PATH = "train.py"


def line_of(source: str, text: str) -> int:
    """The line, from 1, where ``text`` first stands."""
    return source[: source.index(text)].count("\n") + 1


def place(source: str, text: str) -> Place:
    return Place(path=PATH, line=line_of(source, text))


def data(split: str, source: str, loader: str | None = None, **seen: object) -> DataSeen:
    """Labels of ``split``; ``loader`` is text on the line of the call that loads them."""
    sites = (PipelineSeen(kind="flow", site=place(source, loader)),) if loader else ()
    return DataSeen.model_validate({"split": split, "kind": "array", "sites": sites} | seen)


def fit(
    source: str,
    *,
    labels: DataSeen | None = None,
    validation: DataSeen | None = None,
    units: int | None = None,
    activation: str | None = None,
    loss: str | None = None,
    from_logits: bool | None = None,
    steps: int = 0,
    confusion: tuple[tuple[int, ...], ...] | None = None,
    **more: object,
) -> FitSeen:
    evaluations = ()
    if confusion is not None:
        n = sum(sum(row) for row in confusion)
        evaluations = (
            Evaluation(
                split="validation", mode="inference", when="after", n=n, confusion=confusion
            ),
        )
    layer = None
    if units is not None:
        layer = LayerSeen(name="out", kind="Dense", units=units, activation=activation)
    fields = {
        "index": 0,
        "site": place(source, "model.fit"),
        "model": ModelSeen(key=0, kind="sequential", output=layer),
        "compiled": CompileSeen(
            site=place(source, "model.compile"), loss=loss, from_logits=from_logits
        ),
        "training": labels,
        "validation": validation,
        "steps": tuple(Step(step=i, epoch=0, loss=1.0) for i in range(steps)),
        "evaluations": evaluations,
    }
    return FitSeen.model_validate(fields | more)


def case(
    source: str,
    *fits: FitSeen,
    crash: str | None = None,
    crash_line: int | None = None,
    keras: str = "3.15.0",
    backend: str = "tensorflow",
) -> Case:
    """``source`` with a trace of ``fits``; without any fit or crash, no trace at all."""
    program = read(source, PATH)
    if not fits and crash is None:
        return Case(program)
    where = Place(path=PATH, line=crash_line) if crash_line else None
    return Case(
        program,
        Trace(
            status="crashed" if crash else "completed",
            environment=Environment(python="3.11", keras=keras, backend=backend),
            fits=fits,
            crash=Crash(type="ValueError", message=crash, site=where) if crash else None,
        ),
    )
