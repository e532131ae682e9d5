"""Output files: whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import pytest

from tlfix.writing import WriteError, to_file


def good(file: IO[str]) -> None:
    file.write("new")


def full(file: IO[str]) -> None:
    file.write("half of it")
    file.flush()
    raise OSError(28, "No space left on device")


def test_it_is_written_with_the_bits_it_had(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    path.chmod(0o640)
    to_file(path, good)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)


def test_a_new_one_has_the_usual_bits(tmp_path: Path) -> None:
    to_file(tmp_path / "a.json", good)
    (tmp_path / "b").touch()
    assert (tmp_path / "a.json").stat().st_mode == (tmp_path / "b").stat().st_mode


@pytest.mark.parametrize("old", [None, "old"])
def test_what_was_begun_is_removed(tmp_path: Path, old: str | None) -> None:
    path = tmp_path / "a.json"
    if old is not None:
        path.write_text(old)
    with pytest.raises(WriteError, match=r"a\.json could not be written: No space left"):
        to_file(path, full)
    assert [each.read_text() for each in tmp_path.iterdir()] == ([] if old is None else [old])


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    to_file(tmp_path / "link", good)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_device_is_written_as_it_is() -> None:
    to_file(Path(os.devnull), good)
    assert not Path(os.devnull).is_file()
    with pytest.raises(WriteError, match="/dev/full could not be written"):
        to_file(Path("/dev/full"), good)
