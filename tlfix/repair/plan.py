"""Which fixes are candidates, in which order, and the source with a choice of them applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tlfix.causes.spec import Remedy
from tlfix.codemods.base import Declined
from tlfix.findings import Cause, Rejected
from tlfix.repair.errors import RepairError
from tlfix.source.patch import patch, relocate

if TYPE_CHECKING:
    from tlfix.ranking import Ranked

Texts = Mapping[str, str]
"""Absolute path of each file that may be patched, to its text."""


@dataclass(frozen=True)
class Step:
    """All fixes of one cause. One at a time could leave, say, two pipelines scaled differently."""

    cause: Cause
    remedies: tuple[Remedy, ...]

    @property
    def id(self) -> str:
        """The cause's id."""
        return self.cause.id

    @property
    def codemod(self) -> str:
        """The codemods, each named once."""
        return ", ".join(dict.fromkeys(remedy.codemod for remedy in self.remedies))


@dataclass(frozen=True)
class Plan:
    """The steps in the order of ranking; ``rejected`` are causes asked for that have no fix."""

    steps: tuple[Step, ...]
    rejected: tuple[Rejected, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """Every file that a step patches, each once."""
        edits = [remedy.edits for step in self.steps for remedy in step.remedies]
        return tuple(dict.fromkeys(path for each in edits for path in each))


@dataclass(frozen=True)
class Composition:
    """The texts with ``applied`` steps in them; ``declined`` names each fix that found no place."""

    texts: Texts
    applied: tuple[Step, ...]
    declined: tuple[Rejected, ...]


def select(ranked: Sequence[Ranked], only: Sequence[str] = (), skip: Sequence[str] = ()) -> Plan:
    """The candidates among ``ranked``: causes with a remedy that are no mere notes.

    ``only`` restricts to the causes it names, notes included; ``skip`` leaves causes out.

    Raises:
        RepairError: ``only`` names a cause that was not found.
    """
    found = {each.cause.id for each in ranked}
    for name in only:
        if name not in found:
            causes = ", ".join(sorted(found)) or "none"
            raise RepairError(
                f"{name} is not among the causes found in this program ({causes}), so there is "
                "nothing of it to repair. `tlfix diagnose` lists what was found."
            )
    steps: dict[str, Step] = {}
    advice: dict[str, str] = {}
    for each in ranked:
        cause, remedy = each.cause, each.finding.remedy
        wanted = cause.id in only if only else cause.severity != "note"
        if not wanted or cause.id in skip:
            continue
        if remedy is None:
            advice.setdefault(cause.id, each.finding.advice or "it has to be changed by hand")
            continue
        earlier = steps.get(cause.id)
        remedies = (*earlier.remedies, _resolved(remedy)) if earlier else (_resolved(remedy),)
        steps[cause.id] = Step(earlier.cause if earlier else cause, remedies)
    rejected = [
        Rejected(cause=name, reason=f"there is no automatic fix: {advice[name]}")
        for name in only
        if name in advice and name not in steps
    ]
    return Plan(tuple(steps.values()), tuple(rejected))


def compose(originals: Texts, steps: Sequence[Step]) -> Composition:
    """``originals`` with ``steps`` applied one after the other.

    Positions in edits are those of the originals; they are moved along with the text around them.
    A fix that declines leaves the text as it was.
    """
    texts = dict(originals)
    applied, declined = [], []
    for step in steps:
        placed = False
        for remedy in step.remedies:
            try:
                edits = relocate(remedy.edits, originals, texts)
                texts.update(patch(texts, remedy.codemod, edits))
                placed = True
            except Declined as reason:
                declined.append(Rejected(cause=step.id, reason=f"{remedy.codemod}: {reason}"))
            except SyntaxError as error:
                reason_text = f"{remedy.codemod} would leave a program that is no Python: {error}"
                declined.append(Rejected(cause=step.id, reason=reason_text))
        if placed:
            applied.append(step)
    return Composition(texts, tuple(applied), tuple(declined))


def _resolved(remedy: Remedy) -> Remedy:
    # One file must have one name, however the script was spelled on the command line.
    edits = {str(Path(path).resolve()): each for path, each in remedy.edits.items()}
    return Remedy(remedy.codemod, remedy.summary, edits, remedy.review)
