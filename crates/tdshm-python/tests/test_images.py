"""Images within one process."""

import numpy
import pytest

import tdshm

#: Short name, element type, components.
FORMATS = [
    (f"{letters}{bits}{kind}", dtype, len(letters))
    for letters in ("r", "rg", "rgba", "a", "ra")
    for bits, kind, dtype in [(8, "", "uint8"), (16, "", "uint16"), (16, "f", "float16"), (32, "f", "float32")]
] + [
    ("bgra8", "uint8", 4),
    ("bgra8_srgb", "uint8", 4),
    ("rgba8_srgb", "uint8", 4),
    ("rgb10a2", "uint32", 1),
    ("rg11b10f", "uint32", 1),
]


def picture(height, width, components, dtype, seed=0):
    random = numpy.random.default_rng(seed)
    shape = (height, width) if components == 1 else (height, width, components)
    if numpy.dtype(dtype).kind == "f":
        return random.random(shape).astype(dtype)
    return random.integers(0, numpy.iinfo(dtype).max, shape, dtype, endpoint=True)


@pytest.fixture
def pair(name):
    with tdshm.TopSender(name) as sender, tdshm.TopReceiver(name) as receiver:
        yield sender, receiver


@pytest.mark.parametrize("format, dtype, components", FORMATS, ids=[f[0] for f in FORMATS])
def test_every_format_arrives(name, format, dtype, components):
    image = picture(7, 5, components, dtype)
    with tdshm.TopSender(name, 5, 7, format) as sender, tdshm.TopReceiver(name) as receiver:
        assert sender.format == format
        sender.send(image)
        frame = receiver.read()
        assert (frame.width, frame.height, frame.format) == (5, 7, format)
        assert frame.numpyArray().dtype == dtype
        numpy.testing.assert_array_equal(frame.numpyArray(), image)
        with sender.frame() as array:
            assert array.shape == image.shape and array.dtype == image.dtype
            array[...] = image[::-1]
        numpy.testing.assert_array_equal(receiver.wait(1).numpyArray(), image[::-1])


@pytest.mark.parametrize("dtype, full", [("uint8", 255), ("uint16", 65535), ("float16", 1), ("float32", 1)])
@pytest.mark.parametrize("components", [1, 2, 3, 4])
def test_the_format_is_the_arrays_where_none_was_asked_for(pair, dtype, full, components):
    sender, receiver = pair
    image = picture(9, 4, components, dtype)
    sender.send(image)
    array = receiver.read().numpyArray()
    if components == 3:
        numpy.testing.assert_array_equal(array[..., :3], image)
        assert (array[..., 3] == full).all()
    else:
        numpy.testing.assert_array_equal(array, image)
    # One component in three axes is the same image.
    if components == 1:
        sender.send(image[..., None])
        numpy.testing.assert_array_equal(receiver.read().numpyArray(), image)


def views(image):
    yield image[::-1]
    yield image[:, ::-1]
    yield image[::2, ::3]
    yield image.swapaxes(0, 1)
    yield numpy.asfortranarray(image)
    yield image[2:5, 1:4]
    if image.ndim == 3:
        yield image[..., ::-1]
        yield numpy.moveaxis(numpy.ascontiguousarray(numpy.moveaxis(image, 2, 0)), 0, 2)
        yield image[..., :3]
        yield image[..., :2]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32"])
@pytest.mark.parametrize("components", [1, 3, 4])
def test_arrays_of_any_strides_arrive(pair, dtype, components):
    sender, receiver = pair
    for view in views(picture(12, 10, components, dtype)):
        for flip in (False, True):
            sender.send(view, flip=flip)
            array = receiver.read().numpyArray()
            expected = view[::-1] if flip else view
            has = expected.shape[2] if expected.ndim == 3 else 1
            if has == 3:
                array = array[..., :3]
            numpy.testing.assert_array_equal(array, expected)


