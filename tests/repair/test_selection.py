"""Which fixes stay: small worlds in which the worth of every combination is known."""

from __future__ import annotations

import pytest

from tests.repair.programs import PROGRAM, World, crashed, gains, ranked, scored
from tlfix.probe.trace import Trace
from tlfix.ranking import Ranked
from tlfix.repair.executors import LocalExecutor
from tlfix.repair.plan import compose, select
from tlfix.repair.selection import Outcome, Selection, keep_all
from tlfix.repair.trials import Laboratory

PATH = "/program/train.py"


def choose(world: World, *causes: Ranked | str, seeds: int = 3) -> Outcome:
    found = [ranked(each, PATH) if isinstance(each, str) else each for each in causes]
    plan = select(found)
    originals = {PATH: PROGRAM}
    with LocalExecutor(1) as executor:
        laboratory = Laboratory(
            world.run,
            executor,
            base=originals,
            causes=[step.id for step in plan.steps],
            seeds=range(seeds),
        )
        return Selection(laboratory, originals).choose(plan.steps)


def kept(outcome: Outcome) -> list[str]:
    return [each.step.id for each in outcome.kept]


def test_what_helps_is_kept_and_what_does_not_is_dropped_with_its_numbers() -> None:
    outcome = choose(gains(scale=0.3, freeze=-0.2, learn=0.15), "scale", "freeze", "learn")
    assert kept(outcome) == ["scale", "learn"]
    (rejected,) = outcome.rejected
    assert rejected.cause == "freeze"
    assert "validation accuracy 0.700 → 0.500 (-0.200" in rejected.reason
    assert "worse" in rejected.reason
    assert outcome.verification is not None
    assert outcome.verification.decision == "improved"
    assert outcome.verification.before == pytest.approx((0.40, 0.41, 0.39))
    assert outcome.verification.after == pytest.approx((0.85, 0.86, 0.84))


def test_a_fix_is_measured_on_top_of_those_kept_before() -> None:
    """Freezing helps only raw images; once they are scaled it adds nothing."""

    def outcome(fixed: frozenset[str], seed: int) -> Trace:
        return scored(0.9 if "scale" in fixed else 0.6 if "freeze" in fixed else 0.4, n=100_000)

    assert kept(choose(World(outcome), "scale", "freeze")) == ["scale"]


def test_nothing_helps() -> None:
    outcome = choose(gains(), "scale", "freeze")
    assert outcome.kept == ()
    assert outcome.verification is None
    assert {each.cause for each in outcome.rejected} == {"scale", "freeze"}


def test_a_variant_is_measured_once_per_seed() -> None:
    world = gains(scale=0.3, learn=0.15)
    choose(world, "scale", "freeze", "learn")
    assert len(world.trials) == len(set(world.trials))
    # base; +scale; +scale+freeze; +scale+learn; and freeze once more, now that learn is in.
    assert len(world.trials) == 5 * 3


def test_all_variants_get_the_same_seeds() -> None:
    world = gains(scale=0.3, learn=0.15)
    choose(world, "scale", "learn")
    seeds = {variant: {s for v, s in world.trials if v == variant} for variant, _ in world.trials}
    assert set(map(frozenset, seeds.values())) == {frozenset({0, 1, 2})}


def test_a_promising_undecided_fix_gets_up_to_five_seeds() -> None:
    def outcome(fixed: frozenset[str], seed: int) -> Trace:
        return scored(0.5 + (0.0, 0.03, -0.03, 0.02, 0.0)[seed] * bool(fixed) + 0.06 * bool(fixed))

    world = World(outcome)
    choose(world, "scale")
    assert {seed for _, seed in world.trials} == {0, 1, 2, 3, 4}


def test_a_fix_without_effect_gets_no_more_seeds() -> None:
    world = gains()
    choose(world, "scale")
    assert {seed for _, seed in world.trials} == {0, 1, 2}


def test_a_variant_that_crashes_is_run_once() -> None:
    def outcome(fixed: frozenset[str], seed: int) -> Trace:
        return crashed("no") if fixed else scored(0.5)

    world = World(outcome)
    result = choose(world, "scale")
    assert [trial for trial in world.trials if trial[0]] == [(frozenset({"scale"}), 0)]
    assert "it crashes where it ran before: TypeError: no" in result.rejected[0].reason


