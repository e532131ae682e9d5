"""Procedural textures and shapes, and their composition into colour images.

Every texture is a function `(rng, size, period) -> field`, a float32 array (size, size) in [0, 1] at
a random rotation and phase; `period` is its repeat in pixels. `PRETRAINING` holds the textures that
the weights of `make_weights.py` were trained on, `TARGET` those kept back for `images.procedural`.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Texture = Callable[[np.random.Generator, int, float], Array]
PERIODS = (6.0, 28.0)  # pixels


def coordinates(rng: np.random.Generator, size: int, period: float) -> tuple[Array, Array]:
    """Rotated, shifted pixel coordinates in units of the period: two arrays (size, size)."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    angle, aspect, shift = rng.uniform(0, 2 * np.pi), rng.uniform(0.75, 1.33), rng.uniform(0, 8, 2)
    u = (x * np.cos(angle) + y * np.sin(angle)) / period + shift[0]
    v = (y * np.cos(angle) - x * np.sin(angle)) / period * aspect + shift[1]
    return u.astype(np.float32), v.astype(np.float32)


def centred(rng: np.random.Generator, size: int) -> tuple[Array, Array]:
    """Radius in pixels and angle in radians around a random point: two arrays (size, size)."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    cx, cy = rng.uniform(0.1 * size, 0.9 * size, 2)
    return np.hypot(x - cx, y - cy).astype(np.float32), np.arctan2(y - cy, x - cx).astype(
        np.float32
    )


def unit(field: NDArray[np.floating]) -> Array:
    """The field stretched to [0, 1] between its 1st and 99th percentile."""
    low, high = np.percentile(field, (1, 99))
    return np.asarray(np.clip((field - low) / max(high - low, 1e-6), 0, 1), np.float32)


def soft_step(field: Array, rng: np.random.Generator) -> Array:
    """A sigmoid of random sharpness around zero, for fields of unit slope."""
    return np.asarray(1 / (1 + np.exp(np.clip(-field * rng.uniform(4, 24), -30, 30))), np.float32)


def noise(rng: np.random.Generator, size: int, exponent: float, stretch: float = 1.0) -> Array:
    """Noise of amplitude spectrum 1/f^exponent, elongated by `stretch` in a random direction."""
    fy, fx = np.meshgrid(np.fft.fftfreq(size), np.fft.rfftfreq(size), indexing="ij")
    angle = rng.uniform(0, np.pi)
    along, across = fx * np.cos(angle) + fy * np.sin(angle), fy * np.cos(angle) - fx * np.sin(angle)
    frequency = np.hypot(along * stretch, across / stretch) + 1 / size
    spectrum = np.fft.rfft2(rng.standard_normal((size, size))) / frequency**exponent
    return unit(np.fft.irfft2(spectrum, s=(size, size)))


def stripes(rng: np.random.Generator, size: int, period: float) -> Array:
    u, _ = coordinates(rng, size, period)
    return soft_step(np.sin(2 * np.pi * u) / 3 + np.float32(rng.uniform(-0.15, 0.15)), rng)


def checks(rng: np.random.Generator, size: int, period: float) -> Array:
    u, v = coordinates(rng, size, period)
    return soft_step(np.sin(np.pi * u) * np.sin(np.pi * v) / 2, rng)


def dots(rng: np.random.Generator, size: int, period: float) -> Array:
    u, v = coordinates(rng, size, period)
    distance = np.hypot(u % 1 - 0.5, v % 1 - 0.5)
    return soft_step(np.float32(rng.uniform(0.18, 0.36)) - distance, rng)


def lattice(rng: np.random.Generator, size: int, period: float) -> Array:
    u, v = coordinates(rng, size, period)
    edge = np.minimum(np.abs(u % 1 - 0.5), np.abs(v % 1 - 0.5))
    return soft_step(np.float32(rng.uniform(0.06, 0.14)) - edge, rng)


def bricks(rng: np.random.Generator, size: int, period: float) -> Array:
    u, v = coordinates(rng, size, period)
    row = np.floor(v)
    column = u / 2 + 0.5 * (row % 2)
    edge = np.minimum(0.5 - np.abs(v % 1 - 0.5), 1 - 2 * np.abs(column % 1 - 0.5))
    tone = np.sin((row * 12.9898 + np.floor(column) * 78.233) * 43.7) * np.float32(
        rng.uniform(0, 0.3)
    )
    return np.clip(soft_step(edge - np.float32(0.08), rng) * (0.8 + tone), 0, 1).astype(np.float32)


def rings(rng: np.random.Generator, size: int, period: float) -> Array:
    radius, _ = centred(rng, size)
    return soft_step(np.sin(2 * np.pi * radius / np.float32(period)) / 3, rng)


def waves(rng: np.random.Generator, size: int, period: float) -> Array:
    u, v = coordinates(rng, size, period)
    bend = np.float32(rng.uniform(0.5, 1.1)) * np.sin(
        2 * np.pi * v / np.float32(rng.uniform(1.5, 3.0))
    )
    return soft_step(np.sin(2 * np.pi * (u + bend)) / 3, rng)


def cells(rng: np.random.Generator, size: int, period: float) -> Array:
    spacing = max(period, 9.0)
    ticks = np.arange(-spacing, size + spacing, spacing)
    seeds = np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2)
    seeds = (seeds + rng.uniform(-0.5, 0.5, seeds.shape) * spacing).astype(np.float32)
    axis = np.arange(size, dtype=np.float32)
    squared = (axis - seeds[:, :1])[:, None, :] ** 2 + (axis - seeds[:, 1:])[:, :, None] ** 2
    nearest = np.sqrt(np.partition(squared, 1, axis=0)[:2])
    return unit(np.minimum(nearest[1] - nearest[0], 0.5 * spacing))


def exponent(period: float, low: float, high: float) -> float:
    """Where a texture has no repeat, the period chooses its spectrum: from `low`, fine, to `high`, coarse."""
    share = np.log(period / PERIODS[0]) / np.log(PERIODS[1] / PERIODS[0])
    return float(low + (high - low) * share)


def clouds(rng: np.random.Generator, size: int, period: float) -> Array:
    return noise(rng, size, exponent(period, 1.5, 2.4))


def grain(rng: np.random.Generator, size: int, period: float) -> Array:
    return noise(rng, size, exponent(period, 0.0, 1.0))


def fibres(rng: np.random.Generator, size: int, period: float) -> Array:
    return noise(rng, size, exponent(period, 0.7, 1.4), stretch=rng.uniform(3.0, 5.0))


def blobs(rng: np.random.Generator, size: int, period: float) -> Array:
    smooth, detail = noise(rng, size, exponent(period, 1.4, 2.3)), noise(rng, size, 1.0)
    return soft_step(smooth - np.float32(0.5) + np.float32(0.1) * (detail - np.float32(0.5)), rng)


def zigzag(rng: np.random.Generator, size: int, period: float) -> Array:
    u, v = coordinates(rng, size, period)
    fold = 2 * np.abs((v / 2) % 1 - 0.5) * np.float32(rng.uniform(0.8, 1.6))
    return soft_step(np.sin(2 * np.pi * (u + fold)) / 3, rng)


def honeycomb(rng: np.random.Generator, size: int, period: float) -> Array:
    u, v = coordinates(rng, size, period)
    turns = np.float32(np.pi / 3) * np.arange(0, 6, 2, dtype=np.float32)[:, None, None]
    crossing = np.cos(2 * np.pi * (u * np.cos(turns) + v * np.sin(turns))).sum(0)
    return soft_step((crossing + np.float32(0.6)) / 4, rng)


def spokes(rng: np.random.Generator, size: int, period: float) -> Array:
    _, angle = centred(rng, size)
    return soft_step(
        np.sin(angle * round(90 / period + 2) + np.float32(rng.uniform(0, 6))) / 3, rng
    )


def spiral(rng: np.random.Generator, size: int, period: float) -> Array:
    radius, angle = centred(rng, size)
    arms = int(rng.integers(1, 4)) * int(rng.choice((-1, 1)))
    return soft_step(np.sin(2 * np.pi * radius / np.float32(period) + arms * angle) / 3, rng)


def scales(rng: np.random.Generator, size: int, period: float) -> Array:
    u, v = coordinates(rng, size, period)
    row = np.floor(v)
    return unit(np.hypot((u + 0.5 * (row % 2)) % 1 - 0.5, v % 1))


def plaid(rng: np.random.Generator, size: int, period: float) -> Array:
    u, v = coordinates(rng, size, period)
    return unit(
        np.sum([np.sin(2 * np.pi * axis * rate) for axis in (u, v) for rate in (1, 1 / 3)], axis=0)
    )


def pebbles(rng: np.random.Generator, size: int, period: float) -> Array:
    return np.sqrt(1 - (1 - cells(rng, size, period)) ** 2)


def marble(rng: np.random.Generator, size: int, period: float) -> Array:
    u, _ = coordinates(rng, size, period)
    return np.abs(
        np.sin(np.pi * (u + np.float32(rng.uniform(2, 4)) * noise(rng, size, 1.8)))
    ).astype(np.float32)


PRETRAINING: dict[str, Texture] = {
    f.__name__: f
    for f in (
        stripes,
        checks,
        dots,
        lattice,
        bricks,
        rings,
        waves,
        cells,
        clouds,
        grain,
        fibres,
        blobs,
    )
}
TARGET: dict[str, Texture] = {
    f.__name__: f for f in (zigzag, honeycomb, spokes, spiral, scales, plaid, pebbles, marble)
}
SHAPES = ("whole", "disc", "square", "triangle", "star", "ring", "cross")


def silhouette(rng: np.random.Generator, size: int, shape: str) -> Array:
    """The mask of one shape at a random place, size and angle: (size, size) in [0, 1]."""
    if shape == "whole":
        return np.ones((size, size), np.float32)
    reach = rng.uniform(0.32, 0.48) * size
    cx, cy = rng.uniform(0.4 * size, 0.6 * size, 2)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    angle, aspect = rng.uniform(0, 2 * np.pi), rng.uniform(0.8, 1.25)
    u = ((x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)) * aspect
    v = (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
    radius, turn = np.hypot(u, v), np.arctan2(v, u)
    if shape == "disc":
        inside = reach * 0.9 - radius
    elif shape == "square":
        inside = reach * 0.8 - np.maximum(np.abs(u), np.abs(v))
    elif shape == "triangle":
        inside = reach * 0.5 - radius * np.cos((turn % (2 * np.pi / 3)) - np.pi / 3)
    elif shape == "star":
        inside = reach * (0.72 + 0.36 * np.cos(5 * turn)) - radius
    elif shape == "ring":
        inside = reach * 0.28 - np.abs(radius - reach * 0.72)
    elif shape == "cross":
        arm = np.minimum(np.abs(u), np.abs(v)) - reach * 0.28
        inside = -np.maximum(arm, np.maximum(np.abs(u), np.abs(v)) - reach)
    else:
        raise ValueError(f"unknown shape {shape!r}")
    return np.asarray(np.clip(inside + 0.5, 0, 1), np.float32)


def rgb(hue: float, saturation: float, value: float) -> Array:
    """One colour from hue, saturation, value (each in [0, 1]) as three float32 in [0, 1]."""
    ramp = np.abs(((hue + np.array((0, 2 / 3, 1 / 3))) % 1) * 6 - 3) - 1
    return np.asarray(value * (1 - saturation + saturation * np.clip(ramp, 0, 1)), np.float32)


def colour(field: Array, dark: Array, light: Array) -> Array:
    """Mix two colours by a grey field: (size, size) and twice (3,) to (size, size, 3)."""
    return np.asarray(dark + field[..., None] * (light - dark), np.float32)


def any_colour(rng: np.random.Generator) -> Array:
    """A random colour, as often pale or grey as strong."""
    return rgb(rng.uniform(), rng.uniform() ** 2, rng.uniform())


def contrasting(rng: np.random.Generator) -> tuple[Array, Array]:
    """Two random colours which differ by at least 0.45 in one channel."""
    while True:
        pair = any_colour(rng), any_colour(rng)
        if np.abs(pair[0] - pair[1]).max() >= 0.45:
            return pair


def blurred(image: Array, sigma: float) -> Array:
    """Gaussian blur of `sigma` pixels, periodic at the borders: (size, size, 3) to the same."""
    size = len(image)
    fy, fx = np.meshgrid(np.fft.fftfreq(size), np.fft.rfftfreq(size), indexing="ij")
    damping = np.exp(-2 * (np.pi * sigma) ** 2 * (fx**2 + fy**2))[..., None]
    spectrum = np.fft.rfft2(image, axes=(0, 1)) * damping
    return np.fft.irfft2(spectrum, s=(size, size), axes=(0, 1)).astype(np.float32)


def paint(
    rng: np.random.Generator, field: Array, colours: tuple[Array, Array], shape: str
) -> NDArray[np.uint8]:
    """A texture in two colours, in a shape on cloudy ground, as a camera might see it.

    Exposure, slope of the light, white balance, gamma, blur and noise are random.
    Takes a field (size, size) and two (3,) colours in [0, 1]; returns uint8 (size, size, 3).
    """
    size = len(field)
    shade = rng.uniform(0, 0.4) * noise(rng, size, rng.uniform(1.2, 2.2))
    image = colour(field, *colours) * (1 - shade[..., None])
    if shape != "whole":
        ground = noise(rng, size, rng.uniform(0.8, 2.4)) * np.float32(rng.uniform(0.2, 1))
        back = colour(ground, any_colour(rng), any_colour(rng))
        image = back + silhouette(rng, size, shape)[..., None] * (image - back)
    if rng.uniform() < 0.5:
        image = blurred(image, rng.uniform(0.4, 1.5))
    y, x = np.mgrid[-0.5 : 0.5 : size * 1j, -0.5 : 0.5 : size * 1j]
    slope = rng.uniform(-0.4, 0.4, 2)
    light = rng.uniform(0.65, 1.15) * (1 + slope[0] * x + slope[1] * y)
    image = np.clip(image, 0, 1) ** rng.uniform(0.75, 1.3) * light[..., None]
    image = image * rng.uniform(0.88, 1.12, 3) + rng.normal(0, rng.uniform(0, 0.03), image.shape)
    return np.asarray(np.clip(image, 0, 1) * 255, np.uint8)
