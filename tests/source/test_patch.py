from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tlfix.codemods import Declined, Position
from tlfix.source import patch, relocate, unified_diff

PROGRAM = """\
first(rate=0)
# a comment
second(rate=0)
third(rate=0)
"""


def edit(line: int, column: int = 0) -> dict[str, object]:
    call = Position(line, column)
    return {"edits": [{"call": call, "keyword": "rate", "index": None, "value": "1"}]}


def moved(original: str, current: str, position: Position) -> Position:
    edits = relocate({"a": {"at": position}}, {"a": original}, {"a": current})
    found = edits["a"]["at"]
    assert isinstance(found, Position)
    return found


class TestPatch:
    def test_each_file(self) -> None:
        texts = {"a": PROGRAM, "b": PROGRAM, "c": PROGRAM}
        new = patch(texts, "set_argument", {"a": edit(1), "b": edit(4)})
        assert new == {
            "a": PROGRAM.replace("first(rate=0)", "first(rate=1)"),
            "b": PROGRAM.replace("third(rate=0)", "third(rate=1)"),
        }
        assert texts["a"] == PROGRAM

    def test_declines_where_there_is_nothing(self) -> None:
        with pytest.raises(Declined):
            patch({"a": PROGRAM}, "set_argument", {"a": edit(2)})

    def test_declines_for_a_file_nobody_read(self) -> None:
        with pytest.raises(Declined, match=r"other\.py"):
            patch({"a": PROGRAM}, "set_argument", {"other.py": edit(1)})

    def test_carriage_returns_stay(self) -> None:
        text = PROGRAM.replace("\n", "\r\n")
        new = patch({"a": text}, "set_argument", {"a": edit(3)})
        assert new["a"] == text.replace("second(rate=0)", "second(rate=1)")

    def test_new_lines_in_a_file_of_carriage_returns_have_them_too(self) -> None:
        text = (
            "from tensorflow import keras\r\n\r\n"
            "base = keras.applications.VGG16(include_top=False)\r\n"
            "model = keras.Sequential([base])\r\n"
        )
        new = patch({"a": text}, "freeze_backbone", {"a": {"backbone": Position(3, 7)}})["a"]
        assert new.count("\n") == new.count("\r\n") > text.count("\n")


class TestRelocate:
    def test_nothing_changed(self) -> None:
        assert relocate({"a": edit(3)}, {"a": PROGRAM}, {"a": PROGRAM}) == {"a": edit(3)}

    def test_lines_above_were_added(self) -> None:
        assert moved(PROGRAM, "import x\n\n" + PROGRAM, Position(3, 0)) == Position(5, 0)

    def test_lines_above_were_removed(self) -> None:
        assert moved(PROGRAM, PROGRAM.replace("# a comment\n", ""), Position(4, 0)) == Position(
            3, 0
        )

    def test_the_line_itself_was_changed_before_it(self) -> None:
        current = PROGRAM.replace("second(rate=0)", "result = second(rate=0)")
        assert moved(PROGRAM, current, Position(3, 0)) == Position(3, 9)

    def test_the_line_itself_was_changed_behind_it(self) -> None:
        current = PROGRAM.replace("second(rate=0)", "second(\n    rate=1,\n)")
        assert moved(PROGRAM, current, Position(3, 0)) == Position(3, 0)
        assert moved(PROGRAM, current, Position(3, 7)) == Position(4, 4)

    def test_neighbours_that_look_alike(self) -> None:
        original = "train = gen(scale=1)\nval = gen(scale=1)\n"
        current = "train = gen(function=f)\nval = gen(function=f)\n"
        assert moved(original, current, Position(2, 6)) == Position(2, 6)
        assert moved(original, current, Position(1, 8)) == Position(1, 8)

    def test_after_a_real_patch(self) -> None:
        current = patch({"a": PROGRAM}, "set_argument", {"a": edit(1)})["a"]
        edits = relocate({"a": edit(3)}, {"a": PROGRAM}, {"a": current})
        assert patch({"a": current}, "set_argument", edits)["a"] == PROGRAM.replace(
            "first(rate=0)", "first(rate=1)"
        ).replace("second(rate=0)", "second(rate=1)")

    def test_other_line_ends(self) -> None:
        crlf = PROGRAM.replace("\n", "\r\n")
        assert moved(crlf, "x = 1\r\n" + crlf, Position(4, 6)) == Position(5, 6)

    def test_columns_count_characters(self) -> None:
        assert moved("é = f(日)\n", "ü = 1; é = f(日)\n", Position(1, 4)) == Position(1, 11)

    @pytest.mark.parametrize("current", ["", "first(rate=0)\n", PROGRAM.replace("second", "other")])
    def test_its_own_text_is_gone(self, current: str) -> None:
        with pytest.raises(Declined, match=r"`second\(rate=0\)` \(line 3\)"):
            moved(PROGRAM, current, Position(3, 0))

    def test_a_line_that_never_was(self) -> None:
        with pytest.raises(Declined, match="line 99"):
            moved(PROGRAM, PROGRAM + "x\n", Position(99, 0))

    def test_positions_deep_inside(self) -> None:
        at = Position(1, 0)
        value = {"a": [{"b": (at, "x", 3)}], "c": None, "d": [at, [at]]}
        found = relocate({"p": value}, {"p": "f()\n"}, {"p": "\nf()\n"})
        to = Position(2, 0)
        assert found == {"p": {"a": [{"b": (to, "x", 3)}], "c": None, "d": [to, [to]]}}
        assert value["d"] == [at, [at]]

    def test_a_file_nobody_read(self) -> None:
        with pytest.raises(Declined):
            relocate({"a": edit(1)}, {}, {})


class TestUnifiedDiff:
    def test_nothing(self) -> None:
        assert unified_diff(PROGRAM, PROGRAM, "a.py") == ""

    def test_headers(self) -> None:
        diff = unified_diff("a\nb\n", "a\nc\n", "src/a.py")
        assert diff == "--- a/src/a.py\n+++ b/src/a.py\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"

    def test_an_absolute_path(self) -> None:
        assert unified_diff("a\n", "b\n", "/src/a.py").startswith("--- a/src/a.py\n")

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("a\nb\n", "a\nc\n"),
            ("a\nb", "a\nc"),
            ("a\nb", "a\nb\n"),
            ("a\nb\n", "a\nb"),
            ("", "a\n"),
            ("a\n", ""),
            ("a\r\nb\r\n", "a\r\nc\r\n"),
            ("a\r\nb", "a\r\nb\r\nc"),
            ("x = '\x0c'\na\n", "x = '\x0c'\nb\n"),
            ("x = '\x85\u2028'\na\n", "x = '\x85\u2028'\nb\n"),
            ("a\rb\n", "a\rc\n"),
            ("\n".join(map(str, range(100))) + "\n", "\n".join(map(str, range(1, 99))) + "\n"),
        ],
    )
    def test_git_applies_it(self, tmp_path: Path, old: str, new: str) -> None:
        file = tmp_path / "dir" / "a.py"
        file.parent.mkdir()
        file.write_bytes(old.encode())
        diff = unified_diff(old, new, "dir/a.py").encode()
        subprocess.run(
            ["git", "apply", "--whitespace=nowarn", "-"], input=diff, cwd=tmp_path, check=True
        )
        left = file.read_bytes() if file.exists() else b""
        assert left == new.encode()
