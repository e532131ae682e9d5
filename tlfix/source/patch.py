"""Applying codemods to texts, following positions through earlier patches, showing the change."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from difflib import unified_diff as _unified_diff
from itertools import pairwise
from typing import Final

from tlfix.codemods.base import Declined, Position, transform

_LONE_LF: Final = re.compile(r"(?<!\r)\n")
_NEWLINE: Final = re.compile(r"\r\n|\r|\n")
# A word, a run of blanks, or one sign: what a change inside a line adds or takes away whole.
_TOKEN: Final = re.compile(r"\w+|\s+|[^\w\s]")


def patch(
    texts: Mapping[str, str], codemod: str, edits: Mapping[str, Mapping[str, object]]
) -> dict[str, str]:
    """The new texts of the files named in ``edits``, which maps each to the codemod's parameters.

    Raises:
        Declined: in one of the files the change cannot be placed; none is changed then.
    """
    changed: dict[str, str] = {}
    for path, parameters in edits.items():
        if path not in texts:
            raise Declined(f"{path} is not among the files that were read")
        old = texts[path]
        new = transform(old, codemod, parameters)
        if "\r\n" in old and not _LONE_LF.search(old):
            new = _LONE_LF.sub("\r\n", new)
        changed[path] = new
    return changed


def relocate(
    edits: Mapping[str, Mapping[str, object]],
    originals: Mapping[str, str],
    currents: Mapping[str, str],
) -> dict[str, dict[str, object]]:
    """``edits`` with every position moved to where its code stands in the current texts.

    Positions may be nested in dicts, lists and tuples. Unchanged lines are matched first, then,
    within changed ones, unchanged words.

    Raises:
        Declined: the code at a position is gone.
    """
    moved: dict[str, dict[str, object]] = {}
    for path, parameters in edits.items():
        original, current = originals.get(path), currents.get(path)
        if original is None or current is None:
            raise Declined(f"{path} is not among the files that were read")
        if original == current:
            moved[path] = dict(parameters)
            continue
        places = _Places(original, current)
        moved[path] = {key: places.moved(value) for key, value in parameters.items()}
    return moved


class _Places:
    """Where the words of one text stand in a later version of it."""

    def __init__(self, original: str, current: str) -> None:
        self._starts = _line_starts(original)
        self._current_starts = _line_starts(current)
        self._original = original
        # Start of a word in the original to its start in the current text.
        self._words = dict(_matches(original, current))

    def moved(self, value: object) -> object:
        """``value`` with the positions in it moved."""
        if isinstance(value, Position):
            return self._position(value)
        if isinstance(value, Mapping):
            return {self.moved(key): self.moved(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.moved(item) for item in value]
        if isinstance(value, tuple):
            return tuple(self.moved(item) for item in value)
        return value

    def _position(self, position: Position) -> Position:
        if not 0 < position.line <= len(self._starts):
            raise Declined(f"line {position.line} is beyond the end of the file")
        offset = self._starts[position.line - 1] + position.column
        target = self._words.get(offset)
        if target is None:
            text = self._original[offset:].split("\n", 1)[0].strip()[:40]
            raise Declined(f"`{text}` (line {position.line}) was changed by an earlier fix")
        line = _line_of(self._current_starts, target)
        return Position(line + 1, target - self._current_starts[line])


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in _NEWLINE.finditer(text))]


def _line_of(starts: Sequence[int], offset: int) -> int:
    low, high = 0, len(starts) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if starts[middle] <= offset:
            low = middle
        else:
            high = middle - 1
    return low


def _lines(text: str) -> list[str]:
    starts = [*_line_starts(text), len(text)]
    return [text[start:end] for start, end in pairwise(starts)]


def _offsets(pieces: Sequence[str], start: int) -> list[int]:
    offsets = [start]
    for piece in pieces:
        offsets.append(offsets[-1] + len(piece))
    return offsets


def _matches(original: str, current: str) -> list[tuple[int, int]]:
    old_lines, new_lines = _lines(original), _lines(current)
    old_starts, new_starts = _offsets(old_lines, 0), _offsets(new_lines, 0)
    found: list[tuple[int, int]] = []
    lines = SequenceMatcher(None, old_lines, new_lines, autojunk=False)
    for tag, first, last, new_first, new_last in lines.get_opcodes():
        if tag == "equal":
            for index in range(last - first):
                start, target = old_starts[first + index], new_starts[new_first + index]
                found.extend(
                    (start + match.start(), target + match.start())
                    for match in _TOKEN.finditer(old_lines[first + index])
                )
        elif tag == "replace":
            found.extend(
                _words(
                    original[old_starts[first] : old_starts[last]],
                    current[new_starts[new_first] : new_starts[new_last]],
                    old_starts[first],
                    new_starts[new_first],
                )
            )
    return found


def _words(old: str, new: str, start: int, target: int) -> list[tuple[int, int]]:
    old_words, new_words = _TOKEN.findall(old), _TOKEN.findall(new)
    old_at, new_at = _offsets(old_words, start), _offsets(new_words, target)
    words = SequenceMatcher(None, old_words, new_words, autojunk=False)
    return [
        (old_at[block.a + index], new_at[block.b + index])
        for block in words.get_matching_blocks()
        for index in range(block.size)
    ]


def unified_diff(old: str, new: str, path: str) -> str:
    """The change as a unified diff with git's ``a/`` and ``b/`` headers; "" if there is none."""
    name = path.replace("\\", "/").lstrip("/")
    lines = _unified_diff(_by_newline(old), _by_newline(new), f"a/{name}", f"b/{name}")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _by_newline(text: str) -> list[str]:
    """Lines as git sees them: ended by a line feed alone, a carriage return is content."""
    lines = text.split("\n")
    ended = [f"{line}\n" for line in lines[:-1]]
    return [*ended, lines[-1]] if lines[-1] else ended
