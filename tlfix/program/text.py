"""Positions in a script's text: ``ast`` counts bytes, everything else here counts characters."""

from __future__ import annotations

import ast
import re

from tlfix.program.model import Site

_NEWLINE = re.compile(r"\r\n|\r|\n")


class Text:
    """A script's text that can be cut by ``ast`` positions. The path is only carried along."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self._text = text
        self._starts = [0]
        self._starts.extend(match.end() for match in _NEWLINE.finditer(text))
        self._starts.append(len(text))
        self._ascii = text.isascii()

    def _column(self, line: int, offset: int) -> int:
        # An f-string's inner nodes may carry positions of a text that is not ours (Python 3.11).
        start, end = self._starts[line - 1], self._starts[line]
        encoded = self._text[start:end].encode("utf-8", "surrogatepass")
        return len(encoded[:offset].decode("utf-8", "replace"))

    def site(self, node: ast.expr | ast.stmt | ast.keyword | ast.alias) -> Site:
        """The stretch of source a node covers, decorators not included."""
        if self._ascii:
            return Site(
                self.path,
                node.lineno,
                node.col_offset,
                node.end_lineno or node.lineno,
                node.end_col_offset or node.col_offset,
            )
        end_line = node.end_lineno or node.lineno
        end_offset = node.end_col_offset or node.col_offset
        last = len(self._starts) - 1
        line, end_line = min(node.lineno, last), min(end_line, last)
        return Site(
            self.path,
            line,
            self._column(line, node.col_offset),
            end_line,
            self._column(end_line, end_offset),
        )

    def cut(self, site: Site) -> str:
        """The source of a stretch."""
        start = self._starts[site.line - 1] + site.column
        end = self._starts[site.end_line - 1] + site.end_column
        return self._text[start:end]

    def source(self, node: ast.expr) -> str:
        """The source of an expression."""
        return self.cut(self.site(node))
