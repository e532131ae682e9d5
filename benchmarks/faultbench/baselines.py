"""What guessing reaches: the most frequent causes every time, and causes drawn at random.

Both say of every program that it is sick, healthy ones too. Both may try as many fixes as tlfix
tried on the program, and a try at the planted cause counts as a repair, which flatters them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import comb
from typing import Any

from benchmarks.faultbench.figures import Share, fixable, planted, shown
from benchmarks.faultbench.records import Record


def most_frequent(
    records: Sequence[Record], learned: Sequence[Record], catalogue: Mapping[str, bool]
) -> dict[str, Any]:
    """The causes planted most often in ``learned``, proposed in that order for every program.

    ``catalogue`` tells of every cause whether its cure is in the source.
    """
    counts = Counter(cause for record in learned for cause in planted(record))
    order = sorted(catalogue, key=lambda cause: (-counts[cause], cause))
    with_fix = [cause for cause in order if catalogue[cause]]
    sick = [record for record in records if record["planted"]]
    firsts = [order[0] in planted(record) for record in sick]
    thirds = [cause in order[:3] for record in sick for cause in planted(record)]
    tried = [record for record in sick if fixable(record) and "repair" in record]
    repaired = [set(planted(r)) <= set(with_fix[: tries(r)]) for r in tried]
    return {
        **_always_sick(records),
        "proposes": order[:3],
        "recall_at_1": shown(Share(sum(firsts), len(sick))),
        "recall_at_3": shown(Share(sum(thirds), len(thirds))),
        "precision": shown(Share(sum(firsts), len(records))),
        "repair": shown(Share(sum(repaired), len(repaired))),
    }


def random_causes(records: Sequence[Record], catalogue: Mapping[str, bool]) -> dict[str, Any]:
    """Expected figures of causes drawn from the catalogue: exact, not simulated."""
    size, with_fix = len(catalogue), sum(catalogue.values())
    sick = [record for record in records if record["planted"]]
    firsts = sum(len(planted(record)) / size for record in sick)
    faults = sum(len(planted(record)) for record in sick)
    tried = [record for record in sick if fixable(record) and "repair" in record]
    repaired = sum(all_drawn(with_fix, tries(r), len(planted(r))) for r in tried)
    return {
        **_always_sick(records),
        "recall_at_1": shown(Share(firsts, len(sick))),
        "recall_at_3": shown(Share(faults * min(3 / size, 1.0), faults)),
        "precision": shown(Share(firsts, len(records))),
        "repair": shown(Share(repaired, len(tried))),
    }


def all_drawn(size: int, draws: int, wanted: int) -> float:
    """The probability that ``draws`` different ones of ``size`` hold all of the ``wanted``."""
    if wanted > draws:
        return 0.0
    return comb(size - wanted, draws - wanted) / comb(size, draws)


def tries(record: Record) -> int:
    """The number of fixes that tlfix tried on the program, at least 1."""
    return int((record.get("repair") or {}).get("tries") or 1)


def _always_sick(records: Sequence[Record]) -> dict[str, Any]:
    sick = sum(bool(record["planted"]) for record in records)
    return {
        "detection": shown(Share(sick, sick)),
        "healthy_passed": shown(Share(0, len(records) - sick)),
    }
