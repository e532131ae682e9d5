"""Real repositories: what is refused, what is committed, and that nothing of the user's moves."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tlfix import git
from tlfix.repair.errors import RepairError

Git = Callable[..., str]


@pytest.fixture(autouse=True)
def own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No settings of the machine's user reach these tests, and HOME has none."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    yield


def shell(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


def make(folder: Path, files: dict[str, str] | None = None) -> Path:
    folder.mkdir(parents=True)
    shell(folder, "init", "--quiet", "--initial-branch=main")
    for name, text in (files or {"train.py": "a = 1\n"}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    shell(folder, "add", ".")
    save(folder, "first")
    return folder


def save(folder: Path, message: str) -> None:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    shell(folder, *who, "commit", "--quiet", "-m", message)


def snapshot(folder: Path) -> dict[str, object]:
    """Everything of the user's that a repair must leave alone."""
    files = [p for p in folder.rglob("*") if p.is_file() and ".git" not in p.parts]
    index = folder / ".git" / "index"
    return {
        "index": hashlib.sha256(index.read_bytes()).hexdigest(),
        "index time": index.stat().st_mtime_ns,
        "head": (folder / ".git" / "HEAD").read_text(),
        "files": {str(p): (p.stat().st_mtime_ns, p.read_bytes()) for p in files},
        "stash": shell(folder, "stash", "list"),
        "worktrees": shell(folder, "worktree", "list"),
        "status": shell(folder, "--no-optional-locks", "status", "--porcelain=v2", "--branch"),
    }


def commit_on(
    repository: git.Repository, files: dict[Path, bytes], message: str = "fix: it"
) -> str:
    with git.worktree(repository) as tree:
        return tree.commit(files, message).sha


@pytest.mark.parametrize("dirty", [False, True])
@pytest.mark.parametrize("name", ["train.py", "src/train.py", "mein Ordner/schön [1]*.py"])
def test_a_branch_appears_and_nothing_else_changes(tmp_path: Path, name: str, dirty: bool) -> None:
    root = make(tmp_path / "the répo", {name: "a = 1\n", "other.py": "x = 1\n", "gone.py": "\n"})
    if dirty:
        (root / "other.py").write_text("x = 3\n")
        shell(root, "stash")
        (root / "other.py").write_text("x = 2\n")
        (root / "staged.py").write_text("y = 1\n")
        shell(root, "add", "staged.py")
        (root / "loose.txt").write_text("z\n")
        (root / "gone.py").unlink()
    before = snapshot(root)

    repository = git.find(root / name)
    sha = commit_on(repository, {(root / name).resolve(): b"a = 2\n"})
    git.create_branch(repository, "tlfix/train", sha)

    assert snapshot(root) == before
    assert shell(root, "show", f"tlfix/train:{name}") == "a = 2\n"
    assert shell(root, "diff", "-z", "--name-only", "main", "tlfix/train") == f"{name}\0"
    assert shell(root, "rev-parse", "tlfix/train^") == shell(root, "rev-parse", "main")


def test_state_of_a_file(tmp_path: Path) -> None:
    root = make(tmp_path / "r", {"train.py": "a = 1\n", ".gitignore": "scratch/\n"})
    repository = git.find(root / "train.py")
    assert git.state(repository, root / "train.py") == "clean"
    (root / "train.py").touch()
    assert git.state(repository, root / "train.py") == "clean"
    assert git.dirty(repository) == ()
    (root / "train.py").write_text("a = 2\n")
    assert git.state(repository, root / "train.py") == "modified"
    assert git.dirty(repository) == ("train.py",)
    shell(root, "add", "train.py")
    assert git.state(repository, root / "train.py") == "modified"
    (root / "new.py").write_text("b = 1\n")
    assert git.state(repository, root / "new.py") == "untracked"
    (root / "scratch").mkdir()
    (root / "scratch" / "new.py").write_text("b = 1\n")
    assert git.state(repository, root / "scratch" / "new.py") == "ignored"
    shell(root, "add", "--force", "scratch/new.py")
    assert git.state(repository, root / "scratch" / "new.py") == "untracked"


def test_a_change_that_git_was_told_to_overlook_is_seen(tmp_path: Path) -> None:
    root = make(tmp_path / "r")
    shell(root, "update-index", "--assume-unchanged", "train.py")
    repository = git.find(root / "train.py")
    assert git.state(repository, root / "train.py") == "clean"
    (root / "train.py").write_text("password = 1\n")
    assert git.state(repository, root / "train.py") == "modified"


