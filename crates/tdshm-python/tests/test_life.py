"""Threads, forks, pickles, Ctrl-C, the end of the interpreter, and what is left behind."""

import copy
import gc
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import threading
import tracemalloc
import weakref

import numpy
import pytest

import tdshm

LINUX = sys.platform.startswith("linux")
PARTS = [tdshm.ChopSender, tdshm.ChopReceiver, tdshm.TopSender, tdshm.TopReceiver]


@pytest.mark.parametrize("part", PARTS)
def test_closing(name, part):
    with part(name) as thing:
        assert not thing.closed and name in repr(thing) and part.__name__ in repr(thing)
        thing.close()
        thing.close()
    assert thing.closed and "closed" in repr(thing) and thing.name == name
    uses = {
        tdshm.ChopSender: [lambda: thing.send([1]), lambda: thing.frames, lambda: thing.channels, lambda: thing.rate],
        tdshm.ChopReceiver: [lambda: thing.read(), lambda: thing.wait(), lambda: thing.attached, lambda: thing.channels],
        tdshm.TopSender: [lambda: thing.send([[1.0]]), lambda: thing.frame(), lambda: thing.frames],
        tdshm.TopReceiver: [lambda: thing.read(), lambda: thing.wait(), lambda: thing.attached],
    }
    for use in uses[part]:
        with pytest.raises(tdshm.ClosedError, match="was closed: make a new one") as caught:
            use()
        assert isinstance(caught.value, ValueError)
    if "Receiver" in part.__name__:
        assert list(thing) == []
    # The name is free.
    part(name).close()


@pytest.mark.parametrize("part", PARTS)
def test_names_that_cannot_be(part):
    for wrong in ("", "a" * 1000, "a\0b"):
        with pytest.raises(tdshm.InvalidNameError) as caught:
            part(wrong)
        assert isinstance(caught.value, ValueError) and caught.value.code == 100
    for wrong in (None, 1, b"name", ["name"], "\ud800"):
        with pytest.raises((TypeError, UnicodeError)):
            part(wrong)
    for wrong in (-1, float("nan"), 1e300):
        with pytest.raises(tdshm.ArgumentError, match="lock_timeout"):
            part("name", lock_timeout=wrong)


@pytest.mark.parametrize("part", PARTS)
def test_pickles_and_copies_are_refused(name, part):
    with part(name) as thing:
        for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="cannot be pickled"):
                attempt(thing)


def test_frames_are_not_pickled_but_what_they_give_is(name):
    with tdshm.ChopSender(name) as sender, tdshm.ChopReceiver(name) as receiver:
        sender.send([1, 2])
        frame = receiver.read()
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(frame)
        again = pickle.loads(pickle.dumps(frame.to_dict()))
        assert again["chan2"].tolist() == [2]


def test_errors_survive_a_pickle():
    with pytest.raises(tdshm.NotFoundError) as caught:
        tdshm.info("py_nobody_sends_this")
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is tdshm.NotFoundError and again.code == 2 and str(again) == str(caught.value)
    assert "py_nobody_sends_this" in str(again)


def test_every_error_is_one_of_ours_and_one_that_people_catch():
    builtin = (OSError, ValueError, TypeError, RuntimeError, MemoryError)
    ours = [getattr(tdshm, n) for n in tdshm.__all__ if n.endswith("Error") and n != "Error"]
    assert len(ours) >= 13
    for error in ours:
        assert issubclass(error, tdshm.Error) and issubclass(error, builtin) and error.__doc__
        assert error("text").code == 0


def test_a_wait_ends_at_its_time(name):
    with tdshm.ChopReceiver(name) as receiver:
        for timeout in (0, 0.01, 0.12):
            assert receiver.wait(timeout) is None
        for wrong in (-1, float("nan")):
            with pytest.raises(tdshm.ArgumentError, match="timeout"):
                receiver.wait(wrong)
        with pytest.raises(TypeError):
            receiver.wait("1")


def test_other_threads_run_while_one_waits(name, thread):
    with tdshm.ChopReceiver(name) as receiver:
        waiting = thread(receiver.wait)
        with tdshm.ChopSender(name) as sender:
            while waiting.thread.is_alive():
                sender.send([1.0])
        assert waiting.result().value("chan1") == 1


def test_closing_ends_the_waits_of_other_threads(names, thread):
    for _ in range(10):
        receiver = tdshm.ChopReceiver(names())
        waiting = thread(receiver.wait)
        iterating = [thread(lambda receiver=receiver: list(receiver)) for _ in range(3)]
        receiver.close()
        with pytest.raises(tdshm.ClosedError):
            waiting.result()
        assert [each.result() for each in iterating] == [[]] * 3


