"""What of an exception's message, or of a process's last output, tells a reader something."""

from __future__ import annotations

import re

_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_GRAPH = "Graph execution error"
_CALLING = re.compile(r"Exception encountered when calling .*\.$")
# TensorFlow's names for nodes and functions inside the graph say nothing of the program.
_NODE = re.compile(r"\s*(\[\[.*?\]\]|\[Op:[^\]]*\])")
_ROOTS = re.compile(r"\d+ root error\(s\) found\.|\d+ (successful|derived) .*")
_ROOT = re.compile(r"\(\d+\) ")
_PLACE = "Detected at node"
_FRAME = re.compile(r'File ".*", line \d+')
_NOISE = re.compile(
    r"WARNING: All log messages before absl::InitializeLog"
    r"|[IWE]\d{4} \d\d:\d\d:"  # absl's prefix: severity, month and day, time
    r"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] "  # TensorFlow's own, before 2.17
    r"|(WARNING|INFO):(tensorflow|absl|root):"
    r"|To enable the following instructions: "
    r"|\s*\[\[\{\{"
)


def message(text: str) -> str:
    """The line of an exception's message that says what was wrong, empty for an empty message.

    The first line, except where it is known to say nothing: TensorFlow's ``Graph execution error:``
    puts the reason last, behind the frames of Keras; Keras puts it below the name of the layer.
    """
    lines = [line for raw in _STYLE.sub("", text).splitlines() if (line := raw.strip())]
    if not lines:
        return ""
    if lines[0].startswith(_GRAPH):
        return _graph(lines) or lines[0]
    if _CALLING.match(lines[0]) and len(lines) > 1:
        return lines[1]
    return lines[0]


def output(text: str, most: int = 3) -> list[str]:
    """The last ``most`` lines of a process's output that are no library's log."""
    lines = (line.strip() for line in _STYLE.sub("", text).splitlines() if not _NOISE.match(line))
    return [line for line in lines if line][-most:]


def _graph(lines: list[str]) -> str:
    """The reason of a graph execution error: what stands behind the last frame, without nodes."""
    start = max((at for at, line in enumerate(lines) if _FRAME.match(line)), default=0) + 1
    told = (_ROOT.sub("", _NODE.sub("", line)).strip() for line in lines[start:])
    kept = (line for line in told if line and not _ROOTS.match(line))
    return " ".join(dict.fromkeys(line for line in kept if not line.startswith(_PLACE)))
