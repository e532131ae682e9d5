"""The root causes, one per file; the file's name is the cause's id."""
