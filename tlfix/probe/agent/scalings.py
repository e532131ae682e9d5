"""Affine maps from raw pixels: found by evaluating ``preprocess_input``, recognised in tensors."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Scaling:
    """``x[..., c] = scale[c] * raw[..., source[c]] + offset[c]`` for raw RGB pixels in 0..255."""

    name: str
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    source: tuple[int, int, int] = (0, 1, 2)

    def apply(self, raw: np.ndarray) -> np.ndarray:
        """Raw pixels (..., 3) as this scaling gives them, float32."""
        return (
            raw[..., list(self.source)] * np.array(self.scale, np.float32)
            + np.array(self.offset, np.float32)
        ).astype(np.float32)

    def invert(self, x: np.ndarray) -> np.ndarray:
        """The raw pixels (..., 3) behind ``x``, if ``x`` was scaled like this."""
        raw = np.empty_like(x, dtype=np.float32)
        raw[..., list(self.source)] = (x - np.array(self.offset, np.float32)) / np.array(
            self.scale, np.float32
        )
        return raw

    def flipped(self, x: np.ndarray) -> np.ndarray:
        """``x`` (..., 3), which was scaled like this, with the channels of its images reversed."""
        return self.apply(self.invert(x)[..., ::-1])

    def then(self, second: Scaling) -> Scaling:
        """This scaling followed by ``second``, which takes its result for raw pixels."""
        source = tuple(self.source[i] for i in second.source)
        scale = tuple(second.scale[c] * self.scale[second.source[c]] for c in range(3))
        offset = tuple(
            second.scale[c] * self.offset[second.source[c]] + second.offset[c] for c in range(3)
        )
        name = f"{self.name}+{second.name}"
        return Scaling(name, scale, offset, source)  # type: ignore[arg-type]

    def close_to(self, other: Scaling) -> bool:
        """True if both send black and white to (nearly) the same values."""
        span = max(abs(s) for s in other.scale) * 255.0
        return self.source == other.source and bool(
            np.allclose(self.offset, other.offset, atol=0.02 * span)
            and np.allclose(self.scale, other.scale, rtol=0.02)
        )

    def as_event(self) -> dict[str, Any]:
        """The plain form that travels to tlfix."""
        return {
            "name": self.name,
            "scale": self.scale,
            "offset": self.offset,
            "source": self.source,
        }


RAW = Scaling("raw")
UNIT = Scaling("unit", (1 / 255.0,) * 3)


def evaluate(preprocess: Any, name: str) -> Scaling | None:
    """What a ``preprocess_input`` does, from its values on black, white and pure colours.

    Returns None if it is not affine per channel.
    """
    probe = np.zeros((1, 1, 5, 3), np.float32)
    probe[0, 0, 1] = 255.0
    for channel in range(3):
        probe[0, 0, 2 + channel, channel] = 255.0
    result = np.asarray(preprocess(probe.copy()), np.float64)[0, 0]
    black, colours = result[0], result[2:5]
    response = (colours - black) / 255.0
    source = tuple(int(np.argmax(np.abs(response[:, c]))) for c in range(3))
    scale = tuple(float(response[source[c], c]) for c in range(3))
    scaling = Scaling(name, scale, tuple(float(v) for v in black), source)  # type: ignore[arg-type]
    check = np.linspace(0, 255, 24, dtype=np.float32).reshape(1, 2, 4, 3)
    same = np.allclose(preprocess(check.copy()), scaling.apply(check), atol=1e-2)
    return scaling if same and sorted(source) == [0, 1, 2] else None


def known(keras: Any) -> dict[str, Scaling]:
    """The distinct scalings of ``keras.applications``: ``tf``, ``torch``, ``caffe`` and none.

    Keras names three modes in ``imagenet_utils.preprocess_input``; each is evaluated.
    """
    utils = sys.modules.get("keras.src.applications.imagenet_utils")
    found = {"raw": RAW, "unit": UNIT}
    if utils is not None:
        for mode in ("tf", "torch", "caffe"):
            scaling = evaluate(lambda x, m=mode: utils.preprocess_input(x, mode=m), mode)
            if scaling is not None:
                found[mode] = scaling
    return found


def expected(module: str, names: dict[str, Scaling]) -> Scaling | None:
    """What the backbones of an applications ``module`` were trained on, by evaluating its own
    ``preprocess_input``. The result carries the name of the known scaling it equals."""
    preprocess = getattr(sys.modules.get(module), "preprocess_input", None)
    if preprocess is None:
        return None
    scaling = evaluate(preprocess, "other")
    if scaling is None:
        return None
    for candidate in names.values():
        if scaling.close_to(candidate):
            return candidate
    return scaling


def recognise(x: np.ndarray, names: dict[str, Scaling]) -> Scaling | None:
    """The scaling that turns ``x`` (n, height, width, 3) back into plausible photographs.

    Each candidate, and each pair of them one after the other, is undone; what comes out must fill
    0..255 without leaving it. Resizing and augmentation overshoot a little, hence the slack of 6
    grey levels; the darkest and brightest percent must reach within 100 of the ends, which all but
    flat images do. Ties go to fewer steps. Flat images that nothing has resized are told by their
    whole grey levels (:func:`whole_levels`).
    """
    if x.ndim != 4 or x.shape[-1] != 3 or not np.isfinite(x).all():
        return None
    flat = x.reshape(-1, 3).astype(np.float64)
    low, high = np.percentile(flat, [0.5, 99.5], axis=0)
    extremes = np.stack([low, high]).astype(np.float64)
    outer = np.stack([flat.min(0), flat.max(0)])
    best: tuple[float, Scaling] | None = None
    singles = list(names.values())
    pairs = [a.then(b) for a in singles[1:] for b in singles[1:]]
    for steps, candidates in ((1, singles), (2, pairs)):
        for scaling in candidates:
            raw = scaling.invert(extremes)
            whole = scaling.invert(outer)
            if raw.min() < -6 or raw.max() > 261 or whole.min() < -64 or whole.max() > 320:
                continue
            dark, bright = float(raw[0].min()), float(raw[1].max())
            if dark > 100 or bright < 155:
                continue
            misfit = (max(dark, 0.0) + max(255.0 - bright, 0.0)) / 255.0 + 0.25 * (steps - 1)
            if best is None or misfit < best[0] - 1e-6:
                best = (misfit, scaling)
    if best is None:
        return next((scaling for scaling in singles if whole_levels(scaling, x)), None)
    return best[1]


def whole_levels(scaling: Scaling, x: np.ndarray) -> bool:
    """True if undoing ``scaling`` turns ``x`` into whole grey levels, even and odd ones.

    Another scaling of the same images leaves fractions, or, where it doubles the steps between the
    levels, even or odd ones only.
    """
    raw = scaling.invert(x[:16]).astype(np.float64)
    levels = np.round(raw)
    odd = float((levels % 2).mean())
    exact = float((np.abs(raw - levels) < 0.02).mean())
    return bool(levels.min() >= 0 and levels.max() <= 255 and exact > 0.95 and 0.1 < odd < 0.9)
