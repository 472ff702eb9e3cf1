"""tdshm beside multiprocessing.shared_memory with a lock, and beside memcpy, on the same arrays.

Each pair is measured in turns, so that a slow moment of the machine slows both; what counts is the ratio of the medians.
Run by `cargo xtask bench --python`.
"""

import ctypes
import multiprocessing
import os
import statistics
import sys
import time
from multiprocessing import shared_memory

import numpy

import tdshm

ROUNDS = 41
SECONDS = 0.004


def batch(function):
    """How many calls take SECONDS."""
    number = 1
    while True:
        begin = time.perf_counter()
        for _ in range(number):
            function()
        took = time.perf_counter() - begin
        if took >= SECONDS:
            return number
        number = max(number + 1, int(number * min(SECONDS / max(took, 1e-9), 10)))


def measure(*functions):
    """The middle time of a call of each, in seconds."""
    numbers = [batch(function) for function in functions]
    times = [[] for _ in functions]
    for _ in range(ROUNDS):
        for function, number, to in zip(functions, numbers, times):
            begin = time.perf_counter()
            for _ in range(number):
                function()
            to.append((time.perf_counter() - begin) / number)
    return [statistics.median(each) for each in times]


class Plain:
    """What one writes without us: a header, names and samples in shared memory, under a lock."""

    def __init__(self, array, names=()):
        self.lock = multiprocessing.Lock()
        self.head = numpy.array([1, *array.shape, 60], numpy.int32)
        self.text = numpy.frombuffer("\0".join(names).encode() + b"\0", numpy.uint8)
        at = self.head.nbytes + (self.text.nbytes + 63) // 64 * 64
        self.shared = shared_memory.SharedMemory(create=True, size=at + array.nbytes)
        self.header = numpy.ndarray(self.head.shape, self.head.dtype, self.shared.buf)
        self.names = numpy.ndarray(self.text.shape, self.text.dtype, self.shared.buf, self.head.nbytes)
        self.samples = numpy.ndarray(array.shape, array.dtype, self.shared.buf, at)

    def write(self, array):
        with self.lock:
            self.header[:] = self.head
            self.names[:] = self.text
            self.samples[:] = array

    def write_bytes(self, array):
        """As many do it: the array becomes bytes first."""
        with self.lock:
            self.header[:] = self.head
            self.samples.reshape(-1).view(numpy.uint8).data[:] = array.tobytes()

    def read(self, to):
        with self.lock:
            to[:] = self.samples

    def close(self):
        del self.header, self.names, self.samples
        self.shared.close()
        self.shared.unlink()


MISSED = []


def say(what, ours, theirs, goal=None, unit=1e6):
    ratio = theirs / ours
    wanted = "" if goal is None else f"  goal {goal:.2f}{'' if ratio >= goal else '  MISSED'}"
    print(f"  {what:<46} {ours * unit:10.3f} µs {theirs * unit:10.3f} µs {ratio:7.2f}{wanted}", flush=True)
    if goal is not None and ratio < goal:
        MISSED.append(what)


class Places:
    """memcpy, and nothing else, to and from shared memory: into as many places in turn as a sender of ours has."""

    def __init__(self, array, count):
        self.shared = shared_memory.SharedMemory(create=True, size=array.nbytes * count)
        self.buffer = numpy.ndarray((count, *array.shape), array.dtype, self.shared.buf)
        self.buffer[...] = array
        self.count, self.turn = count, 0
        self.addresses = [place.ctypes.data for place in self.buffer]
        self.array, self.address, self.size = array, array.ctypes.data, array.nbytes

    def write(self):
        self.turn = (self.turn + 1) % self.count
        ctypes.memmove(self.addresses[self.turn], self.address, self.size)

    def draw(self):
        """As numpy writes, the top row first into memory whose bottom row is."""
        self.turn = (self.turn + 1) % self.count
        self.buffer[self.turn][::-1][...] = self.array

    def reader(self, to):
        target = to.ctypes.data
        return lambda _keep=to: ctypes.memmove(target, self.addresses[self.turn], self.size)

    def close(self):
        del self.buffer
        self.shared.close()
        self.shared.unlink()


