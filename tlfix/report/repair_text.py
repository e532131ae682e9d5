"""A repair for people: what was kept, what was not, and the metric of every seed."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tlfix.findings import Repair, Verification
from tlfix.report.numbers import count
from tlfix.report.text import diff

DECISIONS = {
    "improved": ("Verified", "bold green", "the repair improves {metric}"),
    "unchanged": ("Not better", "bold yellow", "the repair does not change {metric}"),
    "worse": ("Worse", "bold red", "the repair lowers {metric}"),
    "inconclusive": ("Inconclusive", "bold yellow", "these runs cannot tell about {metric}"),
}


def render(repair: Repair, out: Console, *, with_diff: bool = True, written: bool = True) -> None:
    """Write ``repair`` to ``out``: outcome, seeds, commits, rejected fixes, where to look.

    ``written`` is False where the patch is only shown; the script is as it was then.
    """
    out.print(_headline(repair, written))
    if repair.verification is not None:
        out.print()
        out.print(_seeds(repair.verification))
        out.print(_effect(repair.verification))
    if repair.commits:
        out.print()
        out.print(Text("Commits", style="bold"))
        for commit in repair.commits:
            out.print(
                Text.assemble("  ", (commit.sha[:10], "yellow"), f" {commit.cause}"),
                Text(f"({commit.codemod})", style="dim"),
            )
    if repair.rejected:
        out.print()
        out.print(Text("Not applied" if written else "Left out", style="bold"))
        out.print(_rejected(repair))
    for note in repair.notes:
        out.print()
        out.print(Text(f"Note: {note}"))
    if repair.branch is None and repair.diff and with_diff:
        out.print()
        out.print(diff(repair.diff), soft_wrap=True)
    elif repair.branch is not None and repair.commits:
        base = repair.base[:10] if repair.base else "HEAD"
        out.print()
        out.print(Text(f"Look:  git diff {base}...{repair.branch}"), soft_wrap=True)
        out.print(Text(f"Keep:  git merge {repair.branch}"), soft_wrap=True)
        out.print(Text(f"Drop:  git branch -D {repair.branch}"), soft_wrap=True)


def _headline(repair: Repair, written: bool) -> Text:
    if not repair.diff:
        tail = count(len(repair.rejected), "proposed fix", "proposed fixes")
        did = "applied" if written else "proposed"
        return Text.assemble(
            (f"Nothing {did}", "bold yellow"),
            f": {tail} not kept." if repair.rejected else ": there was no fix to apply.",
        )
    where = f" on branch {repair.branch}" if repair.branch else ""
    if repair.verification is None:
        word = "Applied" if written else "Proposed, nothing is written"
        return Text.assemble((word, "bold"), f"{where}; not verified by a rerun.")
    word, style, sentence = DECISIONS[repair.verification.decision]
    metric = repair.verification.metric.replace("_", " ")
    tail = "" if written else " Nothing is written: this is the patch."
    return Text.assemble((word, style), f"{where}: {sentence.format(metric=metric)}.{tail}")


def _seeds(verification: Verification) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for name in ("  seed", "before", "after", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    length = max(len(verification.before), len(verification.after))
    for index in range(length):
        before, after = _at(verification.before, index), _at(verification.after, index)
        seed = verification.seeds[index] if index < len(verification.seeds) else index
        change = "" if before is None or after is None else f"{after - before:+.3f}"
        table.add_row(str(seed), _score(before), _score(after), change)
    return table


def _at(values: tuple[float | None, ...], index: int) -> float | None:
    return values[index] if index < len(values) else None


def _score(value: float | None) -> str:
    return "no result" if value is None else f"{value:.3f}"


def _effect(verification: Verification) -> Text:
    parts = []
    if verification.delta is not None:
        parts.append(f"mean change {verification.delta:+.3f}")
    if verification.ci95 is not None:
        low, high = verification.ci95
        parts.append(f"95 % interval {low:+.3f} to {high:+.3f}")
    if verification.reason:
        parts.append(verification.reason)
    return Text(f"  {', '.join(parts)}") if parts else Text("")


def _rejected(repair: Repair) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for rejected in repair.rejected:
        table.add_row(Text(f"  {rejected.cause}"), Text(rejected.reason))
    return table
