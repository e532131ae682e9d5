"""RESULTS.md and results.json, written by the run from its own records."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.faultbench import operators
from benchmarks.faultbench.baselines import most_frequent, random_causes
from benchmarks.faultbench.figures import (
    among_first,
    by_cause,
    detected,
    false_alarms,
    first_is_true,
    fixable,
    localised,
    loud,
    planted,
    ranked,
    reached,
    summary,
)
from benchmarks.faultbench.programs import programs
from benchmarks.faultbench.records import Record

ROWS = (
    ("detection", "Detection (faulty programs not called healthy)", None),
    ("healthy_passed", "Healthy programs without an alarm", 1.0),
    ("recall_at_1", "Diagnosis, recall at rank 1", 0.90),
    ("recall_at_3", "Diagnosis, recall at rank 3", 0.97),
    ("precision", "Precision of errors and warnings", 0.95),
    ("localisation", "Line localisation", 0.95),
    ("repair", "Repaired (≥ 95 % of the healthy base)", 0.90),
    ("repair_by_right_fix", "Repaired by the planted causes' own fixes", None),
    ("crashes_mended", "Crashing programs that run after the repair", None),
)
NUMBERS = (
    ("mean_gain", "Validation accuracy gained, mean", "{:+.3f}"),
    ("seconds_median", "Seconds per diagnosis, median", "{:.1f}"),
    ("bare_ratio_median", "Diagnosis / the program alone over the same steps, median", "{:.2f}"),
)
EARLIER = """\
Published figures of earlier tools, each on **its own set of faults**, none of it transfer learning:
they say what is usual in the field and cannot be compared with the figures above one by one.

