"""Script CHOPs, threads, and the lives of networks."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from typing import Any

import numpy as np
import pytest
from td_kit import name, network  # noqa: F401

import tdshm
from tdshm import td


def script(network: td.Network, function: Any, name: str = "script1") -> Any:
    made = network.create(td.scriptCHOP, name)
    made.onCook = function
    return made


def test_a_function_makes_the_channels(network: td.Network) -> None:
    network.create(td.constantCHOP, "level").par.const0value = 0.5
    seen = []

    def onCook(scriptOp: Any) -> None:
        seen.append((scriptOp, td.me, td.op("level"), td.parent(), td.network, td.absTime.frame))
        scriptOp.clear()
        scriptOp.numSamples = 3
        scriptOp.rate, scriptOp.start = 30, -2
        tx = scriptOp.appendChan("tx")
        tx.vals = [1, 2, 3]
        ty = scriptOp.appendChan("ty")
        ty[1] = td.op("level")[0] * 2
        tz = scriptOp.appendChan()
        tz.copyNumpyArray(np.arange(3))
        tz[-1] = 9
        assert (scriptOp.numChans, scriptOp.numSamples, scriptOp.end, scriptOp.rate, scriptOp.start) == (3, 3, 0, 30, -2)
        assert scriptOp["tx"].vals == [1, 2, 3] == list(scriptOp[0]) and scriptOp["nope"] is None
        assert [c.name for c in scriptOp.chans("* ^tx")] == ["ty", "chan3"]
        assert [c.name for c in scriptOp.chans("T[x-y]", caseSensitive=False)] == ["tx", "ty"]
        assert [c.name for c in scriptOp.chans("t*")] == ["tx", "ty"] and scriptOp.numpyArray().shape == (3, 3)
        assert tx == 3 and tx.eval(0) == 1 and tx.valid and tx.owner is scriptOp and tx.exports == [] and len(tx) == 3
        assert scriptOp.onCook is onCook

    n = script(network, onCook)
    n.cook(force=True)
    assert n.errors() == "" and n.onCook is onCook
    assert seen == [(n, n, network.op("level"), network.root, network, 0)]
    assert n.numpyArray().tolist() == [[1, 2, 3], [0, 1, 0], [0, 1, 9]] and [c.name for c in n] == ["tx", "ty", "chan3"]
    assert (n.rate, n.start, n.end, n.isTimeSlice) == (30, -2, 0, False)
    assert td.me is td.root


def test_channels_stay_until_a_script_changes_them(network: td.Network) -> None:
    def first(op: Any) -> None:
        op.copyNumpyArray([[1, 2], [3, 4]], baseName="c")

    def second(op: Any) -> None:
        op.numSamples = 3
        op["c1"][2] = 7
        op.isTimeSlice = True
        op.end = op.start + 3

    n = script(network, first)
    n.cook(force=True)
    assert n.numpyArray().tolist() == [[1, 2], [3, 4]] and [c.name for c in n] == ["c1", "c2"]
    n.onCook = second
    n.cook(force=True)
    assert n.numpyArray().tolist() == [[1, 2, 7, 0], [3, 4, 0, 0]] and n.isTimeSlice
    source = network.create(td.waveCHOP)
    n.setInputs([source])
    n.onCook = lambda op: op.copy(op.inputs[0])
    n.cook(force=True)
    assert np.array_equal(n.numpyArray(), source.numpyArray()) and not n.isTimeSlice
    n.onCook = None
    n.cook(force=True)
    assert n.onCook is None and np.array_equal(n.numpyArray(), source.numpyArray())
    for change in (n.clear, n.appendChan, lambda: n.copy(source), lambda: n.copyNumpyArray([1])):
        with pytest.raises(td.tdError, match="by its own script only"):
            change()
    with pytest.raises(TypeError, match="takes a function"):
        n.onCook = 3


def test_what_a_script_raises_is_its_error_with_the_line(network: td.Network) -> None:
    def good(op: Any) -> None:
        op.clear()
        op.appendChan("a")[0] = 1

    def bad(op: Any) -> None:
        op.appendChan("b")
        raise ValueError("nothing to say")

    n = script(network, good)
    n.cook(force=True)
    n.onCook = bad
    n.cook(force=True)
    line = bad.__code__.co_firstlineno + 2
    assert n.errors() == f"ValueError: nothing to say (line {line} of test_td_script.py, in bad)"
    assert n.numpyArray().tolist() == [[1]], "and the channels stay"
    network.cook(3)
    mistakes: list[Any] = [
        (lambda op: op.appendChan("a"), "has a channel 'a' already"),
        (lambda op: setattr(op, "rate", 0), "rate cannot be 0"),
        (lambda op: setattr(op, "numSamples", -1), "numSamples cannot be -1"),
        (lambda op: setattr(op, "numSamples", 1 << 40), "numSamples cannot be"),
        (lambda op: setattr(op, "numChans", 3), "append channels"),
        (lambda op: setattr(op[0], "vals", [1, 2]), "a has 1 samples, and was given 2"),
        (lambda op: op[0].__setitem__(1, 1.0), "no sample 1 in a"),
        (lambda op: op["nope"].eval(), "'NoneType' object has no attribute 'eval'"),
        (lambda op: op.copyNumpyArray(np.zeros((1, 1, 1))), "3 dimensions"),
        (lambda op: network.cook(), "middle of a frame"),
        (lambda op: [].pop(), "IndexError: pop from empty list"),
    ]
    for mistake, text in mistakes:
        n.onCook = mistake
        n.viewer = True
        network.cook()
        n.cook(force=True)
        if "middle of a frame" not in text:
            assert text in n.errors() and "of test_td_script.py" in n.errors(), text
    n.onCook = good
    n.cook(force=True)
    assert n.errors() == ""
    n.onCook = lambda op: (op.addError("by hand"), op.addWarning("careful"))
    n.cook(force=True)
    assert (n.errors(), n.warnings()) == ("by hand", "careful")


def test_a_script_that_uses_its_own_output_is_no_deadlock(network: td.Network) -> None:
    other = network.create(td.nullCHOP)

    def onCook(op: Any) -> None:
        count = other.numChans
        op.clear()
        op.appendChan("a")[0] = count
        network.op("null1").cook(force=True)

    n = script(network, onCook)
    other.setInputs([n])
    n.cook(force=True)
    n.cook(force=True)
    assert n[0] == 1 and "loop" in n.warnings() + other.warnings()


def test_a_step_from_within_a_frame_is_refused(network: td.Network) -> None:
    caught = []

    def onCook(op: Any) -> None:
        with pytest.raises(td.tdError, match="middle of a frame") as error:
            network.cook()
        caught.append(error)

    n = script(network, onCook)
    n.viewer = True
    network.cook()
    assert len(caught) == 1 and n.errors() == "" and network.absTime.frame == 1


def test_an_interrupt_in_a_script_comes_out_of_the_cook(network: td.Network) -> None:
    def onCook(op: Any) -> None:
        raise KeyboardInterrupt

    n = script(network, onCook)
    for cook in (lambda: n.cook(force=True), lambda: network.cook()):
        n.viewer = True
        n.par.scope = n.par.scope.eval() + " *"
        with pytest.raises(KeyboardInterrupt):
            cook()
    n.onCook = lambda op: None
    n.cook(force=True)
    network.cook()
    assert n.errors() == ""


def test_a_script_may_destroy_its_operator(network: td.Network) -> None:
    n = script(network, lambda op: op.destroy())
    n.cook(force=True)
    assert not n.valid and network.op("script1") is None and network._scripts == {}
    network.cook()


def test_threads_share_a_network(network: td.Network) -> None:
    """Some cook, with scripts that need the interpreter; others read, set and create. Nobody waits for ever."""

    def onCook(op: Any) -> None:
        op.clear()
        op.appendChan("a")[0] = td.absTime.frame

    n = script(network, onCook)
    n.viewer = True
    level = network.create(td.constantCHOP)
    problems: list[BaseException] = []
    begin = threading.Barrier(6)

    def work(what: Any) -> None:
        begin.wait()
        try:
            for turn in range(150):
                what(turn)
        except BaseException as error:
            problems.append(error)

    def make(turn: int) -> None:
        made = network.create(td.nullCHOP)
        made.setInputs([n])
        assert made.numChans <= 1
        made.destroy()

    jobs: list[Any] = [
        lambda turn: network.cook(),
        lambda turn: n.cook(force=True),
        lambda turn: level.par.const0value.__setattr__("val", turn),
        lambda turn: (level[0].eval(), n.chans("*"), n.numpyArray()),
        make,
    ]
    threads = [threading.Thread(target=work, args=(job,), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    begin.wait()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads) and problems == []
    assert n.errors() == "" and network.absTime.frame == 150


def test_the_interpreter_is_free_while_a_network_cooks(network: td.Network) -> None:
    """A script that waits for another thread gets there, although that thread has to read the network's clock first."""
    asked, told = threading.Event(), threading.Event()

    def onCook(op: Any) -> None:
        asked.set()
        assert told.wait(60)

    n = script(network, onCook)
    thread = threading.Thread(target=lambda: (asked.wait(60), told.set()))
    thread.start()
    n.cook(force=True)
    thread.join(60)
    assert n.errors() == "" and told.is_set()


