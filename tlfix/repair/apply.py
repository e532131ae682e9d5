"""Try the fixes of a diagnosis, keep what measurably helps, and write it where it was asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tlfix.findings import Commit, Repair
from tlfix.probe.runner import Budget, Progress
from tlfix.probe.trace import Trace
from tlfix.repair.branch import Target, target, write
from tlfix.repair.errors import RepairError
from tlfix.repair.executors import Executor, LocalExecutor
from tlfix.repair.files import Files, read
from tlfix.repair.plan import Plan, compose, select
from tlfix.repair.running import in_mirror, warmed
from tlfix.repair.selection import Outcome, Selection, keep_all
from tlfix.repair.trials import FEWEST_SEEDS, SEEDS, Laboratory, Run

if TYPE_CHECKING:
    from tlfix.ranking import Ranked

Mode = Literal["branch", "diff", "in-place"]


def apply(
    script: Path,
    arguments: Sequence[str],
    ranked: Sequence[Ranked],
    trace: Trace | None,
    *,
    branch: str | None = None,
    mode: Mode = "branch",
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    verify: bool = True,
    include_uncommitted: bool = False,
    seeds: int = FEWEST_SEEDS,
    budget: Budget | None = None,
    python: str = sys.executable,
    sandbox: str = "auto",
    on_progress: Callable[[Progress], None] | None = None,
    executor: Executor | None = None,
    run: Run | None = None,
) -> Repair:
    """Repair ``script``, the causes found in it taken in their order.

    Args:
        trace: the diagnosis' own trace; its seed is the first of the trials'.
        branch: the name of the new branch, ``tlfix/<name of the script>`` by default.
        mode: ``branch`` commits each kept fix in a temporary worktree and makes the branch last;
            ``in-place`` replaces the files; ``diff`` writes nothing.
        only: restricts to these causes; ``skip`` leaves causes out.
        verify: False applies every fix that can be placed and measures nothing.
        include_uncommitted: begins the branch with the uncommitted state of the patched files.
        seeds: trials of each variant, at least 3.
        run: runs one trial; by default a probe of the variant in a mirror of the user's folders.

    With nothing to repair, or nothing that helps, nothing is written and no branch is made.

    Raises:
        RepairError: it cannot be done as asked; the message says what to do.
    """
    if seeds < FEWEST_SEEDS:
        raise RepairError(
            f"{seeds} seeds cannot tell a better program from a lucky one: at least "
            f"{FEWEST_SEEDS} are needed, or --no-verify to measure nothing."
        )
    plan = select(ranked, only, skip)
    if not plan.steps:
        return _repair(None, plan, Outcome((), ()), diff="")
    script = script.resolve()
    files = read([str(script), *plan.paths])
    place = None
    if mode == "branch":
        place = target(script, [Path(path) for path in plan.paths], branch, include_uncommitted)
    if not verify:
        return _write(files, plan, keep_all(files.texts, plan.steps), mode, place)
    first = trace.seed if trace else 0
    numbers = [(first + i) % SEEDS for i in range(seeds)]
    with warmed(script, files.texts[str(script)], trace, python) as starter:
        own = in_mirror(
            script,
            arguments,
            files,
            budget=budget or Budget(),
            python=python,
            sandbox=sandbox,
            starter=starter,
            on_progress=on_progress,
        )
        outcome = _choose(files, plan, run or own, executor, numbers)
    return _write(files, plan, outcome, mode, place)


def _choose(
    files: Files, plan: Plan, run: Run, executor: Executor | None, seeds: Sequence[int]
) -> Outcome:
    if executor is None:
        with LocalExecutor() as local:
            return _choose(files, plan, run, local, seeds)
    causes = [step.id for step in plan.steps]
    laboratory = Laboratory(run, executor, base=files.texts, causes=causes, seeds=seeds)
    return Selection(laboratory, files.texts).choose(plan.steps)


def _write(files: Files, plan: Plan, outcome: Outcome, mode: Mode, place: Target | None) -> Repair:
    if not outcome.kept:
        return _repair(place, plan, outcome, diff="")
    texts = compose(files.texts, [each.step for each in outcome.kept]).texts
    root = place.repository.root if place else Path.cwd()
    diff = files.diff(texts, root)
    if place is not None:
        commits, notes = write(place, files, outcome.kept)
        return _repair(place, plan, outcome, diff=diff, commits=commits, notes=notes)
    if mode == "in-place":
        files.replace(texts)
    return _repair(None, plan, outcome, diff=diff)


def _repair(
    place: Target | None,
    plan: Plan,
    outcome: Outcome,
    *,
    diff: str,
    commits: tuple[Commit, ...] = (),
    notes: tuple[str, ...] = (),
) -> Repair:
    return Repair(
        base=place.repository.base if place else None,
        branch=place.branch if place and commits else None,
        commits=commits,
        rejected=(*plan.rejected, *outcome.rejected),
        verification=outcome.verification,
        diff=diff,
        notes=(*place.notes, *notes) if place else notes,
    )
