"""Causes and symptoms by the names people type: ids, codes, and what they nearly are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlfix.config import suggestion

if TYPE_CHECKING:
    from tlfix.causes.catalogue import Entry
    from tlfix.causes.spec import CauseSpec
    from tlfix.symptoms.spec import SymptomSpec


class UnknownName(Exception):
    """No cause, code or symptom of this name; the message suggests the nearest."""


def explain(name: str) -> CauseSpec | SymptomSpec | Entry:
    """What is known of a cause (by id or code) or of a symptom (by id).

    A cause of the catalogue that this version does not look for is returned as its row.

    Raises:
        UnknownName: there is nothing of that name.
    """
    from tlfix.causes import catalogue, registry

    if (spec := registry.get(name.lower())) or (spec := registry.get(name)):
        return spec
    entries = catalogue.entries()
    for entry in entries:
        if name.lower() == entry.id or name.upper() == entry.code:
            return entry
    from tlfix.symptoms.registry import SYMPTOMS

    for symptom in SYMPTOMS:
        if name.lower() == symptom.id:
            return symptom
    known = [*(e.id for e in entries), *(s.id for s in SYMPTOMS), *(e.code for e in entries)]
    raise UnknownName(f"no cause or symptom is named {name!r}{suggestion(name, known)}")


def cause_id(name: str) -> str:
    """The id of the cause named by id or code.

    Raises:
        UnknownName: there is no such cause.
    """
    known = known_causes()
    by_code = {code: id_ for id_, code in known.items()}
    found = name if name in known else by_code.get(name.upper())
    if found is None:
        raise UnknownName(f"no cause is named {name!r}{suggestion(name, known)}")
    return found


def known_causes() -> dict[str, str]:
    """The code of every cause of the catalogue, by id."""
    from tlfix.causes import catalogue

    return {entry.id: entry.code for entry in catalogue.entries()}
