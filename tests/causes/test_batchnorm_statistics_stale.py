from __future__ import annotations

from typing import Any

import pytest

from tests.causes.batchnorm_cases import ran, seen, tuned
from tests.traces import model
from tlfix.causes import backbone_unfrozen, batchnorm_training_mode
from tlfix.causes.batchnorm_statistics_stale import CAUSE
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import FitSeen, Trace
from tlfix.program.reader import read
from tlfix.ranking import examine

TEXT = CAUSE.examples.sick
PRETRAINED = batchnorm_training_mode.CAUSE.examples.sick


def find(text: str, trace: Trace | None = None) -> list[Finding]:
    return list(CAUSE.find(Case(read(text, "train.py"), trace)))


def own(accuracy: float, recalibrated: float, **other: Any) -> Trace:
    """A network without a backbone, trained for 60 steps."""
    plain = model(backbones=(), backbone_parameters=0, backbone_training_mode=None)
    momentum = other.pop("momentum", 0.99)
    batchnorm = seen(accuracy, recalibrated, momentum=momentum, layers=1, updating=1)
    return ran(tuned(batchnorm, 0.9, accuracy, **({"model": plain} | other)))


def test_the_source_alone_tells_nothing() -> None:
    assert find(TEXT) == []


def test_layers_of_its_own_get_a_lower_momentum() -> None:
    (finding,) = find(TEXT, own(0.13, 0.85))
    assert (finding.severity, finding.confidence) == ("warning", "certain")
    assert finding.cost == pytest.approx(0.72)
    assert "55% of the statistics are still from before" in finding.evidence[1].summary
    assert finding.remedy is not None
    cured = transform(TEXT, finding.remedy.codemod, finding.remedy.edits["train.py"])
    assert cured == CAUSE.examples.healthy


def test_no_lower_momentum_can_be_set() -> None:
    text = TEXT.replace("Normalization()", "Normalization(momentum=0.9)")
    (finding,) = find(text, own(0.13, 0.85))
    assert finding.remedy is None and finding.advice


@pytest.mark.parametrize(
    ("accuracy", "recalibrated"),
    [(0.8, 0.83), (0.8, 0.8), (0.85, 0.6)],
)
def test_no_significant_gain(accuracy: float, recalibrated: float) -> None:
    assert find(TEXT, own(accuracy, recalibrated)) == []


def test_statistics_that_have_caught_up_do_not_lag() -> None:
    assert find(TEXT, own(0.5, 0.8, momentum=0.9)) == []  # 0.9 ** 60 is 0.2 %


def test_a_training_cut_short_may_catch_up() -> None:
    (finding,) = find(TEXT, own(0.13, 0.85, ended="budget", epochs=100))
    assert finding.severity == "note" and finding.remedy is None
    (finding,) = find(TEXT, own(0.13, 0.85, ended="budget", epochs=100, momentum=0.999))
    assert finding.severity == "warning"  # 1,600 steps leave a fifth


def test_steps_of_all_stages_count() -> None:
    one = own(0.13, 0.85).fits[0]
    stages = [one.model_copy(update={"index": i}) for i in range(6)]
    assert len(find(TEXT, ran(*stages))) == 4  # after 5 stages 0.99 ** 300 is 4.9 %


def test_what_does_not_update_cannot_lag() -> None:
    frozen = tuned(seen(0.13, 0.85, updating=0), 0.9, 0.13)
    assert find(PRETRAINED, ran(frozen)) == []


def leading(fit: FitSeen, text: str = PRETRAINED) -> dict[str, str]:
    specs = (CAUSE, batchnorm_training_mode.CAUSE, backbone_unfrozen.CAUSE)
    case = Case(read(text, "train.py"), ran(fit))
    ranked = examine(case, {"train.py": text}, specs=specs, strict=True).ranked
    return {item.cause.id: item.cause.severity for item in ranked}


class TestWhichLeads:
    def test_at_chance_a_pretrained_backbone_has_stale_statistics(self) -> None:
        fit = tuned(seen(0.13, 0.85), 0.9, 0.13)
        fit = fit.model_copy(update={"model": fit.model.model_copy(update={"head_parameters": 0})})
        assert leading(fit) == {
            "batchnorm-statistics-stale": "warning",
            "batchnorm-training-mode": "note",
        }
        (finding,) = find(PRETRAINED, ran(fit))
        assert finding.remedy is not None
        cured = transform(PRETRAINED, finding.remedy.codemod, finding.remedy.edits["train.py"])
        assert cured == batchnorm_training_mode.CAUSE.examples.healthy

    def test_a_lesser_loss_is_training_mode(self) -> None:
        fit = tuned(seen(0.5, 0.85), 0.9, 0.5)
        fit = fit.model_copy(update={"model": fit.model.model_copy(update={"head_parameters": 0})})
        assert leading(fit) == {
            "batchnorm-training-mode": "warning",
            "batchnorm-statistics-stale": "note",
        }

    def test_a_fresh_head_on_an_open_backbone_is_that(self) -> None:
        text = PRETRAINED[: PRETRAINED.index("\nbase.trainable = True")].replace(
            "base.trainable = False\n", ""
        )
        fit = tuned(seen(0.13, 0.85), 0.9, 0.13)
        found = leading(fit, text)
        assert found.pop("backbone-unfrozen") in ("warning", "error")
        assert set(found.values()) == {"note"}
