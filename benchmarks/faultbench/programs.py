"""Every program of the benchmark, healthy and faulty, with its ground truth and its half."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Literal

from benchmarks.faultbench import operators
from benchmarks.faultbench.combinations import COMBINATIONS
from benchmarks.faultbench.planting import Operator, PlantingError, Variant, combined
from benchmarks.faultbench.recipes import BASES

Half = Literal["tune", "report"]
FOLDER = Path(__file__).parent / "bases"


@dataclass(frozen=True)
class Truth:
    """One planted fault. ``lines`` are the culpable ones, counted from 1."""

    cause: str
    lines: tuple[int, ...]
    description: str
    source_fix: bool


@dataclass(frozen=True)
class Program:
    """A base, or a base with faults. ``allowed`` causes are true consequences of the planted ones.

    ``recipe`` and ``data`` name how its images are made and what is wrong with them.
    """

    id: str
    base: str
    text: str
    recipe: str
    data: str | None
    truths: tuple[Truth, ...]
    allowed: frozenset[str]
    half: Half

    @property
    def healthy(self) -> bool:
        """True for a base as it is."""
        return not self.truths

    @property
    def causes(self) -> tuple[str, ...]:
        """The ids of the planted causes, the one to hear of first in front."""
        return tuple(truth.cause for truth in self.truths)

    @property
    def truth(self) -> dict[str, Any]:
        """The ground truth as it stands in a record."""
        return {
            "half": self.half,
            "base": self.base,
            "planted": [
                {"cause": each.cause, "lines": list(each.lines), "source_fix": each.source_fix}
                for each in self.truths
            ],
            "allowed": sorted(self.allowed),
        }

    @property
    def digest(self) -> str:
        """Changes with the program's text and its data, not with what is held to be its truth."""
        what = (self.text, self.recipe, self.data, _data_code())
        return hashlib.sha256(repr(what).encode()).hexdigest()[:16]


@cache
def _data_code() -> str:
    """What writes the data, as text: other data are another program."""
    files = (Path(__file__).with_name(name) for name in ("recipes.py", "data_faults.py"))
    return "".join(file.read_text(encoding="utf-8") for file in files)


def half(name: str) -> Half:
    """The half a program belongs to, from nothing but its id: base, causes and variants.

    Even first byte of the id's SHA-256: ``tune``, else ``report``. A program never changes sides
    when others are added.
    """
    return "tune" if hashlib.sha256(name.encode()).digest()[0] % 2 == 0 else "report"


def base_text(base: str) -> str:
    """The source of a healthy base program."""
    return (FOLDER / f"{base}.py").read_text(encoding="utf-8")


def healthy_programs() -> Iterator[Program]:
    """The bases as they are."""
    for base, recipe in BASES.items():
        yield Program(base, base, base_text(base), recipe, None, (), frozenset(), half(base))


def faulty_programs() -> Iterator[Program]:
    """Every variant of every operator alone, then the combinations."""
    known = operators.load()
    for cause, operator in known.items():
        for variant in operator.variants:
            yield _program(variant.base, [(_name(cause, variant), operator, variant)])
    for base, names in COMBINATIONS:
        yield _program(base, [(name, *_find(known, base, name)) for name in names])


@cache
def programs() -> tuple[Program, ...]:
    """Healthy programs first, then the faulty ones."""
    return (*healthy_programs(), *faulty_programs())


def chosen(
    only: Iterable[str] = (), side: Half | None = None, shard: tuple[int, int] = (1, 1)
) -> list[Program]:
    """The programs whose id fits a pattern of ``only``, in one half, in one of ``n`` shards.

    The bases are needed to judge repairs, but are not added to what was asked for.
    """
    patterns = tuple(only)
    wanted = [
        each
        for each in programs()
        if (not patterns or any(fnmatchcase(each.id, pattern) for pattern in patterns))
        and side in (None, each.half)
    ]
    return wanted[shard[0] - 1 :: shard[1]]


def quick() -> list[Program]:
    """Twelve programs for a first look: two bases, and ten faults of different chapters."""
    by_id = {program.id: program for program in programs()}
    return [by_id[name] for name in QUICK]


QUICK = (
    "nested_guide",
    "text_tokenizer",
    "nested_guide/preprocessing-mismatch",
    "sequential_rescaling/preprocessing-missing",
    "generators/target-size-mismatch",
    "generators/class-mode-loss-mismatch",
    "argparse_main/labels-misaligned",
    "arrays_split/ordered-validation-split",
    "tensor_slices/backbone-unfrozen",
    "features_predict/weights-random",
    "nested_guide/learning-rate-high",
    "arrays_split/removed-api",
)


def _name(cause: str, variant: Variant) -> str:
    return f"{cause}:{variant.slug}" if variant.slug else cause


def _find(known: dict[str, Operator], base: str, name: str) -> tuple[Operator, Variant]:
    cause = name.partition(":")[0]
    for variant in known[cause].variants:
        if variant.base == base and _name(cause, variant) == name:
            return known[cause], variant
    # A combination may leave out the slug of a base's only variant.
    own = [variant for variant in known[cause].variants if variant.base == base]
    if len(own) != 1:
        raise PlantingError(f"{base} has {len(own)} variants of {name}")
    return known[cause], own[0]


def _program(base: str, parts: list[tuple[str, Operator, Variant]]) -> Program:
    name = f"{base}/{'+'.join(name for name, _, _ in parts)}"
    try:
        source = combined(base_text(base), [(op.cause, variant) for _, op, variant in parts])
    except PlantingError as error:
        raise PlantingError(f"{name}: {error}") from error
    data = [variant.data for _, _, variant in parts if variant.data]
    if len(data) > 1:
        raise PlantingError(f"{name}: two faults of the data")
    planted = {op.cause for _, op, _ in parts}
    return Program(
        id=name,
        base=base,
        text=source.text,
        recipe=BASES[base],
        data=data[0] if data else None,
        truths=tuple(
            Truth(op.cause, source.lines(op.cause), variant.description, op.source_fix)
            for _, op, variant in parts
        ),
        allowed=frozenset(c for _, op, _ in parts for c in op.consequences) - planted,
        half=half(name),
    )
