"""Arguments of one call: find, set, remove, with the layout of the call kept.

All functions are pure: they take a ``Call`` and give a changed one.
"""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst
import libcst.matchers as m
from libcst.metadata import CodeRange

from tlfix.codemods.base import Declined, Position


def choose(
    calls: Iterable[tuple[cst.Call, CodeRange]], start: Position, end: Position | None, keyword: str
) -> cst.Call:
    """The call that starts at ``start`` (and ends at ``end`` where given).

    ``Dense(2)`` and ``Dense(2)(x)`` start at the same place: without ``end`` the one call there
    is taken, or among several the only one that already has ``keyword``.

    Raises:
        Declined: no call starts there, or more than one could be meant.
    """
    here = [
        (call, span)
        for call, span in calls
        if (span.start.line, span.start.column) == (start.line, start.column)
        and (end is None or (span.end.line, span.end.column) == (end.line, end.column))
    ]
    if not here:
        raise Declined(f"no such call starts at line {start.line}, column {start.column + 1}")
    if len(here) > 1:
        here = [(c, s) for c, s in here if find(c, keyword, None) is not None]
    if len(here) != 1:
        raise Declined(f"several calls start at line {start.line}, column {start.column + 1}")
    return here[0][0]


def find(call: cst.Call, keyword: str, index: int | None) -> int | None:
    """Where the argument ``keyword`` (or the positional one at ``index``) stands in ``call.args``.

    Raises:
        Declined: a ``*`` argument hides which value is at ``index``.
    """
    for place, argument in enumerate(call.args):
        if argument.keyword is not None and argument.keyword.value == keyword:
            return place
    if index is None:
        return None
    for place, argument in enumerate(call.args[: index + 1]):
        if argument.star == "*":
            raise Declined(f"a *argument hides whether {keyword} is given")
        if argument.star or argument.keyword is not None:
            return None
        if place == index:
            return place
    return None


def with_argument(
    call: cst.Call, keyword: str, index: int | None, value: cst.BaseExpression
) -> cst.Call:
    """``call`` with its argument set to ``value``; a new one goes last, as a keyword.

    Raises:
        Declined: ``**`` may hold the argument already.
    """
    place = find(call, keyword, index)
    value = _requoted(value, call, None if place is None else call.args[place].value)
    if place is not None:
        args = list(call.args)
        args[place] = args[place].with_changes(value=value)
        return call.with_changes(args=args)
    if any(argument.star == "**" for argument in call.args):
        raise Declined(f"a **argument may already hold {keyword}")
    return appended(call, keyword, value)


def appended(call: cst.Call, keyword: str | None, value: cst.BaseExpression) -> cst.Call:
    """``call`` with one argument more, laid out as its other arguments are."""
    new = cst.Arg(
        value=value,
        keyword=None if keyword is None else cst.Name(keyword),
        equal=_equal(call) if keyword else cst.MaybeSentinel.DEFAULT,
    )
    if not call.args:
        return call.with_changes(args=[new])
    *before, last = call.args
    comma = last.comma
    if isinstance(comma, cst.Comma):
        tail: cst.BaseParenthesizableWhitespace = comma.whitespace_after
    else:
        tail = last.whitespace_after_arg
    between = _separator(call, tail)
    tail_without_comment = tail
    if isinstance(tail, cst.ParenthesizedWhitespace):
        # A comment behind the last argument stays with it.
        first = tail.first_line
        if isinstance(between, cst.ParenthesizedWhitespace):
            between = between.with_changes(first_line=first, empty_lines=tail.empty_lines)
            tail_without_comment = tail.with_changes(
                first_line=cst.TrailingWhitespace(newline=first.newline), empty_lines=[]
            )
    if isinstance(comma, cst.Comma):
        last = last.with_changes(comma=comma.with_changes(whitespace_after=between))
        new = new.with_changes(comma=cst.Comma(whitespace_after=tail_without_comment))
    else:
        last = last.with_changes(
            comma=cst.Comma(whitespace_after=between),
            whitespace_after_arg=cst.SimpleWhitespace(""),
        )
        new = new.with_changes(whitespace_after_arg=tail_without_comment)
    return call.with_changes(args=[*before, last, new])


