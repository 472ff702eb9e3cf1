"""``python -m tdshm``: the command ``tdshm``."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run the command with the arguments of this program, and end with its exit status."""
    from ._tdshm import _run

    # What Ctrl-C does is the command's to say; until it does, it ends the process.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_run(sys.argv[1:], [sys.executable, "-m", "tdshm"]))


if __name__ == "__main__":
    main()
