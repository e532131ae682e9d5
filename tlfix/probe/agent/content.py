"""What images hold: blank, repeated, grey ones, and those that are in both splits."""

from __future__ import annotations

import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tlfix_agent import pipelines
from tlfix_agent.feed import Feed

FILES = 20_000  # per split; looking up a file's size takes some microseconds
READ_FILES, READ_BYTES = 4000, 64 * 2**20
SECONDS = 2.0
GREY = 1e-5  # 1 - correlation of two channels; grey images, scaled per channel, stay below 1e-6
_PART = 512  # elements of a row that are compared before whole rows are


def digests(rows: np.ndarray) -> list[bytes]:
    """A hash of each row (n, ...)."""
    return [hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in rows]


def inputs_seen(inputs: np.ndarray, batch: int | None = None) -> dict[str, Any] | None:
    """Counts over images (n, h, w[, c]) as an event (``InputsSeen``); None for anything else.

    ``batch`` is given where the images may come from several passes over the data: then only those
    that come again among so many rows count as repeated.
    """
    if inputs.ndim not in (3, 4) or inputs.dtype.kind not in "buif" or inputs.size == 0:
        return None
    flat = inputs.reshape(len(inputs), -1)
    low, high = flat.min(1), flat.max(1)
    hashes = digests(inputs)
    size = batch or len(hashes)
    parts = [hashes[start : start + size] for start in range(0, len(hashes), size)]
    event = {
        "n": len(inputs),
        "constant": int((low == high).sum()),
        "repeated": sum(len(part) - len(set(part)) for part in parts),
        "not_finite": int((~(np.isfinite(low) & np.isfinite(high))).sum()),
    }
    if inputs.ndim == 4 and inputs.shape[3] == 3:
        event["grey"] = sum(map(_is_grey, inputs))
    return event


def _is_grey(image: np.ndarray) -> bool:
    """Equal channels, or channels that differ by a scale and a shift of each (as in (x - m) / s).

    Blank images are not called grey.
    """
    pixels = image.reshape(-1, 3)
    pixels = pixels[:: max(len(pixels) // 4096, 1)].astype(np.float64)
    pixels = pixels - pixels.mean(0)
    norms = np.sqrt((pixels**2).sum(0))
    if not np.isfinite(norms).all() or (norms == 0).any():
        return False
    correlation = pixels[:, :1].T @ pixels[:, 1:] / (norms[0] * norms[1:])
    return bool((correlation > 1 - GREY).all())


def overlap(training: Feed, validation: Feed) -> dict[str, Any] | None:
    """Validation images that are also training data, as an event (``OverlapSeen``).

    Images of one value everywhere (blank ones) are not counted where pixels are compared. None
    where nothing can be compared, or it would take longer than ``SECONDS``.
    """
    same = training.given is not None and training.given is validation.given
    first, second = pipelines.files(training.given), pipelines.files(validation.given)
    if first and second:
        if max(len(first), len(second)) <= FILES:
            return {
                "by": "file",
                "training": len(first),
                "validation": len(second),
                "shared": _shared_files(first, second),
                "same_data": same or sorted(first) == sorted(second),
            }
    elif _is_array(training) and _is_array(validation):
        x, given = _array(training.x), _array(validation.x)
        shared = shared_rows(x, given)
        if shared is not None:
            same = same or (
                x.shape == given.shape
                and x.__array_interface__["data"] == given.__array_interface__["data"]
                and x.strides == given.strides
            )
            return _rows("array", len(x), len(given), shared, same)
    one, two = training.sample, validation.sample
    if one is None or two is None:
        return None
    shared = shared_rows(one.inputs, two.inputs)
    if shared is None and not same:
        return None
    return _rows("sample", len(one), len(two), shared or 0, same)


def _rows(by: str, training: int, validation: int, shared: int, same: bool) -> dict[str, Any]:
    return {
        "by": by,
        "training": training,
        "validation": validation,
        "shared": shared,
        "same_data": same,
    }


def _is_array(feed: Feed) -> bool:
    return feed.kind == "arrays" and hasattr(feed.x, "shape") and not hasattr(feed.x, "iloc")


def _array(x: Any) -> np.ndarray:
    return np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)


def _shared_files(training: Sequence[str], validation: Sequence[str]) -> int:
    """How many of the validation files are training files: the same file, or the same content.

    Only files of the same size are read, and no more than ``READ_FILES`` or ``READ_BYTES``.
    """
    stats = [{path: _stat(path) for path in paths} for paths in (training, validation)]
    known = {(s.st_dev, s.st_ino) for s in stats[0].values() if s is not None}
    by_size: dict[int, list[str]] = defaultdict(list)
    for path, s in stats[0].items():
        if s is not None and s.st_size:
            by_size[s.st_size].append(path)
    read: dict[str, bytes] = {}
    spent = 0
    shared = 0
    for path in validation:
        s = stats[1][path]
        if s is None:
            continue
        if (s.st_dev, s.st_ino) in known:
            shared += 1
            continue
        alike = by_size.get(s.st_size, [])
        missing = [p for p in (path, *alike) if p not in read] if alike else []
        if not alike or (
            len(read) + len(missing) > READ_FILES or spent + len(missing) * s.st_size > READ_BYTES
        ):
            continue
        spent += len(missing) * s.st_size
        for each in missing:
            with open(each, "rb") as file:
                read[each] = hashlib.blake2b(file.read(), digest_size=16).digest()
        shared += any(read[path] == read[p] for p in alike)
    return shared


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def shared_rows(training: np.ndarray, validation: np.ndarray) -> int | None:
    """How many rows of ``validation`` (m, ...) are rows of ``training`` (n, ...), blank ones apart.

    A part of each row is compared first, so that rows are read in full only where it agrees.
    """
    if (
        training.shape[1:] != validation.shape[1:]
        or training.ndim < 2
        or any(a.dtype.kind not in "biufSU" for a in (training, validation))
    ):
        return None
    common = None if training.dtype == validation.dtype else np.dtype(np.float32)
    if common is not None and "U" in training.dtype.kind + validation.dtype.kind:
        return None
    stop = time.monotonic() + SECONDS
    known: dict[bytes, list[int]] = defaultdict(list)
    try:
        for index, part in enumerate(_parts(training, common, stop)):
            known[part].append(index)
        shared = 0
        for index, part in enumerate(_parts(validation, common, stop)):
            if part not in known:
                continue
            row = validation[index] if common is None else validation[index].astype(common)
            if (row == row.flat[0]).all():
                continue
            for other in known[part][:100]:
                if np.array_equal(row, training[other].astype(common or training.dtype)):
                    shared += 1
                    break
            if time.monotonic() > stop:
                return None
    except TimeoutError:
        return None
    return shared


def _parts(rows: np.ndarray, common: np.dtype[Any] | None, stop: float) -> Iterator[bytes]:
    """A hash of some elements of each row, spread over it."""
    for start in range(0, len(rows), 256):
        if time.monotonic() > stop:
            raise TimeoutError
        some = rows[start : start + 256].reshape(len(rows[start : start + 256]), -1)
        some = some[:, :: max(some.shape[1] // _PART, 1)]
        yield from digests(some if common is None else some.astype(common))
