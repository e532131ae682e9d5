"""The static check of files and folders."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tlfix.causes import registry
from tlfix.checking import check, files, unexamined
from tlfix.report import check_text
from tlfix.source.script import LARGEST

CURABLE = [spec for spec in registry.load() if spec.examples.cured is not None]


def write(folder: Path, name: str, text: str | bytes = "x = 1\n") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


class TestFiles:
    def test_folders_are_walked_in_order(self, tmp_path: Path) -> None:
        for name in ("b.py", "a/z.py", "a/a.py", "a/notes.md"):
            write(tmp_path, name)
        found = [str(Path(path).relative_to(tmp_path)) for path in files([tmp_path])]
        assert found == ["b.py", "a/a.py", "a/z.py"]

    @pytest.mark.parametrize(
        "name",
        [
            ".git/hook.py",
            ".venv/x.py",
            ".hidden.py",
            "node_modules/x.py",
            "__pycache__/x.py",
            "lib/site-packages/x.py",
            "myenv/x.py",
        ],
    )
    def test_passed_over(self, tmp_path: Path, name: str) -> None:
        write(tmp_path, "myenv/pyvenv.cfg")
        write(tmp_path, name)
        assert list(files([tmp_path])) == []

    def test_a_named_file_is_always_taken(self, tmp_path: Path) -> None:
        hidden = write(tmp_path, ".hidden.py")
        assert list(files([hidden])) == [str(hidden)]

    def test_each_once(self, tmp_path: Path) -> None:
        path = write(tmp_path, "a.py")
        assert list(files([path, tmp_path, path])) == [str(path)]


class TestCheck:
    def test_a_file_that_trains_nothing(self, tmp_path: Path) -> None:
        path = write(tmp_path, "a.py")
        (checked,) = check([path], strict=True).files
        assert (checked.path, checked.skipped, checked.causes) == (str(path), None, ())

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"import keras\ndef broken(:\n", "is not valid Python 3: line 2"),
            (b"import keras\n\x00", "is not "),
            (b"import keras\nx = " + b"(" * 5000, "is not valid Python 3"),
            (b"import keras\nx = '\xff'\n", "is not utf-8 text: line 2"),
            (b"import keras\n" + b"#" * LARGEST, "1,000,013 bytes"),
        ],
    )
    def test_a_bad_file_hides_no_other(self, tmp_path: Path, content: bytes, reason: str) -> None:
        write(tmp_path, "bad.py", content)
        write(tmp_path, "good.py")
        bad, good = check([tmp_path]).files
        assert bad.skipped is not None and reason in bad.skipped
        assert good.skipped is None

    def test_a_broken_file_that_is_none_of_ours(self, tmp_path: Path) -> None:
        write(tmp_path, "python2.py", b"print 'hello'\n")
        assert check([tmp_path]).files[0].skipped is None

    def test_a_broken_file_that_was_named(self, tmp_path: Path) -> None:
        path = write(tmp_path, "python2.py", b"print 'hello'\n")
        (checked,) = check([path]).files
        assert checked.skipped is not None and "is not valid Python 3" in checked.skipped

    def test_pipes_devices_and_looping_links_are_skipped(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "a.py")
        (tmp_path / "b.py").symlink_to("b.py")
        (tmp_path / "c.py").symlink_to("/dev/zero")
        reasons = [file.skipped or "" for file in check([tmp_path]).files]
        assert [reason.removeprefix(f"{tmp_path}/")[:29] for reason in reasons] == [
            "a.py is not a regular file (b",
            "b.py is a symbolic link that ",
            "c.py is not a regular file (b",
        ]

    def test_a_folder_that_cannot_be_listed_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path, "good.py")
        write(tmp_path, "locked/a.py")
        scandir = os.scandir

        def denied(path: str) -> object:
            if str(path).endswith("locked"):
                raise PermissionError(13, "Permission denied", path)
            return scandir(path)

        monkeypatch.setattr(os, "scandir", denied)
        result = check([tmp_path])
        assert {Path(f.path).name: f.skipped for f in result.files} == {
            "good.py": None,
            "locked": "The folder cannot be listed: Permission denied.",
        }
        shown = check_text.render(result)
        assert f"{tmp_path}/locked/: not examined: The folder cannot be listed" in shown
        assert "1 folder was not examined; nothing found in 1 file" in shown
        assert unexamined(result, [tmp_path]) == []
        named = check([tmp_path / "locked"])
        assert len(unexamined(named, [tmp_path / "locked"])) == 1

    def test_a_missing_file(self, tmp_path: Path) -> None:
        (checked,) = check([tmp_path / "gone.py"]).files
        assert checked.skipped is not None and "There is no file" in checked.skipped

    def test_latin_1(self, tmp_path: Path) -> None:
        write(
            tmp_path,
            "a.py",
            "# -*- coding: latin-1 -*-\nimport keras\nname = 'é'\n".encode("latin-1"),
        )
        assert check([tmp_path]).files[0].skipped is None

    @pytest.mark.parametrize("spec", CURABLE, ids=lambda spec: spec.id)
    def test_select_and_ignore(self, tmp_path: Path, spec: registry.CauseSpec) -> None:
        path = write(tmp_path, "sick.py", spec.examples.sick)

        def ids(**options: object) -> list[str]:
            result = check([path], notes=True, strict=True, **options)  # type: ignore[arg-type]
            return [cause.id for cause in result.files[0].causes]

        assert ids(select=[spec.id]) == ids(select=[spec.code]) == [spec.id]
        assert spec.id not in ids(ignore=[spec.id])
        assert spec.id not in ids(ignored_in=lambda path: [spec.id])
        assert ids(select=[spec.id], ignore=[spec.code]) == []

    @pytest.mark.parametrize("spec", CURABLE, ids=lambda spec: spec.id)
    def test_notes_only_on_request(self, tmp_path: Path, spec: registry.CauseSpec) -> None:
        path = write(tmp_path, "sick.py", spec.examples.sick)
        (checked,) = check([path], strict=True).files
        assert all(cause.severity != "note" for cause in checked.causes)


def test_it_imports_neither_tensorflow_nor_scipy_nor_numpy(tmp_path: Path) -> None:
    path = write(tmp_path, "a.py", "import keras\nkeras.Sequential().fit(x, y)\n")
    code = (
        "import sys, tlfix.checking\n"
        f"tlfix.checking.check([{str(path)!r}], strict=True)\n"
        "heavy = {'tensorflow', 'keras', 'scipy', 'numpy', 'libcst'} & set(sys.modules)\n"
        "sys.exit(' '.join(sorted(heavy)) or None)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
