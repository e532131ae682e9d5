"""The one way a repair refuses."""

from __future__ import annotations


class RepairError(Exception):
    """A repair cannot start or finish; the message is one paragraph for the user to read."""
