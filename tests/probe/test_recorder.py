"""Folding the agent's events into a trace: what was measured before a crash stays."""

from __future__ import annotations

import json

from tlfix.probe.recorder import Recorder

MODEL = {"key": 1, "kind": "functional", "backbones": [0]}


def line(event: str, **fields: object) -> bytes:
    return json.dumps({"event": event, **fields}).encode()


def recorded(*lines: bytes, status: int | None = 0, output: str = "") -> Recorder:
    recorder = Recorder(seed=3)
    for each in lines:
        recorder.add(each)
    recorder.ended(status, output)
    return recorder


def steps(*numbers: int) -> list[dict[str, object]]:
    return [{"step": n, "epoch": 0, "loss": 1.0 / n} for n in numbers]


def test_a_whole_run() -> None:
    trace = recorded(
        line("environment", python="3.11", keras="3.15"),
        line("backbone", key=0, name="MobileNetV2", weights_status="pretrained"),
        line("fit", index=0, model=MODEL, method="fit"),
        line("steps", index=0, steps=steps(1, 2), total=10),
        line("steps", index=0, steps=steps(3), total=10),
        line("fit-end", index=0, ended="budget", ran_epochs=0.5, backbone_change=0.1),
        line(
            "evaluation",
            index=0,
            split="training",
            mode="training",
            when="after",
            n=8,
            accuracy=0.5,
            batchnorm_updates=True,
        ),
        line("end", timings={"training": 1.0}),
    ).trace(9.0)
    assert (trace.status, trace.seed, trace.seconds, trace.steps) == ("completed", 3, 9.0, 3)
    (fit,) = trace.fits
    assert (fit.ended, fit.backbone_change) == ("budget", 0.1)
    assert fit.model.backbone_training_mode is True
    backbone = trace.backbone_of(fit)
    assert backbone is not None and backbone.name == "MobileNetV2"


def test_a_killed_process_keeps_what_it_measured() -> None:
    trace = recorded(
        line("fit", index=0, model=MODEL, method="fit"),
        line("steps", index=0, steps=steps(1), total=10),
        status=-9,
        output="one\ntwo\n",
    ).trace(1.0)
    assert trace.status == "crashed" and trace.steps == 1
    assert "signal 9 (out of memory?)" in (trace.reason or "") and "two" in (trace.reason or "")


def test_the_last_words_are_the_scripts_own() -> None:
    noise = "I0000 00:00:1795268630.528852   29825 cudart_stub.cc:31] Could not find cuda drivers\n"
    trace = recorded(status=1, output=f"loading\n{noise}WARNING:absl:x\n").trace(1.0)
    assert trace.reason is not None and trace.reason.endswith("It last printed: loading")


def test_a_crash_of_the_script_is_not_a_crash_of_the_probe() -> None:
    place = {"path": "/t.py", "line": 4}
    trace = recorded(
        line("crash", type="ValueError", message="no", frames=[place], site=place, during="fit"),
        line("end"),
    ).trace(1.0)
    assert trace.status == "crashed" and trace.reason == "The script raised ValueError."
    assert trace.crash is not None and trace.crash.frames[0].line == 4


def test_lines_that_are_no_events_are_left_out() -> None:
    trace = recorded(b"not json", line("something-new", x=1), line("end")).trace(1.0)
    assert trace.status == "completed" and trace.fits == ()


def test_progress_is_given_once_per_news() -> None:
    recorder = Recorder(seed=0)
    recorder.add(line("fit", index=0, model=MODEL, method="fit"))
    recorder.add(line("steps", index=0, steps=steps(1, 2), total=10))
    first, second = recorder.progress(2.0), recorder.progress(3.0)
    assert first is not None and (first["step"], first["total"], first["loss"]) == (2, 10, 0.5)
    assert second is None
