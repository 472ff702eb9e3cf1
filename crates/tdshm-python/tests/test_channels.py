"""Channels within one process: what is sent arrives, whatever it was made of."""

import collections
import math
import types

import numpy
import pytest

import tdshm


@pytest.fixture
def pair(name):
    with tdshm.ChopSender(name) as sender, tdshm.ChopReceiver(name) as receiver:
        yield sender, receiver


DTYPES = ["float16", "float32", "float64", "longdouble", "bool"] + [
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
]


@pytest.mark.parametrize("order", ["=", ">", "<"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_arrives(pair, dtype, order):
    sender, receiver = pair
    array = (numpy.arange(12).reshape(3, 4) % (2 if dtype == "bool" else 100)).astype(
        numpy.dtype(dtype).newbyteorder(order)
    )
    sender.send(array)
    frame = receiver.read()
    assert frame.numpyArray().dtype == numpy.float32
    numpy.testing.assert_array_equal(frame.numpyArray(), array.astype("f4"))


def views(base):
    yield base[:, ::2]
    yield base[::-1]
    yield base[:, ::-3]
    yield base.T
    yield numpy.asfortranarray(base)
    yield base[1:3, 2:7]
    yield numpy.broadcast_to(base[:1], (4, base.shape[1]))
    yield base[:0]
    yield base[:, :0]
    # Elements at odd addresses.
    raw = numpy.zeros(base.nbytes + 1, numpy.uint8)[1:]
    odd = raw.view(base.dtype).reshape(base.shape) if base.dtype.itemsize == 1 else numpy.frombuffer(
        raw.data, base.dtype
    ).reshape(base.shape)
    yield odd
    readonly = base.copy()
    readonly.flags.writeable = False
    yield readonly


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16"])
def test_arrays_of_any_strides_arrive(pair, dtype):
    sender, receiver = pair
    for array in views(numpy.arange(60).reshape(5, 12).astype(dtype)):
        sender.send(array)
        frame = receiver.read()
        assert frame.numpyArray().shape == array.shape or array.size == 0
        if array.size:
            numpy.testing.assert_array_equal(frame.numpyArray(), array.astype("f4"))


def test_bits_of_samples_are_not_touched(pair):
    sender, receiver = pair
    bits = numpy.array([0x7FC00001, 0x7F800001, 0x80000000, 1, 0xFF800000, 0x7F7FFFFF], numpy.uint32)
    sender.send(bits.view(numpy.float32))
    numpy.testing.assert_array_equal(receiver.read().numpyArray().view(numpy.uint32)[:, 0], bits)


@pytest.mark.parametrize(
    "data, shape",
    [
        ([1, 2.5, True], (3, 1)),
        ((1.0, 2.0), (2, 1)),
        ([[1, 2], [3, 4]], (2, 2)),
        (7, (1, 1)),
        (numpy.float64(7), (1, 1)),
        (range(4), (4, 1)),
        (numpy.array(3.0, "f4"), (1, 1)),
        (numpy.ma.masked_array([1.0, 2.0]), (2, 1)),
        (memoryview(numpy.arange(3.0)), (3, 1)),
    ],
)
def test_what_numpy_takes_is_taken(pair, data, shape):
    sender, receiver = pair
    sender.send(data)
    frame = receiver.read()
    assert (frame.numChans, frame.numSamples) == shape
    numpy.testing.assert_array_equal(frame.numpyArray().ravel(), numpy.asarray(data, "f4").ravel())


def test_a_class_of_arrays_and_what_makes_arrays(pair):
    sender, receiver = pair

    class Mine(numpy.ndarray):
        pass

    class Makes:
        def __array__(self, dtype=None, copy=None):
            return numpy.arange(3, dtype="f4")

    for data in [numpy.arange(3.0).view(Mine), Makes()]:
        sender.send(data)
        assert receiver.read().numpyArray()[:, 0].tolist() == [0, 1, 2]


def test_dicts_name_the_channels(pair):
    sender, receiver = pair
    sender.send({"tx": 1, "ty": numpy.float32(2), "tz": [3.0]})
    frame = receiver.read()
    assert frame.names == ("tx", "ty", "tz") == sender.channels == receiver.channels
    assert [float(frame[n][0]) for n in frame] == [1, 2, 3]
    sender.send({"left": numpy.arange(5), "right": [5.0, 4.0, 3.0, 2.0, 1.0]})
    frame = receiver.read()
    assert frame.names == ("left", "right")
    assert frame["right"].tolist() == [5, 4, 3, 2, 1]
    sender.send([1, 2])
    assert receiver.read().names == ("left", "right")
    sender.send([1, 2, 3])
    assert receiver.read().names == ("chan1", "chan2", "chan3") and sender.channels == ()


def test_a_dict_may_change_while_its_values_become_arrays(pair):
    sender, receiver = pair

    class Clears:
        def __array__(self, dtype=None, copy=None):
            values.clear()
            return numpy.array([2.0])

    values = {"tx": Clears(), "ty": 3}
    sender.send(values)
    assert {n: v.tolist() for n, v in receiver.read().to_dict().items()} == {"tx": [2], "ty": [3]}


def test_whatever_is_a_mapping_is_a_dict(pair):
    sender, receiver = pair
    same = {"tx": 1, "ty": 2}
    for mapping in (collections.UserDict(same), collections.ChainMap(same), types.MappingProxyType(same)):
        sender.send(mapping)
        assert {n: v.tolist() for n, v in receiver.read().to_dict().items()} == {"tx": [1], "ty": [2]}


def test_a_name_that_is_there_means_itself(pair):
    sender, receiver = pair
    names = ["tx", "t*", "left hand", "", "a,b", "^tx", "c[1-2]", "x" * 70000]
    sender.send({n: number for number, n in enumerate(names)})
    frame = receiver.read()
    assert [frame.value(n) for n in frame] == list(range(len(names)))
    assert [frame.chan(n)[0] for n in frame] == list(range(len(names)))
    assert frame.value("left*") == 2


def test_dicts_of_a_sender_with_names(name):
    with tdshm.ChopSender(name, ["a", "b", "c"]) as sender, tdshm.ChopReceiver(name) as receiver:
        sender.send({"c": 3, "a": 1, "b": 2})
        frame = receiver.read()
        assert frame.names == ("a", "b", "c")
        assert frame.numpyArray()[:, 0].tolist() == [1, 2, 3]
        for wrong, text in [
            ({"a": 1, "b": 2}, "nothing is said of c"),
            ({"a": 1, "b": 2, "c": 3, "d": 4}, "no channel is called \"d\""),
            ({"a": 1, "b": 2, "c": [3, 4]}, "c has 2 samples, and the channel before it 1"),
            ({"a": 1, "b": 2, "c": [[3]]}, "2 axes"),
        ]:
            with pytest.raises(tdshm.ArgumentError, match=text):
                sender.send(wrong)
        with pytest.raises(tdshm.DtypeError, match="1 is no name"):
            sender.send({"a": 1, "b": 2, 1: 3})
        sender.send({"a": 4, "b": 5, "c": 6})
        assert receiver.read().numpyArray()[:, 0].tolist() == [4, 5, 6]


WRONG = [
    (numpy.zeros((2, 2, 2)), tdshm.ArgumentError, ValueError, "3 axes"),
    (numpy.zeros((1, 2, 2, 2)), tdshm.ArgumentError, ValueError, "4 axes"),
    (numpy.zeros(5), tdshm.ArgumentError, ValueError, "number of names"),
    (numpy.zeros((1, 2)), tdshm.ArgumentError, ValueError, "number of names"),
    ([[1, 2], [3]], tdshm.Error, (ValueError, TypeError), None),
    (numpy.zeros(2, complex), tdshm.DtypeError, TypeError, "complex128"),
    (numpy.array(["a", "b"]), tdshm.DtypeError, TypeError, "<U1"),
    (numpy.array([None, 1]), tdshm.DtypeError, TypeError, "object"),
    (numpy.zeros(2, "datetime64[s]"), tdshm.DtypeError, TypeError, "datetime64"),
    (numpy.zeros(2, [("x", "f4")]), tdshm.DtypeError, TypeError, "x"),
    ("tx", tdshm.DtypeError, TypeError, None),
    (None, tdshm.DtypeError, TypeError, None),
    (b"12", tdshm.DtypeError, TypeError, None),
    (object(), tdshm.DtypeError, TypeError, None),
]


@pytest.mark.parametrize("data, ours, builtin, text", WRONG, ids=range(len(WRONG)))
def test_what_cannot_be_sent_leaves_the_stream_working(name, data, ours, builtin, text):
    with tdshm.ChopSender(name, ["tx", "ty"]) as sender, tdshm.ChopReceiver(name) as receiver:
        sender.send([1, 2])
        for _ in range(2):
            with pytest.raises(ours, match=text) as caught:
                sender.send(data)
            assert isinstance(caught.value, builtin)
        assert sender.frames == 1
        assert receiver.wait(1)["ty"].tolist() == [2]
        sender.send([3, 4])
        assert receiver.wait(1)["ty"].tolist() == [4]


def test_an_array_that_raises_gives_its_own_error(pair):
    sender, receiver = pair

    class Bad:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        sender.send(Bad())
    sender.send([1.0])
    assert receiver.read().value("chan1") == 1


def test_a_finalizer_or_array_may_use_the_very_sender(pair):
    sender, receiver = pair

    class Reenters:
        def __array__(self, dtype=None, copy=None):
            sender.send([1.0, 1.0])
            return numpy.array([2.0, 2.0])

    sender.send(Reenters())
    assert sender.frames == 2 and receiver.read().value("chan2") == 2


def test_a_frame(name):
    with tdshm.ChopSender(name, ["tx", "ty", "rz"], rate=120) as sender, tdshm.ChopReceiver(name) as receiver:
        sender.send([[0, 1], [2, 3], [4, 5]])
        frame = receiver.read()
    assert (frame.numChans, frame.numSamples, frame.rate, len(frame)) == (3, 2, 120.0, 3)
    assert list(frame) == ["tx", "ty", "rz"] == list(frame.names)
    assert "ty" in frame and "sx" not in frame and 3 not in frame
    assert frame["ty"].tolist() == frame[1].tolist() == frame[-2].tolist() == [2, 3]
    assert frame.chan("t*").tolist() == [0, 1] and frame.chan(2).tolist() == [4, 5]
    assert frame.chan("s*") is None and frame.chan(3) is None
    assert [c.tolist() for c in frame.chans("^tx")] == [[2, 3], [4, 5]]
    assert [c.tolist() for c in frame.chans("rz", "tx")] == [[0, 1], [4, 5]], "in the order of the channels"
    assert {k: v.tolist() for k, v in frame.to_dict().items()} == {"tx": [0, 1], "ty": [2, 3], "rz": [4, 5]}
    assert set(frame.to_dict("t[xy]")) == {"tx", "ty"}
    assert frame.value("r*") == 5
    assert (frame.number, frame.missed, frame.abandoned) == (1, 0, False) and 0 <= frame.age < 60
    array = numpy.asarray(frame)
    assert array is frame.numpyArray() and array.flags.c_contiguous and array.flags.writeable
    assert numpy.asarray(frame, dtype="f8").dtype == "f8"
    for key, error in [("sx", KeyError), (3, IndexError), (-4, IndexError), (10**30, IndexError), (None, Exception)]:
        try:
            frame[key]
        except error:
            continue
        assert key is None, key
    with pytest.raises(KeyError):
        frame.value("s*")
    with pytest.raises(tdshm.ArgumentError):
        frame.chan("((((")
    for wrong in (1.5, None, b"tx"):
        with pytest.raises(TypeError):
            frame.chan(wrong)


def test_frames_outlive_everything(name):
    with tdshm.ChopSender(name) as sender, tdshm.ChopReceiver(name) as receiver:
        kept = []
        for number in range(50):
            sender.send(numpy.full((4, 25_000), number, "f4"))
            kept.append(receiver.wait(1)["chan3"])
    for number, array in enumerate(kept):
        assert (array == number).all(), "no frame got another's memory"


def test_memory_is_used_again(name):
    with tdshm.ChopSender(name) as sender, tdshm.ChopReceiver(name) as receiver:
        seen = set()
        for number in range(30):
            sender.send(numpy.full((4, 25_000), number, "f4"))
            seen.add(receiver.wait(1).numpyArray().ctypes.data)
        assert len(seen) <= 5


def test_reading_into_an_array(name):
    with tdshm.ChopSender(name, ["a", "b"]) as sender, tdshm.ChopReceiver(name) as receiver:
        out = numpy.zeros((2, 3), "f4")
        assert receiver.read(out=out) is None
        sender.send([[1, 2, 3], [4, 5, 6]])
        frame = receiver.read(out=out)
        assert frame.numpyArray() is out and out.tolist() == [[1, 2, 3], [4, 5, 6]]
        assert frame["b"].tolist() == [4, 5, 6] and frame.number is None
        large = numpy.zeros(100, "f4")
        frame = receiver.read(out=large)
        assert frame.numpyArray().tolist() == out.tolist() and large[6:].any() == False  # noqa: E712
        assert numpy.shares_memory(frame["a"], large)
        readonly = numpy.zeros((2, 3), "f4")
        readonly.flags.writeable = False
        for wrong, error in [
            (numpy.zeros((2, 2), "f4"), tdshm.ArgumentError),
            (numpy.zeros((2, 6), "f4")[:, ::2], tdshm.ArgumentError),
            (readonly, tdshm.ArgumentError),
            (numpy.zeros((2, 3)), tdshm.DtypeError),
            (numpy.zeros((2, 3), ">f4"), tdshm.DtypeError),
            ([0.0] * 6, tdshm.DtypeError),
            (bytearray(24), tdshm.DtypeError),
            (numpy.frombuffer(bytearray(25), "u1")[1:].view("f4"), tdshm.ArgumentError),
        ]:
            with pytest.raises(error):
                receiver.read(out=wrong)
        assert receiver.read(out=out).numpyArray() is out
        assert receiver.wait(0) is not None, "nothing of it was taken for seen"


def test_settings(name):
    with tdshm.ChopSender(name, rate=30, samples=1000) as sender, tdshm.ChopReceiver(name) as receiver:
        assert (sender.name, sender.channels, sender.rate, sender.frames) == (name, (), 30.0, 0)
        sender.send([1, 2])
        assert receiver.read().names == ("chan1", "chan2")
        sender.channels = ["a", "b"]
        sender.rate = 44100
        sender.send([1, 2])
        frame = receiver.read()
        assert frame.names == ("a", "b") and frame.rate == 44100
        for rate in (0, -1, math.nan, math.inf):
            with pytest.raises(tdshm.ArgumentError):
                sender.rate = rate
        with pytest.raises(tdshm.ArgumentError):
            sender.channels = "ab"
        with pytest.raises(tdshm.ArgumentError):
            sender.channels = ["a\0"]
        with pytest.raises(TypeError):
            sender.channels = [1]
        sender.send([3, 4])
        assert receiver.read().names == ("a", "b")
        sender.channels = None
        sender.send([1])
        assert receiver.read().names == ("chan1",)


def test_missed_frames_are_counted(pair):
    sender, receiver = pair
    sender.send([1])
    assert receiver.wait(1).missed == 0
    for _ in range(5):
        sender.send([2])
    frame = receiver.wait(1)
    assert (frame.number, frame.missed) == (6, 4)
    assert receiver.wait(0) is None
    assert receiver.read().number == 6, "read gives it again"
