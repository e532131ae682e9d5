"""Diagnose and repair every seed program, and write down what came of it.

    python benchmarks/seeds.py [--only s003_1 ...] [--seeds 3] [--jobs 2]

Each program runs in its small form (see ``tests/corpus/expected.py``) on photographs, off the
network: diagnosis, ``apply`` with its verification over several seeds, and a second diagnosis of
what ``apply`` left. In its own form, with a network of full size and random weights, it is
diagnosed over a few steps. Results are kept in ``benchmarks/seeds.json``, so that the programs can
be run in parts; ``docs/seed-results.md`` is written from all there are. A program takes three to
ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from statistics import mean

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "examples" / "assets")]

import images  # noqa: E402
import weights  # noqa: E402

from tests.corpus.conftest import SKEWED, TEXT_MODEL  # noqa: E402
from tests.corpus.expected import FEW_STEPS, PROGRAMS, Seed  # noqa: E402
from tlfix.api import DiagnoseResult, Options, apply, diagnose  # noqa: E402
from tlfix.findings import Diagnosis, Repair  # noqa: E402
from tlfix.repair.errors import RepairError  # noqa: E402

KEPT = Path(__file__).with_suffix(".json")
PAGE = ROOT / "docs" / "seed-results.md"
OPEN_STEPS = 60
HEADS = (
    "program",
    "causes found",
    "with its own backbone",
    "before",
    "after",
    "features",
    "verification",
    "left",
)
Result = dict[str, object]


def prepare(folder: Path, data: str) -> None:
    """Images in ``folder``/data and weights in ``folder``/keras."""
    counts = SKEWED if data == "skewed" else None
    images.write(folder / "data", "photographs", counts=counts)
    weights.install(folder / "keras")
    os.environ["KERAS_HOME"] = str(folder / "keras")
    # Nothing here is on the network; a download that is tried all the same must fail at once.
    os.environ["HTTPS_PROXY"] = "http://127.0.0.1:9"


def examine(seed: Seed, seeds: int) -> Result:
    """One program through diagnosis, repair and a second diagnosis."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tlfix-seeds-") as name:
        folder = Path(name)
        prepare(folder, seed.data)
        os.chdir(folder)
        script = write(folder, seed.small_path)
        found = diagnose(script, keep=False)
        after = found
        repair: Repair | None = None
        reason = None
        try:
            repair = apply(script, found, trials(seed), mode="in-place", seeds=seeds)
            if repair.diff:
                after = diagnose(script, keep=False)
        except RepairError as error:
            reason = str(error)
        own = None
        if seed.small is not None:
            options = Options(budget_seconds=FEW_STEPS.seconds, steps=FEW_STEPS.steps)
            own = diagnose(write(folder, seed.paths[0]), options, keep=False)
        os.chdir(ROOT)
        result = {
            "own": None if own is None else judged(seed, own),
            **judged(seed, found),
            "crashed": found.diagnosis.probe.status == "crashed",
            "left": causes(after.diagnosis),
            "chance": after.diagnosis.reference.chance,
            "reference": after.diagnosis.reference.accuracy,
            "repair": None if repair is None else json.loads(repair.model_dump_json()),
            "reason": reason,
            "seconds": round(time.monotonic() - started),
        }
    return result


def trials(seed: Seed) -> Options:
    """How a repair is tried: with fewer steps where all of a backbone trains, as each costs five
    times as much."""
    return Options(steps=OPEN_STEPS if "backbone-unfrozen" in seed.read else None)


def write(folder: Path, program: Path) -> Path:
    """A copy of ``program`` in ``folder``, and what it loads."""
    text = program.read_text(encoding="utf-8")
    if "sentiment_model" in text:
        subprocess.run([sys.executable, "-c", TEXT_MODEL], check=True, capture_output=True)
    script = folder / program.name
    script.write_text(text, encoding="utf-8")
    return script


def judged(seed: Seed, result: DiagnoseResult) -> dict[str, object]:
    """The causes found, and where they are not what must be found."""
    found = causes(result.diagnosis)
    return {
        "found": found,
        "missed": sorted({*seed.measured} - {*found}),
        "invented": sorted({*found} - {*seed.read, *seed.measured, *seed.allowed}),
        "led": not seed.first or found[:1] == [seed.first],
    }


def right(result: object) -> bool:
    """True if nothing was missed, invented, or put before what matters most."""
    if not isinstance(result, dict):
        return True
    return bool(result["led"]) and not result["missed"] and not result["invented"]


def causes(diagnosis: Diagnosis) -> list[str]:
    """The ids of the causes above a note, in their order."""
    return [cause.id for cause in diagnosis.causes if cause.severity != "note"]


