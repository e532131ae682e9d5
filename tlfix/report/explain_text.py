"""``tlfix explain``, ``tlfix causes``: what the registry knows, for people."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import unified_diff

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tlfix.causes.spec import CauseSpec
from tlfix.report.text import diff
from tlfix.symptoms.spec import SymptomSpec


def render(found: CauseSpec | SymptomSpec, out: Console) -> None:
    """Explain whatever :func:`tlfix.api.explain` found."""
    if isinstance(found, CauseSpec):
        cause(found, out)
    else:
        symptom(found, out)


def cause(spec: CauseSpec, out: Console) -> None:
    """Everything that is known of one cause, with its example and the cure."""
    out.print(Text.assemble((spec.id, "bold"), f" ({spec.code})"))
    out.print(Text(spec.title))
    _section(out, "What it is", spec.what)
    _section(out, "Why it hurts", spec.why)
    _heading(out, "Example")
    out.print(_code(spec.examples.sick), soft_wrap=True)
    if spec.examples.cured is not None:
        _heading(out, "The fix")
        out.print(diff(cure(spec), indent="  "), soft_wrap=True)
    else:
        _heading(out, "Instead")
        out.print(_code(spec.examples.healthy), soft_wrap=True)
    _heading(out, "Sources")
    for source in spec.sources:
        out.print(Text(f"  {source}"), soft_wrap=True)
    out.print()
    out.print(Text(f"To silence one finding: # tlfix: ignore[{spec.id}] on its line."))


def symptom(spec: SymptomSpec, out: Console) -> None:
    """What a symptom measures, and where its test comes from."""
    out.print(Text.assemble((spec.id, "bold"), " (symptom)"))
    out.print(Text(spec.title))
    _section(out, "What is measured", spec.what)
    _section(out, "Source", spec.source)


def causes(specs: Iterable[CauseSpec], out: Console) -> None:
    """The causes as a table; which come with an automatic fix."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("code", no_wrap=True)
    table.add_column("id", no_wrap=True)
    table.add_column("fix", no_wrap=True)
    table.add_column("what is wrong", overflow="fold")
    for spec in specs:
        fix = "yes" if spec.examples.cured is not None else "depends"
        table.add_row(*(Text(cell) for cell in (spec.code, spec.id, fix, spec.title)))
    out.print(table)
    out.print()
    out.print(Text('"yes": fixed from the source alone. "depends": on what the probe measures, or'))
    out.print(Text("by hand."))


def cure(spec: CauseSpec) -> str:
    """The unified diff from the sick example to the cured one, without file names."""
    sick = spec.examples.sick.splitlines(keepends=True)
    cured = (spec.examples.cured or "").splitlines(keepends=True)
    lines = list(unified_diff(sick, cured, n=1))[2:]
    return "".join(lines)


def _heading(out: Console, title: str) -> None:
    out.print()
    out.print(Text(title, style="bold"))


def _section(out: Console, title: str, body: str) -> None:
    _heading(out, title)
    out.print(Padding(Text(body.strip()), (0, 0, 0, 2)))


def _code(source: str) -> Text:
    return Text("\n".join(f"  {line}".rstrip() for line in source.strip("\n").splitlines()))
