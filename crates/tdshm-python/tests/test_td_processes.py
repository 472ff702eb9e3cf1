"""Networks in two processes, and in real time (operators §2, §9.3)."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

import pytest
from td_kit import Child, name, network, unique  # noqa: F401

import tdshm
from tdshm import td

SENDER = """
import sys
from tdshm import td
name, kind, memtype, global_name = sys.argv[1:]
network = td.Network()
network.project.globalName = global_name
source = network.create("constant" + kind, "source")
out = network.create("sharedmemout" + kind, "out")
out.par.name, out.par.memtype = name, memtype
if kind == "TOP":
    out.par.downloadtype, out.par.format = "immediate", "useinput"
    source.par.outputresolution, source.par.resolutionw, source.par.resolutionh, source.par.format = "custom", 3, 2, "rgba32float"
else:
    source.par.const0name, source.par.const1name = "tx", "frame"
out.setInputs([source])
print("ready")
for line in sys.stdin:
    command, *numbers = line.split()
    if command == "die":
        import os
        os._exit(9)
    if command == "end":
        break
    if command == "active":
        out.par.active = int(numbers[0])
    elif kind == "TOP":
        source.par.colorr = float(numbers[0])
    else:
        source.par.const0value = float(numbers[0])
        source.par.const1value = network.absTime.frame + 1
    network.cook()
    print("errors " + out.errors() if out.errors() else "done")
"""


def first(n: Any) -> float:
    """The first number of what it puts out."""
    if isinstance(n, td.TOP):
        return n.sample(x=0, y=0)[0]
    value: float = n[0].eval()
    return value


@pytest.mark.parametrize("memtype", ["local", "global"])
@pytest.mark.parametrize("kind", ["CHOP", "TOP"])
def test_out_in_one_python_and_in_in_another(network: td.Network, name: str, kind: str, memtype: str) -> None:
    n = network.create("sharedmemin" + kind)
    n.par.name, n.par.memtype = name, memtype
    if kind == "TOP":
        n.par.format = "useinput"
    n.viewer = True
    network.cook()
    assert n.errors() == "" and ("not found" in n.warnings() or "No Global sender" in n.warnings())
    with Child(SENDER, name, kind, memtype, network.project.globalName) as sender:
        assert sender.line() == "ready"
        for value in (0.5, 0.25):
            sender.tell(f"set {value}")
            assert sender.line() == "done"
            network.cook()
            assert n.warnings() == n.errors() == "" and first(n) == value
        if kind == "CHOP":
            assert [c.name for c in n] == ["tx", "frame"] and n["frame"] == 2
        else:
            assert (n.width, n.height) == (3, 2)
        assert n.info("shm")["shm_connected"] == 1 and n.info("shm")["shm_frames"] == 2
        # A second sender of the name is refused, by the process that has it.
        with td.Network() as second:
            second.project.globalName = network.project.globalName
            out = second.create("sharedmemout" + kind)
            out.par.name, out.par.memtype = name, memtype
            out.setInputs([second.create("constant" + kind)])
            second.cook(2)
            assert str(sender.process.pid) in out.errors() and "already" in out.errors()
        sender.tell("active 0")
        sender.line()
        network.cook()
        assert first(n) == 0.25 and n.warnings() != "", "the last data stays, with a warning"
        sender.tell("active 1")
        assert sender.line() == "done"
        sender.tell("set 0.75")
        sender.line()
        network.cook(2)
        assert first(n) == 0.75 and n.warnings() == ""
        assert sender.end("end")[0] == 0
    network.cook()
    assert first(n) == 0.75 and n.warnings() != ""


def test_a_sender_that_dies_is_followed_by_the_next(network: td.Network, name: str) -> None:
    n = network.create(td.sharedmeminCHOP)
    n.par.name = name
    for turn in (1, 2, 3):
        with Child(SENDER, name, "CHOP", "local", unique()) as sender:
            sender.line()
            sender.tell(f"set {turn}")
            assert sender.line() == "done"
            network.cook()
            assert n["tx"] == turn and n.warnings() == ""
            assert sender.end("die")[0] == 9
        network.cook()
        assert n["tx"] == turn, "the last data stays"


def test_a_network_is_dropped_while_it_sends(name: str) -> None:
    for turn in range(20):
        network = td.Network()
        out = network.create(td.sharedmemoutCHOP)
        out.par.name = name
        out.setInputs([network.create(td.constantCHOP)])
        network.cook(turn % 3)
        del network, out
        assert name not in [segment.name for segment in tdshm.list()]


def test_run_keeps_to_the_rate(network: td.Network) -> None:
    network.project.cookRate = 200
    began = time.monotonic()
    network.run(frames=21)
    assert network.absTime.frame >= 21 and time.monotonic() - began >= 20 / 200
    frame = network.absTime.frame
    began = time.monotonic()
    network.run(0.1)
    assert time.monotonic() - began >= 19 / 200 and network.absTime.frame >= frame + 20
    network.run(until=lambda: network.absTime.frame >= frame + 40)
    assert network.absTime.frame >= frame + 40
    network.run(0)
    network.run(frames=0)


def test_frames_without_time_are_left_out_unless_all_are_wanted(network: td.Network) -> None:
    slow = network.create(td.scriptCHOP)
    frames: list[int] = []

    def onCook(op: Any) -> None:
        frames.append(network.absTime.frame)
        op.clear()
        op.appendChan("a")
        end = time.monotonic() + 0.02
        while time.monotonic() < end:
            pass

    slow.onCook = onCook
    slow.viewer = True
    slow.par.timeslice = True
    network.project.cookRate = 1000
    network.run(frames=4)
    assert len(frames) == 4 and frames[1] - frames[0] >= 10, "twenty frames a cook"
    network.project.realTime = False
    frames.clear()
    network.run(frames=4)
    assert [later - frames[0] for later in frames] == [0, 1, 2, 3]


RUNNER = """
import sys
from tdshm import td
network = td.Network(cookRate=100)
n = network.create(td.scriptCHOP)
turns = 0
def onCook(op):
    global turns
    turns += 1
    op.clear()
    op.appendChan("a")
    if turns == 2:
        print("running")
