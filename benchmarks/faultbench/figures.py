"""What the records amount to: shares with their counts, medians, and what was missed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, median
from typing import Any

from benchmarks.faultbench.records import Record

Z95 = 1.959964  # standard normal quantile of a two-sided 95 % interval


@dataclass(frozen=True)
class Share:
    """``hits`` of ``count``; the interval is Wilson's (1927) at 95 %."""

    hits: float
    count: int

    @property
    def value(self) -> float | None:
        """The share in 0..1, None of nothing."""
        return self.hits / self.count if self.count else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lower and upper bound in 0..1."""
        if not self.count:
            return None
        n, p = self.count, self.hits / self.count
        middle = (p + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
        half = Z95 / (1 + Z95**2 / n) * sqrt(p * (1 - p) / n + Z95**2 / (4 * n * n))
        return max(middle - half, 0.0), min(middle + half, 1.0)


def of(flags: Iterable[bool]) -> Share:
    """The share of true flags."""
    listed = list(flags)
    return Share(sum(listed), len(listed))


def planted(record: Record) -> list[str]:
    """The ids of the planted causes, in the order of the truth."""
    return [each["cause"] for each in record["planted"]]


def ranked(record: Record) -> list[dict[str, Any]]:
    """The causes that were named, in their order."""
    return sorted(record["causes"], key=lambda cause: cause["rank"])


def loud(record: Record) -> list[str]:
    """The ids named as error or warning, each once, in their order."""
    return list(dict.fromkeys(c["id"] for c in ranked(record) if c["severity"] != "note"))


def detected(record: Record) -> bool:
    """True if the program was not called healthy or inconclusive."""
    return record.get("verdict") in ("sick", "crashed")


def first_is_true(record: Record) -> bool:
    """Recall at rank 1: the first-listed cause is one of the planted ones."""
    named = ranked(record)
    return bool(named) and named[0]["id"] in planted(record)


def among_first(record: Record, rank: int) -> list[bool]:
    """Recall at ``rank``, for each planted cause: is it among the first named?"""
    names = list(dict.fromkeys(cause["id"] for cause in ranked(record)))[:rank]
    return [cause in names for cause in planted(record)]


def false_alarms(record: Record) -> list[str]:
    """Errors and warnings that are neither planted nor a consequence that the operator allows."""
    true = {*planted(record), *record["allowed"]}
    return [id_ for id_ in loud(record) if id_ not in true]


def true_alarms(record: Record) -> list[str]:
    """Errors and warnings that name a planted cause."""
    return [id_ for id_ in loud(record) if id_ in planted(record)]


def localised(record: Record) -> list[bool]:
    """For each planted cause that was named: does a place given for it lie on a culpable line?"""
    flags = []
    for truth in record["planted"]:
        places = [c["line"] for c in record["causes"] if c["id"] == truth["cause"]]
        if places:
            flags.append(any(line in truth["lines"] for line in places))
    return flags


def fixable(record: Record) -> bool:
    """True for a faulty program all of whose faults are cured in the source."""
    return bool(record["planted"]) and all(each["source_fix"] for each in record["planted"])


def reached(record: Record) -> bool:
    """True if the patched program, trained in full, is as good as the healthy base."""
    return bool((record.get("repair") or {}).get("reached"))


def rightly_repaired(record: Record) -> bool:
    """As :func:`reached`, and the fix of every planted cause was among those applied."""
    return reached(record) and set(planted(record)) <= set(record["repair"]["applied"])


def gain(record: Record) -> float | None:
    """Validation accuracy after the repair less that before, where both programs ran to the end."""
    values = (record.get("repair") or {}).get("accuracies") or []
    if record.get("accuracy") is None or not values or None in values:
        return None
    return fmean(values) - float(record["accuracy"])


def mended(record: Record) -> bool:
    """True if the program crashed in full training and its patch ran to the end."""
    values = (record.get("repair") or {}).get("accuracies") or []
    return bool(record.get("error")) and bool(values) and None not in values


def summary(records: Sequence[Record]) -> dict[str, Any]:
    """All figures of a set of programs; shares as ``{"hits", "count", "share", "ci95"}``."""
    sick = [record for record in records if record["planted"]]
    well = [record for record in records if not record["planted"]]
    named = [(len(true_alarms(r)), len(false_alarms(r))) for r in records]
    true, false = sum(t for t, _ in named), sum(f for _, f in named)
    tried = [record for record in sick if fixable(record) and "repair" in record]
    gains = [value for record in sick if (value := gain(record)) is not None]
    return {
        "programs": {"faulty": len(sick), "healthy": len(well)},
        "detection": shown(of(detected(record) for record in sick)),
        "healthy_passed": shown(of(not loud(record) and not detected(record) for record in well)),
        "healthy_alarms": sum(len(loud(record)) for record in well),
        "recall_at_1": shown(of(first_is_true(record) for record in sick)),
        "recall_at_3": shown(of(_flat(sick, lambda record: among_first(record, 3)))),
        "precision": shown(Share(true, true + false)),
        "localisation": shown(of(_flat(sick, localised))),
        "repair": shown(of(reached(record) for record in tried)),
        "repair_by_right_fix": shown(of(rightly_repaired(record) for record in tried)),
        "mean_gain": fmean(gains) if gains else None,
        "gain_count": len(gains),
        "crashes_mended": shown(of(mended(r) for r in tried if r.get("error"))),
        "seconds_median": _median([r["seconds"] for r in records if "seconds" in r]),
        "bare_ratio_median": _median(
            [r["seconds"] / r["bare_seconds"] for r in records if r.get("bare_seconds")]
        ),
        "failures": sum("failure" in record for record in records),
    }


def by_cause(records: Sequence[Record], causes: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The figures of each cause, from programs in which it alone was planted."""
    table = {}
    for cause in causes:
        own = [record for record in records if planted(record) == [cause]]
        right = sum(cause in true_alarms(record) for record in records)
        wrong = sum(cause in false_alarms(record) for record in records)
        table[cause] = {
            **summary(own),
            "precision": shown(Share(right, right + wrong)),
            "note_only": sum(
                cause in [c["id"] for c in record["causes"]] and cause not in loud(record)
                for record in own
            ),
            "in_combinations": shown(
                of(
                    cause in [c["id"] for c in ranked(record)][:3]
                    for record in records
                    if cause in planted(record) and len(planted(record)) > 1
                )
            ),
        }
    return table


def shown(share: Share) -> dict[str, Any]:
    """A share as it stands in the JSON."""
    bounds = share.interval
    return {
        "hits": share.hits,
        "count": share.count,
        "share": share.value,
        "ci95": list(bounds) if bounds else None,
    }


def _flat(records: Iterable[Record], flags: Callable[[Record], list[bool]]) -> list[bool]:
    return [flag for record in records for flag in flags(record)]


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None
