"""The training and validation data of one ``fit`` call, out of its arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from tlfix_agent import data
from tlfix_agent.data import Feed


def take(
    arguments: dict[str, Any], images: int, seconds: float, look: bool
) -> tuple[Feed, Feed | None]:
    """Samples of both, each in at most about ``seconds`` (see :func:`data.take`).

    ``arguments`` are brought up to date: an iterator that was sampled stands there as one that
    still gives what was taken, and ``validation_split`` of arrays as the two parts.
    """
    x, y, batch = arguments.get("x"), arguments.get("y"), arguments.get("batch_size")
    split = arguments.get("validation_split") or 0.0
    given = arguments.get("validation_data")
    plain = hasattr(x, "shape") and (y is None or hasattr(y, "shape"))
    if (
        split
        and given is None
        and x is not None
        and plain
        and arguments.get("sample_weight") is None
    ):
        cut = int(np.floor(len(x) * (1.0 - split)))
        given = (x[cut:], None if y is None else y[cut:])
        x, y = x[:cut], None if y is None else y[:cut]
        arguments.update(x=x, y=y, validation_split=0.0, validation_data=given)
    shuffle = arguments.get("shuffle", True)
    training = data.take(x, y, batch, images, seconds, shuffle=shuffle, look=look)
    arguments["x"] = training.x
    if given is None:
        return training, None
    pair = given if isinstance(given, (tuple, list)) and len(given) in (2, 3) else (given, None)
    if data.kind_of(pair[0]) != "arrays":
        pair = (pair[0], None)
    size = arguments.get("validation_batch_size") or batch
    validation = data.take(
        pair[0], pair[1], size, images, seconds, whole=True, shuffle=False, look=look
    )
    return training, validation
