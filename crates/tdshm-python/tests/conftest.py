"""Names that nobody else has, other processes, and a look at what is left behind."""

from __future__ import annotations

import itertools
import os
import pathlib
import shutil
import subprocess
import sys
import threading

import pytest

import tdshm

COUNTER = itertools.count()
# A test that takes longer than this hangs: whatever the machine.
WATCHDOG = float(os.environ.get("TDSHM_TEST_SECONDS", "60"))


@pytest.fixture
def name():
    """A name of this test's own; what is left of it is removed, and must be no segment of the living."""
    name = f"py{os.getpid()}_{next(COUNTER)}"
    yield name
    for swept in tdshm.clean(name):
        assert swept.fate == "removed", swept


@pytest.fixture
def names():
    """As many names as a test wants."""
    given = []

    def another():
        given.append(f"py{os.getpid()}_{next(COUNTER)}")
        return given[-1]

    yield another
    if given:
        for swept in tdshm.clean(*given):
            assert swept.fate == "removed", swept


@pytest.fixture(scope="session")
def command():
    """The command `tdshm` that the Rust workspace builds, which shares no process with us."""
    found = os.environ.get("TDSHM_COMMAND") or shutil.which("tdshm")
    assert found, "say in TDSHM_COMMAND where the command tdshm is"
    return found


@pytest.fixture
def python():
    """Starts another Python with a program; it ends with the test."""
    started = []

    def start(program, *args, **options):
        process = subprocess.Popen(
            [sys.executable, "-c", program, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **options,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


REAL_STDERR = sys.__stderr__


def pytest_configure(config):
    """Keeps the standard error that people see: while a test runs, pytest has another one there."""
    global REAL_STDERR
    REAL_STDERR = os.fdopen(os.dup(2), "w")


@pytest.fixture(autouse=True)
def watchdog():
    """Ends everything where a test hangs, and says where."""
    import faulthandler

    faulthandler.dump_traceback_later(WATCHDOG, exit=True, file=REAL_STDERR)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture
def thread():
    """Runs a function in a thread, and gives what it returned or raised."""
    running = []

    class Result:
        def __init__(self, function):
            self.value, self.error = None, None

            def run():
                try:
                    self.value = function()
                except BaseException as error:
                    self.error = error

            self.thread = threading.Thread(target=run, daemon=True)
            self.thread.start()
            running.append(self)

        def result(self):
            self.thread.join(WATCHDOG)
            assert not self.thread.is_alive()
            if self.error is not None:
                raise self.error
            return self.value

    yield Result


DATA = pathlib.Path(os.environ.get("TDSHM_TEST_DATA", pathlib.Path(__file__).parent / "data"))
