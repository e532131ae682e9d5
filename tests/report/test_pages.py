"""The generated part of docs/ is what `make docs` writes."""

from __future__ import annotations

from pathlib import Path

from tlfix.report.pages import generated, write

DOCS = Path(__file__).parents[2] / "docs"


def test_the_pages_are_not_stale() -> None:
    stale = []
    for name, text in generated().items():
        path = DOCS / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
    assert stale == [], "run `make docs`"


def test_no_page_is_left_of_a_cause_that_is_gone() -> None:
    assert {f"causes/{path.name}" for path in DOCS.glob("causes/*.md")} <= set(generated())


def test_writing_removes_what_is_gone_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "causes").mkdir()
    (tmp_path / "causes" / "gone.md").write_text("old")
    (tmp_path / "guide.md").write_text("by hand")
    write(tmp_path)
    assert not (tmp_path / "causes" / "gone.md").exists()
    assert (tmp_path / "guide.md").read_text() == "by hand"
    assert (tmp_path / "causes" / "README.md").read_text() == generated()["causes/README.md"]


def test_every_published_field_has_its_schema() -> None:
    schema = generated()["schema/tlfix.diagnosis-1.json"]
    for field in ("schema", "verdict", "symptoms", "causes", "evidence", "measured", "timings"):
        assert f'"{field}"' in schema
