"""Which of the candidate fixes to keep: each must help, measured on top of those kept before it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tlfix.findings import Rejected, Verification
from tlfix.probe.trace import Crash
from tlfix.repair.plan import Composition, Step, Texts, compose
from tlfix.repair.trials import Laboratory
from tlfix.repair.verification import in_words

CEILING = 0.98
"""Accuracy from which a certain fault can no longer show its cost in accuracy."""


@dataclass(frozen=True)
class Kept:
    """A fix that stays. ``effect`` is null if nothing was measured; ``note`` says why it stays."""

    step: Step
    effect: Verification | None = None
    note: str | None = None


@dataclass(frozen=True)
class Outcome:
    """``verification`` compares the program as it was with all that is kept applied."""

    kept: tuple[Kept, ...]
    rejected: tuple[Rejected, ...]
    verification: Verification | None = None


class Selection:
    """One greedy pass, then one attempt with everything that could not show its worth alone."""

    def __init__(self, laboratory: Laboratory, originals: Texts) -> None:
        self._laboratory = laboratory
        self._originals = originals
        self._kept: list[Kept] = []
        self._rejected: list[Rejected] = []
        self._open: list[tuple[Step, Verification]] = []
        self._unblocking: list[Step] = []
        self._tried: list[Step] = []

    def choose(self, steps: Sequence[Step]) -> Outcome:
        """Try ``steps`` in their order, and say which are kept and why the others are not."""
        for step in steps:
            self._try(step)
        self._try_again()
        if len(self._open) > 1:
            self._try_together([step for step, _ in self._open])
        for step, effect in self._open:
            self._reject(step, self._why_not(step, effect))
        verification = None
        if self._kept:
            steps_kept = [each.step for each in self._kept]
            verification = self._compare([], steps_kept, "all kept fixes", extend=True)
        return Outcome(tuple(self._kept), tuple(self._rejected), verification)

    def _try(self, step: Step) -> None:
        if step not in self._tried:
            self._tried.append(step)
        self._unblocking = [each for each in self._unblocking if each is not step]
        standing = [*self._steps_kept(), *self._unblocking]
        composed = self._composed([*standing, step])
        self._rejected += [each for each in composed.declined if each.cause == step.id]
        if step not in composed.applied:
            return
        effect = self._compare(self._steps_kept(), [*standing, step], step.id, extend=True)
        if effect.decision == "improved":
            together = [*self._unblocking, step]
            self._keep(together, effect, _together(together))
        elif effect.decision == "worse":
            self._reject(step, in_words(effect))
        elif _at_ceiling(step, effect):
            self._keep([step], effect, "the fault is certain, and accuracy has no room to show it")
        else:
            if self._moves_the_crash(standing, [*standing, step]):
                self._unblocking.append(step)
            self._open.append((step, effect))

    def _try_again(self) -> None:
        """What was tried before a later fix was kept may help now that the later one is in."""
        if not self._kept:
            return
        last = self._tried.index(self._kept[-1].step)
        for step in [each for each, _ in self._open if self._tried.index(each) < last]:
            self._open = [each for each in self._open if each[0] is not step]
            self._try(step)

    def _try_together(self, steps: list[Step]) -> None:
        """Faults can hide each other: what does not help alone may help together."""
        effect = self._compare(self._steps_kept(), self._with(steps), "the rest together")
        if effect.decision != "improved":
            return
        needed = list(steps)
        for step in reversed(steps):
            less = [each for each in needed if each is not step]
            if not less:
                break
            what = f"the rest without {step.id}"
            loss = self._compare(self._with(less), self._with(needed), what)
            if loss.decision != "improved":
                needed = less
        final = self._compare(self._steps_kept(), self._with(needed), "what is needed of the rest")
        if final.decision != "improved":
            needed, final = steps, effect
        self._keep(needed, final, _together(needed))

    def _keep(self, steps: Sequence[Step], effect: Verification, note: str | None) -> None:
        self._kept += [Kept(step, effect, note) for step in steps]
        self._open = [each for each in self._open if each[0] not in steps]
        self._unblocking = [step for step in self._unblocking if step not in steps]

    def _reject(self, step: Step, reason: str) -> None:
        self._rejected.append(Rejected(cause=step.id, reason=reason))

    def _why_not(self, step: Step, effect: Verification) -> str:
        reason = in_words(effect)
        if step in self._unblocking:
            reason += (
                "; the crash it is about is gone, but another follows, so its effect cannot be "
                f"measured (`--only {step.id} --no-verify` applies it all the same)"
            )
        return reason

    def _moves_the_crash(self, before: Sequence[Step], after: Sequence[Step]) -> bool:
        old, new = self._composed(before).texts, self._composed(after).texts
        first, second = self._laboratory.crash(old), self._laboratory.crash(new)
        if first is None or second is None:
            return False
        return _identity(first, old) != _identity(second, new)

    def _compare(
        self, before: Sequence[Step], after: Sequence[Step], what: str, *, extend: bool = False
    ) -> Verification:
        old, new = self._composed(before).texts, self._composed(after).texts
        return self._laboratory.compare(old, new, what, extend=extend)

    def _composed(self, steps: Sequence[Step]) -> Composition:
        return compose(self._originals, steps)

    def _steps_kept(self) -> list[Step]:
        return [each.step for each in self._kept]

    def _with(self, steps: Sequence[Step]) -> list[Step]:
        return [*self._steps_kept(), *steps]


def keep_all(originals: Texts, steps: Sequence[Step]) -> Outcome:
    """Every fix that can be placed, none measured."""
    composed = compose(originals, steps)
    return Outcome(tuple(Kept(step) for step in composed.applied), composed.declined)


def _together(steps: Sequence[Step]) -> str | None:
    if len(steps) < 2:
        return None
    return "measured together: " + ", ".join(step.id for step in steps)


def _at_ceiling(step: Step, effect: Verification) -> bool:
    certain = step.cause.severity == "error" and step.cause.confidence == "certain"
    scores = [*effect.before, *effect.after]
    return certain and bool(scores) and all(s is not None and s >= CEILING for s in scores)


def _identity(crash: Crash, texts: Texts) -> tuple[str, str, str]:
    """What a crash is, apart from its line number, which patches move."""
    line = ""
    if crash.site is not None:
        # The trial ran in a mirror: the file's path ends as the original's does.
        for path, text in texts.items():
            lines = text.splitlines()
            if crash.site.path.endswith(path) and crash.site.line <= len(lines):
                line = lines[crash.site.line - 1].strip()
    return crash.type, re.sub(r"\S*tlfix-mirror-[^/]+", "", crash.message), line
