"""What the source alone gives away: every fault that is there to read, and no other."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.corpus.expected import HEALTHY, PROGRAMS, SEEDS, Seed
from tlfix.checking import check
from tlfix.findings import Cause


def found(path: Path, *, notes: bool = False) -> dict[str, Cause]:
    result = check([path], notes=notes, strict=True)
    assert [file.skipped for file in result.files] == [None]
    return {cause.id: cause for file in result.files for cause in file.causes}


@pytest.mark.parametrize("seed", PROGRAMS, ids=lambda seed: seed.name)
def test_seeds(seed: Seed) -> None:
    for path in seed.paths:
        causes = found(path)
        assert set(seed.read) <= causes.keys(), path.name
        assert causes.keys() <= {*seed.read, *seed.allowed}, path.name
        assert set(seed.noted) <= found(path, notes=True).keys(), path.name
        unmended = [id_ for id_ in seed.read if causes[id_].fix is None]
        assert not unmended, path.name


@pytest.mark.parametrize("path", sorted(HEALTHY.glob("*.py")), ids=lambda path: path.stem)
def test_healthy(path: Path) -> None:
    assert found(path) == {}


def test_what_no_run_has_measured_is_no_error() -> None:
    """Scaling and tuning may be harmless: only what must stop the program is called an error."""
    errors = {
        cause.id
        for file in check([SEEDS], strict=True).files
        for cause in file.causes
        if cause.severity == "error"
    }
    assert errors == {"class-weight-invalid"}


def test_every_program_is_expected() -> None:
    assert {path for seed in PROGRAMS for path in seed.paths} == set(SEEDS.glob("*.py"))
    assert len(PROGRAMS) == 15


def test_nothing_was_run() -> None:
    """These tests must not be what loads TensorFlow; they are to stay quick."""
    import subprocess

    code = (
        "import sys\nfrom pathlib import Path\nfrom tlfix.checking import check\n"
        f"check([Path({str(SEEDS)!r})])\nassert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
