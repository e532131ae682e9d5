"""TL506: an optimizer is configured and bound to a name that nothing uses."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence import tuning
from tlfix.evidence.edits import explained, set_argument
from tlfix.findings import Evidence, Measurement
from tlfix.probe.trace import FitSeen, Trace
from tlfix.program.model import Call, Compile, Program

_EXPLAINS = ("slow-learning", "flat-loss", "loss-diverging", "unstable-loss", "loss-not-finite")
# Ways to reach a name that the source does not show.
_HIDDEN = frozenset({"globals", "locals", "vars", "eval", "exec", "getattr"})
_OTHERS = frozenset({"get", "deserialize", "serialize", "LossScaleOptimizer"})


@dataclass(frozen=True)
class _Names:
    """How often each name is read, and on which lines a plain name is bound to a call."""

    read: frozenset[str]
    bound: frozenset[tuple[str, int]]


def _find(case: Case) -> Iterator[Finding]:
    names = _names(case.program)
    if names is None:
        return
    found = [
        (made, compiled)
        for made in _unused(case.program, names)
        if (compiled := _meant(case.program, made)) is not None
    ]
    for made, compiled in found:
        rivals = [other for other, same in found if same is compiled and other is not made]
        if case.trace is not None and _in_force(case.trace, case.program, made, compiled):
            continue
        yield _finding(case, made, compiled, alone=not rivals)


def _names(program: Program) -> _Names | None:
    """The names of the program, or None where names can be reached unseen."""
    try:
        tree = ast.parse(program.text)
    except (SyntaxError, ValueError):
        return None
    read: set[str] = set()
    bound: set[tuple[str, int]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            read.add(node.id)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            read.update(node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # `__all__`, or a name that is looked up by its text.
            read.add(node.value)
        elif (
            isinstance(node, ast.Assign)
            and len(node.targets) == 1
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Call)
        ):
            bound.add((node.targets[0].id, node.value.lineno))
    return None if read & _HIDDEN else _Names(frozenset(read), frozenset(bound))


def _unused(program: Program, names: _Names) -> Iterator[Call]:
    for call in program.calls:
        area, _, last = call.name.rpartition(".")
        if (
            area in ("keras.optimizers", "keras.optimizers.legacy")
            and last[:1].isupper()
            and last not in _OTHERS
            and len(call.targets) == 1
            and call.targets[0] not in names.read
            and (call.targets[0], call.site.line) in names.bound
            and not call.in_loop
        ):
            yield call


def _meant(program: Program, made: Call) -> Compile | None:
    """The next ``compile`` that can see the optimizer's name."""
    later = [
        compiled
        for compiled in program.compiles
        if compiled.call.scope == made.scope
        and tuning.start(compiled.call.site) > tuning.start(made.site)
        and compiled.call.argument("**") is None
    ]
    return min(later, key=lambda c: tuning.start(c.call.site), default=None)


def _in_force(trace: Trace, program: Program, made: Call, compiled: Compile) -> bool:
    """True if a fit ran with an optimizer of this kind and rate after all."""
    family, rate = _configured(made)
    return any(
        fit.compiled is not None
        and (fit.compiled.optimizer or "").lower() == family
        and fit.compiled.learning_rate is not None
        and rate is not None
        and abs(fit.compiled.learning_rate - rate) <= 1e-6 * max(rate, 1e-12)
        for fit in trace.fits
        if tuning.static_compile(program, fit) is compiled
    )


def _configured(made: Call) -> tuple[str, float | None]:
    """Family (lower case) and rate of an optimizer; the rate is None where it is not constant."""
    family = made.name.rsplit(".", 1)[-1].lower()
    given = made.argument("learning_rate", 0) or made.argument("lr")
    if given is None:
        return family, tuning.default_rate(family)
    value = given.value
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return family, float(value) if known else None  # type: ignore[arg-type]


def _finding(case: Case, made: Call, compiled: Compile, *, alone: bool) -> Finding:
    name = made.targets[0]
    used, by_name = _used(compiled)
    own = _configured(made)
    # Built without settings and named again as a string: the same thing twice.
    same = not made.positional and not made.keywords and used == f'"{own[0]}"'
    fit = _fit(case, compiled)
    evidence = [
        Evidence(
            source="static",
            summary=(
                f"`{name}`, {made.name.rsplit('.', 1)[-1]} of line {made.site.line}, is never "
                f"used; the compile at line {compiled.call.site.line} gets {used}"
            ),
        )
    ]
    if fit is not None and fit.compiled is not None and fit.compiled.learning_rate is not None:
        rate = fit.compiled.learning_rate
        evidence.append(
            Evidence(
                source="probe",
                summary=f"the model trained with {fit.compiled.optimizer} at a rate of {rate:g}",
                measured=(Measurement(name="learning_rate", value=rate, threshold=own[1]),),
            )
        )
    clear = not by_name and not same
    edit = set_argument(compiled.call, "optimizer", 0, name)
    return Finding(
        severity="warning" if clear else "note",
        confidence="certain" if clear and alone else "possible",
        site=made.site,
        evidence=tuple(evidence),
        explains=explained(case, *_EXPLAINS) if clear else (),
        remedy=Remedy(
            "set_argument",
            f"compile with `{name}`",
            {compiled.call.site.path: {"edits": [edit]}},
        )
        if clear and alone
        else None,
        advice=f"give `{name}` to compile, or remove it",
    )


def _used(compiled: Compile) -> tuple[str, bool]:
    """What ``compile`` gets, and whether that is another object, chosen by name."""
    given = compiled.optimizer
    if given is None:
        return 'no optimizer, which means "rmsprop"', False
    if isinstance(given.value, str):
        return f'"{given.value.lower()}"', not given.text.strip().startswith(("'", '"'))
    inline = given.call is not None and given.call.site == given.site
    return f"`{given.text}`", not inline


def _fit(case: Case, compiled: Compile) -> FitSeen | None:
    fits = case.trace.fits if case.trace else ()
    return next((f for f in fits if tuning.static_compile(case.program, f) is compiled), None)


_SICK = """\
from tensorflow import keras

base = keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
model = keras.Sequential([base, keras.layers.Dense(5, activation="softmax")])
opt = keras.optimizers.Adam(learning_rate=1e-5)
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train_ds, validation_data=val_ds, epochs=5)
"""
_CURED = _SICK.replace('"adam"', "opt")

CAUSE = CauseSpec(
    id="optimizer-unused",
    code="TL506",
    title="The configured optimizer is not the one compiled",
    what=(
        "An optimizer is built with its own settings and bound to a name that nothing reads, and "
        "`compile` gets a string or another optimizer."
    ),
    why=(
        "A string stands for the optimizer's defaults: the learning rate, momentum or clipping "
        "that was chosen has no effect. Adam's default rate of 0.001, where 1e-5 was meant, "
        "overwrites a pretrained backbone within an epoch."
    ),
    sources=("https://keras.io/api/optimizers/", "https://keras.io/guides/transfer_learning/"),
    find=_find,
    examples=Examples(sick=_SICK, healthy=_CURED, cured=_CURED),
)