def test_many_threads_use_one_sender_and_one_receiver(name, thread):
    with tdshm.ChopSender(name) as sender, tdshm.ChopReceiver(name) as receiver:
        stop = threading.Event()

        def send(value):
            array = numpy.full((4, 20_000), value, "f4")
            for _ in range(50):
                sender.send(array)

        def receive():
            while not stop.is_set():
                frame = receiver.read()
                assert frame is None or len(numpy.unique(frame.numpyArray())) == 1, "torn"

        receiving = [thread(receive) for _ in range(2)]
        for sending in [thread(lambda value=value: send(value)) for value in range(4)]:
            sending.result()
        stop.set()
        for receive in receiving:
            receive.result()
        assert sender.frames == 200


# Whoever runs the tests in the background may have them ignore SIGINT, and a child inherits that.
CTRL_C = """
import signal, sys, tdshm
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    print("there", flush=True)
    {what}
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no signal to one process alone")
@pytest.mark.parametrize(
    "what",
    [
        "tdshm.ChopReceiver(sys.argv[1]).wait()",
        "list(tdshm.TopReceiver(sys.argv[1]))",
        "import asyncio; exec('async def f():\\n  async for _ in tdshm.ChopReceiver(sys.argv[1]): pass'); asyncio.run(f())",
    ],
)
def test_ctrl_c_ends_a_wait(name, python, what):
    other = python(CTRL_C.format(what=what), name)
    assert other.stdout.readline() == "there\n"
    while other.poll() is None:
        # Also when it comes before the wait has begun.
        other.send_signal(signal.SIGINT)
        if other.stdout.readline() == "interrupted\n":
            break
    assert other.wait() == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_is_refused_and_its_parent_goes_on(name):
    with tdshm.ChopSender(name) as sender, tdshm.ChopReceiver(name) as receiver:
        sender.send([1])
        inside, outside = os.pipe()
        child = os.fork()
        if child == 0:
            texts = []
            for use in (lambda: sender.send([2]), sender.close, receiver.read, receiver.wait, receiver.close):
                try:
                    use()
                    texts.append("worked")
                except tdshm.ForkedError as error:
                    texts.append("forked" if "forked: make one of its own" in str(error) else str(error))
            # One of its own works.
            try:
                with tdshm.ChopReceiver(name) as own:
                    texts.append(str(own.read().value("chan1")))
            except BaseException as error:
                texts.append(repr(error))
            # Dropped here, they leave the parent's alone.
            del sender, receiver
            gc.collect()
            os.write(outside, "\n".join(texts).encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.close(outside)
        with os.fdopen(inside) as told:
            assert told.read().split("\n") == ["forked"] * 5 + ["1.0"]
        sender.send([3])
        assert receiver.wait(1).value("chan1") == 3
        assert tdshm.info(name).detached is False


EXIT = """
import sys, threading, asyncio, tdshm
kept = [tdshm.ChopSender(sys.argv[1]), tdshm.TopSender(sys.argv[2])]
kept[0].send([1.0])
cycle = [kept]; cycle.append(cycle)
receiver = tdshm.ChopReceiver(sys.argv[3])
threading.Thread(target=receiver.wait, daemon=True).start()
def forever():
    async def loop():
        async for frame in tdshm.ChopReceiver(sys.argv[3]): pass
    asyncio.run(loop())
