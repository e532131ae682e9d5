"""The training images without the program's random augmentation, or with it.

Two kinds are seen: an ``ImageDataGenerator``, whose sampled images are already augmented and are
read again without; and random layers in front of the backbone, which do nothing in the inference
mode of every other instrument and have to be given their turn.
"""

from __future__ import annotations

import copy
import random
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlfix_agent import orders, transforms
from tlfix_agent.feed import Sample

NEUTRAL: dict[str, Any] = {
    "rotation_range": 0,
    "width_shift_range": 0.0,
    "height_shift_range": 0.0,
    "shear_range": 0.0,
    "zoom_range": [1.0, 1.0],
    "channel_shift_range": 0.0,
    "brightness_range": None,
    "horizontal_flip": False,
    "vertical_flip": False,
}
"""The random settings of an ``ImageDataGenerator``, and what switches each off."""


@dataclass(frozen=True)
class Source:
    """An image iterator as it stood when it was sampled: ``rows`` is the order it had then."""

    iterator: Any
    rows: np.ndarray


def source_of(data: Any) -> Source | None:
    """What is needed to read the sampled images of ``data`` again, if a generator augments them."""
    generator = getattr(data, "image_data_generator", None)
    rows = getattr(data, "index_array", None)
    if generator is None or rows is None or not transforms.of_generator(generator):
        return None
    return Source(data, np.array(rows))


def without(source: Source, sample: Sample, seconds: float) -> Sample | None:
    """The images of ``sample`` read again without augmentation, in the same order.

    None if their labels turn out to be others (the data are not what they were), or if ``seconds``
    run out. The random states of ``random`` and ``numpy.random`` are put back.
    """
    if sample.labels is None:
        return None
    iterator = copy.copy(source.iterator)
    iterator.image_data_generator = plain = copy.copy(source.iterator.image_data_generator)
    for name, neutral in NEUTRAL.items():
        if hasattr(plain, name):
            setattr(plain, name, neutral)
    size, until = iterator.batch_size, time.monotonic() + seconds
    images: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    state = random.getstate(), np.random.get_state()
    try:
        for index in orders.permuted(len(iterator)):
            rows = source.rows[size * index : size * (index + 1)]
            batch = iterator._get_batches_of_transformed_samples(rows)
            images.append(batch[0])
            labels.append(batch[1])
            if sum(map(len, images)) >= len(sample):
                break
            if time.monotonic() > until:
                return None
    finally:
        random.setstate(state[0])
        np.random.set_state(state[1])
    inputs, classes = np.concatenate(images), np.concatenate(labels)
    chosen = np.unique(np.linspace(0, len(inputs) - 1, len(sample)).astype(int))
    inputs, classes = inputs[chosen], classes[chosen]
    if inputs.shape != sample.inputs.shape or not np.array_equal(classes, sample.labels):
        return None
    return Sample(inputs, classes)
