"""Real material, end to end: an electrocardiogram and a photograph. `cargo xtask test --only python` fetches them."""

import subprocess

import numpy
import pytest
from conftest import DATA

import tdshm

needs = pytest.mark.skipif(not DATA.is_dir(), reason="no data: run `cargo xtask test --only python`")

RELAY = """
import sys, tdshm
# Another Python passes on what it receives.
if sys.argv[3] == "channels":
    receiver, sender = tdshm.ChopReceiver(sys.argv[1]), tdshm.ChopSender(sys.argv[2])
else:
    receiver, sender = tdshm.TopReceiver(sys.argv[1]), tdshm.TopSender(sys.argv[2])
print("there", flush=True)
for frame in receiver:
    sender.send(frame.to_dict() if sys.argv[3] == "channels" else frame.numpyArray())
"""


@needs
def test_an_electrocardiogram(names, python):
    ecg = numpy.load(DATA / "ecg.npz")["data"]
    assert len(ecg) == 1024
    there, back = names(), names()
    other = python(RELAY, there, back, "channels")
    assert other.stdout.readline() == "there\n"
    with tdshm.ChopSender(there, ["ecg"], rate=360) as sender, tdshm.ChopReceiver(back) as receiver:
        beats = []
        for block in ecg.reshape(64, 16):
            sender.send(block[None])
            frame = receiver.wait()
            assert frame.names == ("ecg",)
            beats.append(frame["ecg"])
        numpy.testing.assert_array_equal(numpy.concatenate(beats), ecg)
        # The whole as one frame, and once more value by value.
        sender.send({"ecg": ecg})
        numpy.testing.assert_array_equal(receiver.wait()["ecg"], ecg)


@needs
@pytest.mark.parametrize("picture", ["astronaut.png", "camera.png"])
def test_a_photograph(names, python, command, tmp_path, picture):
    from PIL import Image

    with Image.open(DATA / picture) as opened:
        photograph = numpy.asarray(opened)
    there, back = names(), names()
    other = python(RELAY, there, back, "images")
    assert other.stdout.readline() == "there\n"
    with tdshm.TopSender(there) as sender, tdshm.TopReceiver(back) as receiver:
        for image in (photograph, photograph[::-1, ::2], photograph / 255.0, photograph.astype("f2")):
            sender.send(image)
            array = receiver.wait().numpyArray()
            if image.ndim == 3:
                array = array[..., :3]
            numpy.testing.assert_array_equal(array, image.astype(array.dtype))
        sender.send(photograph)
        receiver.wait()
        subprocess.run([command, "snap", back, tmp_path / "seen.png", "--quiet"], check=True)
        with Image.open(tmp_path / "seen.png") as seen:
            numpy.testing.assert_array_equal(numpy.asarray(seen)[..., :3] if photograph.ndim == 3 else numpy.asarray(seen), photograph)
