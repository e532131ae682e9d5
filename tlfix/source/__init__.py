"""Source files in and out, byte for byte except where patched."""

from tlfix.source.patch import patch, relocate, unified_diff
from tlfix.source.script import Script, SourceError, encode, load

__all__ = ["Script", "SourceError", "encode", "load", "patch", "relocate", "unified_diff"]
