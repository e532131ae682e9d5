"""Each report against a file that can be read as documentation.

``TLFIX_GOLDEN=write`` rewrites the files; look at the diff before committing it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tests.report.cases import CHECKED, DIFF, MISMATCH, RATE, SICK, SOURCE, VERIFIED
from tlfix.findings import Diagnosis, Location, ProbeSummary, Repair
from tlfix.report import check_text, repair_text, text
from tlfix.report import json as json_report

GOLDEN = Path(__file__).parent / "golden"


def drawn(draw: Callable[[Console], None]) -> str:
    file = StringIO()
    text.page(file, draw)
    return file.getvalue()


def diagnosis(value: Diagnosis, achieved: float | None = None, hint: str | None = None) -> str:
    texts = {"train[1].py": SOURCE}
    return drawn(
        lambda out: text.render(value, out, texts=texts, achieved=achieved, hint=hint),
    )


def healthy() -> Diagnosis:
    return SICK.model_copy(
        update={"verdict": "healthy", "symptoms": (), "causes": (), "notes": ()},
    )


def unprobed() -> Diagnosis:
    probe = ProbeSummary(status="skipped", reason="static reading only")
    return healthy().model_copy(update={"verdict": "inconclusive", "probe": probe})


def unverified() -> Repair:
    return VERIFIED.model_copy(
        update={"base": None, "branch": None, "commits": (), "verification": None, "rejected": ()},
    )


REPORTS: dict[str, Callable[[], str]] = {
    "sick": lambda: diagnosis(SICK, 0.3716, "tlfix apply 'train[1].py' --branch"),
    "healthy": lambda: diagnosis(healthy(), 0.8984),
    "not-probed": lambda: diagnosis(unprobed()),
    "repair-verified": lambda: drawn(lambda out: repair_text.render(VERIFIED, out)),
    "repair-diff": lambda: drawn(lambda out: repair_text.render(unverified(), out)),
    "check": lambda: check_text.render(CHECKED),
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_as_it_was(name: str) -> None:
    golden, shown = GOLDEN / f"{name}.txt", REPORTS[name]()
    if os.environ.get("TLFIX_GOLDEN") == "write":
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")


def test_prose_fits_80_columns_and_source_is_never_cut() -> None:
    shown = REPORTS["sick"]().splitlines()
    copied = {*SOURCE.splitlines(), *DIFF.splitlines()}
    for line in shown:
        if len(line) > 80:
            assert any(line.endswith(original) for original in copied), line
    for original in DIFF.splitlines():
        assert f"     {original}" in shown


def test_numbers_are_whole() -> None:
    shown = REPORTS["sick"]()
    for number in ("0.372", "24,382", "1,234,568", "0.00021 nat", "1e-06 per step", "91.0%"):
        assert number in shown
    assert "…" not in shown


def test_the_carets_stand_under_the_expression() -> None:
    lines = text.excerpt(SOURCE, MISMATCH.location or Location(path="", line=1)).plain.splitlines()
    start, end = lines[-1].index("^"), lines[-1].rindex("^") + 1
    assert lines[-2][start:end] == "rescale=1.0 / 255"


def with_notes(count: int, **changed: object) -> str:
    note = RATE.model_copy(update={"severity": "note"})
    causes = (MISMATCH, *(note.model_copy(update={"rank": 2 + i}) for i in range(count)))
    return diagnosis(SICK.model_copy(update={"causes": causes, **changed}))


def test_the_headline_counts_what_is_numbered() -> None:
    shown = with_notes(2)
    assert shown.startswith("Sick: 1 cause and 2 notes found: Images are scaled another way")
    causes, notes = shown.split("\nCauses\n")[1].split("\nNotes\n")
    assert "1. preprocessing-mismatch" in causes and "learning-rate-low" not in causes
    assert notes.count("-  learning-rate-low TL502  note") == 2
    assert "2. " not in shown and "3. " not in shown


def test_notes_alone_are_no_causes() -> None:
    note = RATE.model_copy(update={"severity": "note", "rank": 1})
    shown = diagnosis(healthy().model_copy(update={"causes": (note,)}))
    assert shown.startswith("Healthy: ")
    assert "Causes" not in shown and "\nNotes\n\n-  learning-rate-low" in shown


def test_sentences_end_once() -> None:
    probe = ProbeSummary(status="skipped", reason="No such file or directory.")
    shown = diagnosis(unprobed().model_copy(update={"probe": probe}))
    assert "was read, not run: No such file or directory.\n" in shown
    assert ".." not in shown.replace("0..255", "")


def test_a_patch_that_is_only_shown_is_not_called_applied() -> None:
    for repair in (unverified(), VERIFIED.model_copy(update={"branch": None, "commits": ()})):
        shown = drawn(lambda out, r=repair: repair_text.render(r, out, written=False))  # type: ignore[misc]
        assert "applied" not in shown.lower().replace("not applied", "")
        assert "othing is written" in shown
    empty = VERIFIED.model_copy(update={"diff": "", "branch": None, "verification": None})
    shown = drawn(lambda out: repair_text.render(empty, out, written=False))
    assert shown.startswith("Nothing proposed: 1 proposed fix not kept.")


def test_json_is_the_model() -> None:
    shown = json.loads(json_report.render(SICK))
    assert shown["schema"] == "tlfix.diagnosis/1"
    assert Diagnosis.model_validate(shown) == SICK


def test_colour_is_for_terminals() -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    text.page(terminal, lambda out: text.render(SICK, out))
    assert "\x1b[" not in REPORTS["sick"]()
    assert ("\x1b[" in terminal.getvalue()) == ("NO_COLOR" not in os.environ)