def test_outside_a_repository(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("a = 1\n")
    with pytest.raises(RepairError, match="not in a git repository"):
        git.find(tmp_path / "train.py")


def test_bare_repository(tmp_path: Path) -> None:
    shell(tmp_path, "init", "--quiet", "--bare", "bare.git")
    (tmp_path / "bare.git" / "train.py").write_text("a = 1\n")
    with pytest.raises(RepairError, match="bare"):
        git.find(tmp_path / "bare.git" / "train.py")


def test_repository_without_commits(tmp_path: Path) -> None:
    shell(tmp_path, "init", "--quiet", "r")
    (tmp_path / "r" / "train.py").write_text("a = 1\n")
    with pytest.raises(RepairError, match="no commit yet"):
        git.find(tmp_path / "r" / "train.py")


def test_git_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make(tmp_path / "r")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RepairError, match="git was not found"):
        git.find(root / "train.py")


def test_detached_head_is_a_base_like_any_other(tmp_path: Path) -> None:
    root = make(tmp_path / "r")
    shell(root, "checkout", "--quiet", "--detach")
    before = snapshot(root)
    repository = git.find(root / "train.py")
    sha = commit_on(repository, {root / "train.py": b"a = 2\n"})
    git.create_branch(repository, "cured", sha)
    assert snapshot(root) == before
    assert shell(root, "show", "cured:train.py") == "a = 2\n"


@pytest.mark.parametrize(
    "name", ["", "a b", "a..b", "-x", "x.lock", "/x", "x/", "a~1", "HEAD", "@{-1}", "x\ny", "ü\x7f"]
)
def test_names_that_git_refuses(tmp_path: Path, name: str) -> None:
    repository = git.find(make(tmp_path / "r") / "train.py")
    with pytest.raises(RepairError, match="not a valid name"):
        git.check_branch(repository, name)


def test_taken_names(tmp_path: Path) -> None:
    root = make(tmp_path / "r")
    shell(root, "branch", "tlfix/train")
    repository = git.find(root / "train.py")
    with pytest.raises(RepairError, match=r"exists already.*--branch NAME.*git branch -D"):
        git.check_branch(repository, "tlfix/train")
    shell(root, "branch", "work")
    with pytest.raises(RepairError, match=r"exists already.*--branch NAME\.$"):
        git.check_branch(repository, "work")
    for beside in ("tlfix", "tlfix/train/more"):
        with pytest.raises(RepairError, match="beside the existing branch tlfix/train"):
            git.check_branch(repository, beside)
    git.check_branch(repository, "tlfix/other")
    git.check_branch(repository, "réparé")


def test_a_branch_made_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    root = make(tmp_path / "r")
    repository = git.find(root / "train.py")
    sha = commit_on(repository, {root / "train.py": b"a = 2\n"})
    shell(root, "branch", "late")
    with pytest.raises(RepairError, match=f"git branch NAME {sha}"):
        git.create_branch(repository, "late", sha)
    assert shell(root, "rev-parse", "late").strip() == repository.base


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_the_worktree_goes_away_on_every_way_out(
    tmp_path: Path, fault: type[BaseException]
) -> None:
    root = make(tmp_path / "r")
    before = snapshot(root)
    repository = git.find(root / "train.py")
    with pytest.raises(fault), git.worktree(repository) as tree:
        folder = tree.here.root
        tree.commit({root / "train.py": b"a = 2\n"}, "fix: it")
        raise fault
    assert not folder.exists()
    assert not folder.parent.exists()
    assert not (root / ".git" / "worktrees").exists()
    assert snapshot(root) == before


