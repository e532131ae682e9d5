from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.causes.scaling_cases import CAFFE
from tests.traces import RAW, TF, UNIT, backbone, door, probe
from tlfix.evidence.derive_scalings import FILE
from tlfix.evidence.scaling import (
    affine,
    compose,
    expected_by,
    grade,
    judge,
    judge_steps,
    same,
    sign_test,
)


@pytest.mark.parametrize(
    ("scale", "offset", "name"),
    [
        (1.0, 0.0, "raw"),
        (1 / 255, 0.0, "unit"),
        (1 / 256, 0.0, "unit"),
        (1 / 127.5, -1.0, "tf"),
        (1 / 128, -1.0, "tf"),
        (2 / 255, 0.0, "other"),
        (1 / 127.5, 0.0, "other"),
    ],
)
def test_scalings_are_named(scale: float, offset: float, name: str) -> None:
    assert affine(scale, offset).name == name


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("mobilenet_v2", "tf"),
        ("inception_v3", "tf"),
        ("resnet50", "caffe"),
        ("vgg16", "caffe"),
        ("densenet", "torch"),
        ("efficientnet", "raw"),
    ],
)
def test_what_networks_expect(module: str, name: str) -> None:
    found = expected_by(module)
    assert found is not None and found.name == name


def test_composition() -> None:
    assert compose().name == "raw"
    assert compose(UNIT, affine(2.0, -1.0)).name == "tf"
    assert compose(UNIT, TF).name == "unit+tf"
    assert compose(CAFFE, UNIT).source == (2, 1, 0)
    back = compose(CAFFE, CAFFE)
    assert back.source == (0, 1, 2) and back.offset[0] == pytest.approx(-123.68 - 103.939)


def test_channel_order_is_part_of_a_scaling() -> None:
    rgb = CAFFE.model_copy(update={"source": (0, 1, 2)})
    assert not same(rgb, CAFFE)


def test_verdicts() -> None:
    assert judge(TF, TF) == "right"
    assert judge(RAW, TF) == "missing"
    assert judge(UNIT, TF) == "mismatch"
    assert judge(UNIT, RAW) == "double"
    assert judge(compose(UNIT, TF), TF) == "double"
    assert judge_steps((affine(2.0, -1.0), UNIT), TF) == "right"  # the order is not certain
    assert judge_steps((UNIT,) * 4, TF) == "unclear"


def test_the_sign_test_is_exact() -> None:
    better = probe("expected", 1.0, n=5, correct=(True,) * 5)
    worse = probe("as-is", 0.0, n=5, correct=(False,) * 5)
    assert sign_test(better, worse) == 1 / 32
    assert sign_test(worse, better) == 1.0
    assert sign_test(better, probe("as-is", 0.5, n=4)) is None


@pytest.mark.parametrize(
    ("divergence", "after", "as_is", "expected", "severity"),
    [
        (24_382, 0.02, None, None, "error"),
        (43.0, 0.02, 0.21, 0.91, "error"),
        (2.8, 0.02, 0.85, 0.86, "warning"),
        (12.0, 5.0, None, None, "warning"),  # a domain shift on top: the ratio is small
        (0.02, 0.4, None, None, "note"),
        (None, None, None, None, "warning"),  # no BatchNorm, nothing measured
    ],
)
def test_severity_follows_the_measurement(
    divergence: float | None,
    after: float | None,
    as_is: float | None,
    expected: float | None,
    severity: str,
) -> None:
    seen = door(UNIT, divergence=divergence, divergence_expected=after)
    probes = [
        None if a is None else probe(n, a) for n, a in (("as-is", as_is), ("expected", expected))
    ]
    assert grade(seen, backbone(), *probes)[0] == severity


@pytest.mark.probe
def test_the_table_is_what_the_installed_keras_does() -> None:
    code = "import json, tlfix.evidence.derive_scalings as d; print(json.dumps(d.derive()))"
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    derived = json.loads(run.stdout.splitlines()[-1])
    table = json.loads(FILE.read_text())
    assert derived.keys() == table.keys()
    for module, row in derived.items():
        for part in ("scale", "offset", "source"):
            assert row[part] == pytest.approx(table[module][part], abs=1e-4), module
