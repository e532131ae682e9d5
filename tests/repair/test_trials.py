"""What the progress is told of each trial: its number, and why there are more than were asked."""

from __future__ import annotations

from tests.repair.programs import PROGRAM, World, gains, ranked, scored
from tlfix.probe.trace import Trace
from tlfix.repair.executors import LocalExecutor, Slot
from tlfix.repair.plan import select
from tlfix.repair.selection import Selection
from tlfix.repair.trials import Laboratory, Trial

PATH = "/program/train.py"


def made(world: World) -> list[Trial]:
    trials: list[Trial] = []

    def run(trial: Trial, slot: Slot) -> Trace:
        trials.append(trial)
        return world.run(trial, slot)

    plan = select([ranked("scale", PATH)])
    with LocalExecutor(1) as executor:
        laboratory = Laboratory(
            run, executor, base={PATH: PROGRAM}, causes=["scale"], seeds=range(3)
        )
        Selection(laboratory, {PATH: PROGRAM}).choose(plan.steps)
    return trials


def test_trials_are_numbered() -> None:
    trials = made(gains(scale=0.3))
    assert [trial.number for trial in trials] == [1, 2, 3, 4, 5, 6]
    assert {trial.why for trial in trials} == {""}


def test_more_seeds_say_why() -> None:
    def outcome(fixed: frozenset[str], seed: int) -> Trace:
        return scored(0.5 + (0.0, 0.03, -0.03, 0.02, 0.0)[seed] * bool(fixed) + 0.06 * bool(fixed))

    why = {trial.seed: trial.why for trial in made(World(outcome))}
    assert why == {
        0: "",
        1: "",
        2: "",
        3: "undecided after 3 seeds: one more, 5 at most",
        4: "undecided after 4 seeds: one more, 5 at most",
    }
