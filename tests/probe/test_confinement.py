"""A script writes, renames and deletes as it likes; the user's folder stays as it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.probe import writing
from tlfix.probe.runner import Budget, probe
from tlfix.probe.starting import AGENT
from tlfix.probe.trace import Trace

QUICK = Budget(timeout=30)
WITHOUT_MOUNTS = f"""\
import sys
sys.path.insert(0, {str(AGENT)!r})
import launch
launch.load_package()
from tlfix_agent import overlay
overlay.Overlay(sys.argv[1], []).install()
exec(compile(open("train.py").read(), "train.py", "exec"))
"""


def contents(folder: Path) -> dict[str, bytes | str | None]:
    """Everything below ``folder``, by content."""
    return {
        str(path.relative_to(folder)): os.readlink(path)
        if path.is_symlink()
        else (path.read_bytes() if path.is_file() else None)
        for path in folder.rglob("*")
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "project, with: signs"
    (project / "data").mkdir(parents=True)
    (project / "data" / "a.txt").write_text("a")
    (project / "precious.txt").write_text("mine")
    return project


def run(folder: Path, text: str, sandbox: str = "auto") -> Trace:
    (folder / "train.py").write_text(text)
    return probe(folder / "train.py", budget=QUICK, cwd=folder, sandbox=sandbox)


def mounts() -> bool:
    """True if the kernel lets this user mount overlays."""
    command = ["unshare", "--map-root-user", "--user", "--mount", "sh", "-c"]
    mount = "mount -t tmpfs t /mnt && mkdir /mnt/u /mnt/w && mount -t overlay o -o "
    options = "lowerdir=/opt,upperdir=/mnt/u,workdir=/mnt/w,userxattr /opt"
    try:
        return subprocess.run([*command, mount + options], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


needs_mounts = pytest.mark.skipif(not mounts(), reason="this kernel mounts no overlays")


def test_what_python_writes_is_found_again(folder: Path) -> None:
    (folder / "train.py").write_text(writing.program(writing.PLAIN))
    before = contents(folder)
    trace = run(folder, writing.program(writing.PLAIN))
    assert trace.status == "completed", trace.reason
    assert contents(folder) == before


def test_so_it_is_where_the_kernel_mounts_nothing(folder: Path, tmp_path: Path) -> None:
    (folder / "train.py").write_text(writing.program(writing.PLAIN))
    before = contents(folder)
    scratch = tmp_path / "scratch"
    (scratch / "tmp").mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_MOUNTS, str(scratch)],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(scratch / "tmp")},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(folder) == before


@needs_mounts
def test_what_is_written_below_python_is_found_again(folder: Path) -> None:
    text = writing.program(writing.BELOW_PYTHON)
    (folder / "train.py").write_text(text)
    before = contents(folder)
    trace = run(folder, text)
    assert trace.status == "completed", trace.reason
    assert contents(folder) == before
    assert not Path("/tmp/tlfix-was-here").exists()
    assert not Path("~/.tlfix-was-here").expanduser().exists()


@needs_mounts
def test_writing_through_a_link_leaves_what_it_leads_to(folder: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    (theirs / "runs").mkdir(parents=True)
    (theirs / "labels.txt").write_text("mine")
    (folder / "runs").symlink_to(theirs / "runs")
    (folder / "labels.txt").symlink_to(theirs / "labels.txt")
    text = (
        "import os, subprocess\n"
        "subprocess.check_call(['touch', 'runs/1'])\n"
        "subprocess.check_call(['sh', '-c', 'echo new > labels.txt'])\n"
        "assert os.listdir('runs') == ['1'] and open('labels.txt').read() == 'new\\n'\n"
    )
    trace = run(folder, text)
    assert trace.status == "completed", trace.crash
    assert contents(theirs) == {"runs": None, "labels.txt": b"mine"}


def test_no_scratch_folder_is_left(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = folder.parent / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    run(folder, "import os\nos.makedirs('a/b')\nos.chmod('a', 0)\n")
    assert list(temporary.iterdir()) == []


KERAS = """\
import os
import h5py, keras, numpy, tensorflow as tf

with h5py.File("features.h5", "w") as file:
    file["x"] = [1]
tf.io.gfile.makedirs("logs/1")
os.makedirs("runs/1")
os.chdir("runs/1")
model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
x, y = numpy.random.rand(64, 8).astype("float32"), numpy.arange(64) % 4
best = keras.callbacks.ModelCheckpoint("best.keras", save_best_only=True, monitor="loss")
model.fit(x, y, epochs=1, callbacks=[best])
assert os.listdir(".") == ["best.keras"] and os.path.isdir("../../logs/1")
keras.models.load_model("best.keras").evaluate(x, y)
while True:
    try:
        model.fit(x, y, epochs=1000)
    except BaseException:
        continue
"""


@needs_mounts
@pytest.mark.probe
def test_libraries_write_and_a_script_deaf_to_its_end_is_left(folder: Path) -> None:
    (folder / "train.py").write_text(KERAS)
    before = contents(folder)
    budget = Budget(steps=12, timeout=120)
    trace = probe(folder / "train.py", budget=budget, cwd=folder, fits=2)
    assert trace.status == "completed" and trace.crash is None, trace.crash
    assert [fit.ended for fit in trace.fits] == ["completed", "budget", "budget"][: len(trace.fits)]
    assert trace.fits[-1].ended == "budget"
    assert any("catches every exception" in note for note in trace.notes)
    assert contents(folder) == before


def test_unconfined_the_script_writes(folder: Path) -> None:
    trace = run(folder, "open('written.txt', 'w').write('yes')\n", sandbox="none")
    assert trace.status == "completed" and (folder / "written.txt").read_text() == "yes"
