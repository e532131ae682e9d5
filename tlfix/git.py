"""Git, as tlfix needs it: read the state of a repository, add commits on a new branch.

The user's working tree, index, HEAD and stash are never written: commits are made in a temporary
linked worktree that holds only the patched files, and a branch appears when all of them exist.
Hooks do not run. This is the only module that touches git.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
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
_SIGNING_SECONDS = 60.0
"""How long a commit may wait for a signing agent before it is made unsigned."""


class _Failed(Exception):
    """A git command failed; the message is its standard error."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as it stands. ``base`` is the commit at HEAD; ``branch`` is None if detached."""

    root: Path
    git_dir: Path
    base: str
    branch: str | None


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit that was made; ``unsigned`` says why if the user's setting asked for a signature."""

    sha: str
    unsigned: str | None = None


@dataclass(frozen=True, slots=True)
class Worktree:
    """A temporary worktree without a checkout: its index is the base, its folder is empty."""

    root: Path
    repository: Repository
    git_dir: Path

    def commit(self, files: Mapping[Path, bytes], message: str) -> Committed:
        """Commit ``files`` (absolute paths of the user's files to new contents).

        Permission bits are those of the user's file. The author is the configured identity, or
        ``tlfix <tlfix@localhost>`` where none is configured.

        Raises:
            RepairError: git refused, with its reason.
        """
        names = []
        for path, content in files.items():
            name = path.relative_to(self.repository.root)
            target = self.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            shutil.copymode(path, target)
            names.append(str(name))
        note = self.git_dir / "TLFIX_MESSAGE"
        note.write_text(message, encoding="utf-8")
        try:
            self._run("add", "--force", "--", *names)
            command = ["commit", "--quiet", "--no-verify", "--cleanup=whitespace", "-F", str(note)]
            unsigned = self._commit(command)
            return Committed(self._run("rev-parse", "HEAD"), unsigned)
        except _Failed as error:
            raise RepairError(f"git could not commit {', '.join(names)}: {error}") from None

    def _commit(self, command: Sequence[str]) -> str | None:
        identity = _identity(self)
        if self._setting("commit.gpgsign", "--type=bool") != "true":
            self._run(*command, environment=identity)
            return None
        try:
            self._run(*command, environment=identity, seconds=_SIGNING_SECONDS)
            return None
        except _Failed as error:
            self._run(*command, "--no-gpg-sign", environment=identity)
            return str(error)

    def _setting(self, name: str, *options: str) -> str:
        try:
            return self._run("config", *options, "--get", name)
        except _Failed:
            return ""

    def _run(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> str:
        where = {
            "GIT_DIR": str(self.git_dir),
            "GIT_WORK_TREE": str(self.root),
            "GIT_INDEX_FILE": str(self.git_dir / "index"),
            **(environment or {}),
        }
        return _git(self.root, *arguments, environment=where, seconds=seconds)


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
            "`git init` and commit the script first, or use --diff to see the changes or "
            "--in-place to make them in the file."
        ) from None
    if bare or root is None or not folder.is_relative_to(root):
        raise RepairError(
            f"The git repository at {git_dir} is bare: it has no working tree that holds {script}. "
            "Run tlfix in a clone of it, or use --diff."
        )
    here = Repository(root, git_dir, "", None)
    try:
        base = _query(here, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except _Failed as error:
        if str(error):
            raise RepairError(f"git cannot read the repository at {root}: {error}") from None
        raise RepairError(
            f"The repository at {root} has no commit yet, so a branch has nothing to start from. "
            "Commit the script first, or use --diff or --in-place."
        ) from None
    try:
        branch = _query(here, "symbolic-ref", "--quiet", "--short", "HEAD")
    except _Failed:
        branch = None
    return Repository(root, git_dir, base, branch)


def state(repository: Repository, path: Path) -> State:
    """How ``path`` (a file in the working tree) compares with the commit at HEAD."""
    name = str(path.resolve().relative_to(repository.root))
    try:
        if not _query(repository, "ls-tree", "-z", "--name-only", repository.base, "--", name):
            tracked = _query(repository, "ls-files", "-z", "--", name)
            ignored = _query(repository, "status", "--porcelain", "--ignored", "--", name)
            return "ignored" if not tracked and ignored.startswith("!!") else "untracked"
        changed = _query(repository, "status", "--porcelain", "--untracked-files=no", "--", name)
        if not changed and _query(repository, "ls-files", "-v", "--", name)[:1] != "H":
            # assume-unchanged or skip-worktree: `git status` does not look at the file.
            seen = _query(repository, "hash-object", "--path", name, "--", str(path.resolve()))
            changed = "" if seen == _query(repository, "rev-parse", f"HEAD:{name}") else seen
    except _Failed as error:
        raise RepairError(f"git cannot tell the state of {path}: {error}") from None
    return "modified" if changed else "clean"


def dirty(repository: Repository) -> tuple[str, ...]:
    """Paths of tracked files, relative to the root, that differ from the commit at HEAD."""
    try:
        listed = _query(repository, "diff-index", "-z", "--name-only", repository.base, "--")
    except _Failed as error:
        raise RepairError(f"git cannot compare {repository.root} with HEAD: {error}") from None
    return tuple(name for name in listed.split("\0") if name)


def check_branch(repository: Repository, name: str) -> None:
    """Make sure that a branch ``name`` could be created.

    Raises:
        RepairError: the name is invalid or taken, saying how to go on.
    """
    try:
        _query(repository, "check-ref-format", f"refs/heads/{name}")
        valid = not name.startswith("-") and name != "HEAD"
    except _Failed:
        valid = False
    if not valid:
        raise RepairError(
            f"{name!r} is not a valid name for a git branch. Choose another with --branch NAME."
        )
    listed = _query(repository, "for-each-ref", "--format=%(refname)", "refs/heads/")
    for other in (ref.removeprefix("refs/heads/") for ref in listed.splitlines()):
        if other == name:
            raise RepairError(
                f"The branch {name} exists already, and tlfix overwrites nothing. Choose another "
                f"with --branch NAME, or delete it with `git branch -D {name}`."
            )
        if other.startswith(name + "/") or name.startswith(other + "/"):
            raise RepairError(
                f"git cannot have a branch {name} beside the existing branch {other}. Choose "
                "another with --branch NAME."
            )


def create_branch(repository: Repository, name: str, sha: str) -> None:
    """Create the branch ``name`` at ``sha``; an existing one is never moved."""
    reason = "branch: created by tlfix"
    try:
        _query(repository, "update-ref", "-m", reason, f"refs/heads/{name}", sha, "0" * len(sha))
    except _Failed as error:
        raise RepairError(
            f"The repair is commit {sha}, but git could not create the branch {name}: {error}. "
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
        try:
            arguments = ("--detach", "--no-checkout", "--quiet")
            _query(repository, "worktree", "add", *arguments, str(root), repository.base)
            # The `.git` of a linked worktree is one line, `gitdir: <its folder in the repository>`.
            admin = Path(os.fsdecode((root / ".git").read_bytes()).split(": ", 1)[1].rstrip("\n"))
            made = Worktree(root, repository, admin)
            made._run("read-tree", repository.base)
        except _Failed as error:
            raise RepairError(f"git could not make a temporary worktree: {error}") from None
        yield made
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


def _identity(made: Worktree) -> dict[str, str]:
    configured = {}
    for role in ("author", "committer"):
        for part in ("name", "email"):
            variable = f"GIT_{role.upper()}_{part.upper()}"
            configured[variable] = (
                os.environ.get(variable)
                or made._setting(f"{role}.{part}")
                or made._setting(f"user.{part}")
            )
    if all(configured.values()):
        return {}
    return {name: "tlfix" if name.endswith("NAME") else "tlfix@localhost" for name in configured}


def _query(repository: Repository, *arguments: str) -> str:
    # Set explicitly: under a git hook the environment names another index, and may be relative.
    where = {
        "GIT_DIR": str(repository.git_dir),
        "GIT_WORK_TREE": str(repository.root),
        "GIT_INDEX_FILE": str(repository.git_dir / "index"),
    }
    return _git(repository.root, *arguments, environment=where)


def _git(
    folder: Path,
    *arguments: str,
    environment: Mapping[str, str],
    seconds: float | None = None,
) -> str:
    git = _gitpython()
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    try:
        status, output, errors = git.Git(folder).execute(
            ["git", *settings, *arguments],
            with_extended_output=True,
            with_exceptions=False,
            stdout_as_string=False,
            kill_after_timeout=seconds,
            env={**_ENVIRONMENT, **environment},
        )
    except git.GitCommandNotFound:
        raise RepairError(_NO_GIT) from None
    if status:
        raise _Failed(" ".join(str(errors).split()))
    return os.fsdecode(output)


_NO_GIT = (
    "git was not found on this machine, and a branch needs it. Install git, or use --diff to see "
    "the changes or --in-place to make them in the file."
)


def _gitpython() -> Any:
    # Imported late: `tlfix check` has no use for it, and its import fails where git is missing.
    try:
        import git
    except ImportError:
        raise RepairError(_NO_GIT) from None
    return git
