"""The experiment: a variant of the program, run with a seed. What was run once is not run again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from tlfix.findings import Verification
from tlfix.probe.trace import Crash, Trace
from tlfix.repair.executors import Executor, Slot
from tlfix.repair.plan import Texts
from tlfix.repair.scores import choose_metric, score
from tlfix.repair.verification import SMALLEST_GAIN, verify

SEEDS = 2**32
"""How many seeds there are: NumPy takes 0 .. 2**32 - 1. After the last comes the first."""

FEWEST_SEEDS = 3
MOST_SEEDS = 5
"""Seeds a promising but undecided comparison is extended to."""


@dataclass(frozen=True)
class Trial:
    """One probe of one variant with one seed.

    ``name``, ``number`` (from 1) and ``why`` it is made are for the progress.
    """

    texts: Texts
    seed: int
    name: str = ""
    number: int = 1
    why: str = ""


Run = Callable[[Trial, Slot], Trace]
"""Runs a trial on a slot, under the step, time and memory budget common to all of a repair."""


class Laboratory:
    """Runs trials and compares variants; keeps every trace, so that a variant is measured once.

    Every variant gets the same seeds and the same budget of training steps. The base is always run
    with all seeds; a variant that crashes with the first seed is not run with the others.
    """

    def __init__(
        self,
        run: Run,
        executor: Executor,
        *,
        base: Texts,
        causes: Sequence[str],
        seeds: Sequence[int],
    ) -> None:
        self._run = run
        self._executor = executor
        self._base = base
        self._causes = tuple(causes)
        self._seeds = tuple(seeds)
        self._traces: dict[tuple[tuple[str, str], ...], dict[int, Trace]] = {}
        self._made = 0
        self._why = ""

    def compare(
        self, before: Texts, after: Texts, what: str, *, extend: bool = True
    ) -> Verification:
        """``after`` against ``before`` over the seeds.

        A promising comparison that the seeds leave undecided gets more, up to five. ``what``
        names the variant ``after`` for the progress.
        """
        seeds = self._seeds
        found = self._compare(before, after, seeds, what)
        while extend and len(seeds) < MOST_SEEDS and _promising(found):
            self._why = f"undecided after {len(seeds)} seeds: one more, {MOST_SEEDS} at most"
            seeds = (*seeds, (seeds[-1] + 1) % SEEDS)
            found = self._compare(before, after, seeds, what)
        self._why = ""
        return found

    def crash(self, texts: Texts) -> Crash | None:
        """The crash of a variant that was measured, None if it ran."""
        traces = self._traces.get(_key(texts), {}).values()
        return next((trace.crash for trace in traces if trace.crash), None)

    def _compare(
        self, before: Texts, after: Texts, seeds: Sequence[int], what: str
    ) -> Verification:
        old = self._measure(before, seeds, "the program as it is")
        new = self._measure(after, seeds, what)
        # One metric for the whole repair: every trace so far has a say, the newest too.
        known = [trace for by_seed in self._traces.values() for trace in by_seed.values()]
        metric = choose_metric(self._causes, known)
        return verify(metric, [score(t, metric) for t in old], [score(t, metric) for t in new])

    def _measure(self, texts: Texts, seeds: Sequence[int], what: str) -> list[Trace]:
        known = self._traces.setdefault(_key(texts), {})
        missing = [seed for seed in seeds if seed not in known]
        if texts != self._base and missing and not known:
            self._fill(texts, missing[:1], what)
            missing = missing[1:]
        if texts == self._base or not any(trace.crash for trace in known.values()):
            self._fill(texts, missing, what)
        return [known[seed] for seed in seeds if seed in known]

    def _fill(self, texts: Texts, seeds: Sequence[int], what: str) -> None:
        known = self._traces[_key(texts)]
        futures = []
        for seed in seeds:
            self._made += 1
            trial = Trial(texts, seed, what, self._made, self._why)
            futures.append(self._executor.submit(partial(self._run, trial)))
        for seed, trace in zip(seeds, self._executor.wait(futures), strict=True):
            known[seed] = trace.model_copy(update={"seed": seed})


def _key(texts: Texts) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(texts.items()))


def _promising(found: Verification) -> bool:
    # With a mean below the smallest gain worth keeping, more seeds would only confirm that.
    undecided = found.decision == "inconclusive"
    return undecided and found.delta is not None and found.delta >= SMALLEST_GAIN
