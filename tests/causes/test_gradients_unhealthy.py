from __future__ import annotations

from typing import Any

import pytest

from tests.traces import evaluation, falling, fit, flat, place, probe, trace
from tlfix.causes.gradients_unhealthy import CAUSE
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import CompileSeen, GradientsSeen, LayerGradient, Trace
from tlfix.program.reader import read
from tlfix.symptoms.registry import measure_all

TEXT = """\
import keras

model = keras.Sequential([keras.layers.Dense(64, activation="relu"), keras.layers.Dense(8)])
model.compile(optimizer={}, loss="sparse_categorical_crossentropy")
model.fit(train_ds)
"""
RISING = [2.1 + 0.3 * i for i in range(40)]
AT_CHANCE = (evaluation("training", 0.12, loss=2.1), evaluation("validation", 0.13, loss=2.1))


def program(optimizer: str = '"adam"') -> str:
    return TEXT.format(optimizer)


def find(text: str, seen: Trace | None = None) -> list[Finding]:
    symptoms = {} if seen is None else measure_all(seen)
    return list(CAUSE.find(Case(read(text, "train.py"), seen, symptoms)))


def layer(name: str = "dense", **other: Any) -> LayerGradient:
    fields: dict[str, Any] = {"kind": "Dense", "norm": 0.4, "weight_norm": 1.0}
    return LayerGradient(layer=name, **(fields | other))


def seen(
    *layers: LayerGradient,
    weights: str = "initial",
    losses: list[float | None] | list[float] | None = None,
    **other: Any,
) -> Trace:
    gradients = GradientsSeen(weights=weights, batches=4, layers=layers)
    fields: dict[str, Any] = {
        "site": place(5),
        "compiled": CompileSeen(site=place(4), loss="sparse_categorical_crossentropy"),
        "gradients": (gradients,),
    }
    return trace(fit(falling(60) if losses is None else losses, **(fields | other)))


def test_the_source_alone_tells_nothing() -> None:
    assert find(program()) == []


@pytest.mark.parametrize("ratio", [1e-3, 0.4, 2.0, 100.0])
def test_ordinary_gradients(ratio: float) -> None:
    assert find(program(), seen(layer(norm=ratio), layer("frozen", norm=None))) == []


class TestNotFinite:
    def test_before_any_step_it_is_an_error(self) -> None:
        (finding,) = find(program(), seen(layer(), layer("out", norm=None, finite=False)))
        assert (finding.severity, finding.confidence) == ("error", "certain")
        assert "`out`" in finding.evidence[0].summary

    def test_after_training_it_is_a_consequence(self) -> None:
        broken = layer(norm=None, finite=False)
        trace_ = seen(broken, weights="trained", losses=[2.0, None, None])
        (finding,) = find(program(), trace_)
        assert (finding.severity, finding.explains) == ("warning", ("loss-not-finite",))


class TestExploding:
    def test_with_a_growing_loss(self) -> None:
        text = program("keras.optimizers.SGD(0.01)")
        (finding,) = find(text, seen(layer(norm=5e4), losses=RISING))
        assert (finding.severity, finding.confidence) == ("warning", "likely")
        assert finding.explains == ("loss-diverging",)
        assert finding.remedy is not None
        after = transform(text, finding.remedy.codemod, finding.remedy.edits["train.py"])
        assert after == program("keras.optimizers.SGD(0.01, clipnorm=1.0)")

    @pytest.mark.parametrize(
        "optimizer",
        ['"sgd"', "keras.optimizers.SGD(clipvalue=1.0)", "keras.optimizers.SGD(**o)", "make()"],
    )
    def test_where_nothing_can_be_clipped_there_is_advice(self, optimizer: str) -> None:
        (finding,) = find(program(optimizer), seen(layer(norm=5e4), losses=RISING))
        assert finding.remedy is None
        assert finding.advice is not None and "clipnorm" in finding.advice

    def test_without_harm_a_note_or_nothing(self) -> None:
        (finding,) = find(program(), seen(layer(norm=5e4)))
        assert finding.severity == "note"
        good = {"probes": (probe("as-is", 0.9),), "evaluations": (evaluation("validation", 0.9),)}
        assert find(program(), seen(layer(norm=5e4), **good)) == []


class TestVanishing:
    small = (layer(norm=1e-9), layer("two", norm=1e-10), layer("three"))

    def test_while_the_loss_stands_still(self) -> None:
        (finding,) = find(program(), seen(*self.small, losses=flat(40)))
        assert finding.severity == "warning"
        assert "flat-loss" in finding.explains
        assert "`two`" in finding.evidence[0].summary

    def test_a_loss_that_moves(self) -> None:
        assert find(program(), seen(*self.small)) == []

    def test_one_small_layer_of_many(self) -> None:
        assert (
            find(program(), seen(layer(norm=1e-9), layer("b"), layer("c"), losses=flat(40))) == []
        )


class TestFading:
    names = ("one", "two", "three", "four")

    def deep(self, *norms: float) -> tuple[LayerGradient, ...]:
        pairs = zip(self.names, norms, strict=True)
        return tuple(layer(name, norm=norm, part="head") for name, norm in pairs)

    def test_layer_by_layer_in_a_model_that_falls_behind(self) -> None:
        behind = seen(*self.deep(1e-6, 3e-5, 1e-3, 1.0), losses=flat(120), evaluations=AT_CHANCE)
        (finding,) = find(program(), behind)
        assert (finding.severity, finding.confidence) == ("warning", "likely")
        assert "`one`" in finding.evidence[0].summary and "`four`" in finding.evidence[0].summary

    @pytest.mark.parametrize("norms", [(1e-3, 1e-2, 0.1, 1.0), (1e-7, 1.0, 1.0, 1.0)])
    def test_not_what_sigmoids_do_nor_one_layer_of_large_weights(
        self, norms: tuple[float, ...]
    ) -> None:
        behind = seen(*self.deep(*norms), losses=flat(120), evaluations=AT_CHANCE)
        assert find(program(), behind) == []

    def test_a_model_that_learns(self) -> None:
        assert find(program(), seen(*self.deep(1e-6, 3e-5, 1e-3, 1.0))) == []


class TestDead:
    def test_a_stuck_model(self) -> None:
        trace_ = seen(layer(dead=0.97), losses=flat(120), evaluations=AT_CHANCE)
        (finding,) = find(program(), trace_)
        assert (finding.severity, finding.confidence) == ("warning", "likely")
        assert finding.evidence[0].measured[0].value == 0.97

    def test_a_model_that_learns(self) -> None:
        (finding,) = find(program(), seen(layer(dead=0.97)))
        assert finding.severity == "note"

    @pytest.mark.parametrize(
        "other", [{"dead": 0.5}, {"dead": None}, {"dead": 0.97, "part": "backbone"}]
    )
    def test_otherwise_nothing(self, other: dict[str, Any]) -> None:
        assert find(program(), seen(layer(**other), losses=flat(40))) == []


def test_other_causes_account_for_it() -> None:
    assert {"preprocessing-missing", "learning-rate-high", "activation-loss-mismatch"} <= set(
        CAUSE.after
    )
