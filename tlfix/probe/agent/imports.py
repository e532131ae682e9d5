"""Acting once a module has been imported, without importing it ourselves."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType


class _Loader(importlib.abc.Loader):
    """A module's own loader, and one call after it has run."""

    def __init__(self, loader: importlib.abc.Loader, then: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._then = then

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._then(module)


class AfterImport(importlib.abc.MetaPathFinder):
    """Finder that lets the ordinary finders work and then calls back, once per module name."""

    def __init__(self, actions: dict[str, Callable[[ModuleType], None]]) -> None:
        self._actions = dict(actions)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec the other finders give, its loader wrapped if someone waits for the module."""
        action = self._actions.get(fullname)  # kept: a spec may be looked up without an import
        if action is None:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, action)
                return spec
        return None


def after_import(actions: dict[str, Callable[[ModuleType], None]]) -> None:
    """Call ``actions[name](module)`` right after each named module is first imported, or now."""
    sys.meta_path.insert(0, AfterImport(actions))
    for name, action in actions.items():
        if name in sys.modules:
            action(sys.modules[name])
