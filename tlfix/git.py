"""Git, as tlfix needs it: read the state of a repository, add commits on a new branch.

The user's working tree, index, HEAD and stash are never written: commits are made in a temporary
linked worktree that holds only the patched files, and a branch appears when all of them exist.
Hooks do not run. This is the only module that touches git.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tlfix.repair.errors import RepairError

State = Literal["clean", "modified", "untracked", "ignored"]

# Nothing of the user's setup may run or block in the background: hooks, fsmonitor, gc. A sparse
# checkout must not refuse the one file that is committed. What is typed is never a pattern.
_SETTINGS = (
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
    "core.sparseCheckout=false",
    "core.quotePath=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "i18n.commitEncoding=utf-8",
)
_ENVIRONMENT = {
    "GIT_OPTIONAL_LOCKS": "0",  # `git status` would otherwise refresh (write) the user's index
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
OURS = "tlfix/"
"""How the names of the branches begin that tlfix chooses itself."""

_SIGNING_SECONDS = 60.0
"""How long a commit may wait for a signing agent before it is made unsigned."""


class _Failed(RepairError):
    """A git command failed; ``errors`` is what it said."""

    def __init__(self, command: str, errors: str) -> None:
        super().__init__(f"`git {command}` failed: {errors or 'it gave no reason'}")
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as it stands; ``base`` is the commit at HEAD, detached or not."""

    root: Path
    git_dir: Path
    base: str


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit that was made; ``unsigned`` says why if the user's setting asked for a signature."""

    sha: str
    unsigned: str | None = None


@dataclass(frozen=True, slots=True)
class Worktree:
    """A temporary worktree without a checkout: its index is the base, its folder is empty."""

    here: Repository
    """The worktree itself, seen as a repository."""
    origin: Repository

    def commit(self, files: Mapping[Path, bytes], message: str) -> Committed:
        """Commit ``files`` (absolute paths of the user's files to new contents).

        Permission bits are those of the user's file. The author is the configured identity, or
        ``tlfix <tlfix@localhost>`` where none is configured.

        Raises:
            RepairError: git refused, with its reason.
        """
        names = []
        for path, content in files.items():
            name = path.relative_to(self.origin.root)
            target = self.here.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            shutil.copymode(path, target)
            names.append(str(name))
        note = self.here.git_dir / "TLFIX_MESSAGE"
        note.write_text(message, encoding="utf-8")
        _query(self.here, "add", "--force", "--", *names)
        unsigned = _commit(self.here, note)
        return Committed(_query(self.here, "rev-parse", "HEAD"), unsigned)


