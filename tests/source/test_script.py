from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tlfix.source.script import LARGEST, SourceError, encode, load


def written(folder: Path, content: bytes, name: str = "train.py") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("content", "encoding", "newline"),
    [
        (b"", "utf-8", None),
        (b"x = 1", "utf-8", None),
        (b"x = 1\ny = 2\n", "utf-8", "\n"),
        (b"x = 1\r\ny = 2\r\n", "utf-8", "\r\n"),
        (b"x = 1\ry = 2\r", "utf-8", "\r"),
        (b"x = 1\r\ny = 2\nz = 3\r", "utf-8", None),
        (BOM + b"x = 1\n", "utf-8-sig", "\n"),
        (BOM + b"# coding: utf-8\r\nx = 1\r\n", "utf-8-sig", "\r\n"),
        ("x = 'é日🎉'\n".encode(), "utf-8", "\n"),
        ("# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"), "iso-8859-1", "\n"),
        ("# vim: set fileencoding=cp1252 :\nx = '€'\n".encode("cp1252"), "cp1252", "\n"),
        (b"x = '\x0c'\n\x0cy = 2\n", "utf-8", "\n"),
        (b"x = 1\n\n\n   \n", "utf-8", "\n"),
    ],
)
def test_every_byte_comes_back(
    tmp_path: Path, content: bytes, encoding: str, newline: str | None
) -> None:
    script = load(written(tmp_path, content))
    assert (script.encoding, script.newline) == (encoding, newline)
    assert not script.text.startswith("\ufeff")
    assert script.sha256 == hashlib.sha256(content).hexdigest()
    assert encode(script, script.text) == content


def test_a_patch_keeps_mark_and_line_ends(tmp_path: Path) -> None:
    script = load(written(tmp_path, BOM + b"x = 1\r\ny = 2\r\n"))
    new = script.text.replace("y = 2\r\n", "y = 3\nz = 4\r\n")
    assert encode(script, new) == BOM + b"x = 1\r\ny = 3\r\nz = 4\r\n"


def test_mixed_line_ends_are_left_alone(tmp_path: Path) -> None:
    script = load(written(tmp_path, b"x = 1\r\ny = 2\n"))
    assert encode(script, script.text + "z = 3\n") == b"x = 1\r\ny = 2\nz = 3\n"


def test_a_character_the_encoding_lacks(tmp_path: Path) -> None:
    script = load(written(tmp_path, b"# coding: latin-1\nx = 1\n"))
    with pytest.raises(SourceError, match=r"'→'.*iso-8859-1.*UTF-8"):
        encode(script, script.text + "# →\n")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.ipynb", b"{}", ["notebook", "jupyter nbconvert --to script"]),
        ("big.py", b"#" * (LARGEST + 1), ["1,000,001 bytes", "1,000,000"]),
        ("latin.py", b"x = 1\ny = '\xe9'\n", ["utf-8", "line 2", "0xe9", "coding: latin-1"]),
        ("codec.py", b"# coding: klingon\n", ["klingon", "UTF-8"]),
        ("utf16.py", "x = 1\n".encode("utf-16"), ["decoded", "UTF-8"]),
        ("null.py", b"x = 1\n\x00", ["null", "not"]),
        ("bad.py", b"x = 1\ny = (\n", ["line 2", "column 5", "never closed", "`y = (`"]),
        ("two.py", b"import keras\nprint 'hello'\n", ["line 2", "print 'hello'", "Python 2"]),
        ("cell.py", b"%matplotlib inline\n", ["line 1", "notebook magic"]),
        ("shell.py", b"x = 1\n!pip install keras\n", ["line 2", "notebook magic"]),
        ("tab.py", b"if 1:\n        x = 1\n    y = 2\n", ["line 3", "unindent"]),
        ("deep.py", b"x = " + b"(" * 5000, ["py"]),
    ],
)
def test_refusals_say_what_to_do(
    tmp_path: Path, name: str, content: bytes, words: list[str]
) -> None:
    path = written(tmp_path, content, name)
    with pytest.raises(SourceError) as caught:
        load(path)
    message = str(caught.value)
    assert str(path) in message
    assert all(word in message for word in words), message
    assert "\n" not in message and message.endswith(".")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"There is no file .*gone\.py"):
        load(tmp_path / "gone.py")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"is a folder.*tlfix check"):
        load(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(SourceError, match=r"pipe\.py is not a regular file"):
        load(tmp_path / "pipe.py")


def test_a_device_is_not_read() -> None:
    with pytest.raises(SourceError, match="/dev/zero is not a regular file"):
        load(Path("/dev/zero"))


def test_a_link_that_leads_to_itself(tmp_path: Path) -> None:
    (tmp_path / "loop.py").symlink_to("loop.py")
    with pytest.raises(SourceError, match=r"loop\.py is a symbolic link that leads back"):
        load(tmp_path / "loop.py")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = written(tmp_path, b"x = 1\n")
    path.chmod(0)
    with pytest.raises(SourceError, match=r"cannot be read.*permissions"):
        load(path)


def test_invalid_escapes_are_the_scripts_affair(tmp_path: Path) -> None:
    # The test run turns warnings into errors.
    assert load(written(tmp_path, b"x = '\\d'\n")).text == "x = '\\d'\n"