def test_a_fix_that_makes_it_run_is_kept() -> None:
    def outcome(fixed: frozenset[str], seed: int) -> Trace:
        return scored(0.8) if "learn" in fixed else crashed("no", 4, PATH)

    result = choose(World(outcome), "learn", "scale")
    assert kept(result) == ["learn"]
    assert result.verification is not None
    assert result.verification.before == (None, None, None)
    assert result.verification.delta is None
    assert result.verification.reason == "it ran where it crashed before"


def test_a_crash_behind_a_crash() -> None:
    def outcome(fixed: frozenset[str], seed: int) -> Trace:
        if "scale" not in fixed:
            return crashed("first", 2, PATH)
        return scored(0.8) if "learn" in fixed else crashed("second", 4, PATH)

    result = choose(World(outcome), "scale", "learn")
    assert kept(result) == ["scale", "learn"]
    assert result.kept[0].note == "measured together: scale, learn"
    assert result.rejected == ()


def test_a_crash_behind_a_crash_in_any_order() -> None:
    def outcome(fixed: frozenset[str], seed: int) -> Trace:
        if "scale" not in fixed:
            return crashed("first", 2, PATH)
        return scored(0.8) if "learn" in fixed else crashed("second", 4, PATH)

    assert set(kept(choose(World(outcome), "learn", "freeze", "scale"))) == {"scale", "learn"}


def test_a_crash_that_another_follows_for_good() -> None:
    def outcome(fixed: frozenset[str], seed: int) -> Trace:
        return crashed("second", 4, PATH) if "scale" in fixed else crashed("first", 2, PATH)

    result = choose(World(outcome), "scale")
    assert result.kept == ()
    assert "another follows" in result.rejected[0].reason


def test_a_fix_hidden_by_a_fault_that_is_mended_later_gets_another_try() -> None:
    def outcome(fixed: frozenset[str], seed: int) -> Trace:
        if "learn" not in fixed:
            return scored(0.2)
        return scored(0.9 if "scale" in fixed else 0.5)

    assert kept(choose(World(outcome), "scale", "learn")) == ["learn", "scale"]


def test_two_faults_that_hide_each_other() -> None:
    """Raw pixels and a high rate: neither fix helps alone."""

    def outcome(fixed: frozenset[str], seed: int) -> Trace:
        return scored(0.9 if {"scale", "learn"} <= fixed else 0.4)

    result = choose(World(outcome), "scale", "freeze", "learn")
    assert kept(result) == ["scale", "learn"]
    assert [each.cause for each in result.rejected] == ["freeze"]
    assert all(each.note == "measured together: scale, learn" for each in result.kept)


def test_a_certain_error_stays_where_accuracy_has_no_room() -> None:
    certain = ranked("scale", PATH, severity="error", confidence="certain")
    likely = ranked("scale", PATH, severity="error", confidence="likely")
    assert kept(choose(gains(base=0.99), certain)) == ["scale"]
    assert kept(choose(gains(base=0.99), likely)) == []
    assert kept(choose(gains(base=0.90), certain)) == []


def test_a_fix_that_declines_says_why_and_stops_nothing() -> None:
    result = choose(gains(scale=0.3), ranked("freeze", PATH, line=1), "scale")
    assert kept(result) == ["scale"]
    assert result.rejected[0].cause == "freeze"
    assert result.rejected[0].reason.startswith("set_argument: ")


def test_without_measuring_all_that_place_are_kept() -> None:
    plan = select([ranked("freeze", PATH, line=1), ranked("scale", PATH), ranked("learn", PATH)])
    outcome = keep_all({PATH: PROGRAM}, plan.steps)
    assert kept(outcome) == ["scale", "learn"]
    assert [each.cause for each in outcome.rejected] == ["freeze"]
    assert outcome.verification is None
    texts = compose({PATH: PROGRAM}, [each.step for each in outcome.kept]).texts
    assert texts[PATH] == PROGRAM.replace("scale(rate=0)", "scale(rate=1)").replace(
        "learn(rate=0)", "learn(rate=1)"
    )
