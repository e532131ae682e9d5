"""Ranking on causes made for the purpose: order, merging, demotion, suppression, patches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.codemods import Position
from tlfix.findings import Evidence, Severity, Symptom
from tlfix.program.model import Program, Site
from tlfix.ranking import Ranking, examine, merge
from tlfix.suppression import suppressed

TEXT = """\
from keras.optimizers import Adam

one = Adam(0.1)
two = Adam(lr=0.2)
"""
PROGRAM = Program(path="train.py", text=TEXT, training=True)
CRASH = Symptom(id="crash", severity="error", summary="it crashed")


def site(line: int, path: str = "train.py") -> Site:
    return Site(path, line, 6, line, 15)


def finding(severity: Severity = "warning", line: int = 3, **other: object) -> Finding:
    evidence = (Evidence(source="static", summary=f"line {line}"),)
    base = Finding(severity, "likely", site(line), evidence, advice="do it by hand")
    return replace(base, **other)  # type: ignore[arg-type]


def spec(
    code: str, *findings: Finding, after: tuple[str, ...] = (), id: str | None = None
) -> CauseSpec:
    return made(code, lambda case: findings, after=after, id=id)


def made(
    code: str,
    find: Callable[[Case], Iterable[Finding]],
    after: tuple[str, ...] = (),
    id: str | None = None,
) -> CauseSpec:
    return CauseSpec(
        id=id or f"cause-{code.lower()}",
        code=code,
        title=f"Title of {code}",
        what="what",
        why="why",
        sources=("https://example.org",),
        find=find,
        examples=Examples(sick="", healthy=""),
        after=after,
    )


def ranking(*specs: CauseSpec, text: str = TEXT, symptoms: tuple[Symptom, ...] = ()) -> Ranking:
    case = Case(PROGRAM, symptoms={symptom.id: symptom for symptom in symptoms})
    return examine(case, {"train.py": text}, specs=specs, strict=True)


def order(result: Ranking) -> list[str]:
    return [item.cause.code for item in result.ranked]


class TestOrder:
    def test_the_way_of_the_data(self) -> None:
        codes = ["TL901", "TL501", "TL301", "TL101", "TL401", "TL201"]
        found = ranking(*(spec(code, finding()) for code in codes))
        assert order(found) == ["TL101", "TL201", "TL301", "TL401", "TL501", "TL901"]
        assert [item.cause.rank for item in found.ranked] == [1, 2, 3, 4, 5, 6]

    def test_severity_before_the_way(self) -> None:
        found = ranking(
            spec("TL101", finding("note")),
            spec("TL102", finding("warning")),
            spec("TL501", finding("error")),
        )
        assert order(found) == ["TL501", "TL102", "TL101"]

    def test_measured_cost_before_the_way(self) -> None:
        found = ranking(
            spec("TL101", finding()),
            spec("TL102", finding(cost=0.07)),
            spec("TL501", finding(cost=0.30)),
        )
        assert order(found) == ["TL501", "TL102", "TL101"]

    def test_what_explains_the_crash_comes_first(self) -> None:
        specs = (
            spec("TL102", finding("error", cost=0.5)),
            spec("TL901", finding("error", explains=("crash",))),
        )
        assert order(ranking(*specs, symptoms=(CRASH,))) == ["TL901", "TL102"]
        assert order(ranking(*specs)) == ["TL102", "TL901"]

    def test_only_measured_symptoms_are_explained(self) -> None:
        cause = spec("TL901", finding("error", explains=("crash", "flat-loss")))
        assert ranking(cause, symptoms=(CRASH,)).ranked[0].cause.explains == ("crash",)
        assert ranking(cause).ranked[0].cause.explains == ()


class TestAfter:
    def test_a_cause_accounted_for_becomes_a_note(self) -> None:
        found = ranking(
            spec("TL501", finding("error"), after=("cause-tl102",)), spec("TL102", finding())
        )
        assert [(i.cause.code, i.cause.severity) for i in found.ranked] == [
            ("TL102", "warning"),
            ("TL501", "note"),
        ]

    def test_not_by_a_note(self) -> None:
        found = ranking(
            spec("TL501", finding("error"), after=("cause-tl102",)), spec("TL102", finding("note"))
        )
        assert found.ranked[0].cause.severity == "error"

    def test_not_by_a_suppressed_finding(self) -> None:
        text = TEXT.replace("one = Adam(0.1)", "one = Adam(0.1)  # tlfix: ignore[TL102] on purpose")
        found = ranking(
            spec("TL501", finding("error", line=4), after=("cause-tl102",)),
            spec("TL102", finding(line=3)),
            text=text,
        )
        assert [(i.cause.code, i.cause.severity) for i in found.ranked] == [("TL501", "error")]


class TestMerge:
    def test_one_cause_with_the_evidence_of_all(self) -> None:
        found = ranking(
            spec(
                "TL101",
                finding("warning", line=3, explains=("flat-loss",), cost=0.1),
                finding("error", line=4, explains=("crash",), confidence="certain"),
            )
        )
        (item,) = found.ranked
        assert item.cause.severity == "error" and item.cause.confidence == "certain"
        assert item.cause.location is not None and item.cause.location.line == 4
        assert [e.summary for e in item.cause.evidence] == ["line 4", "line 3"]
        assert item.finding.explains == ("crash", "flat-loss")
        assert item.finding.cost == 0.1

    def test_the_same_evidence_is_said_once(self) -> None:
        assert len(merge([finding(), finding()]).evidence) == 1

    def test_remedies_in_different_files_join(self) -> None:
        remedies = [
            Remedy("set_argument", "set it", {path: {"edits": []}}, review=review)
            for path, review in (("train.py", "none"), ("model.py", "careful"))
        ]
        merged = merge([finding(remedy=remedy) for remedy in remedies])  # type: ignore[arg-type]
        assert merged.remedy is not None
        assert set(merged.remedy.edits) == {"train.py", "model.py"}
        assert merged.remedy.review == "careful"

    def test_remedies_in_one_file_do_not(self) -> None:
        """The second place is found again once the first is cured."""
        remedies = [
            Remedy("set_argument", "set it", {"train.py": {"edits": [{"keyword": keyword}]}})
            for keyword in ("a", "b")
        ]
        merged = merge([finding(remedy=remedy) for remedy in remedies])
        assert merged.remedy == remedies[0]

    def test_a_finding_with_a_remedy_is_stronger(self) -> None:
        remedy = Remedy("set_argument", "set it", {"train.py": {"edits": []}})
        merged = merge([finding(line=3), finding(line=4, remedy=remedy)])
        assert merged.remedy == remedy and merged.site == site(4)


class TestSuppression:
    @pytest.mark.parametrize(
        ("comment", "silent"),
        [
            ("# tlfix: ignore", True),
            ("#tlfix:ignore", True),
            ("# tlfix: ignore[cause-tl101] measured, harmless", True),
            ("# tlfix: ignore[TL101]", True),
            ("# tlfix: ignore[tl101]", True),
            ("# tlfix: ignore[other, TL101]", True),
            ("# noqa  # tlfix: ignore[TL101]", True),
            ("# tlfix: ignore[TL102]", False),
            ("# tlfix: ignore[]", False),
            ("# ignore[TL101]", False),
            ("# tlfix: ok", False),
        ],
    )
    def test_comments(self, comment: str, silent: bool) -> None:
        text = f"first\nmodel = make()  {comment}\n"
        assert suppressed(text, 2, "cause-tl101", "TL101") is silent
        assert suppressed(text, 1, "cause-tl101", "TL101") is False

    def test_other_places_of_the_cause_stay(self) -> None:
        text = TEXT.replace("one = Adam(0.1)", "one = Adam(0.1)  # tlfix: ignore")
        found = ranking(spec("TL101", finding(line=3), finding(line=4)), text=text)
        assert [e.summary for e in found.ranked[0].cause.evidence] == ["line 4"]

    def test_a_form_feed_does_not_end_a_line(self) -> None:
        assert suppressed("a = 1\n\x0cb = 2  # tlfix: ignore\n", 2, "x", "TL1")
        assert suppressed("a = 1\r\nb = 2  # tlfix: ignore\r\n", 2, "x", "TL1")


class TestFix:
    def remedy(self, **edit: object) -> Remedy:
        base = {"call": Position(3, 6), "keyword": "learning_rate", "index": 0, "value": "1e-3"}
        return Remedy("set_argument", "lower the rate", {"train.py": {"edits": [base | edit]}})

    def test_diff_and_patched_text(self) -> None:
        (item,) = ranking(spec("TL501", finding(remedy=self.remedy()))).ranked
        assert item.cause.fix is not None and item.patched is not None
        assert item.patched == {"train.py": TEXT.replace("Adam(0.1)", "Adam(1e-3)")}
        assert "-one = Adam(0.1)\n+one = Adam(1e-3)\n" in item.cause.fix.diff
        assert item.cause.fix.review == "cursory"

    def test_a_codemod_that_declines_leaves_its_reason(self) -> None:
        remedy = self.remedy(call=Position(1, 0))
        (item,) = ranking(spec("TL501", finding(remedy=remedy))).ranked
        assert item.cause.fix is None and item.patched is None
        assert item.cause.advice is not None
        assert item.cause.advice.startswith("do it by hand (no automatic fix: ")

    def test_columns_count_from_one(self) -> None:
        (item,) = ranking(spec("TL501", finding())).ranked
        where = item.cause.location
        assert where is not None
        assert (where.line, where.column, where.end_column) == (3, 7, 16)


class TestBrokenCause:
    @staticmethod
    def half(case: Case) -> Iterable[Finding]:
        yield finding()
        raise KeyError("door")

    def test_the_others_are_still_found(self) -> None:
        specs = (made("TL101", self.half), spec("TL501", finding()))
        found = examine(Case(PROGRAM), {"train.py": TEXT}, specs=specs)
        assert order(found) == ["TL101", "TL501"]
        assert found.notes == ("cause cause-tl101 could not be examined: KeyError: 'door'",)

    def test_tests_hear_of_it(self) -> None:
        with pytest.raises(KeyError):
            examine(Case(PROGRAM), {}, specs=[made("TL101", self.half)], strict=True)

    def test_a_codemod_that_fails_leaves_the_cause(self) -> None:
        broken = finding(remedy=Remedy("set_argument", "set it", {"train.py": {"wrong": 1}}))
        found = examine(Case(PROGRAM), {"train.py": TEXT}, specs=[spec("TL501", broken)])
        (item,) = found.ranked
        assert item.cause.fix is None
        assert item.cause.advice == "do it by hand (no automatic fix: the codemod failed)"
        assert found.notes[0].startswith("the fix of cause-tl501 could not be made: TypeError")
