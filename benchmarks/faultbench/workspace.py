"""Where programs run: data written once, weights at hand, a folder of its own for each program."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.faultbench.data_faults import FAULTS
from benchmarks.faultbench.programs import Program
from benchmarks.faultbench.recipes import RECIPES, ROOT

STAND_INS = Path(__file__).parent / "stand_ins"


class Workspace:
    """The benchmark's cache: data sets, weights, trainings. Shards may share one."""

    def __init__(self, root: Path = ROOT / ".cache" / "faultbench") -> None:
        self.root = root
        self.trainings = root / "trainings"

    def prepare(self) -> None:
        """Put the weights where Keras looks, and keep every process off the network."""
        import weights

        self.trainings.mkdir(parents=True, exist_ok=True)
        home = self.root / "keras"
        if not (home / "models").is_dir():
            weights.install(home)
        os.environ["KERAS_HOME"] = str(home)
        # Nothing here is on the network; a download that is tried all the same must fail at once.
        os.environ["HTTPS_PROXY"] = "http://127.0.0.1:9"

    def data(self, recipe: str, fault: str | None) -> Path:
        """The folder with a recipe's data and a fault in it; written on the first call."""
        made = _digest(Path(__file__).with_name("recipes.py"))
        broken = _digest(Path(__file__).with_name("data_faults.py"))
        name = f"{recipe}-{made}" + (f"-{fault}-{broken}" if fault else "")
        target = self.root / "data" / name
        if target.is_dir():
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        # Written beside and renamed: another shard sees all of it or nothing.
        partial = Path(tempfile.mkdtemp(prefix="partial-", dir=target.parent))
        if fault is None:
            RECIPES[recipe](partial / "data")
        else:
            shutil.copytree(self.data(recipe, None), partial / "data")
            FAULTS[fault](partial / "data")
        try:
            (partial / "data").rename(target)
        except OSError:
            if not target.is_dir():
                raise
        shutil.rmtree(partial, ignore_errors=True)
        return target

    @contextmanager
    def project(self, program: Program) -> Iterator[Path]:
        """A folder with ``train.py`` and ``data`` in it, as working directory; gives the script."""
        before = Path.cwd()
        data = self.data(program.recipe, program.data)
        with tempfile.TemporaryDirectory(prefix="faultbench-") as name:
            folder = Path(name)
            (folder / "data").symlink_to(data)
            if "import" in program.text and "imblearn" in program.text:
                shutil.copytree(STAND_INS / "imblearn", folder / "imblearn")
            script = folder / "train.py"
            script.write_text(program.text, encoding="utf-8")
            os.chdir(folder)
            try:
                yield script
            finally:
                os.chdir(before)


def tlfix_digest() -> str:
    """Changes with any source file of tlfix; results of another version are not taken over."""
    digest = hashlib.sha256()
    files = [*(ROOT / "tlfix").rglob("*.py"), *(ROOT / "codemods").glob("*.py")]
    for file in sorted([*files, *(ROOT / "tlfix").rglob("*.json")]):
        digest.update(str(file.relative_to(ROOT)).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:8]
