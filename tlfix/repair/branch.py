"""A repair as a branch: what must hold before the trials begin, and the commits after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tlfix import git
from tlfix.findings import Commit
from tlfix.repair.errors import RepairError
from tlfix.repair.files import Files
from tlfix.repair.messages import commit_message
from tlfix.repair.plan import Step, compose
from tlfix.repair.selection import Kept


@dataclass(frozen=True)
class Target:
    """Where the commits will go. ``uncommitted`` are files the branch begins with as they lie."""

    repository: git.Repository
    branch: str
    script: Path
    uncommitted: tuple[Path, ...]
    notes: tuple[str, ...]


def target(
    script: Path, paths: Sequence[Path], branch: str | None, include_uncommitted: bool
) -> Target:
    """Check that ``paths`` can be patched on a new branch; trials take minutes, so this is first.

    Raises:
        RepairError: there is no repository, the name is taken or invalid, a file lies outside, or
            has uncommitted changes that were not asked to be included.
    """
    repository = git.find(script)
    name = branch or f"{git.OURS}{_as_branch(script.stem)}"
    git.check_branch(repository, name)
    uncommitted = []
    for path in paths:
        if not path.is_relative_to(repository.root):
            raise RepairError(
                f"{path} would be patched too, but lies outside the repository {repository.root}. "
                "Use --diff or --in-place, or --skip the cause."
            )
        state = git.state(repository, path)
        if state != "clean" and not include_uncommitted:
            raise RepairError(_refusal(path, state))
        if state != "clean":
            uncommitted.append(path)
    own = {str(path.relative_to(repository.root)) for path in paths}
    others = [each for each in git.dirty(repository) if each not in own]
    notes = []
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        notes.append(
            f"Uncommitted changes that the branch does not have: {', '.join(others[:3])}{more}."
        )
    return Target(repository, name, script, tuple(uncommitted), tuple(notes))


def precheck(script: Path, branch: str | None, include_uncommitted: bool) -> None:
    """Refuse before a diagnosis, which takes a minute, what :func:`target` would refuse after it.

    Raises:
        RepairError: as :func:`target`, for a repair that patches ``script`` alone.
    """
    script = script.resolve()
    target(script, [script], branch, include_uncommitted)


def write(
    place: Target, files: Files, kept: Sequence[Kept]
) -> tuple[tuple[Commit, ...], tuple[str, ...]]:
    """One commit per kept fix, then the branch. Returns the commits and notes about them.

    Raises:
        RepairError: git refused; no branch has been made then.
    """
    commits: list[Commit] = []
    notes: list[str] = []
    with git.worktree(place.repository) as tree:
        if place.uncommitted:
            contents = {path: files.contents[str(path)] for path in place.uncommitted}
            tree.commit(contents, f"Uncommitted changes of {place.script.name}\n")
        texts, steps = files.texts, list[Step]()
        for each in kept:
            steps.append(each.step)
            after = compose(files.texts, steps).texts
            made = tree.commit(files.changed(texts, after), commit_message(each))
            commits.append(Commit(sha=made.sha, cause=each.step.id, codemod=each.step.codemod))
            if made.unsigned and not notes:
                notes.append(f"The commits are not signed: {made.unsigned}")
            texts = after
        git.create_branch(place.repository, place.branch, commits[-1].sha)
    return tuple(commits), tuple(notes)


def _refusal(path: Path, state: git.State) -> str:
    what = {
        "modified": "has uncommitted changes",
        "untracked": "is not in git yet",
        "ignored": "is ignored by git",
    }[state]
    return (
        f"{path} {what}, and a branch made from the last commit would lack that. Commit it first, "
        "or use --include-uncommitted to begin the branch with the file as it is; your working "
        "tree stays as it is either way. --diff and --in-place need no commit."
    )


def _as_branch(stem: str) -> str:
    """A script's name as git accepts it in a branch: ``my train.v2`` becomes ``my-train.v2``."""
    kept = "".join(c if c.isalnum() or c in "-_." else "-" for c in stem)
    while ".." in kept:
        kept = kept.replace("..", ".")
    return kept.strip("-.").removesuffix(".lock") or "script"