threading.Thread(target=forever, daemon=True).start()
{how}
"""


@pytest.mark.parametrize("how", ["", "sys.exit(3)", "raise RuntimeError"])
def test_the_end_of_the_interpreter_detaches(names, how):
    given = [names() for _ in range(3)]
    ended = subprocess.run([sys.executable, "-c", EXIT.format(how=how), *given], stderr=subprocess.PIPE, text=True)
    assert ended.returncode == {"": 0, "sys.exit(3)": 3}.get(how, 1), ended.stderr
    there = {segment.name for segment in tdshm.list()}
    assert not there & set(given), "nothing is left"


def test_handles_go_with_their_last_reference(name):
    sender = tdshm.ChopSender(name)
    there = weakref.ref(sender)
    del sender
    gc.collect()
    assert there() is None
    tdshm.ChopSender(name).close()


def resident():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not LINUX, reason="counts what Linux shows")
def test_a_thousand_senders_leak_nothing(name):
    image = numpy.zeros((16, 16, 4), "uint8")

    def once(number):
        with tdshm.ChopReceiver(name) as receiver:
            if number % 2:
                sender = tdshm.ChopSender(name, ["tx", "ty"])
                sender.send([1, 2])
                assert receiver.wait(1)["ty"].tolist() == [2]
            else:
                sender = tdshm.TopSender(name)
                sender.send(image)
                with sender.frame() as array:
                    array[...] = 1
                with tdshm.TopReceiver(name) as images:
                    assert images.wait(1).width == 16
            if number % 3:
                sender.close()

    for number in range(100):
        once(number)
    gc.collect()
    memory, files = resident(), len(os.listdir("/proc/self/fd"))
    objects = len(os.listdir("/dev/shm"))
    maps = len(pathlib.Path("/proc/self/maps").read_text().splitlines())
    for number in range(1000):
        once(number)
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == files
    assert len(pathlib.Path("/proc/self/maps").read_text().splitlines()) <= maps + 8
    assert resident() < memory + (4 << 20)
    mine = [o for o in os.listdir("/dev/shm") if name in o]
    assert len(mine) <= 4 and len(os.listdir("/dev/shm")) < objects + 500, mine


@pytest.mark.skipif(not LINUX, reason="counts what Linux shows")
def test_frames_and_errors_leak_nothing(name):
    with tdshm.ChopSender(name) as sender, tdshm.ChopReceiver(name) as receiver:
        out = numpy.empty((4, 1000), "f4")
        array = numpy.ones((4, 1000), "f8")

        def once():
            sender.send(array)
            sender.send({"a": [1.0], "b": 2})
            receiver.wait(1).to_dict("a*")
            sender.send(array)
            receiver.read(out=out)
            receiver.read()["chan1"]
            for wrong in (None, numpy.zeros((1, 1, 1, 1)), {"a": "b"}):
                try:
                    sender.send(wrong)
                except (TypeError, ValueError):
                    pass

        for _ in range(300):
            once()
        gc.collect()
        memory = resident()
        for _ in range(3000):
            once()
        gc.collect()
        assert resident() < memory + (2 << 20)


def test_what_is_used_after_the_end_says_why_not(name, python):
    program = """
import sys, tdshm
from tdshm import td
class Late:
    def __init__(self):
        self.sender, self.network = tdshm.ChopSender(sys.argv[1]), td.Network()
        self.null = self.network.create(td.nullCHOP)
    def __del__(self):
        try:
            self.sender.frames
        except ValueError as error:
            print(type(error).__name__)
        print(self.null.valid)
        try:
            self.null.path
        except tdshm.Error as error:
            print(type(error).__name__)
sys.modules["late"] = Late()
"""
    out, _ = python(program, name).communicate()
    assert out.split("\n") == ["ClosedError", "False", "tdError", ""]


def test_drawing_and_reading_into_arrays_leaves_no_object(names):
    with tdshm.TopSender(names(), 8, 4) as top, tdshm.ChopSender(names()) as chop:
        with tdshm.ChopReceiver(chop.name) as receiver:
            out = numpy.empty(1000, "f4")
            chop.send(numpy.zeros((2, 300)))

            def once():
                with top.frame() as array:
                    array[...] = 1
                with pytest.raises(KeyError):
                    with top.frame():
                        raise KeyError
                assert receiver.read(out=out).numSamples == 300

            for _ in range(20):
                once()
            gc.collect()
            tracemalloc.start()
            try:
                before = tracemalloc.get_traced_memory()[0]
                for _ in range(1000):
                    once()
                gc.collect()
                assert tracemalloc.get_traced_memory()[0] < before + 20_000
            finally:
                tracemalloc.stop()


@pytest.mark.skipif(not LINUX, reason="takes the lock as Linux has it")
def test_a_held_lock_is_a_timeout_and_the_next_frame_works(name, python, command):
    with tdshm.ChopSender(name, lock_timeout=0.2) as sender:
        sender.send([1])
        holder = python(HOLD, name)
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(TimeoutError, match="not free within 200 ms") as caught:
            sender.send([2])
        assert isinstance(caught.value, tdshm.LockTimeoutError) and caught.value.code == 101
        holder.kill()
        holder.wait()
        sender.send([3])
        assert sender.frames == 2


# Takes the segment's robust mutex with the C library.
HOLD = """
import ctypes, mmap, os, sys
name = "/dev/shm/TouchSHM" + sys.argv[1] + "Mutex"
file = os.open(name, os.O_RDWR)
memory = mmap.mmap(file, 0)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory)) + 64  # wire §5
libc = ctypes.CDLL(None)
libc.pthread_mutex_lock.argtypes = [ctypes.c_void_p]
assert libc.pthread_mutex_lock(address) == 0
print("held", flush=True)
sys.stdin.read()
"""
