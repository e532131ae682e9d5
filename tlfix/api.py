"""The verbs of tlfix as functions: diagnose, apply, check, explain.

Imports of the heavier parts stand inside the functions, so that ``check`` and ``explain`` start
without loading what only a probe or a repair needs.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tlfix.config import Settings, suggestion

if TYPE_CHECKING:
    from tlfix.causes.catalogue import Entry
    from tlfix.causes.spec import CauseSpec
    from tlfix.findings import CheckResult, Diagnosis, Repair
    from tlfix.probe.runner import Budget
    from tlfix.probe.trace import Trace
    from tlfix.ranking import Ranked
    from tlfix.report.progress import Listener
    from tlfix.symptoms.spec import SymptomSpec

Mode = Literal["branch", "diff", "in-place"]


class UnknownName(Exception):
    """No cause, code or symptom of this name; the message suggests the nearest."""


@dataclass(frozen=True)
class Options:
    """How to run the script. ``python`` is its interpreter; None for the one tlfix runs in.

    ``budget_seconds`` bounds each training and ``timeout`` the whole probe, in wall seconds;
    None keeps the project's setting, or the default.
    """

    arguments: tuple[str, ...] | None = None
    python: str | None = None
    seed: int = 0
    budget_seconds: float | None = None
    steps: int | None = None
    timeout: float | None = None
    sandbox: str = "auto"
    probe: bool = True


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
        """0 healthy, 1 causes found, 3 could not be probed.

        Without a probe nobody asked to run the script, so only what was read counts.
        """
        from tlfix.diagnosis import exit_code

        if self.trace is None:
            return int(any(cause.severity != "note" for cause in self.diagnosis.causes))
        return exit_code(self.diagnosis)


def diagnose(
    script: Path,
    options: Options = Options(),  # noqa: B008 - frozen
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
    trace, notes = None, []
    # Read before the probe: a script that is no Python needs no minute to be refused.
    text, digest = _read(script)
    if options.probe:
        from tlfix.probe.runner import probe

        trace = probe(
            script,
            arguments,
            budget=budget(options, settings),
            seed=options.seed,
            python=_python(options, settings),
            sandbox=options.sandbox,
            on_progress=on_progress,
        )
    result = _examined(script, text, digest, trace, settings, arguments)
    if keep and options.probe:
        stored = store.Stored(
            script=script.name,
            arguments=arguments,
            sha256=digest,
            python=_python(options, settings),
            diagnosis=result.diagnosis,
            trace=trace,
        )
        problem = store.save(script, stored)
        notes = [problem] if problem else []
    return DiagnoseResult(
        result.diagnosis, result.ranked, trace, result.texts, arguments, tuple(notes)
    )


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
    text, digest = _read(script)
    if digest != kept.sha256:
        raise store.StoreError(
            f"{script} has changed since it was diagnosed; run tlfix diagnose {script} again"
        )
    settings = project_settings(script) if settings is None else settings
    return script, _examined(script, text, digest, kept.trace, settings, kept.arguments)


def kept(script: Path, options: Options, settings: Settings) -> DiagnoseResult | None:
    """The kept diagnosis of ``script`` as it is now, if it was made the way ``options`` ask."""
    from tlfix import store

    text, digest = _read(script)
    stored = store.matching(script, digest)
    if stored is None or stored.trace is None or stored.python != _python(options, settings):
        return None
    if options.arguments is not None and options.arguments != stored.arguments:
        return None
    return _examined(script, text, digest, stored.trace, settings, stored.arguments)


def apply(
    script: Path,
    found: DiagnoseResult,
    options: Options = Options(),  # noqa: B008 - frozen
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
    return repair(
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
        python=_python(options, settings),
        on_progress=on_progress,
    )


def repair_exit_code(repair: Repair, found: DiagnoseResult) -> int:
    """0 if all that was applied is verified or nothing was wrong, else 1."""
    if repair.verification is not None:
        return int(repair.verification.decision != "improved")
    if repair.diff:
        return 0
    return int(any(cause.severity != "note" for cause in found.diagnosis.causes))


def check(paths: Sequence[Path], *, settings: Settings | None = None) -> CheckResult:
    """Read ``paths`` (files, and folders with all below them) without running anything."""
    from tlfix.checking import check as examine

    settings = project_settings(*paths) if settings is None else settings
    return examine(
        paths, settings.select, settings.ignore, ignored_in=settings.ignored_in, notes=False
    )


def explain(name: str) -> CauseSpec | SymptomSpec | Entry:
    """What is known of a cause (by id or code) or of a symptom (by id).

    A cause of the catalogue that this version does not look for is returned as its row.

    Raises:
        UnknownName: there is nothing of that name.
    """
    from tlfix.causes import catalogue, registry

    if (spec := registry.get(name.lower())) or (spec := registry.get(name)):
        return spec
    entries = catalogue.entries()
    for entry in entries:
        if name.lower() == entry.id or name.upper() == entry.code:
            return entry
    from tlfix.symptoms.registry import SYMPTOMS

    for symptom in SYMPTOMS:
        if name.lower() == symptom.id:
            return symptom
    known = [*(e.id for e in entries), *(s.id for s in SYMPTOMS), *(e.code for e in entries)]
    raise UnknownName(f"no cause or symptom is named {name!r}{suggestion(name, known)}")


def cause_id(name: str) -> str:
    """The id of the cause named by id or code.

    Raises:
        UnknownName: there is no such cause.
    """
    known = known_causes()
    by_code = {code: id_ for id_, code in known.items()}
    found = name if name in known else by_code.get(name.upper())
    if found is None:
        raise UnknownName(f"no cause is named {name!r}{suggestion(name, known)}")
    return found


def known_causes() -> dict[str, str]:
    """The code of every cause of the catalogue, by id."""
    from tlfix.causes import catalogue

    return {entry.id: entry.code for entry in catalogue.entries()}


def project_settings(*paths: Path) -> Settings:
    """The ``[tool.tlfix]`` that holds for ``paths``: of the nearest pyproject.toml to them all.

    Raises:
        ConfigError: a key, a type or a cause in it is wrong.
    """
    from os.path import commonpath

    from tlfix import config

    folders = [path.resolve() for path in paths] or [Path.cwd()]
    return config.load(Path(commonpath(folders)), known_causes())


def budget(options: Options, settings: Settings) -> Budget:
    """The limits of a probe: the command line's, else the project's, else the defaults."""
    from tlfix.probe.runner import Budget

    asked = {
        "seconds": options.budget_seconds,
        "steps": options.steps,
        "timeout": options.timeout,
    }
    limits = {k: v for k, v in settings.budget.model_dump().items() if v is not None}
    limits |= {k: v for k, v in asked.items() if v is not None}
    return Budget(**limits)


def refusals() -> tuple[type[Exception], ...]:
    """The errors that are the user's to mend; their message is all there is to show."""
    from tlfix.causes.registry import RegistryError
    from tlfix.config import ConfigError
    from tlfix.repair.errors import RepairError
    from tlfix.source.script import SourceError
    from tlfix.store import StoreError

    return (ConfigError, RegistryError, RepairError, SourceError, StoreError, UnknownName)


