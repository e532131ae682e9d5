"""The command line of FaultBench: which programs, how far, and the report at the end."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.faultbench.programs import Program, chosen, programs, quick
from benchmarks.faultbench.recipes import ROOT
from benchmarks.faultbench.records import append, current, done, load
from benchmarks.faultbench.report import write
from benchmarks.faultbench.workspace import Workspace, tlfix_digest

HERE = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; 0 unless tlfix itself failed on a program."""
    asked = parsed(arguments)
    workspace = Workspace(asked.cache.absolute())
    workspace.prepare()
    results = asked.results or workspace.root / ("quick.jsonl" if asked.quick else "results.jsonl")
    version = asked.version or tlfix_digest()
    failed = 0
    if not asked.report:
        if asked.jobs > 1:
            failed = _spread(asked, results.absolute(), version)
        else:
            failed = _work(asked, workspace, results, version)
    if asked.shard == (1, 1):
        found = current(load(results, None if asked.mixed else version), programs())
        write(found, asked.into.absolute(), quick=asked.quick)
        say(f"{len(found)} programs in {asked.into}/RESULTS.md")
    return int(bool(failed))


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The arguments, with ``shard`` as a pair and ``repair`` settled."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.faultbench", description="Transfer learning with planted faults."
    )
    parser.add_argument("--quick", action="store_true", help="twelve programs, no repair")
    parser.add_argument("--only", action="append", default=[], metavar="GLOB", help="program ids")
    parser.add_argument("--half", choices=("tune", "report"))
    parser.add_argument("--shard", type=_shard, default=(1, 1), metavar="I/N", help="no report")
    parser.add_argument("--jobs", type=int, default=1, help="processes to share the work")
    parser.add_argument(
        "--repair",
        choices=("direct", "trials", "none"),
        default="direct",
        help="how fixes are chosen: all of them, by tlfix's own trials, or not at all",
    )
    parser.add_argument("--no-repair", action="store_const", const="none", dest="repair")
    parser.add_argument("--report", action="store_true", help="write the report and run nothing")
    parser.add_argument("--mixed", action="store_true", help="report results of older versions too")
    parser.add_argument("--list", action="store_true", help="name the programs and run nothing")
    parser.add_argument("--results", type=Path, help="JSON lines, one per program")
    parser.add_argument("--into", type=Path, help="folder of RESULTS.md and results.json")
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "faultbench")
    parser.add_argument("--version", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.jobs > 1 and asked.shard != (1, 1):
        parser.error("--jobs divides the work itself: leave --shard out")
    if asked.quick:
        asked.repair = "none"
    if asked.into is None:
        # A look at twelve programs must not replace the results of all.
        asked.into = asked.cache / "quick" if asked.quick else HERE
    if asked.list:
        for program in _programs(asked):
            print(program.half, program.id)
        parser.exit()
    return asked


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


def _shard(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text!r} is not like 1/4")
    return int(number), int(count)


def _programs(asked: argparse.Namespace) -> list[Program]:
    if asked.quick:
        return quick()[asked.shard[0] - 1 :: asked.shard[1]]
    return chosen(asked.only, asked.half, asked.shard)


def _spread(asked: argparse.Namespace, results: Path, version: str) -> int:
    """The same command in ``--jobs`` shards, each a process; the number of those that failed."""
    again = [sys.executable, "-m", "benchmarks.faultbench", f"--repair={asked.repair}"]
    again += [f"--results={results}", f"--cache={asked.cache.absolute()}", f"--version={version}"]
    again += ["--quick"] * asked.quick + [f"--only={each}" for each in asked.only]
    again += [f"--half={asked.half}"] if asked.half else []
    # Each gets its part of the cores: TensorFlow otherwise takes all of them in every process.
    threads = str(max((os.cpu_count() or 1) // asked.jobs, 1))
    environment = {**os.environ, "TF_NUM_INTRAOP_THREADS": threads, "OMP_NUM_THREADS": threads}
    children = [
        subprocess.Popen([*again, f"--shard={number}/{asked.jobs}"], cwd=ROOT, env=environment)
        for number in range(1, asked.jobs + 1)
    ]
    try:
        return sum(child.wait() != 0 for child in children)
    except KeyboardInterrupt:
        for child in children:
            child.terminate()
        raise


def _work(asked: argparse.Namespace, workspace: Workspace, results: Path, version: str) -> int:
    from benchmarks.faultbench.examine import Effort, examine

    effort = Effort(asked.repair)
    wanted, failed, started = _programs(asked), 0, time.monotonic()
    known = load(results, version)
    before = [p for p in wanted if done(known.get(p.id), p.digest, version, asked.repair)]
    if before:
        say(f"{len(before)} of {len(wanted)} programs were done before")
    for number, program in enumerate(wanted, 1):
        if program in before:
            continue
        record = examine(workspace, program, effort, version)
        append(results, record)
        failed += "failure" in record
        minutes = (time.monotonic() - started) / 60
        say(f"[{number}/{len(wanted)}, {minutes:.0f} min] {program.id}: {_brief(record)}")
    return failed


def _brief(record: dict[str, object]) -> str:
    if "failure" in record:
        return f"FAILED {record['failure']}"
    causes = record["causes"]
    assert isinstance(causes, list)
    named = [f"{each['id']} ({each['severity']})" for each in causes]
    repair = record.get("repair")
    ending = ""
    if isinstance(repair, dict):
        ending = f"; repaired to {repair.get('accuracies')} of {repair.get('healthy')}"
    return f"{record['verdict']} {record['seconds']} s: {', '.join(named) or 'nothing'}{ending}"