def test_a_network_goes_with_the_last_who_has_it(name: str) -> None:
    network = td.Network()
    out = network.create(td.sharedmemoutCHOP)
    out.par.name = name
    out.setInputs([network.create(td.constantCHOP)])
    network.cook()
    receiver = tdshm.ChopReceiver(name)
    assert receiver.read() is not None
    assert name in [segment.name for segment in tdshm.list()]
    gone = weakref.ref(network)
    del network
    gc.collect()
    assert gone() is not None and out.valid, "an operator keeps its network"
    gc.disable()
    try:
        del out
        assert gone() is None, "and no circle does"
    finally:
        gc.enable()
    assert name not in [segment.name for segment in tdshm.list()]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="the system has no list of descriptors")
def test_networks_that_come_and_go_leave_nothing_behind(name: str) -> None:
    def turn() -> None:
        network = td.Network()
        out, back = network.create(td.sharedmemoutCHOP), network.create(td.sharedmeminCHOP)
        out.par.name = back.par.name = name
        made = script(network, lambda op: (op.clear(), op.appendChan("a")))
        out.setInputs([made])
        network.cook()
        assert back["a"] == 0 and out.errors() == made.errors() == ""

    def count() -> tuple[int, int]:
        gc.collect()
        return len(os.listdir("/proc/self/fd")), len(gc.get_objects())

    for _ in range(20):
        turn()
    descriptors, objects = count()
    for _ in range(200):
        turn()
    now = count()
    assert now[0] <= descriptors and now[1] <= objects + 50
    assert name not in [segment.name for segment in tdshm.list()]


def test_a_circle_through_a_script_is_collected() -> None:
    network = td.Network()
    n = network.create(td.scriptCHOP)
    n.onCook = lambda op: network.op("script1")
    n.store("me", n)
    n.cook(force=True)
    gone = weakref.ref(network)
    del network, n
    gc.collect()
    assert gone() is None


def test_objects_outlive_what_they_come_from(network: td.Network) -> None:
    channel = td.Network().create(td.constantCHOP)[0]
    gc.collect()
    assert channel.eval() == 0 and channel.owner.path == "/constant1"
    time = td.Network().time
    gc.collect()
    assert time.rate == 60


def test_closing_leaves_the_segments_and_an_empty_network(name: str) -> None:
    with td.Network() as network:
        out = network.create(td.sharedmemoutTOP)
        out.par.name, out.par.downloadtype = name, "immediate"
        out.setInputs([network.create(td.constantTOP)])
        network.cook()
        receiver = tdshm.TopReceiver(name)
        assert receiver.read() is not None
    assert not out.valid and network.root.children == []
    assert network.create(td.nullCHOP).path == "/null1"
    network.close()
    network.close()
