"""What the tests of ``tdshm.td`` share."""

from __future__ import annotations

import atexit
import gc
import itertools
import os
import subprocess
import sys
from typing import Iterator, Optional

import pytest

import tdshm
from tdshm import td

_NUMBERS = itertools.count()

WAIT = 60
"""Seconds after which another process has hung."""


_MADE = ["doctest_td"]


def unique() -> str:
    """A name that no other test has. What is left of it goes at the end, when nobody has it open any more."""
    made = f"pytd{os.getpid()}n{next(_NUMBERS)}"
    _MADE.append(made)
    return made


@atexit.register
def _clean() -> None:
    gc.collect()
    tdshm.clean(*_MADE)


@pytest.fixture
def network() -> Iterator[td.Network]:
    with td.Network() as made:
        made.project.globalName = unique()
        yield made


@pytest.fixture
def name() -> str:
    """A name of shared memory."""
    return unique()


class Child:
    """Another Python, which runs a program and answers in lines."""

    def __init__(self, program: str, *args: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", program, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            _, errors = self.process.communicate(timeout=WAIT)
            pytest.fail(f"the other process ended: {errors}")
        return line.strip()

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self, line: Optional[str] = None) -> tuple[int, str, str]:
        """Its status, what is left of its output, and its errors."""
        out, errors = self.process.communicate(None if line is None else line + "\n", timeout=WAIT)
        return self.process.returncode, out, errors