def test_which_way_up(name):
    image = picture(6, 4, 4, "uint8")
    with (
        tdshm.TopSender(name) as sender,
        tdshm.TopReceiver(name) as top,
        tdshm.TopReceiver(name, flip=True) as bottom,
    ):
        sender.send(image)
        numpy.testing.assert_array_equal(top.read().numpyArray(), image)
        numpy.testing.assert_array_equal(bottom.read().numpyArray(), image[::-1])
        assert bottom.read().numpyArray().flags.c_contiguous and top.read().numpyArray().flags.c_contiguous
        for flip in (False, True):
            with sender.frame(flip=flip) as array:
                array[...] = image
            expected = image[::-1] if flip else image
            numpy.testing.assert_array_equal(top.wait(1).numpyArray(), expected)
            out = numpy.empty_like(image)
            assert top.read(out=out).numpyArray() is out
            numpy.testing.assert_array_equal(out, expected)
            bottom.read(out=out)
            numpy.testing.assert_array_equal(out, expected[::-1])


def test_what_is_converted(pair):
    sender, receiver = pair
    image = picture(5, 4, 3, "float64")
    sender.send(image)
    frame = receiver.read()
    assert frame.format == "rgba32f"
    numpy.testing.assert_array_equal(frame.numpyArray()[..., :3], image.astype("f4"))
    sender.send(picture(5, 4, 1, "uint16").astype(">u2"))
    assert receiver.read().format == "r16"
    sender.send([[0.0, 0.5], [1.0, 0.25]])
    assert receiver.read().numpyArray().tolist() == [[0, 0.5], [1, 0.25]]


def wrong(dtype="uint8"):
    yield numpy.zeros((4, 4, 5), dtype), tdshm.ArgumentError
    yield numpy.zeros((4, 4, 0), dtype), tdshm.ArgumentError
    yield numpy.zeros((0, 4, 4), dtype), tdshm.ArgumentError
    yield numpy.zeros((4, 0, 4), dtype), tdshm.ArgumentError
    yield numpy.zeros((1, 32769), dtype), tdshm.ArgumentError
    yield numpy.zeros(16, dtype), tdshm.ArgumentError
    yield numpy.zeros((1, 4, 4, 4), dtype), tdshm.ArgumentError
    for other in ("bool", "int8", "int16", "int32", "uint32", "int64", "complex64", "S1", "object"):
        yield numpy.zeros((4, 4, 4), other), tdshm.DtypeError
    yield None, tdshm.DtypeError
    yield "image", tdshm.DtypeError


def test_what_cannot_be_sent_leaves_the_stream_working(pair):
    sender, receiver = pair
    good = picture(3, 3, 4, "uint8")
    for index, (array, error) in enumerate(wrong()):
        with pytest.raises(error) as caught:
            sender.send(array)
        assert isinstance(caught.value, (ValueError, TypeError))
        good[0, 0, 0] = index
        sender.send(good)
        numpy.testing.assert_array_equal(receiver.wait(1).numpyArray(), good)


def test_a_sender_of_one_size_and_format_keeps_to_it(name):
    with tdshm.TopSender(name, 4, 3) as sender, tdshm.TopReceiver(name) as receiver:
        assert (sender.width, sender.height, sender.format) == (4, 3, "rgba8")
        sender.send(numpy.zeros((3, 4, 3), "uint8"))
        for array, error in [
            (numpy.zeros((4, 3, 4), "uint8"), tdshm.ArgumentError),
            (numpy.zeros((3, 4), "uint8"), tdshm.ArgumentError),
            (numpy.zeros((3, 4, 2), "uint8"), tdshm.ArgumentError),
            (numpy.zeros((3, 4, 4), "uint16"), tdshm.DtypeError),
            (numpy.zeros((3, 4, 4), "float32"), tdshm.DtypeError),
            (numpy.zeros((3, 4, 4), "float64"), tdshm.DtypeError),
        ]:
            with pytest.raises(error):
                sender.send(array)
        for arguments in [(3, 4), (4, 3, "r8"), (4,), (4, 3, "nothing")]:
            with pytest.raises(tdshm.ArgumentError):
                sender.frame(*arguments)
        sender.send(numpy.full((3, 4, 4), 7, "uint8"))
        assert (receiver.read().numpyArray() == 7).all() and sender.frames == 2


def test_senders_that_make_no_sense(name):
    for arguments in [(4,), (None, 4), (0, 4), (4, 32769), (4, 4, "nothing"), (4, 4, "")]:
        with pytest.raises(tdshm.ArgumentError):
            tdshm.TopSender(name, *arguments)
    for arguments in [(-1, 4), ("4", 4), (4, 4, 8)]:
        with pytest.raises((TypeError, OverflowError)):
            tdshm.TopSender(name, *arguments)
    assert not [s for s in tdshm.list() if s.name == name]


