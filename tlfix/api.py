"""The verbs of tlfix as functions: diagnose, apply, check, explain.

Imports of the heavier parts stand inside the functions, so that ``check`` and ``explain`` start
without loading what only a probe or a repair needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tlfix.config import Settings
from tlfix.lookup import UnknownName, cause_id, explain, known_causes
from tlfix.options import DEFAULTS, Options, budget, interpreter, project_settings, specs_for

if TYPE_CHECKING:
    from tlfix.findings import CheckResult, Diagnosis, Repair
    from tlfix.probe.trace import Trace
    from tlfix.program.model import Program
    from tlfix.ranking import Ranked
    from tlfix.report.progress import Listener

__all__ = [
    "DiagnoseResult",
    "Options",
    "UnknownName",
    "apply",
    "cause_id",
    "check",
    "diagnose",
    "explain",
]

Mode = Literal["branch", "diff", "in-place"]


@dataclass(frozen=True)
class DiagnoseResult:
    """A diagnosis and what it rests on. ``texts`` is the source by path, for excerpts.

    ``notes`` are remarks about the run itself, for stderr.
    """

    diagnosis: Diagnosis
    ranked: tuple[Ranked, ...]
    trace: Trace | None
    texts: Mapping[str, str]
    arguments: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def achieved(self) -> float | None:
        """The validation accuracy (0..1) that the script's last training reached in the probe."""
        if self.trace is None or not self.trace.fits:
            return None
        evaluation = self.trace.fits[-1].evaluation("validation")
        return evaluation.accuracy if evaluation else None

    @property
    def exit_code(self) -> int:
        """0 healthy, 1 causes found, 3 could not be probed or never trained.

        Without a probe nobody asked to run the script, so only what was read counts.
        """
        from tlfix.diagnosis import exit_code

        if self.trace is None:
            return int(any(cause.severity != "note" for cause in self.diagnosis.causes))
        return exit_code(self.diagnosis)


def diagnose(
    script: Path,
    options: Options = DEFAULTS,
    *,
    settings: Settings | None = None,
    keep: bool = True,
    on_progress: Listener | None = None,
) -> DiagnoseResult:
    """Read ``script``, run it for a moment under instruments, and say what is wrong.

    The result is kept in ``.tlfix/`` next to the script for a later :func:`apply` unless ``keep``
    is false.

    Raises:
        SourceError: the script cannot be read.
        ConfigError: ``[tool.tlfix]`` is wrong.
    """
    from tlfix import store

    settings = project_settings(script) if settings is None else settings
    arguments = settings.args if options.arguments is None else options.arguments
    # Read before the probe: a script that is no Python needs no minute to be refused.
    program, digest = _read(script)
    trace, notes = None, []
    if options.probe:
        from tlfix.probe.runner import Progress, probe

        if on_progress is not None:
            on_progress(Progress("starting"))
        trace = probe(
            script,
            arguments,
            budget=budget(options, settings),
            seed=options.seed,
            python=interpreter(options, settings),
            sandbox=options.sandbox,
            fits=max(1, len(program.fits)),
            on_progress=on_progress,
        )
    result = _examined(program, digest, trace, settings, arguments)
    if trace is not None and keep:
        stored = store.Stored(
            script=script.name,
            arguments=arguments,
            sha256=digest,
            python=interpreter(options, settings),
            diagnosis=result.diagnosis,
            trace=trace,
        )
        problem = store.save(script, stored)
        notes = [problem] if problem else []
    return replace(result, notes=tuple(notes))


def latest(folder: Path, settings: Settings | None = None) -> tuple[Path, DiagnoseResult]:
    """The diagnosis kept in ``folder/.tlfix`` and its script.

    Raises:
        StoreError: there is none, or the script has changed since.
    """
    from tlfix import store

    script, kept = store.load(folder)
    if not script.is_file():
        raise store.StoreError(f"{script} is gone; run tlfix diagnose on the script you have")
    script = _shortest(script)
    program, digest = _read(script)
    if digest != kept.sha256:
        raise store.StoreError(
            f"{script} has changed since it was diagnosed; run tlfix diagnose {script} again"
        )
    settings = project_settings(script) if settings is None else settings
    return script, _examined(program, digest, kept.trace, settings, kept.arguments)


def kept(script: Path, options: Options, settings: Settings | None = None) -> DiagnoseResult | None:
    """The kept diagnosis of ``script`` as it is now, if it was made the way ``options`` ask."""
    from tlfix import store

    settings = project_settings(script) if settings is None else settings
    program, digest = _read(script)
    stored = store.matching(script, digest)
    if stored is None or stored.trace is None or stored.python != interpreter(options, settings):
        return None
    if options.arguments is not None and options.arguments != stored.arguments:
        return None
    return _examined(program, digest, stored.trace, settings, stored.arguments)


