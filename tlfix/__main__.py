"""``python -m tlfix``."""

from tlfix.cli import main

if __name__ == "__main__":
    main()