n.onCook = onCook
n.viewer = True
n.par.timeslice = True
try:
    network.run()
except KeyboardInterrupt:
    print("interrupted")
    network.cook()
    print("usable")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="nothing there sends Ctrl-C to a process alone")
def test_ctrl_c_ends_a_run() -> None:
    with Child(RUNNER) as child:
        assert child.line() == "running"
        child.process.send_signal(signal.SIGINT)
        assert child.end() == (0, "interrupted\nusable\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_network_is_refused_in_a_forked_process(network: td.Network) -> None:
    program = """
import os, sys
from tdshm import ForkedError, td
network = td.Network()
made = td.root
pid = os.fork()
if pid:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
td.Network().cook()
td.network.cook()
for use in (
    network.cook,
    lambda: network.root.children,
    lambda: network.create(td.nullCHOP),
    lambda: network.project.cookRate,
    lambda: network.loads(""),
    lambda: made.children,
    lambda: made.valid,
    network.close,
):
    try:
        use()
        os._exit(1)
    except ForkedError as error:
        assert "make one here" in str(error)
os._exit(7)
"""
    with Child(program) as child:
        assert child.end()[0] == 7


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_forked_process_waits_for_no_thread_of_its_parent() -> None:
    program = """
import os, sys, threading, warnings
from tdshm import ForkedError, td
warnings.simplefilter("ignore")
network = td.Network()
level = network.create(td.constantCHOP)
script = network.create(td.scriptCHOP)
entered, leave = threading.Event(), threading.Event()
def onCook(op):
    entered.set()
    leave.wait()
script.onCook = onCook
cook = threading.Thread(target=script.cook, args=[True])
cook.start()
entered.wait()
pid = os.fork()
if pid == 0:
    try:
        level.par.const0value.eval()
    except ForkedError:
        os._exit(7)
    os._exit(1)
leave.set()
cook.join()
sys.exit(os.waitpid(pid, 0)[1] >> 8)
"""
    with Child(program) as child:
        assert child.end()[0] == 7


@pytest.mark.parametrize(
    "script",
    [
        "while True: pass",
        "time.sleep(0.2)",
        "network.op('script1').numChans",
    ],
)
def test_the_interpreter_ends_while_daemon_threads_cook(script: str) -> None:
    program = f"""
import threading, time
from tdshm import td
network = td.Network()
cooking = threading.Event()
def onCook(op):
    cooking.set()
    {script}
made = network.create(td.scriptCHOP)
made.onCook = onCook
def cook():
    while True:
        made.cook(force=True)
for _ in range(3):
    threading.Thread(target=cook, daemon=True).start()
cooking.wait()
"""
    with Child(program) as child:
        assert child.end() == (0, "", "")


@pytest.mark.parametrize("kept", ["", "atexit.register(str, td.network)", "sys.kept = td.root"])
def test_the_end_of_the_interpreter_leaves_the_segments(name: str, kept: str) -> None:
    program = """
import atexit, sys
from tdshm import td
out = td.root.create(td.sharedmemoutCHOP, "out")
out.par.name = sys.argv[1]
def onCook(op):
    op.clear()
    op.appendChan("a")
source = td.root.create(td.scriptCHOP)
source.onCook = onCook
out.setInputs([source])
td.network.cook()
print("sent", out.errors())
sys.stdin.readline()
"""
    with Child(program + kept, name) as child:
        assert child.line() == "sent"
        assert name in [segment.name for segment in tdshm.list()]
        status, _, errors = child.end("\n")
        assert (status, errors) == (0, "")
    assert name not in [segment.name for segment in tdshm.list()]
