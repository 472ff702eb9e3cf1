"""``python -m tdshm``: the command ``tdshm``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command with the arguments of this program, and end with its exit status."""
    from ._tdshm import _run

    sys.exit(_run(sys.argv[1:], [sys.executable, "-m", "tdshm"]))


if __name__ == "__main__":
    main()