def test_drawing(name):
    with tdshm.TopSender(name) as sender, tdshm.TopReceiver(name) as receiver:
        with pytest.raises(tdshm.ArgumentError, match="give width and height"):
            sender.frame()
        for number in range(8):
            with sender.frame(64, 32) as array:
                array[...] = number
            assert (receiver.wait(1).numpyArray() == number).all()
            assert not array.flags.writeable
            with pytest.raises(ValueError):
                array[0] = 1
        assert sender.frames == 8
        # The size of the last image.
        drawing = sender.frame()
        with drawing as array:
            assert array.shape == (32, 64, 4)
        with pytest.raises(tdshm.ArgumentError):
            with drawing:
                pass
        # What ends with an exception is not sent.
        with pytest.raises(RuntimeError):
            with sender.frame() as array:
                raise RuntimeError
        assert sender.frames == 9
        # What was overtaken is not sent either, and says so.
        with pytest.raises(tdshm.ArgumentError) as caught:
            with sender.frame() as array:
                sender.send(numpy.zeros((2, 2), "uint8"))
        assert caught.value.code == 118
        assert receiver.wait(1).format == "r8" and sender.frames == 10


def test_a_late_write_hits_nobody_elses_image(name):
    with tdshm.TopSender(name) as sender, tdshm.TopReceiver(name) as receiver:
        late = []
        for number in range(12):
            with sender.frame(256, 64) as array:
                view = array[1:, ::2]
                array[...] = number
            late.append((number, view, array))
            assert (receiver.read().numpyArray() == number).all()
        for number, view, array in late:
            view[...] = 200  # views made before keep their right to write
        sender.send(numpy.full((64, 256, 4), 99, "uint8"))
        for _, view, _ in late:
            view[...] = 201
        assert (receiver.wait(1).numpyArray() == 99).all()
    for _, view, array in late:  # the sender has gone, and the memory has not
        view[...] = 202
        assert (array[1:, ::2] == 202).all()


def test_reading_into_an_array(pair):
    sender, receiver = pair
    out = numpy.zeros((4, 6, 4), "uint8")
    assert receiver.read(out=out) is None
    image = picture(4, 6, 4, "uint8")
    sender.send(image)
    assert receiver.read(out=out).numpyArray() is out
    numpy.testing.assert_array_equal(out, image)
    readonly = out.copy()
    readonly.flags.writeable = False
    for array, error in [
        (numpy.zeros((4, 5, 4), "uint8"), tdshm.ArgumentError),
        (numpy.zeros((4, 12, 4), "uint8")[:, ::2], tdshm.ArgumentError),
        (numpy.zeros((6, 4, 4), "uint8"), tdshm.ArgumentError),
        (readonly, tdshm.ArgumentError),
        (numpy.zeros((4, 6, 4), "float32"), tdshm.DtypeError),
        ([1], tdshm.DtypeError),
    ]:
        with pytest.raises(error):
            receiver.read(out=array)
    assert receiver.read(out=out).numpyArray() is out


def test_sizes_and_formats_may_change_at_every_image(pair):
    sender, receiver = pair
    kept = []
    for number, (_, dtype, components) in enumerate(FORMATS[:12] * 3):
        image = picture(3 + 5 * number, 70 - number, components, dtype, seed=number)
        sender.send(image)
        kept.append((receiver.wait(1).numpyArray(), image))
    for array, image in kept:
        numpy.testing.assert_array_equal(array, image)


@pytest.mark.parametrize("width", [1024, 1027])
@pytest.mark.parametrize("components", [1, 3, 4])
def test_images_that_no_cache_holds(pair, width, components):
    sender, receiver = pair
    image = picture(5_000_000 // width // components, width, components, "uint8")
    for flip in (False, True):
        sender.send(image, flip=flip)
        expected = image[::-1] if flip else image
        array = receiver.wait(1).numpyArray()
        numpy.testing.assert_array_equal(array[..., :3] if components == 3 else array, expected)
        out = numpy.empty_like(array)
        receiver.read(out=out)
        numpy.testing.assert_array_equal(out, array)
