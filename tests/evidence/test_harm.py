"""Whether what enters a backbone is scaled as it was trained."""

from __future__ import annotations

import pytest

from tests.causes.scaling_cases import measured
from tests.traces import RAW, TF, UNIT
from tlfix.evidence.harm import door_is_wrong
from tlfix.probe.trace import ScalingSeen

BY_HAND = ScalingSeen(name="other", scale=(1 / 127.0,) * 3, offset=(-1.0,) * 3)


@pytest.mark.parametrize(
    ("reads", "wrong"), [(TF, False), (BY_HAND, False), (UNIT, True), (RAW, True)]
)
def test_a_scaling_is_known_by_what_it_does(reads: ScalingSeen, wrong: bool) -> None:
    trace = measured(reads)
    (fit,) = trace.fits
    assert door_is_wrong(fit, trace.backbone_of(fit)) is wrong
