"""Exchange with the Rust command and with another Python, both ways, also when somebody is killed."""

import csv
import io
import json
import signal
import subprocess
import sys

import numpy
import pytest

import tdshm

SEND = """
import sys, numpy, tdshm
name, value = sys.argv[1], float(sys.argv[2])
with tdshm.ChopSender(name, ["tx", "ty"], rate=100) as sender:
    print("there", flush=True)
    number = 0
    for line in sys.stdin:
        number += 1
        sender.send(numpy.full((2, 3), value + number, "f4"))
        print("sent", flush=True)
"""

SUM = """
import sys, numpy, tdshm
with tdshm.ChopReceiver(sys.argv[1]) as receiver:
    print("there", flush=True)
    for frame in receiver:
        print(frame.names, frame.rate, float(frame.numpyArray().sum()), frame.missed, flush=True)
"""

IMAGES = """
import sys, numpy, tdshm
with tdshm.TopReceiver(sys.argv[1]) as receiver:
    print("there", flush=True)
    for frame in receiver:
        print(frame.format, frame.numpyArray()[0, 0].tolist(), flush=True)
"""


def tell(process, line="go"):
    process.stdin.write(line + "\n")
    process.stdin.flush()


def test_channels_from_another_python(name, python):
    other = python(SEND, name, "10")
    assert other.stdout.readline() == "there\n"
    with tdshm.ChopReceiver(name) as receiver:
        for number in range(1, 20):
            tell(other)
            frame = receiver.wait()
            assert other.stdout.readline() == "sent\n"
            assert frame.names == ("tx", "ty") and frame.rate == 100 and frame.number == number
            assert (frame.numpyArray() == 10 + number).all()
        assert tdshm.info(name).pid == other.pid
        with pytest.raises(FileExistsError, match=str(other.pid)) as caught:
            tdshm.ChopSender(name)
        assert isinstance(caught.value, tdshm.AlreadyExistsError) and caught.value.code in (1, 3)
        other.stdin.close()
        assert other.wait() == 0


def test_channels_to_another_python(name, python):
    other = python(SUM, name)
    assert other.stdout.readline() == "there\n"
    with tdshm.ChopSender(name, ["a", "b"], rate=25) as sender:
        for number in range(10):
            sender.send([[number] * 4, [1] * 4])
            assert other.stdout.readline() == f"('a', 'b') 25.0 {4.0 * number + 4} 0\n"


def test_images_to_another_python(name, python):
    other = python(IMAGES, name)
    assert other.stdout.readline() == "there\n"
    with tdshm.TopSender(name, 640, 480) as sender:
        for number in range(10):
            with sender.frame() as array:
                array[...] = (number, 2, 3, 255)
            assert other.stdout.readline() == f"rgba8 [{number}, 2, 3, 255]\n"


def test_channels_to_the_command(name, command):
    with tdshm.ChopSender(name, ["tx", "ty"]) as sender:
        sender.send([[0.5, 1.5, 2.5], [-1, -2, -3]])
        watch = [command, "watch", name, "--frames", "1", "--format", "csv", "--quiet"]
        rows = list(csv.reader(io.StringIO(subprocess.run(watch, check=True, capture_output=True, text=True).stdout)))
        assert rows[0] == ["tx", "ty"]
        assert [[float(value) for value in row] for row in rows[1:]] == [[0.5, -1], [1.5, -2], [2.5, -3]]
        listed = json.loads(subprocess.run([command, "list", "--json"], check=True, capture_output=True).stdout)
        assert name in json.dumps(listed)


def test_channels_from_the_command(name, command):
    sender = subprocess.Popen(
        [command, "send", name, "--stdin", "--format", "json", "--quiet"], stdin=subprocess.PIPE, text=True
    )
    try:
        with tdshm.ChopReceiver(name) as receiver:
            for number in range(5):
                frame = {"tx": [number, 1.5], "ty": [2, number]}
                sender.stdin.write(json.dumps({"sample_rate": 50, "channels": [{"name": n, "samples": s} for n, s in frame.items()]}) + "\n")
                sender.stdin.flush()
                got = receiver.wait()
                assert got.rate == 50
                assert {k: v.tolist() for k, v in got.to_dict().items()} == frame
    finally:
        sender.stdin.close()
        assert sender.wait() == 0


def test_images_with_the_command(name, command, tmp_path):
    from PIL import Image

    image = numpy.random.default_rng(1).integers(0, 256, (37, 53, 4), numpy.uint8)
    with tdshm.TopSender(name) as sender:
        sender.send(image)
        subprocess.run([command, "snap", name, tmp_path / "seen.png", "--quiet"], check=True)
    with Image.open(tmp_path / "seen.png") as seen:
        numpy.testing.assert_array_equal(numpy.asarray(seen), image)
    sender = subprocess.Popen([command, "send", name, "--image", tmp_path / "seen.png", "--quiet"])
    try:
        with tdshm.TopReceiver(name) as receiver:
            numpy.testing.assert_array_equal(receiver.wait().numpyArray(), image)
    finally:
        sender.send_signal(signal.SIGTERM) if sys.platform != "win32" else sender.kill()
        sender.wait()


def test_who_iterates_goes_on_when_the_sender_is_killed_and_started_again(name, python, thread):
    with tdshm.ChopReceiver(name) as receiver:
        got = []

        def iterate():
            for frame in receiver:
                got.append(float(frame.numpyArray()[0, 0]))
                if got[-1] == 503:
                    return receiver.attached

        iterating = thread(iterate)
        for value in (100, 200, 300, 400, 500):
            other = python(SEND, name, str(value))
            assert other.stdout.readline() == "there\n"
            for number in (1, 2, 3):
                tell(other)
                assert other.stdout.readline() == "sent\n"
                # Frames are not queued: the next is sent when this one has been seen.
                while not got or got[-1] != value + number:
                    assert iterating.thread.is_alive() or got[-1] == 503, iterating.result()
                    iterating.thread.join(0.001)
            other.kill()
            other.wait()
        assert iterating.result() == "yes"
        assert got == [value + number for value in (100, 200, 300, 400, 500) for number in (1, 2, 3)]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows removes what nobody has open")
def test_what_a_killed_program_left_is_cleaned(name, python):
    other = python(SEND, name, "1")
    assert other.stdout.readline() == "there\n"
    tell(other)
    assert other.stdout.readline() == "sent\n"
    other.kill()
    other.wait()
    assert tdshm.info(name).alive is False
    would = tdshm.clean(name, dry_run=True)
    assert {swept.kind for swept in would} >= {"data", "info"} and {swept.fate for swept in would} == {"removed"}
    assert [s.name for s in tdshm.list() if s.name == name] == [name]
    assert tdshm.clean(name) == would
    with pytest.raises(FileNotFoundError) as caught:
        tdshm.info(name)
    assert isinstance(caught.value, tdshm.NotFoundError) and caught.value.code == 2
