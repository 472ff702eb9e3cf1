"""The callbacks of examples/touchdesigner, cooked by a stand-in of what TouchDesigner hands them, with segments of others.

The stand-in has the words of TouchDesigner's public documentation, and nothing else: whatever else is asked for fails.
"""

import importlib.util
import os
import pathlib

import numpy
import pytest

import tdshm

ROOT = pathlib.Path(os.environ.get("TDSHM_ROOT", pathlib.Path(__file__).parents[3]))
EXAMPLES = ROOT / "examples" / "touchdesigner"


class Par:
    def __init__(self, owner, val):
        self.owner, self.val, self.expr = owner, val, ""

    def eval(self):
        return self.val

    def __bool__(self):
        return bool(self.val)


class Page:
    def __init__(self, owner):
        self.owner = owner

    def _append(self, name, val):
        assert name[0].isupper() and name[1:].islower() and name.isalnum(), name
        setattr(self.owner.par, name, Par(self.owner, val))
        return [getattr(self.owner.par, name)]

    def appendStr(self, name, label=None):
        return self._append(name, "")

    def appendToggle(self, name, label=None):
        return self._append(name, False)

    def appendInt(self, name, label=None):
        return self._append(name, 0)

    def appendPulse(self, name, label=None):
        return self._append(name, False)


class Pars:
    pass


class Channel:
    def __init__(self, name, vals=()):
        self.name, self.vals = name, list(vals)


class Source:
    """A CHOP or a TOP that is wired in."""

    def __init__(self, rows=(), names=(), rate=60.0, image=None):
        self.rows, self.names, self.rate, self.image = rows, names, rate, image

    def chans(self):
        return [Channel(name, row) for name, row in zip(self.names, self.rows)]

    def numpyArray(self, delayed=False):
        return numpy.array(self.rows, numpy.float32) if self.image is None else self.image


class ScriptOp:
    ids = iter(range(1, 1000))

    def __init__(self, *inputs):
        self.id, self.par, self.inputs = next(self.ids), Pars(), list(inputs)
        self.channels, self.image = [], None
        self.rate = self.numSamples = self.isTimeSlice = None
        self.errors, self.warnings, self.copied = [], [], 0

    def appendCustomPage(self, name):
        return Page(self)

    def clear(self):
        self.channels = []

    def appendChan(self, name):
        self.channels.append(Channel(name))
        return self.channels[-1]

    def copy(self, other):
        self.channels, self.rate = other.chans(), other.rate

    def copyNumpyArray(self, array):
        assert array.ndim == 3 and array.shape[2] == 4 and array.flags.c_contiguous
        assert array.dtype in (numpy.uint8, numpy.uint16, numpy.float32)
        self.image, self.copied = array.copy(), self.copied + 1

    def addError(self, text):
        self.errors.append(text)

    def addWarning(self, text):
        self.warnings.append(text)


