"""How a trial is run for real: a mirror with the variant in it, and a light probe of that."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tlfix.probe.runner import Budget, Progress, probe, quiet_environment
from tlfix.probe.starting import Starter, Warm
from tlfix.probe.trace import Trace
from tlfix.program.reader import read
from tlfix.repair.executors import Slot
from tlfix.repair.files import Files
from tlfix.repair.mirror import mirror
from tlfix.repair.trials import Run, Trial

_SETS_ENVIRONMENT = re.compile(r"environ\b|putenv|TF_USE_LEGACY_KERAS")


class Cancelled(Exception):
    """The trial was asked to end early."""


def in_mirror(
    script: Path,
    arguments: Sequence[str],
    files: Files,
    *,
    budget: Budget,
    python: str,
    sandbox: str,
    starter: Starter | None = None,
    on_progress: Callable[[Progress], None] | None,
) -> Run:
    """A function that runs a trial of ``script`` (absolute, resolved) as from this directory.

    ``budget.steps`` is the same for every variant: the runner shares it over the program's fits,
    so a variant with two stages does not train longer than one with one.
    """
    cwd = Path.cwd()

    def run(trial: Trial, slot: Slot) -> Trace:
        why = f" ({trial.why})" if trial.why else ""
        name = f"trial {trial.number}, {trial.name}, seed {trial.seed}{why}"

        def follow(progress: Progress) -> None:
            # Raising is how a probe in another thread is ended: it then kills its process group.
            if slot.cancelled.is_set():
                raise Cancelled(name)
            if on_progress is not None:
                on_progress(replace(progress, phase=f"{name}: {progress.phase}"))

        follow(Progress("starting"))
        fits = len(read(trial.texts[str(script)], str(script)).fits)
        device = {} if slot.device is None else {"CUDA_VISIBLE_DEVICES": slot.device}
        with mirror(files.encoded(trial.texts), cwd) as scratch:
            return probe(
                scratch.of(script),
                arguments,
                budget=budget,
                seed=trial.seed,
                python=python,
                sandbox=sandbox,
                instruments=False,
                fits=max(fits, 1),
                cwd=scratch.of(cwd),
                environment=device,
                starter=starter,
                on_progress=follow,
            )

    return run


@contextmanager
def warmed(script: Path, text: str, trace: Trace | None, python: str) -> Iterator[Starter | None]:
    """What starts the trials of ``script``: a process with TensorFlow loaded, where that is safe.

    It is where the script trains with Keras 3 on TensorFlow, and neither it nor a module beside it
    sets environment variables, which TensorFlow reads when it is imported. None otherwise.
    """
    seen = trace.environment if trace else None
    plain = (
        seen is not None
        and seen.backend == "tensorflow"
        and (seen.keras or "").startswith("3.")
        and not _SETS_ENVIRONMENT.search(text)
        and not _imports_a_neighbour(script, text)
    )
    if not plain:
        yield None
        return
    with Warm(python, ("tensorflow", "keras"), quiet_environment(0)) as starter:
        yield starter


def _imports_a_neighbour(script: Path, text: str) -> bool:
    names = {name.split(".")[0] for name in read(text, str(script)).imports.values()}
    beside = {
        path.stem for path in script.parent.iterdir() if path.suffix == ".py" or path.is_dir()
    }
    return not names.isdisjoint(beside - {script.stem})
