"""Real programs in a mirror: they find their data and siblings, and the originals stay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tlfix.repair.mirror import mirror

FROM_FILE = "import pathlib; print(({}.parents[1] / 'data/x.txt').read_text())"


def tell(project: Path) -> Path:
    """A project whose script prints what it can see from where it runs."""
    (project / "data").mkdir(parents=True)
    (project / "data" / "x.txt").write_text("data of the root")
    (project.parent / "shared").mkdir()
    (project.parent / "shared" / "y.txt").write_text("data beside the project")
    (project / "src" / "pkg").mkdir(parents=True)
    (project / "src" / "data.txt").write_text("data of the script")
    (project / "src" / "sibling.py").write_text("NAME = 'sibling'\n")
    (project / "src" / "pkg" / "__init__.py").write_text("")
    (project / "src" / "pkg" / "models.py").write_text("RATE = 0\n")
    (project / "src" / "pkg" / "other.py").write_text("from pkg.models import RATE\n")
    script = project / "src" / "train.py"
    script.write_text("raise SystemExit('the original ran')\n")
    return script


def run(script: Path, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(script)], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def see(code: str, script: Path, cwd: Path, **files: bytes) -> str:
    patched = {script: code.encode()} | {
        script.parent / "pkg" / f"{name}.py": text for name, text in files.items()
    }
    with mirror(patched, cwd) as scratch:
        return run(scratch.of(script), scratch.of(cwd))


@pytest.mark.parametrize(
    "code",
    [
        "print(open('data/x.txt').read())",
        FROM_FILE.format("pathlib.Path(__file__)"),
        FROM_FILE.format("pathlib.Path(__file__).resolve()"),
        "import os; os.chdir('src'); print(open('../data/x.txt').read())",
    ],
)
def test_paths_from_the_root_of_the_project(tmp_path: Path, code: str) -> None:
    script = tell(tmp_path / "my projéct")
    assert see(code, script, tmp_path / "my projéct") == "data of the root"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("print(open('data.txt').read())", "data of the script"),
        ("print(open('../data/x.txt').read())", "data of the root"),
        ("print(open('../../shared/y.txt').read())", "data beside the project"),
        ("import os; print(*sorted(os.listdir('..')))", "data src"),
        ("import sibling; print(sibling.NAME)", "sibling"),
    ],
)
def test_paths_from_the_folder_of_the_script(tmp_path: Path, code: str, expected: str) -> None:
    script = tell(tmp_path / "project")
    assert see(code, script, script.parent) == expected


def test_a_working_directory_apart_from_the_script(tmp_path: Path) -> None:
    script = tell(tmp_path / "project")
    code = "print(open('y.txt').read()); import sibling"
    assert see(code, script, tmp_path / "shared") == "data beside the project"


def test_patched_modules_are_seen_by_every_importer(tmp_path: Path) -> None:
    script = tell(tmp_path / "project")
    run_original = "import pkg.other; print(pkg.other.RATE)"
    assert see(run_original, script, tmp_path / "project") == "0"
    assert see(run_original, script, tmp_path / "project", models=b"RATE = 1\n") == "1"
    # … though the interpreter left byte code in the originals' folders.
    assert see(run_original, script, tmp_path / "project") == "0"


def test_originals_stay_and_the_mirror_goes(tmp_path: Path) -> None:
    script = tell(tmp_path / "project")
    before = sorted((str(p), p.stat().st_mtime_ns) for p in tmp_path.rglob("*"))
    with (
        pytest.raises(KeyboardInterrupt),
        mirror({script: b"pass\n"}, tmp_path / "project") as scratch,
    ):
        root = scratch.root
        assert scratch.of(script).read_bytes() == b"pass\n"
        (scratch.of(script).parent / "new.h5").write_text("made by the trial")
        raise KeyboardInterrupt
    assert not root.exists()
    assert sorted((str(p), p.stat().st_mtime_ns) for p in tmp_path.rglob("*")) == before


def test_links_permissions_and_dangling_links(tmp_path: Path) -> None:
    script = tell(tmp_path / "project")
    script.chmod(0o750)
    (script.parent / "link").symlink_to("../data")
    (script.parent / "gone").symlink_to("nowhere")
    with mirror({script: b"pass\n"}, script.parent) as scratch:
        assert scratch.of(script).stat().st_mode & 0o777 == 0o750
        assert (scratch.of(script).parent / "link" / "x.txt").read_text() == "data of the root"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_may_be_entered_but_not_listed(tmp_path: Path) -> None:
    script = tell(tmp_path / "home" / "project")
    (tmp_path / "home").chmod(0o311)
    try:
        assert see("print(open('data.txt').read())", script, script.parent) == "data of the script"
    finally:
        (tmp_path / "home").chmod(0o755)
