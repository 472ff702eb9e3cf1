"""`python -m tdshm` and the script `tdshm` are the command."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

import tdshm

MODULE = [sys.executable, "-m", "tdshm"]
SCRIPT = [str(pathlib.Path(sys.executable).with_name("tdshm" + (".exe" if os.name == "nt" else "")))]


def run(command, *arguments, **options):
    return subprocess.run([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


@pytest.fixture(params=[MODULE, SCRIPT], ids=["module", "script"])
def ours(request):
    return request.param


def test_help_version_and_mistakes_are_the_commands(ours, command):
    for arguments in (["--version"], ["--help"], ["send", "--help"], [], ["send"], ["frobnicate"], ["list", "--json"]):
        mine, theirs = run(ours, *arguments), run([command], *arguments)
        assert mine.returncode == theirs.returncode, arguments
        if arguments != ["list", "--json"]:  # other tests come and go meanwhile
            assert (mine.stdout, mine.stderr) == (theirs.stdout, theirs.stderr), arguments
    assert tdshm.__version__ in run(ours, "--version").stdout


def test_an_error_is_status_1(ours, name):
    failed = run(ours, "info", name)
    assert failed.returncode == 1 and name in failed.stderr


def test_it_sends_and_watches(ours, name):
    with tdshm.ChopReceiver(name) as receiver:
        sent = run(ours, "send", name, "--wave", "constant", "--channels", "tx,ty", "--frames", "3", "--quiet")
        assert sent.returncode == 0, sent.stderr
    with tdshm.ChopSender(name, ["tx"]) as sender:
        sender.send([0.5])
        watched = run(ours, "watch", name, "--frames", "1", "--format", "csv", "--quiet")
        assert watched.stdout.split() == ["tx", "0.5"]
    del receiver


def test_it_starts_itself_again(ours):
    # The demo starts a second process: this very command.
    done = run(ours, "demo", "--seconds", "1")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(os.name == "nt", reason="no signal to one process alone")
@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_detach_and_have_the_commands_status(ours, name, number, status):
    sender = subprocess.Popen([*ours, "send", name, "--quiet"])
    with tdshm.ChopReceiver(name) as receiver:
        assert receiver.wait() is not None
        sender.send_signal(number)
        assert sender.wait() == status
        assert name not in {segment.name for segment in tdshm.list()}


@pytest.mark.skipif(os.name == "nt", reason="a pipe of Windows' own")
def test_a_closed_pipe_is_no_error(ours, name):
    with tdshm.ChopSender(name) as sender:
        sender.send([1])
        watch = subprocess.Popen(
            [*ours, "watch", name, "--format", "csv"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert watch.stdout.readline() == b"chan1\n"
        watch.stdout.close()
        number = 0
        while watch.poll() is None:
            number += 1
            sender.send([number])
        assert watch.returncode == 0 and b"Traceback" not in watch.stderr.read()
        watch.stderr.close()
