"""``python -m benchmarks.faultbench``."""

import sys

from benchmarks.faultbench.run import main

if __name__ == "__main__":
    sys.exit(main())