| tool | figure | its own fault set |
|---|---|---|
| DEFault | detection .94, fault category .63 | 52 programs |
| DeepFD | line localisation 22 of 52 | 52 programs |
| DeepFD, in an independent study | diagnosis recall .33, precision .18 | that study's programs |
| Tensfa | source repair 80 of 146 | crash faults (tensor shapes) |
| AutoTrainer | repair of the model object, not of the source, 414 of 422 | training problems |
"""


def write(found: Mapping[str, Record], into: Path, *, quick: bool = False) -> None:
    """Write ``RESULTS.md`` and ``results.json`` about the records ``found`` into the folder."""
    into.mkdir(parents=True, exist_ok=True)
    results = computed(list(found.values()), len(programs()), quick=quick)
    text = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
    (into / "results.json").write_text(text, encoding="utf-8")
    (into / "RESULTS.md").write_text(page(results), encoding="utf-8")


def computed(records: Sequence[Record], known: int, *, quick: bool = False) -> dict[str, Any]:
    """Everything the page says. ``known`` is the number of programs there are in all."""
    catalogue = {cause: operator.source_fix for cause, operator in operators.load().items()}
    # What is frequent is a fact of the benchmark, not of the programs that happened to be run.
    learned = [program.truth for program in programs() if program.half == "tune"]
    halves = {
        "all": list(records),
        "tune": [record for record in records if record["half"] == "tune"],
        "report": [record for record in records if record["half"] == "report"],
    }
    return {
        "schema": "faultbench.results/1",
        "environment": environment(records),
        "quick": quick,
        "programs_known": known,
        "figures": {name: summary(part) for name, part in halves.items()},
        "most_frequent": {
            name: most_frequent(part, learned, catalogue) for name, part in halves.items()
        },
        "random": {name: random_causes(part, catalogue) for name, part in halves.items()},
        "causes": by_cause(records, sorted(catalogue)),
        "programs": sorted(records, key=lambda record: record["id"]),
    }


def environment(records: Sequence[Record]) -> dict[str, Any]:
    """Versions, seeds and machine, as far as figures depend on them."""
    versions = {}
    for name in ("tlfix", "tensorflow", "keras", "numpy", "scipy", "scikit-image", "scikit-learn"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return {
        "python": platform.python_version(),
        "versions": versions,
        "tlfix_sources": sorted({record["tlfix"] for record in records}),
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "threads": sorted({str(record.get("threads", "all")) for record in records}),
        "devices": sorted({record["device"] for record in records if record.get("device")}),
        "seeds": {"diagnosis": 0, "full training": [0, 1]},
        "repair": sorted({record["mode"] for record in records}),
    }


def page(results: Mapping[str, Any]) -> str:
    """The results as Markdown."""
    own = results["environment"]
    count = results["figures"]["all"]["programs"]
    versions = ", ".join(f"{name} {version}" for name, version in own["versions"].items())
    title = "# FaultBench: results" + (" of the quick run" if results["quick"] else "")
    lines = [
        title,
        "",
        f"{count['faulty']} faulty and {count['healthy']} healthy programs of "
        f"{results['programs_known']} in all. What each figure counts: `README.md`.",
        "",
        f"Python {own['python']}, {versions}; {own['machine']}, {own['cores']} cores, "
        f"TensorFlow threads: {', '.join(own['threads']) or 'all'}, "
        f"devices: {', '.join(own['devices']) or 'unknown'}. Seed of the diagnosis "
        f"{own['seeds']['diagnosis']}, of full training {own['seeds']['full training']}. "
        f"Repair: {', '.join(own['repair']) or 'none'}. "
        f"Digest of tlfix's source: {', '.join(own['tlfix_sources'])}.",
        "",
        *_overall(results),
        "",
        EARLIER,
        *_causes(results),
        "",
        *_lists(results["programs"]),
    ]
    return "\n".join(lines) + "\n"


def _overall(results: Mapping[str, Any]) -> list[str]:
    parts = [results["figures"][name] for name in ("all", "tune", "report")]
    guesses = [results["most_frequent"]["all"], results["random"]["all"]]
    lines = [
        "| | goal | all | tune half | report half | most frequent cause | random causes |",
        "|---|---|---|---|---|---|---|",
    ]
    for key, title, goal in ROWS:
        cells = [_fraction(part[key]) for part in parts]
        cells += [_percent(guess[key]) if key in guess else "" for guess in guesses]
        aim = f"≥ {goal:.2f}" if goal else ""
        lines.append(f"| {title} | {aim} | {' | '.join(cells)} |")
    for key, title, form in NUMBERS:
        cells = [form.format(part[key]) if part[key] is not None else "" for part in parts]
        aim = "≤ 2" if key == "bare_ratio_median" else ""
        lines.append(f"| {title} | {aim} | {' | '.join(cells)} | | |")
    names = ", ".join(results["most_frequent"]["all"]["proposes"])
    whole = parts[0]
    lines += [
        "",
        f"In brackets: 95 % interval (Wilson). Most frequent causes of the tune half: {names}. "
        f"Accuracy gained: of {whole['gain_count']} programs that run before and after the repair. "
        f"Programs on which tlfix itself failed: {whole['failures']}.",
    ]
    return lines


def _causes(results: Mapping[str, Any]) -> list[str]:
    lines = [
        "## By cause",
        "",
        "Programs in which the cause was planted alone; *with others*: named among the first three "
        "where it was planted beside another; *note*: named as a note only. Precision is over all "
        "programs.",
        "",
        "| cause | programs | detected | rank 1 | rank 3 | note | localised | precision | repaired "
        "| gain | seconds | with others |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for cause, row in results["causes"].items():
        cells = [
            cause,
            str(row["programs"]["faulty"]),
            *(_count(row[key]) for key in ("detection", "recall_at_1", "recall_at_3")),
            str(row["note_only"] or ""),
            *(_count(row[key]) for key in ("localisation", "precision", "repair")),
            f"{row['mean_gain']:+.2f}" if row["mean_gain"] is not None else "",
            f"{row['seconds_median']:.0f}" if row["seconds_median"] is not None else "",
            _count(row["in_combinations"]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _lists(records: Sequence[Record]) -> list[str]:
    sick = [record for record in records if record["planted"]]
    missed = [r for r in sick if not first_is_true(r) or not all(among_first(r, 3))]
    invented = [r for r in records if false_alarms(r)]
    elsewhere = [r for r in sick if not all(localised(r))]
    unrepaired = [r for r in sick if fixable(r) and "repair" in r and not reached(r)]
    unsound = [r for r in records if not r["planted"] and detected(r) and not loud(r)]
    return [
        *_section("Not found, or not first", missed, _what_was_found),
        *_section("False alarms", invented, lambda r: f"named {', '.join(false_alarms(r))}"),
        *_section("Healthy programs not called healthy", unsound, lambda r: str(r.get("reason"))),
        *_section("Found elsewhere than planted", elsewhere, _places),
        *_section("Not repaired", unrepaired, _why_not),
        *_section(
            "tlfix failed", [r for r in records if "failure" in r], lambda r: str(r["failure"])
        ),
    ]


def _section(title: str, records: Sequence[Record], say: Any) -> list[str]:
    return [
        f"## {title}: {len(records)}",
        "",
        *(f"- `{record['id']}` ({record['half']}): {say(record)}" for record in records),
        "",
    ]


def _what_was_found(record: Record) -> str:
    named = [f"{cause['id']} ({cause['severity']})" for cause in ranked(record)]
    crash = f"; probe {record['status']}" if record.get("status") not in ("completed", None) else ""
    wanted = ", ".join(planted(record))
    verdict = record.get("verdict", "no verdict")
    return f"planted {wanted}; found {', '.join(named) or 'nothing'}; {verdict}{crash}"


def _places(record: Record) -> str:
    parts = []
    for truth in record["planted"]:
        lines = [c["line"] for c in record["causes"] if c["id"] == truth["cause"]]
        if lines and not set(lines) & set(truth["lines"]):
            where = ", ".join("no line" if line is None else str(line) for line in lines)
            parts.append(f"{truth['cause']} at {where} instead of {_ranges(truth['lines'])}")
    return "; ".join(parts)


def _ranges(lines: Sequence[int]) -> str:
    groups: list[list[int]] = []
    for line in lines:
        if groups and line == groups[-1][-1] + 1:
            groups[-1].append(line)
        else:
            groups.append([line])
    return ", ".join(str(g[0]) if len(g) == 1 else f"{g[0]}–{g[-1]}" for g in groups)


def _why_not(record: Record) -> str:
    repair = record["repair"]
    if "failure" in repair:
        return f"{', '.join(planted(record))}: {repair['failure']}"
    reasons = "; ".join(f"{each['cause']}: {each['reason']}" for each in repair["rejected"])
    if not repair["changed"]:
        return f"{', '.join(planted(record))}: nothing applied. {reasons}".rstrip()
    after = ", ".join("crash" if v is None else f"{v:.3f}" for v in repair["accuracies"])
    healthy = f"{repair['healthy']:.3f}" if repair["healthy"] is not None else "unknown"
    why = f" ({repair['error']})" if repair.get("error") else ""
    return (
        f"{', '.join(planted(record))}: applied {', '.join(repair['applied'])}, "
        f"reached {after}{why} where the healthy base has {healthy}. {reasons}"
    ).rstrip()


def _fraction(share: Mapping[str, Any]) -> str:
    if share["share"] is None:
        return ""
    low, high = share["ci95"]
    return f"**{share['share']:.2f}** ({share['hits']:g}/{share['count']}) [{low:.2f}, {high:.2f}]"


def _percent(share: Mapping[str, Any]) -> str:
    return "" if share["share"] is None else f"{share['share']:.2f}"


def _count(share: Mapping[str, Any]) -> str:
    return "" if share["share"] is None else f"{share['hits']:g}/{share['count']}"
