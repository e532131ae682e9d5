"""What the values of a trace share: their base, a place in the source, a scaling."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Seen(BaseModel):
    """Base of the recorded values. Unknown fields are ignored: an agent may be newer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Place(Seen):
    """A line of the user's code from which something was called."""

    path: str
    line: int
    column: int | None = None


class ScalingSeen(Seen):
    """An affine map from raw 0..255 RGB pixels: ``x[c] = scale[c] * raw[source[c]] + offset[c]``.

    ``name`` is ``raw`` (0..255), ``unit`` (0..1), ``tf`` (-1..1), ``torch``, ``caffe``, or two of
    them joined by ``+`` in the order of application (``unit+tf``: divided by 255, then scaled to
    -1..1 as if it were raw), or ``other``.
    """

    name: str
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    source: tuple[int, ...] = (0, 1, 2)
