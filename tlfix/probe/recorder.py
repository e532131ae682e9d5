"""Folds the agent's events into a :class:`~tlfix.probe.trace.Trace`."""

from __future__ import annotations

import json
from typing import Any

from tlfix.probe import last_words
from tlfix.probe.trace import Trace


class Recorder:
    """Takes events one by one; what was recorded before a crash stays."""

    def __init__(self, seed: int) -> None:
        self._fields: dict[str, Any] = {"seed": seed, "timings": {}}
        self._fits: dict[int, dict[str, Any]] = {}
        self._backbones: dict[int, dict[str, Any]] = {}
        self._notes: list[str] = []
        self._phase: dict[str, Any] = {"phase": "starting"}
        self._news = False
        self._ended = False
        self._exited = False

    def add(self, line: bytes) -> None:
        """One event; a line that is not one is left out."""
        try:
            event = json.loads(line)
        except ValueError:
            return
        kind = event.pop("event", None)
        handler = getattr(self, f"_on_{str(kind).replace('-', '_')}", None)
        if handler is not None:
            handler(event)

    def progress(self, seconds: float) -> dict[str, Any] | None:
        """The present state for a progress display, if anything changed since the last call."""
        if not self._news:
            return None
        self._news = False
        return {**self._phase, "seconds": seconds}

    @property
    def done(self) -> bool:
        """True once the agent has said its last word."""
        return self._ended

    def skip(self, reason: str) -> None:
        """The probe could not be started."""
        self._fields.update(status="skipped", reason=reason)

    def time_out(self, limit: float) -> None:
        """The script had to be killed."""
        self._fields.update(
            status="timed-out",
            reason=f"The script was still running after {limit:.0f} s and did not react; it was "
            "ended. Give it longer with --timeout.",
        )

    def ended(self, status: int | None, output: str) -> None:
        """The child process is gone; ``output`` is the end of what it printed."""
        last = last_words.output(output)
        if self._exited and last:
            self._fields["reason"] += f" It last printed: {' / '.join(last)}"
        if "status" in self._fields:
            return
        if self._ended:
            self._fields["status"] = "completed"
            return
        how = (
            f"by signal {-status}"
            if status is not None and status < 0
            else f"with exit status {status}"
        )
        hint = " (out of memory?)" if status == -9 else ""
        self._fields.update(
            status="crashed",
            reason=f"The probed process ended {how}{hint} before it could finish measuring."
            + (f" It last printed: {' / '.join(last)}" if last else ""),
        )

    def trace(self, seconds: float) -> Trace:
        """Everything recorded so far."""
        return Trace.model_validate(
            {
                **self._fields,
                "seconds": seconds,
                "notes": tuple(self._notes),
                "backbones": tuple(self._backbones.values()),
                "fits": tuple(self._fits[i] for i in sorted(self._fits)),
            }
        )

    def _fit(self, event: dict[str, Any]) -> dict[str, Any]:
        return self._fits[event.pop("index")]

    def _append(self, event: dict[str, Any], key: str) -> None:
        fit = self._fit(event)
        fit[key] = (*fit.get(key, ()), event)

    def _on_environment(self, event: dict[str, Any]) -> None:
        self._fields["environment"] = event

    def _on_phase(self, event: dict[str, Any]) -> None:
        self._phase = {"phase": event["phase"], "detail": event.get("detail", "")}
        self._news = True

    def _on_alive(self, _event: dict[str, Any]) -> None:
        self._news = True

    def _on_backbone(self, event: dict[str, Any]) -> None:
        self._backbones[event["key"]] = event

    def _on_fit(self, event: dict[str, Any]) -> None:
        self._fits[event["index"]] = event
        self._phase = {"phase": "training", "detail": f"fit {event['index'] + 1}"}
        self._news = True

    def _on_data(self, event: dict[str, Any]) -> None:
        self._fit(event).update(event)

    def _on_steps(self, event: dict[str, Any]) -> None:
        fit = self._fits[event["index"]]
        fit["steps"] = (*fit.get("steps", ()), *event["steps"])
        last = event["steps"][-1]
        self._phase = {
            "phase": "training",
            "detail": f"fit {event['index'] + 1}",
            "step": last["step"],
            "total": event.get("total"),
            "loss": last.get("loss"),
            "accuracy": last.get("accuracy"),
        }
        self._news = True

    def _on_epoch(self, event: dict[str, Any]) -> None:
        fit = self._fit(event)
        fit["epoch_logs"] = (*fit.get("epoch_logs", ()), event["logs"])

    def _on_fit_end(self, event: dict[str, Any]) -> None:
        self._fit(event).update(event)

    def _on_evaluation(self, event: dict[str, Any]) -> None:
        if event.get("mode") == "training" and "batchnorm_updates" in event:
            model = self._fits[event["index"]]["model"]
            model["backbone_training_mode"] = event["batchnorm_updates"]
        self._append(event, "evaluations")

    def _on_door(self, event: dict[str, Any]) -> None:
        self._append(event, "doors")

    def _on_door_is_input(self, event: dict[str, Any]) -> None:
        self._fit(event)["model"]["door_is_input"] = event["value"]

    def _on_probe(self, event: dict[str, Any]) -> None:
        self._append(event, "probes")

    def _on_measured(self, event: dict[str, Any]) -> None:
        """A value of one field of a fit; ``append`` adds it to the values there."""
        fit, field = self._fit(event), event["field"]
        value = event["value"]
        fit[field] = (*fit.get(field, ()), value) if event.get("append") else value

    def _on_range_test(self, event: dict[str, Any]) -> None:
        self._fit(event)["range_test"] = event

    def _on_fine_tune(self, event: dict[str, Any]) -> None:
        self._fit(event)["fine_tune"] = event

    def _on_note(self, event: dict[str, Any]) -> None:
        self._notes.append(event["text"])

    def _on_crash(self, event: dict[str, Any]) -> None:
        reason = f"The script raised {event['type']}."
        if event.get("confined"):
            reason += f" {event['confined']}"
            self._notes.append(event["confined"])
        self._fields.update(crash=event, status="crashed", reason=reason)

    def _on_exit(self, event: dict[str, Any]) -> None:
        if not self._fits:
            self._fields.update(
                status="crashed" if event["status"] else "completed",
                reason=f"The script ended itself with exit status {event['status']} before any "
                "training. If it needs arguments, give them after `--`.",
            )
            self._exited = True

    def _on_refused(self, event: dict[str, Any]) -> None:
        self.skip(event["reason"])

    def _on_timed_out(self, _event: dict[str, Any]) -> None:
        self._fields.update(
            status="timed-out" if not self._fits else "completed",
            reason="The script's time was over before it ended; what was measured until then is "
            "reported. Give it longer with --timeout.",
        )

    def _on_internal_error(self, event: dict[str, Any]) -> None:
        self._fields.update(
            status="crashed",
            reason="The probe itself failed: " + event["traceback"].strip().splitlines()[-1],
        )
        self._notes.append(event["traceback"])

    def _on_end(self, event: dict[str, Any]) -> None:
        self._fields["timings"] = event.get("timings", {})
        self._ended = True
