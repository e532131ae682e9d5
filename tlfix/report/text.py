"""A diagnosis for people: the verdict first, then the numbers, then each cause with its reasons.

Everything is made of ``Text`` objects rather than markup, so that a path like ``data[1].py`` is
shown as it is. Source and diff lines are never wrapped or cut: they are there to be copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from io import StringIO
from typing import IO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from tlfix import printable
from tlfix.findings import Cause, Diagnosis, Evidence, Location, Reference, Symptom
from tlfix.report.numbers import count, measurement, number, percent, plain, seconds

WIDTH = 80
STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}
SOURCES = {"static": "read", "probe": "measured", "trial": "tried"}
HEADLINES = {
    "healthy": ("Healthy", "bold green", "nothing found that stands in the way of this training."),
    "inconclusive": ("Inconclusive", "bold yellow", "this is not enough to tell."),
    "crashed": ("Crashed", "bold red", "the script stopped before it had trained."),
}


def page(file: IO[str], draw: Callable[[Console], None]) -> None:
    """Draw on ``file``: coloured and as wide as the terminal, or plain and 80 columns wide."""
    if file.isatty():
        draw(_Printable(file=file, highlight=False))
        return
    buffer = StringIO()
    draw(_Printable(file=buffer, width=WIDTH, color_system=None, highlight=False))
    # Rich fills table cells with blanks, which have no business in a log or a file.
    file.write("".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines()))


class _Printable(Console):
    """A console on which nothing that came from outside can act: control characters are escaped."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The segments, made printable; a ``Text`` before its lines are measured and wrapped."""
        if isinstance(renderable, Text):
            shown = printable.prose(renderable.plain)
            if shown != renderable.plain:
                renderable = renderable.blank_copy(shown)
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else printable.prose(segment.text)
            yield Segment(text, segment.style, segment.control)


def render(
    diagnosis: Diagnosis,
    out: Console,
    *,
    texts: Mapping[str, str] | None = None,
    achieved: float | None = None,
    hint: str | None = None,
) -> None:
    """Write ``diagnosis`` to ``out``.

    ``texts`` maps paths to source, for the excerpts; ``achieved`` is the validation accuracy
    (0..1) the script itself reached in the probe; ``hint`` the command that comes next.
    """
    out.print(_verdict(diagnosis))
    out.print(_circumstances(diagnosis))
    accuracies = _accuracies(diagnosis.reference, achieved)
    if accuracies is not None:
        out.print()
        out.print(Text("Accuracy", style="bold"))
        out.print(accuracies)
    if diagnosis.symptoms:
        out.print()
        out.print(Text("Symptoms", style="bold"))
        out.print(_symptoms(diagnosis.symptoms))
    serious = [cause for cause in diagnosis.causes if cause.severity != "note"]
    minor = [cause for cause in diagnosis.causes if cause.severity == "note"]
    if serious:
        out.print()
        out.print(Text("Causes", style="bold"))
        for number, cause in enumerate(serious, 1):
            _cause(cause, f"{number}. ", out, texts or {})
    if minor:
        out.print()
        out.print(Text("Notes", style="bold"))
        for cause in minor:
            _cause(cause, "-  ", out, texts or {})
    if diagnosis.notes:
        out.print()
        out.print(Text("Remarks", style="bold"))
        for note in diagnosis.notes:
            out.print(_bullet(note))
    if hint:
        out.print()
        out.print(Text(f"Next: {hint}"), soft_wrap=True)


def _verdict(diagnosis: Diagnosis) -> Text:
    serious = [cause for cause in diagnosis.causes if cause.severity != "note"]
    notes = len(diagnosis.causes) - len(serious)
    if diagnosis.verdict == "sick":
        if not serious:
            found = f"{count(len(diagnosis.symptoms), 'symptom')} found without a cause."
        else:
            beside = f" and {count(notes, 'note')}" if notes else ""
            order = ", first of all" if len(serious) > 1 else ""
            first = sentence(serious[0].title)
            found = f"{count(len(serious), 'cause')}{beside} found{order}: {first}"
        return Text.assemble(("Sick", "bold red"), f": {found}")
    word, style, plain = HEADLINES[diagnosis.verdict]
    skipped = diagnosis.probe.status == "skipped"
    reason = None if skipped or diagnosis.verdict == "healthy" else diagnosis.probe.reason
    tail = sentence(reason) if reason else plain
    return Text.assemble((word, style), f": {tail}")


