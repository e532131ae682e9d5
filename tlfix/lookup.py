"""Causes and symptoms by the names people type: ids, codes, and what they nearly are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlfix.config import suggestion

if TYPE_CHECKING:
    from tlfix.causes.spec import CauseSpec
    from tlfix.symptoms.spec import SymptomSpec


class UnknownName(Exception):
    """No cause, code or symptom of this name; the message suggests the nearest."""


def explain(name: str) -> CauseSpec | SymptomSpec:
    """What is known of a cause (by id or code) or of a symptom (by id).

    Raises:
        UnknownName: there is nothing of that name.
    """
    from tlfix.causes import registry

    if (spec := registry.get(name.lower())) or (spec := registry.get(name)):
        return spec
    from tlfix.symptoms.registry import SYMPTOMS

    for symptom in SYMPTOMS:
        if name.lower() == symptom.id:
            return symptom
    known = [*registry.codes(), *(s.id for s in SYMPTOMS), *registry.codes().values()]
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
    """The code of every cause, by id."""
    from tlfix.causes import registry

    return registry.codes()
