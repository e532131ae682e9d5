"""Text from outside never acts on a terminal."""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path

import pytest
from rich.text import Text

from tlfix import printable
from tlfix.checking import check
from tlfix.report import check_text
from tlfix.report.text import page
from tlfix.source.script import SourceError, load


def test_names_are_one_line() -> None:
    assert printable.name("a\nb\x1b[31m\x7f\udcffé.py") == "a\\nb\\x1b[31m\\x7f\\udcffé.py"
    assert printable.prose("one\r\ntwo\t\x1b[2J\x07") == "one\ntwo\t\\x1b[2J\\x07"


def test_a_file_with_a_hostile_name(tmp_path: Path) -> None:
    path = tmp_path / "a\n\x1b[31mNothing found.py"
    path.write_text("import keras\nx = (\n")
    shown = check_text.render(check([path]))
    assert "a\\n\\x1b[31mNothing found.py: not examined: " in shown
    assert "\x1b" not in shown and len(shown.splitlines()) == 2
    with pytest.raises(SourceError) as raised:
        load(path)
    assert "\x1b" not in str(raised.value) and "\n" not in str(raised.value)


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/a\xff.py"
    Path(os.fsdecode(path)).write_text("import keras\nkeras.Sequential().fit(x, y)\n")
    (checked,) = check([tmp_path]).files
    assert checked.skipped is None and checked.path.endswith("a\\udcff.py")
    check_text.render(check([tmp_path])).encode()


@pytest.mark.parametrize("terminal", [False, True])
def test_pages_escape_and_lose_nothing(terminal: bool) -> None:
    class File(StringIO):
        def isatty(self) -> bool:
            return terminal

    file = File()
    page(file, lambda out: out.print(Text("\x1b]0;title\x01 " * 12 + "the end"), style="none"))
    assert "\x1b]" not in file.getvalue() and "\x01" not in file.getvalue()
    assert file.getvalue().replace("\n", "").count("\\x1b]0;title\\x01") == 12
    assert "the end" in file.getvalue()
