"""Examples in docstrings, the example programs, and the notebook: all of them run."""

import doctest
import inspect
import os
import pathlib
import re
import subprocess
import sys

import numpy
import pytest

import tdshm

ROOT = pathlib.Path(os.environ.get("TDSHM_ROOT", pathlib.Path(__file__).parents[3]))
EXAMPLES = ROOT / "examples" / "python"


def documented():
    for name in tdshm.__all__:
        thing = getattr(tdshm, name)
        if isinstance(thing, str):
            continue
        yield name, thing
        if inspect.isclass(thing):
            yield from (
                (f"{name}.{part}", value)
                for part, value in vars(thing).items()
                if not part.startswith("_") and (callable(value) or inspect.isdatadescriptor(value))
            )


def test_everything_public_is_documented():
    missing = [name for name, thing in documented() if not inspect.getdoc(thing)]
    assert not missing


def test_examples_in_docstrings_run():
    runner, parser = doctest.DocTestRunner(), doctest.DocTestParser()
    for name, thing in documented():
        text = inspect.getdoc(thing)
        if text and ">>>" in text:
            runner.run(parser.get_doctest(text, {}, name, None, 0))
    assert runner.summarize().failed == 0 and runner.tries > 20
    tdshm.clean(*{f"doc_{n}" for n in "sender send frame receiver list image images top".split()})


@pytest.fixture
def example():
    started = []

    def start(program, *args):
        process = subprocess.Popen(
            [sys.executable, str(EXAMPLES / program), *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_every_example_is_run_here():
    here = pathlib.Path(__file__).read_text(encoding="utf-8")
    for program in EXAMPLES.iterdir():
        if program.name.startswith("zenoh_"):
            continue  # strangers to this package: the tests of crates/tdshm-zenoh run them
        if program.suffix in (".py", ".ipynb"):
            assert f'"{program.name}"' in here, program


def test_send_and_receive(name, example):
    receiver = example("receive.py", name)
    example("send.py", name)
    for _ in range(20):
        line = receiver.stdout.readline()
        values = eval(line)
        assert values.keys() == {"tx", "ty"} and abs(values["tx"] ** 2 + values["ty"] ** 2 - 1) < 1e-5


def test_wait(name, example):
    waiting = example("wait.py", name)
    assert waiting.stdout.readline() == "nobody has sent yet\n"
    with tdshm.ChopSender(name) as sender:
        sender.send([[1, 2, 3]])
        while (line := waiting.stdout.readline()) == "nobody has sent yet\n":
            pass
        assert line == "1 x 3 samples, 0 missed\n"
        assert waiting.stdout.readline() == "the sender is there, and sends nothing new\n"
    while waiting.stdout.readline() != "the sender has left\n":
        pass


def test_observe(name, example):
    looking = example("observe.py", name)
    assert looking.stdout.readline() == "nobody sends\n"
    with tdshm.ChopSender(name) as sender:
        sender.send([1, 2])
        while (line := looking.stdout.readline()) == "nobody sends\n":
            pass
        assert line == "frame 1: [[1.0], [2.0]]\n"
        assert tdshm.info(name).receivers == 0


def test_grow(name, example):
    out, error = example("grow.py", name).communicate()
    lines = out.splitlines()
    assert len(lines) == 20 and lines[-1] == "1048576 samples, the last of which is 1048575", error


def test_a_recording(names, example, command, tmp_path):
    pose, cam, take = names(), names(), str(tmp_path / "take.mcap")
    with tdshm.ChopSender(pose, ["tx", "ty"]) as channels, tdshm.TopSender(cam) as images:
        channels.send([[0.25, -1], [7, numpy.inf]])
        images.send(numpy.array([[[1, 2, 3, 4]], [[5, 6, 7, 8]]], "uint8"))  # two rows, the top one first
        record = subprocess.run([command, "record", pose, cam, "-o", take, "-C", "2", "--quiet"])
        assert record.returncode == 0
    out, error = example("recording.py", take).communicate()
    lines = dict(line.split(" ", 1) for line in out.splitlines())
    assert re.fullmatch(r"1 \d{19} {'tx': \[0.25, -1.0\], 'ty': \[7.0, inf\]} 60.0", lines[pose]), (out, error)
    assert re.fullmatch(r"1 \d{19} \(2, 1, 4\) uint8 \[5, 6, 7, 8\]", lines[cam]), (out, error)


def test_list(name, example):
    with tdshm.TopSender(name) as sender:
        sender.send(numpy.zeros((3, 4), "uint8"))
        out, error = example("list.py").communicate()
        assert re.search(rf"^{name} image 4 x 3 r8 .* 1$", out, re.M), (out, error)


def test_tasks(names, example):
    one, two = names(), names()
    following = example("tasks.py", one, two)
    with tdshm.ChopSender(one) as first, tdshm.ChopSender(two) as second:
        first.send([1, 2])
        assert following.stdout.readline() == f"{one} 1 [1.0, 2.0]\n"
        second.send([3])
        assert following.stdout.readline() == f"{two} 1 [3.0]\n"


def test_a_camera_and_a_model(example):
    try:
        tracker = example("tracker.py")
        with tdshm.ChopReceiver("tracker") as receiver:
            frame = None
            while frame is None:
                assert tracker.poll() is None, tracker.communicate()
                assert example("webcam.py", "--test").wait() == 0
                frame = receiver.wait(0)
            # The picture is of one colour: its first pixel is as bright as any.
            assert frame.value("tx") == 0 and frame.value("ty") == 1
        tracker.kill()
        tracker.wait()
    finally:
        tdshm.clean("cam", "tracker")


def test_instead_of_osc(example):
    out, error = example("from_osc.py").communicate()
    assert out == "0.25 ['hand/tx', 'hand/ty']\n", error
    tdshm.clean("hand")


@pytest.mark.skipif(sys.version_info < (3, 10), reason="the notebook's own packages need 3.10")
def test_the_notebook_runs(tmp_path):
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(EXAMPLES / "live_plot.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "it is kept without outputs"
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    kinds = {kind for cell in notebook.cells for output in cell.get("outputs", []) for kind in output.get("data", {})}
    assert "image/png" in kinds
    tdshm.clean("notebook")