def small():
    array = numpy.random.default_rng(0).random((64, 1), numpy.float32)
    names = [f"chan{i}" for i in range(1, 65)]
    plain, out = Plain(array, names), numpy.empty_like(array)
    name = f"benchpy{os.getpid()}s"
    with tdshm.ChopSender(name, names) as sender, tdshm.ChopReceiver(name) as receiver:
        print("64 x 1 floats, header and names", "ours, theirs, ratio", sep=": ")
        ours, theirs = measure(lambda: sender.send(array), lambda: plain.write(array))
        say("send / multiprocessing.shared_memory", ours, theirs, 2)
        ours, theirs = measure(lambda: receiver.read(), lambda: plain.read(out))
        say("read, a frame of its own / into an array", ours, theirs)

        def there_and_back():
            sender.send(array)
            receiver.wait(1)

        def theirs_too():
            plain.write(array)
            plain.read(out)

        say("send and wait / write and read", *measure(there_and_back, theirs_too))
        values = array[:, 0].tolist()
        named = dict(zip(names, values))
        say("send a list / write a list", *measure(lambda: sender.send(values), lambda: plain.write(numpy.array(values, "f4")[:, None])))
        print(f"  send a dict of 64: {measure(lambda: sender.send(named))[0] * 1e6:.2f} µs")
    plain.close()
    tdshm.clean(name)


def large(what, array, places, receiver, send, draw=None):
    plain, out, theirs_out = Plain(array), numpy.empty_like(array), numpy.empty_like(array)
    copies = Places(array, places)
    read = copies.reader(theirs_out)
    print(what, "ours, theirs, ratio", sep=": ")
    ours, theirs, plains, usual = measure(
        lambda: send(array), copies.write, lambda: plain.write(array), lambda: plain.write_bytes(array)
    )
    say("send / memcpy", ours, theirs, 0.9)
    say("send / multiprocessing.shared_memory", ours, plains)
    say("send / the same with tobytes()", ours, usual)
    if draw is not None:
        say("draw in the segment / in plain memory", *measure(draw, copies.draw), 0.9)
    copies.write()
    say("read into an array / memcpy", *measure(lambda: receiver.read(out=out), read), 0.9)
    say("read, a frame of its own / memcpy", *measure(lambda: receiver.read(), read))
    assert (out == array).all() and (theirs_out == array).all()
    copies.close()
    plain.close()


def channels():
    array = numpy.random.default_rng(0).random((60, 10_000), numpy.float32)
    name = f"benchpy{os.getpid()}c"
    with tdshm.ChopSender(name, samples=10_000) as sender, tdshm.ChopReceiver(name) as receiver:
        large("60 x 10000 floats, 2.4 MB", array, 1, receiver, sender.send)
    tdshm.clean(name)


def images():
    array = numpy.random.default_rng(0).integers(0, 256, (1080, 1920, 4), numpy.uint8)
    name = f"benchpy{os.getpid()}i"
    with tdshm.TopSender(name, 1920, 1080) as sender, tdshm.TopReceiver(name) as receiver:

        def draw():
            with sender.frame() as drawn:
                drawn[...] = array

        large("1080p RGBA8, 8.3 MB", array, 3, receiver, sender.send, draw)
        rgb, copies = numpy.ascontiguousarray(array[..., :3]), Places(array, 3)
        say("send RGB, with an alpha / memcpy of RGBA", *measure(lambda: sender.send(rgb), copies.write))
        copies.close()
    tdshm.clean(name)


if __name__ == "__main__":
    print(f"Python {sys.version.split()[0]}, numpy {numpy.__version__}, tdshm {tdshm.__version__}")
    small()
    channels()
    images()
    if MISSED:
        sys.exit("missed: " + ", ".join(MISSED))
