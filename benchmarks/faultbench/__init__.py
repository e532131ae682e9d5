"""FaultBench: transfer-learning programs with faults planted in them, and what tlfix makes of them.

``python -m benchmarks.faultbench --help``; see README.md beside this file.
"""