def sentence(text: str) -> str:
    """The text with a full stop, if it lacks one."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _circumstances(diagnosis: Diagnosis) -> Text:
    """How the script was run, or that it was not."""
    probe, seen = diagnosis.probe, diagnosis.environment
    script = printable.name(diagnosis.script.path)
    if probe.status == "skipped":
        return Text(f"{script} was read, not run: {sentence(probe.reason or 'as asked')}")
    parts = [
        f"{count(probe.fits, 'fit')} and {count(probe.steps, 'step')} in {seconds(probe.seconds)}",
        f"seed {probe.seed}",
        f"on {seen.device}" if seen.device else "",
        f"Keras {seen.keras}" if seen.keras else "",
        f"TensorFlow {seen.tensorflow}" if seen.tensorflow else "",
    ]
    ended = "" if probe.status == "completed" else f" ({probe.status})"
    return Text(f"{script} was probed{ended}: {', '.join(filter(None, parts))}.")


def _accuracies(reference: Reference, achieved: float | None) -> Table | None:
    """The script's accuracy beside what its features could reach and what guessing reaches."""
    rows = (
        ("this script in the probe", achieved, ""),
        ("what its features allow", reference.accuracy, reference.method or ""),
        ("always the largest class", reference.chance, ""),
    )
    if achieved is None and reference.accuracy is None:
        return None
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("  on validation", no_wrap=True)
    table.add_column("accuracy", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for name, value, how in rows:
        if value is not None:
            table.add_row(f"  {name}", percent(value), Text(how, style="dim"))
    return table


def _symptoms(symptoms: tuple[Symptom, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("  symptom", no_wrap=True)
    table.add_column("measured", overflow="fold")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("limit", justify="right", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    for symptom in symptoms:
        name = Text(f"  {symptom.id}", style=STYLES[symptom.severity])
        table.add_row(name, Text(symptom.summary))
        for measured in symptom.measured:
            table.add_row(
                "",
                Text(f"- {plain(measured.name)}"),
                number(measured.value, measured.unit),
                "" if measured.threshold is None else number(measured.threshold, measured.unit),
                "" if measured.n is None else f"{measured.n:,}",
            )
    return table


def _cause(cause: Cause, number: str, out: Console, texts: Mapping[str, str]) -> None:
    out.print()
    out.print(
        Text.assemble(
            number,
            (cause.id, STYLES[cause.severity]),
            f" {cause.code}  {cause.severity}, {cause.confidence}",
        )
    )
    out.print(Padding(Text(sentence(cause.title)), (0, 0, 0, 3)))
    if cause.location is not None:
        out.print(Text(f"   {place(cause.location)}", style="bold"), soft_wrap=True)
        text = texts.get(cause.location.path)
        if text is not None:
            out.print(excerpt(text, cause.location), soft_wrap=True)
    out.print(_evidence(cause.evidence))
    if cause.explains:
        out.print(Padding(Text(f"explains {', '.join(cause.explains)}"), (0, 0, 0, 3)))
    if cause.fix is not None:
        review = "" if cause.fix.review == "none" else f" (review: {cause.fix.review})"
        out.print(
            Padding(
                Text.assemble(("fix", "green"), f" {sentence(cause.fix.summary)}{review}"),
                (0, 0, 0, 3),
            )
        )
        out.print(diff(cause.fix.diff, indent="     "), soft_wrap=True)
    elif cause.advice:
        out.print(Padding(Text(f"by hand: {cause.advice}"), (0, 0, 0, 3)))


def _evidence(evidence: tuple[Evidence, ...]) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for item in evidence:
        table.add_row(Text(f"   {SOURCES[item.source]:<8}", style="dim"), Text(item.summary))
        if item.measured:
            numbers = "; ".join(measurement(measured) for measured in item.measured)
            table.add_row("", Text(numbers, style="dim"))
    return table


def _bullet(text: str) -> Table:
    row = Table.grid(padding=(0, 1, 0, 0))
    row.add_column(no_wrap=True)
    row.add_column(overflow="fold")
    row.add_row("  -", Text(text))
    return row


def place(location: Location) -> str:
    """``train.py:12``, or ``train.ipynb cell 3:12``."""
    cell = "" if location.cell is None else f" cell {location.cell}"
    return f"{printable.name(location.path)}{cell}:{location.line}"


def excerpt(text: str, location: Location) -> Text:
    """The line above ``location``, its own line, and carets under the exact expression."""
    lines = text.splitlines()
    if not 1 <= location.line <= len(lines):
        return Text("")
    width = len(str(location.line))
    shown = Text()
    own = lines[location.line - 1]
    before = lines[location.line - 2] if location.line > 1 else ""
    if before.strip():
        shown.append(f"   {location.line - 1:>{width}} | {before}\n", style="dim")
    shown.append(f"   {location.line:>{width}} | ", style="dim")
    shown.append(f"{own}\n")
    start = location.column - 1
    same_line = location.end_line in (None, location.line) and location.end_column is not None
    end = (location.end_column or 1) - 1 if same_line else len(own.rstrip())
    carets = "^" * max(1, end - start)
    # Tabs are kept in the margin so that the carets stand where the eye expects them.
    margin = "".join(c if c == "\t" else " " for c in own[:start])
    shown.append(f"   {'':>{width}} | {margin}", style="dim")
    shown.append(carets, style="bold red")
    return shown


def diff(text: str, indent: str = "") -> Text:
    """A unified diff, additions green and removals red."""
    shown = Text()
    lines = text.splitlines()
    for index, line in enumerate(lines):
        style = ""
        if line.startswith(("+++", "---", "@@")):
            style = "dim"
        elif line.startswith("+"):
            style = "green"
        elif line.startswith("-"):
            style = "red"
        shown.append(indent + line, style=style)
        if index + 1 < len(lines):
            shown.append("\n")
    return shown
