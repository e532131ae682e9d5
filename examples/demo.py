"""The main job on a broken project: diagnose it, patch it on a branch, prove the patch.

Everything happens in ``.demo/`` at the top of the checkout: a git clone of ``examples/stuck`` with
real images and small pretrained weights, none of which need a network.

    python examples/demo.py [--folder DIR]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "assets"))

import images  # noqa: E402
import weights  # noqa: E402

PROJECT = HERE / "stuck"


def say(text: str) -> None:
    print(f"\n── {text}", flush=True)


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=demo", "-c", "user.email=demo@localhost"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)


def prepare(folder: Path) -> Path:
    """A scratch clone of the project, with its images; returns the clone."""
    origin, clone = folder / "origin", folder / "project"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(PROJECT, origin)
    (origin / ".gitignore").write_text("data/\n", encoding="utf-8")
    git(origin, "init", "--quiet", "--initial-branch=main")
    git(origin, "add", ".")
    git(origin, "commit", "--quiet", "-m", "A model that will not learn")
    git(folder, "clone", "--quiet", "origin", "project")
    images.write(clone / "data", "photographs")
    weights.install(folder / "keras")
    return clone


def tlfix(folder: Path, *arguments: str) -> int:
    say("$ tlfix " + " ".join(arguments))
    environment = {**os.environ, "KERAS_HOME": str(folder.parent / "keras")}
    command = [sys.executable, "-m", "tlfix", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, default=HERE.parent / ".demo")
    folder = parser.parse_args().folder.absolute()
    say(f"A project whose training will not work, in {folder.name}/project")
    clone = prepare(folder)
    found = tlfix(clone, "diagnose", "train.py")
    if found != 1:
        print(f"The diagnosis ended with {found}; it should have found causes (1).")
        return 1
    report = folder / "repair.json"
    ended = tlfix(
        clone, "apply", "train.py", "--branch", "tlfix/demo", "--output", f"json={report}"
    )
    if not report.exists():
        print(f"The repair ended with {ended} and no result.")
        return 1
    repair = json.loads(report.read_text(encoding="utf-8"))
    if repair["branch"] is None:
        print("No fix was kept, so there is no branch to show.")
        return 1
    say("The branch, one commit per cause")
    git(clone, "log", "--stat", "main..tlfix/demo")
    say("The user's own branch and files are as they were")
    git(clone, "status", "--short", "--branch")
    return outcome(repair)


def outcome(repair: dict[str, Any]) -> int:
    """Say what the repair came to; 0 if what was kept measurably improves the program."""
    kept = ", ".join(commit["cause"] for commit in repair["commits"])
    verification = repair["verification"] or {"decision": "not verified"}
    say(f"Kept: {kept}; all together: {verification['decision']}")
    for rejected in repair["rejected"]:
        print(f"Not kept: {rejected['cause']}: {rejected['reason']}")
    return int(verification["decision"] != "improved")


if __name__ == "__main__":
    sys.exit(main())