def specs_for(path: str, settings: Settings) -> tuple[CauseSpec, ...]:
    """The causes to look for in ``path``: selected, not ignored, not ignored for this file."""
    from tlfix.causes import registry

    ignored = {*settings.ignore, *settings.ignored_in(path)}
    return tuple(
        spec
        for spec in registry.load()
        if (not settings.select or spec.id in settings.select) and spec.id not in ignored
    )


def _read(script: Path) -> tuple[str, str]:
    from tlfix.source.script import load

    text = load(script).text
    return text, sha256(script.read_bytes()).hexdigest()


def _examined(
    script: Path,
    text: str,
    digest: str,
    trace: Trace | None,
    settings: Settings,
    arguments: tuple[str, ...],
) -> DiagnoseResult:
    from tlfix import diagnosis
    from tlfix.program.reader import read

    path = str(script)
    texts = {path: text}
    found, ranked = diagnosis.diagnose(
        read(text, path), digest, trace, texts, specs=specs_for(path, settings)
    )
    return DiagnoseResult(found, ranked, trace, texts, arguments)


def _python(options: Options, settings: Settings) -> str:
    if options.python is not None:
        return options.python
    if settings.python is None:
        return sys.executable
    # A path in the file is relative to the file; a bare name is looked up like any command.
    if settings.root is not None and "/" in settings.python:
        return str(settings.root / settings.python)
    return settings.python


def _shortest(path: Path) -> Path:
    resolved, here = path.resolve(), Path.cwd()
    return resolved.relative_to(here) if resolved.is_relative_to(here) else resolved


