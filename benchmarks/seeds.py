"""Diagnose and repair every seed program, and write down what came of it.

    python benchmarks/seeds.py [--only s003_1 ...] [--seeds 3]

Each program runs in its small form (see ``tests/corpus/expected.py``) on photographs, off the
network: diagnosis, ``apply`` with its verification over several seeds, and a second diagnosis of
what ``apply`` left. Results are kept in ``benchmarks/seeds.json``, so that the programs can be run
in parts; ``docs/seed-results.md`` is written from all there are. A program takes three to ten
minutes on two cores.
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
from pathlib import Path
from statistics import mean

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "examples" / "assets")]

import images  # noqa: E402
import weights  # noqa: E402

from tests.corpus.conftest import SKEWED, TEXT_MODEL  # noqa: E402
from tests.corpus.expected import PROGRAMS, Seed  # noqa: E402
from tlfix.api import apply, diagnose  # noqa: E402
from tlfix.findings import Diagnosis, Repair  # noqa: E402
from tlfix.repair.errors import RepairError  # noqa: E402

KEPT = Path(__file__).with_suffix(".json")
PAGE = ROOT / "docs" / "seed-results.md"
HEADS = ("program", "causes found", "before", "after", "features", "verification", "left")
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
        text = seed.small_path.read_text(encoding="utf-8")
        if "sentiment_model" in text:
            subprocess.run([sys.executable, "-c", TEXT_MODEL], check=True, capture_output=True)
        script = folder / seed.small_path.name
        script.write_text(text, encoding="utf-8")
        found = diagnose(script, keep=False)
        after = found
        repair: Repair | None = None
        reason = None
        try:
            repair = apply(script, found, mode="in-place", seeds=seeds)
            if repair.diff:
                after = diagnose(script, keep=False)
        except RepairError as error:
            reason = str(error)
        os.chdir(ROOT)
        result = {
            "found": causes(found.diagnosis),
            "first": causes(found.diagnosis)[:1],
            "missed": sorted({*seed.measured} - {*causes(found.diagnosis)}),
            "invented": sorted(
                {*causes(found.diagnosis)} - {*seed.read, *seed.measured, *seed.allowed}
            ),
            "led": not seed.first or causes(found.diagnosis)[:1] == [seed.first],
            "crashed": found.diagnosis.probe.status == "crashed",
            "left": causes(after.diagnosis),
            "chance": after.diagnosis.reference.chance,
            "reference": after.diagnosis.reference.accuracy,
            "repair": None if repair is None else json.loads(repair.model_dump_json()),
            "reason": reason,
            "seconds": round(time.monotonic() - started),
        }
    return result


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
        "backbone features reaches. Written by `python benchmarks/seeds.py` on "
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
    kept = [f"**{id_}**" if id_ in seed.measured else id_ for id_ in listed(result["found"])]
    if result["missed"]:
        kept.append(f"missed: {', '.join(listed(result['missed']))}")
    reference = result["reference"]
    features = f"{reference:.2f}" if isinstance(reference, float) else ""
    left = ", ".join(listed(result["left"])) or "nothing"
    cells = [seed.name, ", ".join(kept) or "nothing", before, after, features, decision, left]
    return f"| {' | '.join(cells)} |"


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
    parser.add_argument("--page", action="store_true", help="only write the page from what is kept")
    parser.add_argument("--fresh", action="store_true", help="forget kept results first")
    asked = parser.parse_args()
    if asked.fresh:
        KEPT.unlink(missing_ok=True)
    results = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    wrong = False
    for seed in PROGRAMS:
        if asked.page or (asked.only and seed.name not in asked.only):
            continue
        result = examine(seed, asked.seeds)
        wrong |= bool(result["missed"] or result["invented"] or not result["led"])
        results[seed.name] = result
        KEPT.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(row(seed, result), f"{result['seconds']} s", flush=True)
        PAGE.write_text(page(results), encoding="utf-8")
    if asked.page:
        PAGE.write_text(page(results), encoding="utf-8")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