def apply(
    script: Path,
    found: DiagnoseResult,
    options: Options = DEFAULTS,
    *,
    mode: Mode = "branch",
    branch: str | None = None,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    verify: bool = True,
    include_uncommitted: bool = False,
    seeds: int | None = None,
    settings: Settings | None = None,
    on_progress: Listener | None = None,
) -> Repair:
    """Apply the fixes of ``found`` to ``script``, rerun it, and keep what measurably helps.

    ``only`` and ``skip`` are cause ids; ``seeds`` the number of runs on each side (at least 3).

    Raises:
        RepairError: the repair cannot start or finish; the message says why.
    """
    from tlfix.repair.apply import apply as repair

    settings = project_settings(script) if settings is None else settings
    made = repair(
        script,
        found.arguments,
        found.ranked,
        found.trace,
        branch=branch,
        mode=mode,
        only=tuple(only),
        skip=tuple(skip),
        verify=verify,
        include_uncommitted=include_uncommitted,
        seeds=settings.seeds if seeds is None else seeds,
        budget=budget(options, settings),
        python=interpreter(options, settings),
        sandbox=options.sandbox,
        on_progress=on_progress,
    )
    if made.diff and not verify and (note := _unproven(found.diagnosis)):
        made = made.model_copy(update={"notes": (note, *made.notes)})
    return made


def precheck(script: Path, branch: str | None = None, include_uncommitted: bool = False) -> None:
    """Refuse, before anything is run, a branch for ``script`` that :func:`apply` could not make.

    Raises:
        RepairError: no repository, a name that is taken or invalid, or uncommitted changes.
    """
    from tlfix.repair.branch import precheck as check_branch

    check_branch(script, branch, include_uncommitted)


def repair_exit_code(repair: Repair, found: DiagnoseResult) -> int:
    """0 if all that was asked for is applied and, unless unasked, verified; else 1.

    Where nothing was applied, the exit code of the diagnosis stands.
    """
    if not repair.diff:
        return found.exit_code
    verified = repair.verification is None or repair.verification.decision == "improved"
    return int(bool(repair.rejected) or not verified)


def check(paths: Sequence[Path], *, settings: Settings | None = None) -> CheckResult:
    """Read ``paths`` (files, and folders with all below them) without running anything."""
    from tlfix.checking import check as examine

    settings = project_settings(*paths) if settings is None else settings
    return examine(
        paths, settings.select, settings.ignore, ignored_in=settings.ignored_in, notes=False
    )


def refusals() -> tuple[type[Exception], ...]:
    """The errors that are the user's to mend; their message is all there is to show."""
    from tlfix.causes.registry import RegistryError
    from tlfix.config import ConfigError
    from tlfix.repair.errors import RepairError
    from tlfix.source.script import SourceError
    from tlfix.store import StoreError

    return (ConfigError, RegistryError, RepairError, SourceError, StoreError, UnknownName)


def _read(script: Path) -> tuple[Program, str]:
    from tlfix.program.reader import read
    from tlfix.source.script import load

    source = load(script)
    return read(source.text, str(script)), source.sha256


def _examined(
    program: Program,
    digest: str,
    trace: Trace | None,
    settings: Settings,
    arguments: tuple[str, ...],
) -> DiagnoseResult:
    from tlfix import diagnosis
    from tlfix.printable import name
    from tlfix.suppression import unknown

    texts = {program.path: program.text}
    specs = specs_for(program.path, settings)
    found, ranked = diagnosis.diagnose(program, digest, trace, texts, specs=specs)
    remarks = tuple(
        f"{name(program.path)}, {each}." for each in unknown(program.text, known_causes())
    )
    found = found.model_copy(update={"notes": (*found.notes, *remarks)})
    return DiagnoseResult(found, ranked, trace, texts, arguments)


def _unproven(found: Diagnosis) -> str | None:
    """What must be said of a patch that was never run, of a script that did not train either."""
    probe = found.probe
    crash = next((each.summary for each in found.symptoms if each.id == "crash"), None)
    if probe.status == "crashed" or crash:
        how = f"crashed when it was diagnosed ({_clause(crash or probe.reason)})"
    elif probe.status == "skipped":
        how = f"was not run when it was diagnosed ({_clause(probe.reason)})"
    elif probe.fits == 0:
        how = f"reached no training when it was diagnosed ({_clause(probe.reason)})"
    else:
        return None
    return (
        f"The script {how}, and the patched script was not run: nothing shows that it runs. "
        "Without --no-verify it is tried."
    )


def _clause(reason: str | None) -> str:
    return (reason or "it ended before any").rstrip(".")


def _shortest(path: Path) -> Path:
    resolved, here = path.resolve(), Path.cwd()
    return resolved.relative_to(here) if resolved.is_relative_to(here) else resolved
