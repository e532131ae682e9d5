"""One call for several readings of the same place."""

from __future__ import annotations

from collections.abc import Iterable

from tlfix.program.meaning import same_constant
from tlfix.program.model import UNKNOWN, Argument, Call


def merge(visits: Iterable[Call]) -> Call:
    """One call for several readings of the same place: what differs between them is unknown."""
    first, *others = visits
    for other in others:
        if other is not first:
            first = _merge(first, other, 0)
    return first


def _merge(one: Call, other: Call, depth: int) -> Call:
    receiver = one.receiver
    if receiver is not None and other.receiver is not receiver:
        same = other.receiver is not None and other.receiver.site == receiver.site
        receiver = receiver if same else None
    others = {argument.keyword: argument for argument in other.keywords}
    return Call(
        one.name if one.name == other.name else "." + one.name.rsplit(".", 1)[-1],
        one.site,
        tuple(
            _merge_argument(mine, theirs, depth)
            for mine, theirs in zip(one.positional, other.positional, strict=False)
        ),
        tuple(
            _merge_argument(mine, others[mine.keyword], depth)
            for mine in one.keywords
            if mine.keyword in others
        ),
        receiver,
        one.receiver_text,
        one.targets,
        one.scope,
        one.order,
        one.in_loop or other.in_loop,
    )


def _merge_argument(one: Argument, other: Argument, depth: int) -> Argument:
    if one is other:
        return one
    call = None
    if one.call is not None and other.call is not None and one.call.site == other.call.site:
        call = one.call if one.call is other.call or depth > 4 else None
        call = call or _merge(one.call, other.call, depth + 1)
    return Argument(
        one.keyword,
        one.value if same_constant(one.value, other.value) else UNKNOWN,
        one.text,
        one.site,
        call,
        one.name if one.name == other.name else None,
    )
