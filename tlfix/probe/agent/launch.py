"""Entry point of the child process: ``python launch.py CONFIG.json``.

Prepares the process (environment, seeds, write protection), installs the watch on Keras, runs the
user's script as ``__main__`` and measures what is left to measure when it ends.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from types import ModuleType

NAME = "tlfix_agent"


def load_package() -> ModuleType:
    """Import this folder as the package ``tlfix_agent`` without touching ``sys.path``."""
    folder = os.path.dirname(os.path.abspath(__file__))
    spec = importlib.util.spec_from_file_location(
        NAME, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = package
    spec.loader.exec_module(package)
    return package


def main(path: str, descriptor: int | None = None) -> None:
    """Read the configuration and hand over to the session.

    ``descriptor`` is that of the events, where it is not the one in the configuration.
    """
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    if descriptor is not None:
        config["descriptor"] = descriptor
    load_package()
    try:
        session = importlib.import_module(f"{NAME}.session")
    except ImportError as error:
        reason = (
            f"The interpreter {sys.executable} lacks what training needs ({error}). Install "
            "TensorFlow or Keras there, or name another interpreter with --python."
        )
        event = json.dumps({"event": "refused", "reason": reason})
        os.write(int(config["descriptor"]), (event + "\n").encode())
        os._exit(72)
    os._exit(session.run(config))


if __name__ == "__main__":
    main(sys.argv[1])