def load_text(file):
    spec = importlib.util.spec_from_file_location(file, EXAMPLES / f"{file}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def script():
    """Loads the callbacks of a file, as TouchDesigner does when a DAT is edited, and makes an operator for them."""
    loaded = []

    def load(file, name, *inputs):
        module = load_text(file)
        loaded.append(module)
        operator = ScriptOp(*inputs)
        module.onSetupParameters(operator)
        operator.par.Sharedname.val = name

        def cook():
            operator.errors, operator.warnings = [], []
            module.onCook(operator)
            return operator

        return module, operator, cook

    yield load
    for module in loaded:
        module.closeAll()
        assert not module.OPEN


SENDER = """
import sys, tdshm
import numpy
out = None
for line in sys.stdin:
    out = out or (tdshm.TopSender if sys.argv[2] == "top" else tdshm.ChopSender)(sys.argv[1])
    out.send(eval(line))
    print("sent", flush=True)
"""


def say(process, text):
    process.stdin.write(text + "\n")
    process.stdin.flush()
    assert process.stdout.readline() == "sent\n"


def test_channels_are_received(name, python, script):
    module, operator, cook = script("script_chop_receive", name)
    assert "nobody sends" in cook().warnings[0] and not operator.errors
    sender = python(SENDER, name, "chop")
    say(sender, "{'tx': [0.5, 1.5], 'ty': [2.0, 3.0]}")
    cook()
    assert [(c.name, c.vals) for c in operator.channels] == [("tx", [0.5, 1.5]), ("ty", [2.0, 3.0])]
    assert (operator.numSamples, operator.rate, operator.isTimeSlice, operator.warnings) == (2, 60.0, False, [])
    say(sender, "{'a': [0.25] * 30000}")
    assert [len(c.vals) for c in cook().channels] == [30000]
    # The sender dies: the last values stay, or go where that is asked for.
    sender.kill()
    sender.wait()
    while not cook().warnings:
        pass
    assert len(operator.channels) == 1
    operator.par.Clear.val = True
    assert cook().channels == []
    # Another one comes, and the text is edited meanwhile.
    again, _, _ = script("script_chop_receive", name)
    assert again.OPEN is module.OPEN and operator.id in again.OPEN
    other = python(SENDER, name, "chop")
    say(other, "{'z': [9.0]}")
    while not (again.onCook(operator), operator.channels)[1]:
        pass
    assert operator.channels[0].vals == [9.0]
    operator.par.Active.val = False
    cook()
    assert operator.id not in module.OPEN
    operator.par.Active.val, operator.par.Sharedname.val = True, "a/b"
    assert "a/b" in cook().errors[0]
    other.kill()
    other.wait()


def test_channels_are_sent(name, names, script):
    source = Source([[0.5, 0.25], [1.0, -1.0]], ["tx", "ty"], 30.0)
    module, operator, cook = script("script_chop_send", name, source)
    cook()
    assert not operator.errors and [c.name for c in operator.channels] == ["tx", "ty"]
    with tdshm.ChopReceiver(name) as receiver:
        frame = receiver.read()
        assert (frame.names, frame.rate) == (("tx", "ty"), 30.0)
        assert frame.numpyArray().tolist() == source.rows
        source.rows, source.names, source.rate = [[7.0]], ["only"], 60.0
        cook()
        frame = receiver.read()
        assert (frame.names, frame.rate, frame.value("only")) == (("only",), 60.0, 7.0)
        # Another name: the old segment is left.
        operator.par.Sharedname.val = names()
        cook()
        assert receiver.read() is None or receiver.attached != "yes"
    with tdshm.ChopReceiver(operator.par.Sharedname.val) as receiver:
        assert receiver.read().value("only") == 7.0
    module.onPulse(Par(operator, True))
    assert operator.id not in module.OPEN
    # A name that somebody else has is an error of the operator, and no crash.
    with tdshm.ChopSender(name):
        operator.par.Sharedname.val = name
        assert name in cook().errors[0]
    operator.inputs.clear()
    assert "wire" in cook().warnings[0]


def test_images_are_received(name, python, script):
    module, operator, cook = script("script_top_receive", name)
    assert "nobody sends" in cook().warnings[0]
    sender = python(SENDER, name, "top")
    say(sender, "numpy.arange(24, dtype=numpy.uint8).reshape(3, 2, 4)")
    top_first = numpy.arange(24, dtype=numpy.uint8).reshape(3, 2, 4)
    assert (cook().image == top_first[::-1]).all()
    cook()
    assert operator.copied == 1, "what is there already is not copied again"
    say(sender, "numpy.full((5, 7, 4), 0.5, numpy.float16)")
    assert cook().image.shape == (5, 7, 4) and operator.image.dtype == numpy.float32
    say(sender, "numpy.full((4, 4), 40000, numpy.uint16)")
    assert cook().image[0, 0].tolist() == [40000, 40000, 40000, 65535]
    sender.kill()
    sender.wait()
    while not cook().warnings:
        pass
    assert operator.image.shape == (4, 4, 4)
    operator.par.Clear.val = True
    assert cook().image.shape == (1, 1, 4)


def test_images_are_sent(name, script):
    image = numpy.arange(24, dtype=numpy.float32).reshape(2, 3, 4)
    source = Source(image=image)
    module, operator, cook = script("script_top_send", name, source)
    cook()
    with tdshm.TopReceiver(name) as receiver:
        frame = receiver.read()
        assert (frame.width, frame.height) == (3, 2)
        assert (numpy.asarray(frame) == image[::-1]).all(), "the top row first"
        source.image = None
        source.numpyArray = lambda delayed=False: None
        cook()
        assert not operator.errors and receiver.read().number == frame.number
    module.closeAll()


def main():
    """Prints what the Python side costs for each frame, in milliseconds: the figures of docs/which-way.md."""
    import statistics
    import time

    rows, image = numpy.zeros((64, 1), numpy.float32), numpy.zeros((1080, 1920, 4), numpy.float32)
    names, ours = [f"c{n}" for n in range(64)], f"cost{os.getpid()}"
    bytes_ = numpy.zeros((1080, 1920, 4), numpy.uint8)
    # What the stand-in copies is TouchDesigner's part, and left out.
    ScriptOp.copyNumpyArray = lambda self, array: None
    kinds = [
        ("script_chop_receive", "64 channels", tdshm.ChopSender(f"{ours}a", names), rows, ()),
        ("script_top_receive", "1920 x 1080, 8 bits", tdshm.TopSender(f"{ours}b"), bytes_, ()),
        ("script_top_receive", "1920 x 1080, 32-bit floats", tdshm.TopSender(f"{ours}c"), image, ()),
        ("script_chop_send", "64 channels", None, None, (Source(rows, names),)),
        ("script_top_send", "1920 x 1080, 32-bit floats", None, None, (Source(image=image),)),
    ]
    for number, (file, what, sender, data, inputs) in enumerate(kinds):
        module, operator, times = load_text(file), ScriptOp(*inputs), []
        module.onSetupParameters(operator)
        operator.par.Sharedname.val = sender.name if sender else f"{ours}{number}"
        for _ in range(200):
            if sender:
                sender.send(data)
            begin = time.perf_counter()
            module.onCook(operator)
            times.append((time.perf_counter() - begin) * 1e3)
        assert not operator.errors, operator.errors
        print(f"{file}, {what}: median {statistics.median(times):.3f} ms, one in a hundred {sorted(times)[-2]:.3f} ms")
        module.closeAll()
        if sender:
            sender.close()
        tdshm.clean(operator.par.Sharedname.val)


if __name__ == "__main__":
    main()