def test_another_worktree_of_the_user_is_kept_though_its_disk_is_away(tmp_path: Path) -> None:
    root = make(tmp_path / "r")
    shell(root, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    (tmp_path / "side").rename(tmp_path / "away")
    commit_on(git.find(root / "train.py"), {root / "train.py": b"a = 2\n"})
    assert [p.name for p in (root / ".git" / "worktrees").iterdir()] == ["side"]


def test_a_script_in_a_linked_worktree(tmp_path: Path) -> None:
    root = make(tmp_path / "r")
    side = tmp_path / "side"
    shell(root, "worktree", "add", "--quiet", "-b", "side", str(side))
    repository = git.find(side / "train.py")
    assert repository.root == side
    git.create_branch(repository, "cured", commit_on(repository, {side / "train.py": b"a = 2\n"}))
    assert shell(root, "show", "cured:train.py") == "a = 2\n"


def test_a_script_in_a_submodule_belongs_to_the_submodule(tmp_path: Path) -> None:
    inner = make(tmp_path / "inner")
    outer = make(tmp_path / "outer", {"readme": "x\n"})
    allow = ("-c", "protocol.file.allow=always")
    shell(outer, *allow, "submodule", "--quiet", "add", str(inner), "lib")
    save(outer, "add the submodule")
    repository = git.find(outer / "lib" / "train.py")
    assert repository.root == outer / "lib"
    sha = commit_on(repository, {outer / "lib" / "train.py": b"a = 2\n"})
    git.create_branch(repository, "cured", sha)
    assert shell(outer / "lib", "show", "cured:train.py") == "a = 2\n"
    assert shell(outer, "branch", "--list", "cured") == ""
    # … and a file of the outer repository can be patched beside it.
    repository = git.find(outer / "readme")
    sha = commit_on(repository, {outer / "readme": b"y\n"})
    assert shell(outer, "diff", "--name-only", "HEAD", sha) == "readme\n"


def test_author_is_the_configured_identity_or_a_fallback(tmp_path: Path) -> None:
    root = make(tmp_path / "r")
    repository = git.find(root / "train.py")
    script = root / "train.py"
    sha = commit_on(repository, {script: b"a = 2\n"})
    shown = "--format=%an <%ae> %cn <%ce>"
    assert (
        shell(root, "show", "-s", shown, sha).strip()
        == "tlfix <tlfix@localhost> tlfix <tlfix@localhost>"
    )
    shell(root, "config", "user.name", "Grace Höpper")
    shell(root, "config", "user.email", "grace@example.org")
    sha = commit_on(repository, {script: b"a = 2\n"})
    assert shell(root, "show", "-s", "--format=%an <%ae>", sha) == (
        "Grace Höpper <grace@example.org>\n"
    )


def test_hooks_do_not_run(tmp_path: Path) -> None:
    root = make(tmp_path / "r")
    hooks = "pre-commit commit-msg post-commit post-checkout reference-transaction"
    for hook in hooks.split():
        path = root / ".git" / "hooks" / hook
        path.write_text(f"#!/bin/sh\ntouch '{tmp_path}/ran-{hook}'\nexit 1\n")
        path.chmod(0o755)
    repository = git.find(root / "train.py")
    sha = commit_on(repository, {root / "train.py": b"a = 2\n"})
    git.create_branch(repository, "cured", sha)
    assert list(tmp_path.glob("ran-*")) == []


def test_called_from_a_hook_whose_environment_names_another_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make(tmp_path / "r")
    other = make(tmp_path / "other")
    before = snapshot(other)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    repository = git.find(root / "train.py")
    assert repository.root == root
    git.create_branch(repository, "cured", commit_on(repository, {root / "train.py": b"a = 2\n"}))
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name)
    assert snapshot(other) == before
    assert shell(root, "show", "cured:train.py") == "a = 2\n"


def test_a_signature_that_cannot_be_made_is_said_and_not_fatal(tmp_path: Path) -> None:
    root = make(tmp_path / "r")
    shell(root, "config", "commit.gpgsign", "true")
    shell(root, "config", "gpg.program", "/bin/false")
    with git.worktree(git.find(root / "train.py")) as tree:
        made = tree.commit({root / "train.py": b"a = 2\n"}, "fix: it")
    assert made.unsigned is not None
    assert "gpg failed to sign" in made.unsigned
    assert shell(root, "show", "-s", "--format=%s", made.sha) == "fix: it\n"


def test_line_endings_and_permissions_follow_the_repository(tmp_path: Path) -> None:
    root = make(tmp_path / "r")
    shell(root, "config", "core.autocrlf", "true")
    script = root / "train.py"
    script.chmod(0o755)
    shell(root, "add", ".")
    save(root, "executable")
    sha = commit_on(git.find(script), {script: b"a = 2\r\n"})
    assert shell(root, "cat-file", "-p", f"{sha}:train.py") == "a = 2\n"
    assert shell(root, "ls-tree", sha, "train.py").startswith("100755")


def test_a_message_keeps_its_lines_and_a_hash_sign(tmp_path: Path) -> None:
    root = make(tmp_path / "r")
    message = "fix(x): é → e\n\n# not a comment\n\nbody\n"
    sha = commit_on(git.find(root / "train.py"), {root / "train.py": b"a = 2\n"}, message)
    assert shell(root, "show", "-s", "--format=%B", sha).rstrip("\n") == message.rstrip("\n")


def test_an_untracked_and_an_ignored_file_can_be_committed(tmp_path: Path) -> None:
    root = make(tmp_path / "r", {"a.txt": "x\n", ".gitignore": "new.py\n"})
    (root / "new.py").write_text("b = 1\n")
    before = snapshot(root)
    sha = commit_on(git.find(root / "new.py"), {root / "new.py": b"b = 2\n"})
    assert shell(root, "show", f"{sha}:new.py") == "b = 2\n"
    assert snapshot(root) == before


def test_a_sparse_checkout(tmp_path: Path) -> None:
    root = make(tmp_path / "r", {"in/a.py": "a = 1\n", "out/b.py": "b = 1\n"})
    shell(root, "sparse-checkout", "set", "in")
    (root / "out").mkdir()
    (root / "out" / "b.py").write_text("b = 1\n")
    sha = commit_on(git.find(root / "out" / "b.py"), {root / "out" / "b.py": b"b = 2\n"})
    assert shell(root, "diff", "--name-only", "HEAD", sha) == "out/b.py\n"
