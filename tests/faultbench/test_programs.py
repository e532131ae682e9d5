"""Every program is what its ground truth says: nothing here trains."""

from __future__ import annotations

import ast

import pytest

from benchmarks.faultbench import operators
from benchmarks.faultbench.data_faults import FAULTS
from benchmarks.faultbench.planting import PlantingError, Source, plant
from benchmarks.faultbench.programs import (
    QUICK,
    Program,
    base_text,
    chosen,
    half,
    programs,
    quick,
)
from benchmarks.faultbench.recipes import BASES, RECIPES
from tlfix.causes import registry

FAULTY = [program for program in programs() if not program.healthy]
IDS = [program.id for program in FAULTY]


def test_there_are_as_many_programs_as_the_benchmark_promises() -> None:
    assert len(BASES) >= 10
    assert len(FAULTY) >= 150
    assert sum(len(program.truths) > 1 for program in FAULTY) >= 20
    assert len({program.id for program in programs()}) == len(programs())


def test_every_cause_of_the_catalogue_has_an_operator_of_its_name() -> None:
    assert set(operators.load()) == set(registry.codes())


def test_consequences_are_causes_of_the_catalogue() -> None:
    known = set(registry.codes())
    for operator in operators.load().values():
        assert set(operator.consequences) <= known - {operator.cause}


def test_every_base_has_a_recipe_and_every_fault_of_the_data_is_known() -> None:
    assert set(BASES.values()) <= set(RECIPES)
    planted = {program.data for program in programs()} - {None}
    assert planted == set(FAULTS), "a fault of the data that no operator plants, or the reverse"


@pytest.mark.parametrize("program", FAULTY, ids=IDS)
def test_a_faulty_program_parses_and_differs_from_its_base(program: Program) -> None:
    compile(program.text, program.id, "exec")
    if program.data is None:
        healthy = ast.dump(ast.parse(base_text(program.base)))
        assert ast.dump(ast.parse(program.text)) != healthy


@pytest.mark.parametrize("program", FAULTY, ids=IDS)
def test_every_truth_points_at_changed_lines_or_at_named_places(program: Program) -> None:
    count = len(program.text.splitlines())
    before = set(base_text(program.base).splitlines())
    changed = {
        number
        for number, line in enumerate(program.text.splitlines(), 1)
        if line.strip() and line not in before
    }
    for truth in program.truths:
        assert truth.lines, truth.cause
        assert 1 <= truth.lines[0] <= truth.lines[-1] <= count
        assert len(truth.lines) < count / 2, "half of the program cannot be culpable"
    # No changed line is innocent: each belongs to one of the planted faults.
    assert changed <= {line for truth in program.truths for line in truth.lines}


@pytest.mark.parametrize("base", BASES)
def test_a_base_reads_the_files_that_its_recipe_writes(base: str) -> None:
    text = base_text(base)
    assert '"data' in text
    assert ast.get_docstring(ast.parse(text))


def test_an_edit_must_fit_exactly_once() -> None:
    source = Source.of("a = 1\nb = 1\n")
    with pytest.raises(PlantingError, match="occurs 2 times"):
        source.edited((" = 1", " = 2"), "x")
    with pytest.raises(PlantingError, match="occurs 0 times"):
        source.edited(("c = 1", ""), "x")


def test_marks_stay_with_their_lines_when_others_are_put_in_or_taken_out() -> None:
    source = Source.of("a = 1\nb = 2\nc = 3\nd = 4\n")
    source = source.edited(("c = 3", "c = 33"), "first")
    source = source.edited(("a = 1\n", "z = 0\na = 1\n"), "second")
    source = source.edited(("b = 2\n", ""), "third").marked("d = 4", "third")
    assert source.text == "z = 0\na = 1\nc = 33\nd = 4\n"
    assert source.lines("first") == (3,)
    assert source.lines("second") == (1,)
    assert source.lines("third") == (4,)


def test_a_culpable_line_makes_its_whole_statement_culpable_but_not_the_block_around() -> None:
    text = (
        "def build(\n    size,\n):\n    call(\n        size,\n        1,\n    )\n    return size\n"
    )
    assert Source.of(text).marked("        1", "x").lines("x") == (4, 5, 6, 7)
    assert Source.of(text).marked("    size,\n)", "x").lines("x") == (1, 2, 3)


def test_a_variant_with_one_place_is_the_same_as_with_a_tuple_of_one() -> None:
    assert plant("base", "why", at="here") == plant("base", "why", at=("here",))


def test_the_split_is_by_name_alone_and_about_even() -> None:
    # Fixed points: a program must never change sides.
    assert half("nested_guide/preprocessing-mismatch") == "report"
    assert half("generators/removed-api:lr") == "report"
    assert half("nested_guide/class-imbalance") == "tune"
    tune = sum(program.half == "tune" for program in FAULTY)
    assert 0.4 < tune / len(FAULTY) < 0.6
    assert all(program.half == half(program.id) for program in programs())


def test_shards_divide_the_programs_between_them() -> None:
    parts = [chosen(shard=(number, 4)) for number in range(1, 5)]
    assert sorted(p.id for part in parts for p in part) == sorted(p.id for p in programs())


def test_programs_are_chosen_by_pattern_and_half() -> None:
    assert {p.base for p in chosen(["kfold*"])} == {"kfold"}
    assert {p.half for p in chosen(side="tune")} == {"tune"}
    assert chosen(["*/nothing-of-this-name"]) == []


def test_the_quick_run_spans_chapters_and_bases() -> None:
    assert [program.id for program in quick()] == list(QUICK)
    assert len(QUICK) == 12
    assert sum(program.healthy for program in quick()) == 2
    assert len({program.base for program in quick()}) >= 7
