"""The whole repair on real repositories; only the trials' outcome is constructed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.repair.programs import PROGRAM, World, gains, ranked
from tlfix.findings import Repair
from tlfix.probe.trace import Trace
from tlfix.repair.apply import apply
from tlfix.repair.branch import precheck
from tlfix.repair.errors import RepairError

CURED = PROGRAM.replace("scale(rate=0)", "scale(rate=1)").replace("learn(rate=0)", "learn(rate=1)")


@pytest.fixture(autouse=True)
def own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def shell(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "train.py").write_text(PROGRAM)
    shell(root, "init", "--quiet", "--initial-branch=main")
    shell(root, "add", ".")
    shell(root, "commit", "--quiet", "-m", "first")
    monkeypatch.chdir(root)
    return root / "train.py"


def repair(script: Path, world: World | None = None, *names: str, **options: object) -> Repair:
    world = world or gains(scale=0.3, freeze=-0.2, learn=0.15)
    found = [ranked(name, script) for name in names or ("scale", "freeze", "learn")]
    return apply(script, (), found, None, run=world.run, **options)  # type: ignore[arg-type]


def test_one_commit_per_kept_cause(script: Path) -> None:
    head = shell(script.parent, "rev-parse", "HEAD").strip()
    found = repair(script)
    assert (found.base, found.branch) == (head, "tlfix/train")
    assert [(each.cause, each.codemod) for each in found.commits] == [
        ("scale", "set_argument"),
        ("learn", "set_argument"),
    ]
    log = shell(script.parent, "log", "--format=%H %s", "main..tlfix/train").splitlines()
    assert log == [
        f"{found.commits[1].sha} fix(learn): Set the rate of learn to 1",
        f"{found.commits[0].sha} fix(scale): Set the rate of scale to 1",
    ]
    assert shell(script.parent, "show", "tlfix/train:train.py") == CURED
    assert script.read_text() == PROGRAM
    assert [each.cause for each in found.rejected] == ["freeze"]
    assert found.verification is not None
    assert (found.verification.decision, len(found.verification.after)) == ("improved", 3)
    assert found.diff == shell(script.parent, "diff", "main", "tlfix/train").split("\n", 2)[2]


def test_the_message_tells_cause_evidence_and_effect(script: Path) -> None:
    found = repair(script)
    message = shell(script.parent, "show", "-s", "--format=%B", found.commits[0].sha)
    assert message.rstrip("\n") == (
        "fix(scale): Set the rate of scale to 1\n"
        "\n"
        "The rate of scale is 0 (TL999, warning, likely).\n"
        "\n"
        "- static: scale has rate 0 [rate 0 (against 0.5, n = 32)]\n"
        "\n"
        "Effect: validation accuracy 0.400 → 0.700 (+0.300, 95 % interval +0.234\n"
        "to +0.366, 3 seeds): improved.\n"
        "\n"
        "Codemod set_argument: Set the rate of scale to 1.\n"
        "Review: a quick look that the change stands in the right place."
    )


def test_diff_writes_nothing_and_needs_no_git(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(PROGRAM)
    found = repair(script, mode="diff")
    assert (found.base, found.branch, found.commits) == (None, None, ())
    assert "-scale(rate=0)\n+scale(rate=1)\n" in found.diff
    assert script.read_text() == PROGRAM
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "train.py"]


def test_in_place(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(PROGRAM)
    script.chmod(0o751)
    found = repair(script, mode="in-place")
    assert script.read_text() == CURED
    assert script.stat().st_mode & 0o777 == 0o751
    assert found.diff
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "train.py"]


def test_in_place_through_a_link_patches_its_target(tmp_path: Path) -> None:
    (tmp_path / "real.py").write_text(PROGRAM)
    (tmp_path / "train.py").symlink_to("real.py")
    repair(tmp_path / "train.py", mode="in-place")
    assert (tmp_path / "train.py").is_symlink()
    assert (tmp_path / "real.py").read_text() == CURED


def test_in_place_does_not_overwrite_what_changed_meanwhile(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(PROGRAM)
    world = gains(scale=0.3)

    def edits_meanwhile(trial: object, slot: object) -> Trace:
        script.write_text(PROGRAM + "# edited\n")
        return world.run(trial, slot)  # type: ignore[arg-type]

    with pytest.raises(RepairError, match="changed while its repair was being tried"):
        apply(script, (), [ranked("scale", script)], None, mode="in-place", run=edits_meanwhile)
    assert script.read_text() == PROGRAM + "# edited\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_in_place_in_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    (folder / "train.py").write_text(PROGRAM)
    folder.chmod(0o555)
    with pytest.raises(RepairError, match="cannot be written"):
        repair(folder / "train.py", mode="in-place")
    folder.chmod(0o755)


def test_without_verification_all_fixes_that_place_are_applied(script: Path) -> None:
    world = gains()
    found = repair(script, world, "scale", "learn", verify=False)
    assert world.trials == []
    assert found.verification is None
    assert [each.cause for each in found.commits] == ["scale", "learn"]
    assert "Effect: not measured." in shell(
        script.parent, "log", "-1", "--format=%B", "tlfix/train"
    )


@pytest.mark.parametrize("mode", ["branch", "diff", "in-place"])
def test_nothing_that_helps_writes_nothing(script: Path, mode: str) -> None:
    found = repair(script, gains(), "scale", "learn", mode=mode)
    assert (found.branch, found.commits, found.diff) == (None, (), "")
    assert {each.cause for each in found.rejected} == {"scale", "learn"}
    assert shell(script.parent, "branch", "--list") == "* main\n"
    assert script.read_text() == PROGRAM


def test_nothing_to_repair(script: Path) -> None:
    found = apply(script, (), [ranked("scale", script, severity="note")], None)
    assert (found.branch, found.commits, found.rejected, found.diff) == (None, (), (), "")
    assert shell(script.parent, "branch", "--list") == "* main\n"


def test_uncommitted_changes_are_refused_before_any_trial(script: Path) -> None:
    script.write_text(PROGRAM + "# work in progress\n")
    world = gains(scale=0.3)
    with pytest.raises(RepairError, match=r"has uncommitted changes.*--include-uncommitted"):
        repair(script, world, "scale")
    assert world.trials == []


@pytest.mark.parametrize("state", ["modified", "staged", "untracked", "ignored"])
def test_uncommitted_changes_can_begin_the_branch(script: Path, state: str) -> None:
    folder = script.parent
    if state in ("untracked", "ignored"):
        script = folder / "new.py"
    if state == "ignored":
        (folder / ".git" / "info" / "exclude").write_text("new.py\n")
    script.write_text(PROGRAM + "# work in progress\n")
    if state == "staged":
        shell(folder, "add", "train.py")
    before = shell(folder, "status", "--porcelain=v2")
    if state in ("untracked", "ignored"):
        with pytest.raises(RepairError, match=r"not in git yet|ignored by git"):
            repair(script, gains(scale=0.3), "scale")
    found = repair(script, gains(scale=0.3), "scale", include_uncommitted=True)
    branch = f"tlfix/{script.stem}"
    assert shell(folder, "log", "--format=%s", f"main..{branch}").splitlines() == [
        "fix(scale): Set the rate of scale to 1",
        f"Uncommitted changes of {script.name}",
    ]
    assert [each.cause for each in found.commits] == ["scale"]
    assert shell(folder, "show", f"{branch}~1:{script.name}") == PROGRAM + "# work in progress\n"
    assert shell(folder, "status", "--porcelain=v2") == before


def test_changes_of_other_files_are_no_obstacle_and_mentioned(script: Path) -> None:
    (script.parent / "helper.py").write_text("a = 1\n")
    shell(script.parent, "add", "helper.py")
    found = repair(script, gains(scale=0.3), "scale")
    assert found.branch == "tlfix/train"
    assert found.notes == ("Uncommitted changes that the branch does not have: helper.py.",)


def test_after_the_last_seed_comes_the_first(script: Path) -> None:
    world = gains(scale=0.3)
    found = [ranked("scale", script)]
    trace = Trace(status="completed", seed=2**32 - 1)
    apply(script, (), found, trace, run=world.run, mode="diff")
    assert {seed for _, seed in world.trials} == {2**32 - 1, 0, 1}


def test_the_precheck_refuses_what_the_repair_would(script: Path) -> None:
    precheck(script, None, False)
    with pytest.raises(RepairError, match="not a valid name"):
        precheck(script, "no good", False)
    script.write_text(PROGRAM + "# changed\n")
    with pytest.raises(RepairError, match="has uncommitted changes"):
        precheck(script, None, False)
    precheck(script, None, True)
    shell(script.parent, "branch", "tlfix/train")
    with pytest.raises(RepairError, match="exists already"):
        precheck(script, None, True)


def test_bad_input(script: Path, tmp_path: Path) -> None:
    world = gains(scale=0.3)
    with pytest.raises(RepairError, match="at least 3"):
        repair(script, world, "scale", seeds=2)
    with pytest.raises(RepairError, match="not a valid name"):
        repair(script, world, "scale", branch="no good")
    shell(script.parent, "branch", "taken")
    with pytest.raises(RepairError, match="exists already"):
        repair(script, world, "scale", branch="taken")
    lonely = tmp_path / "lonely.py"
    lonely.write_text(PROGRAM)
    with pytest.raises(RepairError, match="not in a git repository"):
        repair(lonely, world, "scale")
    with pytest.raises(RepairError, match="lies outside the repository"):
        apply(script, (), [ranked("scale", lonely)], None, run=world.run)
    with pytest.raises(RepairError, match="not among the causes found"):
        repair(script, world, "scale", only=("learn",))
    assert world.trials == []


def test_interruption_leaves_nothing(script: Path) -> None:
    def interrupted(trial: object, slot: object) -> Trace:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(script, (), [ranked("scale", script)], None, run=interrupted)
    assert shell(script.parent, "branch", "--list") == "* main\n"
    assert shell(script.parent, "worktree", "list").count("\n") == 1


def test_a_name_that_no_branch_can_have(script: Path) -> None:
    odd = script.parent / "my train..v2 [final].py"
    odd.write_text(PROGRAM)
    shell(script.parent, "add", ".")
    shell(script.parent, "commit", "--quiet", "-m", "odd")
    assert repair(odd, gains(scale=0.3), "scale").branch == "tlfix/my-train.v2--final"


def test_a_fix_of_two_files_is_one_commit(script: Path) -> None:
    helper = script.parent / "lib" / "models.py"
    helper.parent.mkdir()
    helper.write_text("learn(rate=0)\n")
    shell(script.parent, "add", ".")
    shell(script.parent, "commit", "--quiet", "-m", "helper")
    found = apply(
        script,
        (),
        [ranked("learn", script), ranked("learn", helper, line=1)],
        None,
        run=gains(learn=0.3).run,
    )
    assert [each.cause for each in found.commits] == ["learn"]
    changed = shell(script.parent, "show", "--format=", "--name-only", "tlfix/train")
    assert changed.split() == ["lib/models.py", "train.py"]