def page(results: dict[str, Result]) -> str:
    """``docs/seed-results.md``: one row a program, and what its seed says of it."""
    lines = [
        "# The seed programs",
        "",
        "Five published answers to the question why transfer learning fails carry fifteen code",
        "examples. Completed with data, they are in `tests/corpus/seeds`. This is",
        "what `tlfix diagnose` and `tlfix apply` make of the small forms (MobileNetV2 0.35 at 96",
        "pixels, eight classes of photographs, 480 training and 240 validation images).",
        "",
        "Accuracies are means over seeds, on validation images where the program has any, else on",
        "training images. *Features* is what a linear classifier on the repaired program's",
        "backbone features reaches. *With its own backbone*: the causes found in its own form, on",
        "a network of full size (ResNet50, VGG16, InceptionV3 …) whose weights are random here,",
        f"after a few steps. Trials have 150 steps, {OPEN_STEPS} where the whole backbone trains.",
        "Bold: what must be found. Written by `python benchmarks/seeds.py` on "
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}.",
        "",
        "| " + " | ".join(HEADS) + " |",
        "|---" * len(HEADS) + "|",
    ]
    lines += [row(seed, results[seed.name]) for seed in PROGRAMS if seed.name in results]
    lines += ["", "## What is right, where a seed is not", ""]
    lines += [f"- **{seed.name}** {seed.truth}" for seed in PROGRAMS]
    return "\n".join(lines) + "\n"


def row(seed: Seed, result: Result) -> str:
    """One line of the table."""
    repair = result["repair"]
    check = repair.get("verification") if isinstance(repair, dict) else None
    before = after = decision = ""
    if check:
        before, after = average(check["before"]), average(check["after"])
        decision = check["decision"]
        if check["ci95"]:
            low, high = check["ci95"]
            decision += f" by {check['delta']:+.2f} ({low:+.2f} to {high:+.2f})"
        if check["metric"].startswith("training"):
            decision += ", training images"
    elif result["crashed"]:
        before = "crash"
    if isinstance(repair, dict) and repair["rejected"]:
        reasons = "; ".join(f"{each['cause']}: {each['reason']}" for each in repair["rejected"])
        decision = "; ".join(part for part in (decision, f"not kept: {reasons}") if part)
    own = result.get("own")
    kept = named(seed, result)
    reference = result["reference"]
    features = f"{reference:.2f}" if isinstance(reference, float) else ""
    left = ", ".join(listed(result["left"])) or "nothing"
    other = named(seed, own) if isinstance(own, dict) else ""
    cells = [seed.name, kept, other, before, after, features, decision, left]
    return f"| {' | '.join(cells)} |"


def named(seed: Seed, result: dict[str, object]) -> str:
    """The causes found in their order, and those that are missing."""
    kept = [f"**{id_}**" if id_ in seed.measured else id_ for id_ in listed(result["found"])]
    if result["missed"]:
        kept.append(f"missed: {', '.join(listed(result['missed']))}")
    return ", ".join(kept) or "nothing"


def average(values: list[float | None]) -> str:
    """The mean, or that the program crashed."""
    known = [value for value in values if value is not None]
    return f"{mean(known):.2f}" if known else "crash"


def listed(value: object) -> list[str]:
    """A list of strings that went through JSON."""
    return [str(item) for item in value] if isinstance(value, list) else []


def main() -> int:
    """Run what is asked for; 1 if a cause was missed, invented, or not led by the right one."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=[seed.name for seed in PROGRAMS], default=[])
    parser.add_argument("--seeds", type=int, default=3, help="runs of each variant")
    parser.add_argument("--jobs", type=int, default=1, help="programs at a time")
    parser.add_argument("--one", choices=[seed.name for seed in PROGRAMS], help=argparse.SUPPRESS)
    parser.add_argument("--page", action="store_true", help="only write the page from what is kept")
    parser.add_argument("--fresh", action="store_true", help="forget kept results first")
    asked = parser.parse_args()
    if asked.one:
        seed = next(seed for seed in PROGRAMS if seed.name == asked.one)
        print(json.dumps(examine(seed, asked.seeds)))
        return 0
    if asked.fresh:
        KEPT.unlink(missing_ok=True)
    results = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    chosen = [seed for seed in PROGRAMS if not asked.only or seed.name in asked.only]
    wrong = False
    with ThreadPoolExecutor(asked.jobs) as pool:
        futures = {
            pool.submit(apart, seed, asked.seeds, asked.jobs): seed
            for seed in ([] if asked.page else chosen)
        }
        for future in as_completed(futures):
            seed, result = futures[future], future.result()
            wrong |= not (right(result) and right(result["own"]))
            results[seed.name] = result
            KEPT.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
            print(row(seed, result), f"{result['seconds']} s", flush=True)
    PAGE.write_text(page(results), encoding="utf-8")
    return int(wrong)


def apart(seed: Seed, seeds: int, jobs: int) -> Result:
    """``examine`` in a process of its own, with its part of the cores."""
    threads = str(max((os.cpu_count() or 1) // jobs, 1))
    limits = {"TF_NUM_INTRAOP_THREADS": threads, "OMP_NUM_THREADS": threads} if jobs > 1 else {}
    command = [sys.executable, __file__, "--one", seed.name, "--seeds", str(seeds)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env={**os.environ, **limits})
    result: Result = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    sys.exit(main())
