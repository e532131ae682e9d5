"""The generated part of ``docs/``: a page per cause, the index, the JSON Schemas.

``python -m tlfix.report.pages docs`` writes them; a test fails when they are stale.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from pydantic import BaseModel

from tlfix.causes import registry
from tlfix.findings import CheckResult, Diagnosis, Repair
from tlfix.report.explain_text import cure
from tlfix.symptoms.registry import SYMPTOMS

SCHEMAS: Mapping[str, type[BaseModel]] = {
    "tlfix.diagnosis-1": Diagnosis,
    "tlfix.repair-1": Repair,
    "tlfix.check-1": CheckResult,
}


def generated() -> dict[str, str]:
    """Every generated file: its path under ``docs/`` and its text."""
    specs = registry.load()
    found = {
        f"causes/{spec.id}.md": _page("cause.md.j2", cause=spec, cure=cure(spec)) for spec in specs
    }
    found["causes/README.md"] = _page("causes.md.j2", causes=specs)
    found["symptoms.md"] = _page("symptoms.md.j2", symptoms=SYMPTOMS)
    for name, model in SCHEMAS.items():
        schema = model.model_json_schema(by_alias=True, mode="serialization")
        found[f"schema/{name}.json"] = json.dumps(schema, indent=2) + "\n"
    return found


def write(docs: Path) -> None:
    """Bring ``docs`` up to date; pages of causes that are gone are removed."""
    pages = generated()
    for stale in set(docs.glob("causes/*.md")) - {docs / name for name in pages}:
        stale.unlink()
    for name, text in pages.items():
        path = docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _page(template: str, **values: object) -> str:
    source = files("tlfix.templates").joinpath(template).read_text(encoding="utf-8")
    # Markdown, not HTML: nothing to escape.
    environment = Environment(
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined
    )
    return environment.from_string(source).render(**values)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
