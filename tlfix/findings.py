"""The values that leave tlfix: locations, measurements, symptoms, causes, diagnoses, repairs.

Every JSON document tlfix prints is one of the models in this file (``tlfix.diagnosis/1``,
``tlfix.repair/1``, ``tlfix.check/1``). Field names are a contract: fields are added freely and
never renamed.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Severity = Literal["error", "warning", "note"]
Confidence = Literal["certain", "likely", "possible"]
Review = Literal["none", "cursory", "careful"]
Verdict = Literal["healthy", "sick", "inconclusive", "crashed"]
ProbeStatus = Literal["completed", "crashed", "timed-out", "skipped"]
Decision = Literal["improved", "unchanged", "worse", "inconclusive"]


class Value(BaseModel):
    """Base of every value here: immutable, and strict about its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Location(Value):
    """A place in the user's source. Lines and columns count from 1, columns in characters."""

    path: str
    line: int
    column: int = 1
    end_line: int | None = None
    end_column: int | None = None
    cell: int | None = None


class Measurement(Value):
    """One number, and what it is held against.

    ``n`` is the sample size behind the number; ``threshold`` the limit it was compared with.
    """

    name: str
    value: float | None
    threshold: float | None = None
    n: int | None = None
    unit: str | None = None


class Evidence(Value):
    """One reason to believe in a cause: read in the source, measured in the probe, or tried."""

    source: Literal["static", "probe", "trial"]
    summary: str
    measured: tuple[Measurement, ...] = ()


class Symptom(Value):
    """Something the probe measured that a healthy training would not show."""

    id: str
    severity: Severity
    summary: str
    measured: tuple[Measurement, ...] = ()


class Fix(Value):
    """A proposed change of the source; ``diff`` is a unified diff against the script as it is."""

    codemod: str
    summary: str
    diff: str
    review: Review


class Cause(Value):
    """A root cause, ranked. ``explains`` names the symptoms it accounts for.

    ``advice`` says what to do by hand; it is set when no codemod could place a fix safely.
    """

    id: str
    code: str
    rank: int
    severity: Severity
    confidence: Confidence
    title: str
    location: Location | None
    evidence: tuple[Evidence, ...]
    explains: tuple[str, ...] = ()
    fix: Fix | None = None
    advice: str | None = None


class Script(Value):
    """The program under diagnosis."""

    path: str
    kind: Literal["python", "notebook"] = "python"
    sha256: str


class EnvironmentSeen(Value):
    """The interpreter and libraries the probe met; null where the probe did not get that far."""

    python: str | None = None
    keras: str | None = None
    backend: str | None = None
    tensorflow: str | None = None
    device: str | None = None


class ProbeSummary(Value):
    """How the probe went. ``seconds`` is its wall time."""

    status: ProbeStatus
    reason: str | None = None
    fits: int = 0
    steps: int = 0
    seconds: float = 0.0
    seed: int = 0


class Reference(Value):
    """The accuracy the features can reach, and the accuracy of always naming the largest class."""

    accuracy: float | None = None
    chance: float | None = None
    method: str | None = None


class Diagnosis(Value):
    """What ``tlfix diagnose --format json`` prints."""

    schema_: Literal["tlfix.diagnosis/1"] = Field("tlfix.diagnosis/1", alias="schema")
    verdict: Verdict
    script: Script
    environment: EnvironmentSeen
    probe: ProbeSummary
    reference: Reference
    symptoms: tuple[Symptom, ...]
    causes: tuple[Cause, ...]
    notes: tuple[str, ...] = ()
    timings: dict[str, float] = {}

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True
    )


class Commit(Value):
    """One commit of a repair branch."""

    sha: str
    cause: str
    codemod: str


class Rejected(Value):
    """A fix that was not kept, and why."""

    cause: str
    reason: str


class Verification(Value):
    """The metric over seeds, before and after the repair.

    A null in ``before`` or ``after`` is a run that crashed. ``ci95`` is the 95 % confidence
    interval of ``delta``, null when either side never finished.
    """

    metric: str
    before: tuple[float | None, ...]
    after: tuple[float | None, ...]
    delta: float | None
    ci95: tuple[float, float] | None
    decision: Decision
    seeds: tuple[int, ...] = ()
    reason: str | None = None


class Repair(Value):
    """What ``tlfix apply --format json`` prints."""

    schema_: Literal["tlfix.repair/1"] = Field("tlfix.repair/1", alias="schema")
    base: str | None
    branch: str | None
    commits: tuple[Commit, ...]
    rejected: tuple[Rejected, ...]
    verification: Verification | None
    diff: str
    notes: tuple[str, ...] = ()

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True
    )


class CheckedFile(Value):
    """One file as ``tlfix check`` saw it; ``skipped`` says why it was not examined.

    A folder that cannot be listed is one too; its path ends in a slash. ``notes`` are remarks: a
    comment that silences nothing, a cause that could not be looked for.
    """

    path: str
    skipped: str | None = None
    causes: tuple[Cause, ...] = ()
    notes: tuple[str, ...] = ()


class CheckResult(Value):
    """What ``tlfix check --format json`` prints."""

    schema_: Literal["tlfix.check/1"] = Field("tlfix.check/1", alias="schema")
    files: tuple[CheckedFile, ...]
    seconds: float

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True
    )
