"""The symptoms, one statistical test of the trace per file; the file's name is the symptom's id."""