def without_argument(call: cst.Call, keyword: str, index: int | None) -> cst.Call:
    """``call`` without the argument, the layout of the others kept; the same if it has none.

    Raises:
        Declined: it is positional and others follow it.
    """
    place = find(call, keyword, index)
    if place is None:
        return call
    gone = call.args[place]
    following = call.args[place + 1 :]
    if gone.keyword is None and any(a.keyword is None and not a.star for a in following):
        raise Declined(f"{keyword} is given by position and others follow it")
    args = [a for a in call.args if a is not gone]
    if not args:
        return call.with_changes(args=[])
    if not following:
        args[-1] = _closed_as(args[-1], gone)
    elif place > 0 and isinstance(gone.comma, cst.Comma):
        before = args[place - 1]
        if isinstance(before.comma, cst.Comma):
            args[place - 1] = before.with_changes(
                comma=before.comma.with_changes(
                    whitespace_after=_joined(
                        before.comma.whitespace_after, gone.comma.whitespace_after
                    )
                )
            )
    return call.with_changes(args=args)


def _closed_as(last: cst.Arg, gone: cst.Arg) -> cst.Arg:
    """``last`` with what closed the list behind ``gone``, which followed it; each comment stays."""
    own = last.comma.whitespace_after if isinstance(last.comma, cst.Comma) else None
    comma, tail = gone.comma, gone.whitespace_after_arg
    if isinstance(comma, cst.Comma):
        comma = comma.with_changes(whitespace_after=commented_as(comma.whitespace_after, own))
    else:
        tail = commented_as(tail, own)
    return last.with_changes(comma=comma, whitespace_after_arg=tail)


def commented_as(
    blank: cst.BaseParenthesizableWhitespace, other: cst.BaseParenthesizableWhitespace | None
) -> cst.BaseParenthesizableWhitespace:
    """``blank`` with the comment at the end of its first line replaced by that of ``other``."""
    if not isinstance(blank, cst.ParenthesizedWhitespace):
        return blank
    if isinstance(other, cst.ParenthesizedWhitespace):
        return blank.with_changes(first_line=other.first_line)
    return blank.with_changes(first_line=cst.TrailingWhitespace(newline=blank.first_line.newline))


def _joined(
    before: cst.BaseParenthesizableWhitespace, gone: cst.BaseParenthesizableWhitespace
) -> cst.BaseParenthesizableWhitespace:
    """The blank between two arguments that were neighbours of a removed one."""
    if not isinstance(gone, cst.ParenthesizedWhitespace):
        return before
    if not isinstance(before, cst.ParenthesizedWhitespace):
        return gone.with_changes(first_line=cst.TrailingWhitespace(newline=gone.first_line.newline))
    return before.with_changes(empty_lines=gone.empty_lines, last_line=gone.last_line)


def _separator(
    call: cst.Call, tail: cst.BaseParenthesizableWhitespace
) -> cst.BaseParenthesizableWhitespace:
    """What goes between the last argument and a new one."""
    one_per_line = isinstance(tail, cst.ParenthesizedWhitespace)
    candidates = [
        a.comma.whitespace_after for a in call.args[:-1] if isinstance(a.comma, cst.Comma)
    ]
    candidates.append(call.whitespace_before_args)
    if one_per_line:
        for blank in candidates:
            if isinstance(blank, cst.ParenthesizedWhitespace):
                return blank
    elif len(call.args) > 1 and all(
        isinstance(blank, cst.ParenthesizedWhitespace) for blank in candidates[:-1]
    ):
        # Hanging under the opening bracket, one per line.
        blank = candidates[-2]
        assert isinstance(blank, cst.ParenthesizedWhitespace)
        return blank.with_changes(
            first_line=cst.TrailingWhitespace(newline=blank.first_line.newline), empty_lines=[]
        )
    if len(call.args) > 1 and isinstance(candidates[-2], cst.SimpleWhitespace):
        return candidates[-2]
    return cst.SimpleWhitespace(" ")


def _equal(call: cst.Call) -> cst.AssignEqual:
    for argument in call.args:
        if isinstance(argument.equal, cst.AssignEqual):
            return argument.equal
    return cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


def _requoted(
    value: cst.BaseExpression, call: cst.Call, old: cst.BaseExpression | None
) -> cst.BaseExpression:
    """A plain string in the quotes that the replaced value, or else the call, uses."""
    if not isinstance(value, cst.SimpleString):
        return value
    text = value.evaluated_value
    styles = [old] if isinstance(old, cst.SimpleString) else m.findall(call, m.SimpleString())
    for style in styles:
        if isinstance(style, cst.SimpleString) and isinstance(text, str):
            quote = style.quote
            if not style.prefix and quote not in text and "\\" not in text and len(quote) == 1:
                return value.with_changes(value=f"{quote}{text}{quote}")
    return value
