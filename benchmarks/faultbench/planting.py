"""Planting a fault: exact text edits, the lines they make culpable, and what the truth is.

An edit replaces a text that occurs exactly once. Lines that the edit changed or added are culpable;
where a fault is something left out, the edit is told which statements ought to have held it (`at`).
Marks stay with their lines through later edits, so that faults can be combined.
"""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass, field

Edit = tuple[str, str]
"""Old text, which must occur exactly once, and the new one."""


class PlantingError(Exception):
    """An edit does not fit the source; a defect of the benchmark."""


@dataclass(frozen=True)
class Variant:
    """One way to plant a cause in one base.

    ``at`` are pieces of text, each of which occurs once in the faulty source; the statements that
    hold them are culpable beside the lines changed. ``data`` names the fault of the images in
    ``data_faults.FAULTS``. ``slug`` tells apart the variants of one cause in one base.
    """

    base: str
    description: str
    edits: tuple[Edit, ...]
    at: tuple[str, ...] = ()
    data: str | None = None
    slug: str = ""


@dataclass(frozen=True)
class Operator:
    """All the ways to plant one cause.

    ``source_fix`` is false where the catalogue's cure is outside the source (files to look at).
    ``consequences`` are other causes that this one makes true as well: naming them is not wrong.
    """

    cause: str
    variants: tuple[Variant, ...]
    source_fix: bool = True
    consequences: tuple[str, ...] = ()


def plant(
    base: str,
    description: str,
    *edits: Edit,
    at: tuple[str, ...] | str = (),
    data: str | None = None,
    slug: str = "",
) -> Variant:
    """A :class:`Variant`, written briefly."""
    places = (at,) if isinstance(at, str) else at
    return Variant(base, description, edits, places, data, slug)


@dataclass(frozen=True)
class Source:
    """A program's text, and for each line the causes it is culpable of."""

    text: str
    marks: tuple[frozenset[str], ...] = field(default=())

    @classmethod
    def of(cls, text: str) -> Source:
        """A text without a fault."""
        return cls(text, tuple(frozenset[str]() for _ in text.splitlines()))

    def edited(self, edit: Edit, cause: str) -> Source:
        """The source after one edit; the lines it changed or added are marked with ``cause``."""
        old, new = edit
        if self.text.count(old) != 1:
            raise PlantingError(f"{old!r} occurs {self.text.count(old)} times")
        text = self.text.replace(old, new)
        before, after = self.text.splitlines(), text.splitlines()
        marks: list[frozenset[str]] = []
        matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
        for tag, low, high, start, end in matcher.get_opcodes():
            if tag == "equal":
                marks += self.marks[low:high]
            else:
                kept = frozenset[str]().union(*self.marks[low:high])
                marks += [kept | {cause}] * (end - start)
        return Source(text, tuple(marks))

    def marked(self, piece: str, cause: str) -> Source:
        """The source with the line where ``piece`` begins marked."""
        if self.text.count(piece) != 1:
            raise PlantingError(f"{piece!r} occurs {self.text.count(piece)} times")
        row = self.text[: self.text.index(piece)].count("\n")
        marks = list(self.marks)
        marks[row] |= {cause}
        return Source(self.text, tuple(marks))

    def planted(self, variant: Variant, cause: str) -> Source:
        """The source with a variant's edits made, without its ``at`` marks."""
        source = self
        for edit in variant.edits:
            source = source.edited(edit, cause)
        return source

    def lines(self, cause: str) -> tuple[int, ...]:
        """The culpable lines of ``cause``, counted from 1: whole statements around the marks."""
        marked = [row + 1 for row, causes in enumerate(self.marks) if cause in causes]
        spans = statement_spans(self.text)
        found = set(marked)
        for line in marked:
            inside = [span for span in spans if span[0] <= line <= span[1]]
            if inside:
                low, high = min(inside, key=lambda span: span[1] - span[0])
                found.update(range(low, high + 1))
        return tuple(sorted(found))


def statement_spans(text: str) -> list[tuple[int, int]]:
    """First and last line of every simple statement, and of the header of every compound one."""
    spans = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.stmt):
            continue
        body = getattr(node, "body", None)
        if isinstance(body, list) and body:
            spans.append((node.lineno, max(node.lineno, body[0].lineno - 1)))
        else:
            spans.append((node.lineno, node.end_lineno or node.lineno))
    return spans


def combined(text: str, parts: list[tuple[str, Variant]]) -> Source:
    """The text with one fault or several, planted in the order given.

    Beside another fault, a place that the other one has rewritten is no longer marked.
    """
    source = Source.of(text)
    for cause, variant in parts:
        source = source.planted(variant, cause)
    for cause, variant in parts:
        for piece in variant.at:
            if len(parts) == 1 or piece in source.text:
                source = source.marked(piece, cause)
    return source
