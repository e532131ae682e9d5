"""The one loader of causes: the modules of this package, and those of third parties.

A third party adds causes through the entry-point group ``tlfix.causes``; each entry point names a
:class:`CauseSpec`, or a module that defines one as ``CAUSE``.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

import tlfix.causes as package
from tlfix.causes.spec import CauseSpec

GROUP = "tlfix.causes"


class RegistryError(Exception):
    """A cause that cannot be loaded or that takes the place of another; the message names it."""


@cache
def load() -> tuple[CauseSpec, ...]:
    """Every cause there is, sorted by code.

    Raises:
        RegistryError: two causes share an id or a code, or an entry point gives no cause.
    """
    specs: dict[str, CauseSpec] = {}
    taken: dict[str, str] = {}
    for origin, spec in (*_own(), *_foreign()):
        if spec.id in specs or spec.code in taken:
            other = spec.id if spec.id in specs else taken[spec.code]
            raise RegistryError(f"{origin}: {spec.id} ({spec.code}) is taken by {other}")
        specs[spec.id] = spec
        taken[spec.code] = spec.id
    return tuple(sorted(specs.values(), key=lambda spec: spec.code))


def get(name: str) -> CauseSpec | None:
    """The cause with this id or code (in any case), or None."""
    for spec in load():
        if name == spec.id or name.upper() == spec.code:
            return spec
    return None


def codes() -> dict[str, str]:
    """The code of every cause that can be found, by id."""
    return {spec.id: spec.code for spec in load()}


def _own() -> list[tuple[str, CauseSpec]]:
    found = []
    for module in pkgutil.iter_modules(package.__path__):
        spec = getattr(import_module(f"{package.__name__}.{module.name}"), "CAUSE", None)
        # A module without CAUSE is something that the causes share.
        if isinstance(spec, CauseSpec):
            found.append((module.name, spec))
    return found


def _foreign() -> list[tuple[str, CauseSpec]]:
    found = []
    for point in entry_points(group=GROUP):
        try:
            loaded = point.load()
        except Exception as error:
            raise RegistryError(f"entry point {point.name}: {error}") from error
        spec = getattr(loaded, "CAUSE", loaded)
        if not isinstance(spec, CauseSpec):
            raise RegistryError(f"entry point {point.name}: {point.value} is no CauseSpec")
        found.append((point.name, spec))
    return found
