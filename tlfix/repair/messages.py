"""Commit messages: the cause, its evidence with numbers, the measured effect, what to review."""

from __future__ import annotations

import re
import textwrap
from importlib import resources

from tlfix.causes.spec import Remedy
from tlfix.findings import Cause, Evidence, Measurement
from tlfix.repair.selection import Kept
from tlfix.repair.verification import in_words

_SUBJECT = 72
_BODY = 72
# Where a summary can end early and still say what is done.
_CLAUSE = re.compile(
    r"[:;] | \(|, (?:which|with|then|so|not)\b"
    r"| (?:and build|before|in (?!one )|instead of|so that|where|while)\b"
)
_REVIEW = {
    "none": "Review: none needed beyond reading the diff.",
    "cursory": "Review: a quick look that the change stands in the right place.",
    "careful": "Review: careful, the change alters how the model is trained.",
}


def commit_message(kept: Kept) -> str:
    """The message of the commit that brings ``kept``; its subject has at most 72 characters."""
    # Imported late: only a repair that writes commits has use for it.
    from jinja2 import Environment, StrictUndefined

    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    environment.filters["wrapped"] = lambda text: textwrap.fill(" ".join(text.split()), _BODY)
    environment.filters["bulleted"] = lambda text: textwrap.fill(
        " ".join(text.split()), _BODY, initial_indent="- ", subsequent_indent="  "
    )
    source = resources.files("tlfix.templates").joinpath("commit_message.j2").read_text("utf-8")
    cause, remedies = kept.step.cause, kept.step.remedies
    reviews = sorted({remedy.review for remedy in remedies}, key=list(_REVIEW).index)
    summaries = dict.fromkeys(_sentence(remedy.summary) for remedy in remedies)
    return environment.from_string(source).render(
        subject=_subject(cause, remedies[0]),
        title=f"{cause.title.rstrip('.')} ({cause.code}, {cause.severity}, {cause.confidence}).",
        evidence=[_evidence(each) for each in cause.evidence],
        effect=_effect(kept),
        changes=f"Codemod {kept.step.codemod}: {' '.join(summaries)}",
        review=_REVIEW[reviews[-1]],
    )


def _subject(cause: Cause, remedy: Remedy) -> str:
    """``fix(cause): what is done``, with as many whole clauses of the summary as there is room for.

    Where not even the first has room, what was wrong says it, or the codemod's name in words.
    """
    words = remedy.codemod.replace("_", " ")
    for short in (*_clauses(remedy.summary), *_clauses(cause.title), words):
        subject = f"fix({cause.id}): {short}"
        if short and len(subject) <= _SUBJECT:
            return subject
    return f"fix({cause.id})"[:_SUBJECT]


def _clauses(text: str) -> list[str]:
    """The text and its beginnings that can stand alone, the longest first."""
    text = " ".join(text.split()).rstrip(".")
    return [text, *(text[: match.start()] for match in reversed([*_CLAUSE.finditer(text)]))]


def _evidence(evidence: Evidence) -> str:
    numbers = ", ".join(_number(each) for each in evidence.measured if each.value is not None)
    return f"{evidence.source}: {evidence.summary}" + (f" [{numbers}]" if numbers else "")


def _number(measured: Measurement) -> str:
    unit = f" {measured.unit}" if measured.unit else ""
    notes = []
    if measured.threshold is not None:
        notes.append(f"against {measured.threshold:.4g}")
    if measured.n is not None:
        notes.append(f"n = {measured.n}")
    aside = f" ({', '.join(notes)})" if notes else ""
    return f"{measured.name} {measured.value:.4g}{unit}{aside}"


def _effect(kept: Kept) -> str:
    if kept.effect is None:
        return "Effect: not measured."
    note = f" ({kept.note})" if kept.note else ""
    return f"Effect: {_sentence(in_words(kept.effect) + note)}"


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else f"{text}."