def find(script: Path) -> Repository:
    """The repository whose working tree holds ``script``.

    Raises:
        RepairError: there is none, it is bare, it has no commit yet, or git is not installed.
    """
    folder = script.resolve().parent
    git = _gitpython()
    try:
        with git.Repo(folder, search_parent_directories=True, expand_vars=False) as repo:
            bare, git_dir = repo.bare, Path(repo.git_dir).resolve()
            root = None if repo.working_tree_dir is None else Path(repo.working_tree_dir).resolve()
    except (git.InvalidGitRepositoryError, git.NoSuchPathError):
        raise RepairError(
            f"{script} is not in a git repository, so there is nowhere to put a branch. Run "
            "`git init` and commit the script first, or use --diff or --in-place."
        ) from None
    if bare or root is None or not folder.is_relative_to(root):
        raise RepairError(
            f"The git repository at {git_dir} is bare: it has no working tree that holds {script}. "
            "Run tlfix in a clone, or use --diff."
        )
    here = Repository(root, git_dir, "")
    try:
        base = _query(here, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except _Failed as error:
        if error.errors:
            raise
        raise RepairError(
            f"The repository at {root} has no commit yet, so a branch has nothing to start from. "
            "Commit the script first, or use --diff or --in-place."
        ) from None
    return Repository(root, git_dir, base)


def state(repository: Repository, path: Path) -> State:
    """How ``path`` (a file in the working tree) compares with the commit at HEAD."""
    name = str(path.resolve().relative_to(repository.root))
    if not _query(repository, "ls-tree", "-z", "--name-only", repository.base, "--", name):
        tracked = _query(repository, "ls-files", "-z", "--", name)
        ignored = _query(repository, "status", "--porcelain", "--ignored", "--", name)
        return "ignored" if not tracked and ignored.startswith("!!") else "untracked"
    if _query(repository, "status", "--porcelain", "--untracked-files=no", "--", name):
        return "modified"
    if _query(repository, "ls-files", "-v", "--", name)[:1] != "H":
        # assume-unchanged or skip-worktree: `git status` does not look at the file.
        seen = _query(repository, "hash-object", "--path", name, "--", str(path.resolve()))
        if seen != _query(repository, "rev-parse", f"HEAD:{name}"):
            return "modified"
    return "clean"


def dirty(repository: Repository) -> tuple[str, ...]:
    """Paths of tracked files, relative to the root, that differ from the commit at HEAD."""
    listed = _query(repository, "diff", "-z", "--name-only", repository.base, "--")
    return tuple(name for name in listed.split("\0") if name)


def check_branch(repository: Repository, name: str) -> None:
    """Make sure that a branch ``name`` could be created.

    Raises:
        RepairError: the name is invalid or taken, saying how to go on.
    """
    another = "Choose another with --branch NAME"
    try:
        _query(repository, "check-ref-format", f"refs/heads/{name}")
        valid = not name.startswith("-") and name != "HEAD"
    except _Failed:
        valid = False
    if not valid:
        raise RepairError(f"{name!r} is not a valid name for a git branch. {another}.")
    listed = _query(repository, "for-each-ref", "--format=%(refname)", "refs/heads/")
    for other in (ref.removeprefix("refs/heads/") for ref in listed.splitlines()):
        if other == name:
            # Only a branch that tlfix made may be worth deleting: another is the user's work.
            ours = f", or delete it with `git branch -D {name}`" if name.startswith(OURS) else ""
            raise RepairError(
                f"The branch {name} exists already, and tlfix overwrites nothing. {another}{ours}."
            )
        if other.startswith(name + "/") or name.startswith(other + "/"):
            raise RepairError(
                f"git cannot have {name} beside the existing branch {other}. {another}."
            )


def create_branch(repository: Repository, name: str, sha: str) -> None:
    """Create the branch ``name`` at ``sha``; an existing one is never moved."""
    reason = "branch: created by tlfix"
    try:
        _query(repository, "update-ref", "-m", reason, f"refs/heads/{name}", sha, "0" * len(sha))
    except _Failed as error:
        raise RepairError(
            f"The repair is commit {sha}, but there is no branch {name}: {error}. "
            f"Keep it under another name with `git branch NAME {sha}`."
        ) from None


@contextmanager
def worktree(repository: Repository) -> Iterator[Worktree]:
    """A temporary worktree at the base commit, removed on every way out.

    Nothing is checked out, so data sets in the repository, LFS and submodules cost nothing.
    """
    folder = Path(tempfile.mkdtemp(prefix="tlfix-")).resolve()
    root = folder / f"{folder.name}-worktree"
    admin: Path | None = None
    try:
        arguments = ("--detach", "--no-checkout", "--quiet")
        _query(repository, "worktree", "add", *arguments, str(root), repository.base)
        # The `.git` of a linked worktree is one line, `gitdir: <its folder in the repository>`.
        line = os.fsdecode((root / ".git").read_bytes()).rstrip("\n")
        admin = (root / line.removeprefix("gitdir: ")).resolve()
        here = Repository(root, admin, repository.base)
        _query(here, "read-tree", repository.base)
        yield Worktree(here, repository)
    finally:
        _remove(repository, folder, root, admin)


def _remove(repository: Repository, folder: Path, root: Path, admin: Path | None) -> None:
    # Not `git worktree prune` first: that would also forget worktrees of the user's own whose disk
    # is not mounted at the moment.
    try:
        _query(repository, "worktree", "remove", "--force", str(root))
    except _Failed:
        if admin is not None:
            shutil.rmtree(admin, ignore_errors=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _commit(here: Repository, message: Path) -> str | None:
    """Commit what is staged; the reason why it is not signed, if the user wants it signed."""
    command = ("commit", "--quiet", "--no-verify", "--cleanup=whitespace", "-F", str(message))
    identity = _identity(here)
    if _setting(here, "commit.gpgsign", "--type=bool") != "true":
        _query(here, *command, environment=identity)
        return None
    try:
        _query(here, *command, environment=identity, seconds=_SIGNING_SECONDS)
        return None
    except _Failed as error:
        _query(here, *command, "--no-gpg-sign", environment=identity)
        return error.errors


def _identity(here: Repository) -> dict[str, str]:
    configured = {
        f"GIT_{role}_{part}": os.environ.get(f"GIT_{role}_{part}")
        or _setting(here, f"{role}.{part}")
        or _setting(here, f"user.{part}")
        for role in ("AUTHOR", "COMMITTER")
        for part in ("NAME", "EMAIL")
    }
    if all(configured.values()):
        return {}
    return {name: "tlfix" if name.endswith("NAME") else "tlfix@localhost" for name in configured}


def _setting(here: Repository, name: str, *options: str) -> str:
    try:
        return _query(here, "config", *options, "--get", name)
    except _Failed:
        return ""


def _query(
    here: Repository,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> str:
    git = _gitpython()
    # Set explicitly: under a git hook the environment names another index, and may be relative.
    where = {
        "GIT_DIR": str(here.git_dir),
        "GIT_WORK_TREE": str(here.root),
        "GIT_INDEX_FILE": str(here.git_dir / "index"),
    }
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    try:
        status, output, errors = git.Git(here.root).execute(
            ["git", *settings, *arguments],
            with_extended_output=True,
            with_exceptions=False,
            stdout_as_string=False,
            kill_after_timeout=seconds,
            env={**_ENVIRONMENT, **where, **(environment or {})},
        )
    except git.GitCommandNotFound:
        raise RepairError(_NO_GIT) from None
    if status:
        raise _Failed(arguments[0], " ".join(str(errors).split()))
    return os.fsdecode(output)


_NO_GIT = "git was not found, and a branch needs it. Install git, or use --diff or --in-place."


def _gitpython() -> Any:
    # Imported late: `tlfix check` has no use for it, and its import fails where git is missing.
    try:
        import git
    except ImportError:
        raise RepairError(_NO_GIT) from None
    return git
