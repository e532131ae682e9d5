"""From findings to ranked causes, each with its patch.

Static facts are enough: ``tlfix check`` ranks without a trace.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from tlfix.causes import registry
from tlfix.causes.spec import Case, CauseSpec, Finding, Remedy
from tlfix.codemods import Declined
from tlfix.findings import Cause, Evidence, Fix, Location
from tlfix.program.model import Site
from tlfix.source import patch, unified_diff
from tlfix.suppression import suppressed

SEVERITIES = ("error", "warning", "note")
CONFIDENCES = ("certain", "likely", "possible")


@dataclass(frozen=True)
class Ranked:
    """A cause in its place, with the finding behind it.

    ``patched`` maps each changed file's path to its whole new text, None without a fix.
    """

    cause: Cause
    finding: Finding
    spec: CauseSpec
    patched: Mapping[str, str] | None


@dataclass(frozen=True)
class Ranking:
    """The causes, strongest first; ``notes`` tell which could not be examined, and why."""

    ranked: tuple[Ranked, ...]
    notes: tuple[str, ...] = ()


def rank(case: Case, texts: Mapping[str, str]) -> tuple[Ranked, ...]:
    """Every cause found in ``case``, ranked. ``texts`` has the source of every file by path."""
    return examine(case, texts).ranked


def examine(
    case: Case,
    texts: Mapping[str, str],
    *,
    specs: Iterable[CauseSpec] | None = None,
    strict: bool = False,
) -> Ranking:
    """Look for every cause and rank what is found.

    The order: causes that explain a crash, then severity, then measured cost, then the order of
    the data's way (input, labels, data, fine-tuning, optimisation, API).

    Args:
        case: the program, and the trace and symptoms where the probe ran.
        texts: the source of every file, by path.
        specs: the causes to look for; all there are by default.
        strict: let an exception inside a cause out (tests) where it is otherwise noted, so that
            one broken cause does not cost the others.
    """
    merged: list[tuple[CauseSpec, Finding]] = []
    notes: list[str] = []
    for spec in registry.load() if specs is None else specs:
        found: list[Finding] = []
        try:
            found.extend(spec.find(case))
        except Exception as error:
            if strict:
                raise
            notes.append(f"cause {spec.id} could not be examined: {_describe(error)}")
        found = [finding for finding in found if not _silenced(spec, finding, texts)]
        if found:
            merged.append((spec, merge(found)))
    weighed = [(spec, _weighed(spec, finding, merged)) for spec, finding in merged]
    weighed.sort(key=lambda item: _place(item[0], item[1], case))
    ranked = []
    for position, (spec, finding) in enumerate(weighed, 1):
        fix: Fix | None = None
        patched: Mapping[str, str] | None = None
        advice = finding.advice
        try:
            if finding.remedy is not None:
                fix, patched = _fix(finding.remedy, texts)
        except Declined as reason:
            advice = _also(advice, f"no automatic fix: {reason}")
        except Exception as error:
            if strict:
                raise
            advice = _also(advice, "no automatic fix: the codemod failed")
            notes.append(f"the fix of {spec.id} could not be made: {_describe(error)}")
        cause = _cause(spec, finding, position, case, fix, advice)
        ranked.append(Ranked(cause, finding, spec, patched))
    return Ranking(tuple(ranked), tuple(notes))


def merge(findings: list[Finding]) -> Finding:
    """Several findings of one cause as one: the strongest, with the evidence of all.

    Remedies join where they are equal or edit different files with one codemod; otherwise the
    strongest finding's remedy stands, and the others are found again once it is applied.
    """
    findings = sorted(findings, key=_strength)
    strongest = findings[0]
    remedy = strongest.remedy
    for other in findings[1:]:
        remedy = _joined(remedy, other.remedy)
    return replace(
        strongest,
        confidence=min((f.confidence for f in findings), key=CONFIDENCES.index),
        evidence=_unique(evidence for finding in findings for evidence in finding.evidence),
        explains=tuple(dict.fromkeys(id_ for finding in findings for id_ in finding.explains)),
        remedy=remedy,
        advice=next((f.advice for f in findings if f.advice), None),
        cost=max((f.cost for f in findings if f.cost is not None), default=None),
    )


def location(site: Site) -> Location:
    """A site (columns from 0) as a location (columns from 1; the end is exclusive)."""
    return Location(
        path=site.path,
        line=site.line,
        column=site.column + 1,
        end_line=site.end_line,
        end_column=site.end_column + 1,
    )


def _strength(finding: Finding) -> tuple[int, int, float, bool]:
    return (
        SEVERITIES.index(finding.severity),
        CONFIDENCES.index(finding.confidence),
        -(finding.cost or 0.0),
        finding.remedy is None,
    )


def _joined(remedy: Remedy | None, other: Remedy | None) -> Remedy | None:
    if (
        remedy is None
        or other is None
        or remedy.codemod != other.codemod
        or remedy.edits.keys() & other.edits.keys()
    ):
        return remedy
    review = max(remedy.review, other.review, key=("none", "cursory", "careful").index)
    return replace(remedy, edits={**remedy.edits, **other.edits}, review=review)


def _unique(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    kept: list[Evidence] = []
    for item in evidence:
        if item not in kept:
            kept.append(item)
    return tuple(kept)


def _silenced(spec: CauseSpec, finding: Finding, texts: Mapping[str, str]) -> bool:
    site = finding.site
    return (
        site is not None
        and site.path in texts
        and suppressed(texts[site.path], site.line, spec.id, spec.code)
    )


def _weighed(
    spec: CauseSpec, finding: Finding, found: Collection[tuple[CauseSpec, Finding]]
) -> Finding:
    """The finding, as a note if a cause that accounts for it was found too."""
    if any(other.id in spec.after and f.severity != "note" for other, f in found):
        return replace(finding, severity="note")
    return finding


def _place(spec: CauseSpec, finding: Finding, case: Case) -> tuple[bool, int, bool, float, str]:
    crash = "crash" in finding.explains and "crash" in case.symptoms
    return (
        not (crash and finding.severity != "note"),
        SEVERITIES.index(finding.severity),
        # What is proven does not depend on the rest; a measured loss may be another cause's too.
        finding.confidence != "certain",
        -(finding.cost or 0.0),
        spec.code,
    )


def _cause(
    spec: CauseSpec,
    finding: Finding,
    position: int,
    case: Case,
    fix: Fix | None,
    advice: str | None,
) -> Cause:
    return Cause(
        id=spec.id,
        code=spec.code,
        rank=position,
        severity=finding.severity,
        confidence=finding.confidence,
        title=spec.title,
        location=location(finding.site) if finding.site else None,
        evidence=finding.evidence,
        explains=tuple(id_ for id_ in finding.explains if id_ in case.symptoms),
        fix=fix,
        advice=advice,
    )


def _fix(remedy: Remedy, texts: Mapping[str, str]) -> tuple[Fix, Mapping[str, str]]:
    """The fix and the new text of each file it changes."""
    patched = patch(texts, remedy.codemod, remedy.edits)
    changed = {path: text for path, text in patched.items() if text != texts.get(path)}
    if not changed:
        raise Declined(f"{remedy.codemod} changes nothing here")
    diff = "".join(unified_diff(texts[path], text, path) for path, text in sorted(changed.items()))
    fix = Fix(codemod=remedy.codemod, summary=remedy.summary, diff=diff, review=remedy.review)
    return fix, changed


def _also(advice: str | None, reason: str) -> str:
    return f"{advice} ({reason})" if advice else reason


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
