"""Every cause there is, held to the same rules: its text, its examples, its remedy."""

from __future__ import annotations

import re
from functools import cache

import pytest

from tlfix.causes import registry
from tlfix.causes.spec import Case, CauseSpec
from tlfix.codemods import names
from tlfix.program.reader import read
from tlfix.ranking import Ranked, examine
from tlfix.symptoms.registry import SYMPTOMS

# Public: they do not change once they are here.
CODES = {
    "preprocessing-missing": "TL101",
    "preprocessing-mismatch": "TL102",
    "preprocessing-double": "TL103",
    "preprocessing-differs": "TL104",
    "channel-order": "TL105",
    "target-size-mismatch": "TL106",
    "input-size-unsuitable": "TL107",
    "inputs-degenerate": "TL108",
    "class-mode-loss-mismatch": "TL201",
    "labels-out-of-range": "TL202",
    "head-units-mismatch": "TL203",
    "activation-loss-mismatch": "TL204",
    "class-order-mismatch": "TL205",
    "labels-misaligned": "TL206",
    "labels-single-class": "TL207",
    "head-too-weak": "TL208",
    "head-overfits": "TL209",
    "pooling-missing": "TL210",
    "class-imbalance": "TL301",
    "class-weight-invalid": "TL302",
    "unshuffled-training-data": "TL303",
    "ordered-validation-split": "TL304",
    "augmentation-missing": "TL305",
    "augmentation-on-validation": "TL306",
    "augmentation-destructive": "TL307",
    "train-validation-overlap": "TL308",
    "evaluation-shuffled": "TL309",
    "steps-misconfigured": "TL310",
    "pixels-oversampled": "TL311",
    "evaluation-on-training-data": "TL312",
    "cross-validation-reuse": "TL313",
    "backbone-unfrozen": "TL401",
    "backbone-frozen-only": "TL402",
    "nothing-trainable": "TL403",
    "freeze-without-compile": "TL404",
    "batchnorm-training-mode": "TL405",
    "batchnorm-statistics-stale": "TL406",
    "batchnorm-frozen-shift": "TL407",
    "weights-random": "TL408",
    "learning-rate-high": "TL501",
    "learning-rate-low": "TL502",
    "too-few-epochs": "TL503",
    "callbacks-misconfigured": "TL504",
    "gradients-unhealthy": "TL505",
    "optimizer-unused": "TL506",
    "removed-api": "TL901",
    "tokenizer-not-fitted": "TL902",
}
SYMPTOM_IDS = {spec.id for spec in SYMPTOMS}
SPECS = registry.load()
PATH = "train.py"

every_cause = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
every_cure = pytest.mark.parametrize(
    "spec", [s for s in SPECS if s.examples.cured is not None], ids=lambda spec: spec.id
)


@cache
def found(text: str, *specs: CauseSpec) -> tuple[Ranked, ...]:
    """What is found in ``text`` without a probe."""
    case = Case(read(text, PATH))
    return examine(case, {PATH: text}, specs=specs or None, strict=True).ranked


def above_note(items: tuple[Ranked, ...]) -> list[tuple[str, str]]:
    return [
        (item.cause.id, item.cause.evidence[0].summary)
        for item in items
        if item.cause.severity != "note"
    ]


def patched(spec: CauseSpec, text: str) -> str:
    (item,) = found(text, spec)
    assert item.patched is not None, item.cause.advice
    return item.patched[PATH]


class TestCatalogue:
    def test_ids_and_codes_are_those_that_were_published(self) -> None:
        assert registry.codes() == CODES

    def test_it_is_sorted_by_code(self) -> None:
        assert [spec.code for spec in SPECS] == sorted(CODES.values())

    def test_causes_are_found_by_id_and_by_code(self) -> None:
        for spec in SPECS:
            assert registry.get(spec.id) is registry.get(spec.code.lower()) is spec
        assert registry.get("no-such-cause") is None


@every_cause
class TestText:
    def test_it_is_written(self, spec: CauseSpec) -> None:
        for text in (spec.title, spec.what, spec.why):
            assert text == text.strip() and text
        assert len(spec.title) <= 80 and not spec.title.endswith(".")

    def test_it_has_sources(self, spec: CauseSpec) -> None:
        assert spec.sources
        for source in spec.sources:
            assert re.search(r"https?://|\b(19|20)\d\d\b", source), source

    def test_what_it_comes_after_exists(self, spec: CauseSpec) -> None:
        assert set(spec.after) <= CODES.keys() - {spec.id}

    def test_no_two_causes_come_after_each_other(self, spec: CauseSpec) -> None:
        for other in SPECS:
            assert not (other.id in spec.after and spec.id in other.after), other.id


@every_cause
class TestExamples:
    def test_they_are_python(self, spec: CauseSpec) -> None:
        for text in (spec.examples.sick, spec.examples.healthy, spec.examples.cured):
            if text is not None:
                compile(text, PATH, "exec")

    def test_the_healthy_one_is_healthy(self, spec: CauseSpec) -> None:
        assert above_note(found(spec.examples.healthy, spec)) == []

    def test_findings_are_complete(self, spec: CauseSpec) -> None:
        for item in found(spec.examples.sick, spec):
            assert item.finding.evidence
            assert item.finding.remedy is not None or item.finding.advice
            assert set(item.finding.explains) <= SYMPTOM_IDS
            if item.finding.remedy is not None:
                assert item.finding.remedy.codemod in names()
                assert item.finding.remedy.summary

    def test_a_fix_is_shown_in_the_examples(self, spec: CauseSpec) -> None:
        if spec.examples.cured is None:
            assert all(item.patched is None for item in found(spec.examples.sick, spec))


@every_cure
class TestCure:
    def test_the_sick_one_is_found(self, spec: CauseSpec) -> None:
        assert [item.cause.id for item in found(spec.examples.sick, spec)] == [spec.id]

    def test_the_codemod_makes_the_cured_one(self, spec: CauseSpec) -> None:
        assert patched(spec, spec.examples.sick) == spec.examples.cured

    def test_it_is_not_found_again(self, spec: CauseSpec) -> None:
        assert spec.examples.cured is not None
        again = found(spec.examples.cured, spec)
        assert above_note(again) == []
        assert [item.patched for item in again if item.patched is not None] == []

    def test_what_is_around_stays_as_it_is(self, spec: CauseSpec) -> None:
        head = "#!/usr/bin/env python\n# façade:  two  spaces,\ttabs   \n"
        tail = "\n\nif  True :   # odd\n\tpass\n\n\n# the end  \n"
        assert patched(spec, head + spec.examples.sick + tail) == (
            f"{head}{spec.examples.cured}{tail}"
        )

    def test_line_ends_stay_as_they_are(self, spec: CauseSpec) -> None:
        assert spec.examples.cured is not None
        windows = spec.examples.sick.replace("\n", "\r\n")
        assert patched(spec, windows) == spec.examples.cured.replace("\n", "\r\n")


@every_cause
def test_a_healthy_example_has_no_other_cause(spec: CauseSpec) -> None:
    assert above_note(found(spec.examples.healthy)) == []
