"""The probe on whole programs: real images, real training."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.probe import programs
from tlfix.probe.runner import Budget, Progress, probe
from tlfix.probe.trace import Trace

pytestmark = pytest.mark.probe
QUICK = Budget(seconds=20, steps=24, images=128, timeout=240)


def run(folder: Path, text: str, *arguments: str, budget: Budget = QUICK, fits: int = 1) -> Trace:
    script = folder / "train.py"
    script.write_text(text, encoding="utf-8")
    return probe(script, arguments, budget=budget, fits=fits)


def line_of(text: str, part: str) -> int:
    return next(i for i, line in enumerate(text.splitlines(), 1) if part in line)


def test_raw_pixels_at_a_nested_backbone(project: Path) -> None:
    trace = run(project, programs.NESTED_RAW)
    assert trace.status == "completed", trace.reason
    (backbone,), (fit,) = trace.backbones, trace.fits
    assert (backbone.name, backbone.module) == ("MobileNetV2", "mobilenet_v2")
    assert backbone.weights_status == "pretrained"
    assert backbone.expects is not None and backbone.expects.name == "tf"
    assert backbone.site is not None
    assert backbone.site.line == line_of(programs.NESTED_RAW, "MobileNetV2(")
    assert fit.site is not None and fit.site.line == line_of(programs.NESTED_RAW, "model.fit")
    door = fit.door()
    assert door is not None and door.reads_as is not None and door.reads_as.name == "raw"
    assert door.divergence is not None and door.divergence_expected is not None
    assert door.divergence > 1000 * door.divergence_expected
    assert fit.model.backbone_trainable == 0 < fit.model.head_trainable
    assert fit.compiled is not None and fit.compiled.loss == "categorical_crossentropy"
    assert fit.training is not None and fit.training.label_kind == "one-hot"
    assert fit.training.sites[0].kind == "image_dataset_from_directory"
    validation = fit.evaluation("validation")
    assert validation is not None and validation.classes == 8
    expected = fit.probe("expected")
    assert expected is not None and expected.accuracy > 3 * expected.chance
    assert [s.step for s in fit.steps] == list(range(1, 25))
    assert fit.ended == "budget"


def test_nothing_of_the_users_changes_and_nothing_waits(project: Path) -> None:
    (project / "precious.txt").write_text("mine", encoding="utf-8")
    before = {p.name: p.lstat().st_mtime_ns for p in project.iterdir()}
    seen: list[Progress] = []
    script = project / "train.py"
    script.write_text(programs.GENERATOR_UNFROZEN, encoding="utf-8")
    trace = probe(script, ["--lr", "0.002"], budget=QUICK, on_progress=seen.append)
    after = {p.name: p.lstat().st_mtime_ns for p in project.iterdir() if p.name != "train.py"}
    assert after == before
    assert trace.status == "completed" and trace.crash is None, (trace.reason, trace.crash)
    fit = trace.fits[0]
    assert fit.compiled is not None
    assert fit.compiled.learning_rate == pytest.approx(0.002)
    assert fit.training is not None
    site = fit.training.sites[-1]
    assert site.kind == "flow_from_directory" and site.generator_site is not None
    assert site.generator_site.line == line_of(programs.GENERATOR_UNFROZEN, "ImageDataGenerator(")
    assert fit.training.histogram == {i: 60 for i in range(8)}
    assert fit.model.nesting == "inlined" and fit.model.backbone_trainable > 300_000
    assert fit.model.backbone_training_mode is True
    assert fit.backbone_change is not None and fit.backbone_change > 0
    assert fit.probe("as-is", "trained") is not None
    assert {p.phase for p in seen} >= {"importing", "building", "training", "measuring"}
    assert any(p.step for p in seen)


def test_custom_loop(project: Path) -> None:
    trace = run(project, programs.CUSTOM_LOOP)
    assert trace.status == "completed", (trace.reason, trace.crash)
    (fit,) = trace.fits
    assert fit.method == "custom-loop" and len(fit.steps) == 24
    assert all(s.loss is not None for s in fit.steps)
    assert fit.compiled is not None
    assert (fit.compiled.loss, fit.compiled.from_logits) == (
        "sparse_categorical_crossentropy",
        True,
    )
    assert fit.training is not None and fit.training.label_kind == "integer"
    assert fit.validation is not None and fit.evaluation("validation") is not None
    door = fit.door()
    assert door is not None and door.reads_as is not None and door.reads_as.name == "tf"


@pytest.mark.slow
def test_two_stages_of_a_subclassed_model_share_the_steps(project: Path) -> None:
    trace = run(project, programs.SUBCLASSED_TWO_STAGES, fits=2)
    assert trace.status == "completed", (trace.reason, trace.crash)
    head, tuned = trace.fits
    assert [len(f.steps) for f in trace.fits] == [12, 12]
    assert head.model.kind == "subclassed" and head.model.backbone_trainable == 0
    assert tuned.model.backbone_trainable > 0
    assert head.backbone_change == 0.0 and (tuned.backbone_change or 0) > 0
    assert tuned.model.backbone_training_mode is False


def test_train_on_batch_ends_with_the_budget(project: Path) -> None:
    trace = run(project, programs.TRAIN_ON_BATCH)
    (fit,) = trace.fits
    assert fit.method == "train_on_batch" and len(fit.steps) == 24
    assert trace.status == "completed" and trace.backbones == ()
    assert fit.evaluation("training") is not None


def test_weights_that_cannot_be_downloaded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    trace = run(project, programs.WEIGHTS_NOT_TO_BE_HAD)
    assert trace.status == "completed", (trace.reason, trace.crash)
    assert trace.backbones[0].weights_status == "missing"
    door = trace.fits[0].door()
    assert door is not None and door.reads_as is not None and door.reads_as.name == "raw"
    assert door.divergence is None and trace.fits[0].probes == ()


def test_the_same_script_twice_gives_the_same_numbers(project: Path) -> None:
    first, second = (run(project, programs.TRAIN_ON_BATCH) for _ in range(2))
    assert [s.loss for s in first.fits[0].steps] == [s.loss for s in second.fits[0].steps]


def test_a_crash_keeps_its_place(tmp_path: Path) -> None:
    trace = run(
        tmp_path, "import keras\n\n\ndef load():\n    raise FileNotFoundError('data')\n\n\nload()\n"
    )
    assert trace.status == "crashed" and trace.crash is not None
    assert (trace.crash.type, trace.crash.message) == ("FileNotFoundError", "data")
    assert [p.line for p in trace.crash.frames] == [8, 5]


def test_a_fit_that_cannot_take_a_step_is_not_measured_in_depth(project: Path) -> None:
    text = programs.NESTED_RAW.replace('"categorical_crossentropy"', "refuse")
    text = text.replace("model.compile", "def refuse(t, p):\n    return 1 / 0\nmodel.compile", 1)
    trace = run(project, text)
    assert trace.crash is not None and trace.crash.type == "ZeroDivisionError", trace.crash
    (fit,) = trace.fits
    assert fit.steps == () and fit.batchnorm is None
    assert fit.door() is not None and fit.probe("expected") is not None
    assert {(p.head, p.variant) for p in fit.probes} == {("linear", None)}


def test_a_script_that_never_trains(tmp_path: Path) -> None:
    trace = run(tmp_path, "print('hello')\n")
    assert trace.status == "completed" and trace.fits == () and trace.crash is None


def test_a_script_past_its_limit_is_ended(tmp_path: Path) -> None:
    trace = run(tmp_path, "while True:\n    pass\n", budget=Budget(timeout=3))
    assert trace.status == "timed-out" and "--timeout" in (trace.reason or "")


def test_the_script_ends_when_tlfix_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("import os\nwhile True:\n    pass\n", encoding="utf-8")
    code = (
        "import sys\nfrom pathlib import Path\nfrom tlfix.probe.runner import probe\n"
        "probe(Path(sys.argv[1]), on_progress=lambda p: print(p.phase, flush=True))"
    )
    command = [sys.executable, "-c", code, str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None and parent.stdout.readline()
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
        child = int(children.read_text().split()[0])
        parent.kill()
    for _ in range(200):
        if not _alive(child):
            break
        time.sleep(0.1)
    assert not _alive(child)


def _alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_exit_status_and_arguments(tmp_path: Path) -> None:
    trace = run(
        tmp_path,
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('data')\np.parse_args()\n",
    )
    assert trace.status == "crashed" and "after `--`" in (trace.reason or "")


def test_an_interpreter_that_is_not_there(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("", encoding="utf-8")
    trace = probe(script, python=str(tmp_path / "python"))
    assert trace.status == "skipped" and "could not be started" in (trace.reason or "")


def test_writes_below_python_are_refused(tmp_path: Path) -> None:
    """Landlock, where the kernel has it: a write by another program does not get through."""
    target = tmp_path / "hit.txt"
    run(tmp_path, f"import subprocess\nsubprocess.run(['touch', {str(target)!r}])\n")
    if sys.platform.startswith("linux") and _landlock():
        assert not target.exists()


def _landlock() -> bool:
    lsm = Path("/sys/kernel/security/lsm")
    return lsm.exists() and "landlock" in lsm.read_text()


def test_the_script_itself_is_not_touched(tmp_path: Path) -> None:
    text = "import sys\nopen(sys.argv[0], 'a').write('# hit')\n"
    script = tmp_path / "train.py"
    script.write_text(text, encoding="utf-8")
    digest = hashlib.sha256(script.read_bytes()).hexdigest()
    probe(script, budget=QUICK)
    assert hashlib.sha256(script.read_bytes()).hexdigest() == digest
