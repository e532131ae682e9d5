"""The script raised."""

from __future__ import annotations

from tlfix.findings import Measurement, Symptom
from tlfix.probe import last_words
from tlfix.probe.trace import Trace
from tlfix.symptoms.spec import SymptomSpec

LONGEST = 300
"""Characters of the exception's message that a summary repeats; the traceback has the rest."""

_WHEN = {
    "import": "while importing",
    "build": "before training",
    "fit": "during training",
    "after": "after training",
}


def measure(trace: Trace) -> Symptom | None:
    """An exception that left the user's script, with the user's innermost line."""
    crash = trace.crash
    if crash is None:
        return None
    where = f" at line {crash.site.line}" if crash.site else ""
    message = last_words.message(crash.message)
    if len(message) > LONGEST:
        message = message[: LONGEST - 1].rstrip() + "…"
    summary = f"{crash.type} {_WHEN[crash.during]}{where}"
    return Symptom(
        id="crash",
        severity="error",
        summary=f"{summary}: {message}" if message else summary,
        measured=(Measurement(name="training steps before it", value=trace.steps),),
    )


SYMPTOM = SymptomSpec(
    id="crash",
    title="The script raises an exception",
    what="The script raised before, during or after training; nothing else of it can be trusted.",
    source="The traceback itself; no threshold.",
    measure=measure,
)
