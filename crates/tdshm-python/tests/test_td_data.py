"""What operators put out: channels, images, tables, Info channels, files (operators §3, §8, §10.4, §10.6, §12)."""

from __future__ import annotations

import math
import pathlib
from typing import Any

import numpy as np
import pytest
from td_kit import name, network  # noqa: F401

import tdshm
from tdshm import td


def levels(network: td.Network, **values: float) -> Any:
    made = network.create(td.constantCHOP)
    for place, (channel, value) in enumerate(values.items()):
        made.par[f"const{place}name"].val = channel
        made.par[f"const{place}value"].val = value
    return made


def test_channels_are_found_by_name_place_and_pattern(network: td.Network) -> None:
    n = levels(network, tx=1, ty=2, Rx=3)
    names = lambda channels: [channel.name for channel in channels]  # noqa: E731
    assert (n.numChans, n.numSamples, n.start, n.end, n.rate, n.isTimeSlice) == (3, 1, 0, 0, 60, False)
    assert n["ty"].eval() == 2 and n["t*"] is None and n["nope"] is None and n[1].name == "ty" and n[-1].name == "Rx"
    assert names(n) == names(n.chans()) == ["tx", "ty", "Rx"] and len(n) == 3 and "tx" in n and "t*" not in n
    assert names(n.chans("t*")) == ["tx", "ty"] and names(n.chans("r*")) == []
    assert names(n.chans("r*", caseSensitive=False)) == ["Rx"] and n.chan("TY", caseSensitive=False).name == "ty"
    assert names(n.chans("Rx", 0, "t*")) == ["Rx", "tx", "ty"] and names(n.chans(2, 7)) == ["Rx"]
    assert n.chan("nope", "ty").name == "ty" and n.chan().name == "tx" and n.chan("nope") is None
    for place in (3, -4):
        with pytest.raises(td.tdIndexError, match="counted from 0"):
            n[place]
    array = n.numpyArray()
    assert array.shape == (3, 1) and array.dtype == np.float32 and array.flags.writeable
    array[:] = 9
    assert n["tx"] == 1, "a copy"
    assert bool(network.create(td.sharedmeminCHOP)), "without channels it is an operator all the same"


def test_a_channel_is_a_number_and_a_list(network: td.Network) -> None:
    wave = network.create(td.waveCHOP)
    wave.par.wavetype, wave.par.end, wave.par.endunit, wave.par.period = "ramp", 3, "samples", 4
    c = wave[0]
    vals = [float(v) for v in wave.numpyArray()[0]]
    assert c.vals == vals == list(c) == c[:] and len(c) == 4 and len(set(vals)) == 4
    assert c[1] == vals[1] and c[-1] == vals[3] and c[1:3] == vals[1:3]
    assert c.numpyArray().tolist() == vals and c.numpyArray().dtype == np.float32
    assert np.array_equal(np.asarray(c), wave.numpyArray()[0]) and np.asarray(c, np.float64).dtype == np.float64
    assert np.allclose(np.sqrt(np.abs(c)), np.sqrt(np.abs(vals))) and (np.ones(3) * c).tolist() == [c.eval()] * 3
    assert (c.min(), c.max(), c.average()) == (min(vals), max(vals), pytest.approx(sum(vals) / 4))
    network.cook(2)
    assert c.eval() == c == vals[1], "the current value is that of the timeline"
    assert c.eval(3) == vals[3] and c.evalFrame(1) == vals[0] == c.evalSeconds(0) and c.evalFrame() == vals[1] == c.evalSeconds()
    assert math.isclose(c + 1, vals[1] + 1) and 2 * c == 2 * vals[1] and c < 5 and float(c) == vals[1] and bool(c) == bool(vals[1])
    assert repr(c) == f"type:Channel name:chan1 owner:/wave1 value:{vals[1]}" and (c.index, c.owner) == (0, wave)
    for place in (4, -5):
        with pytest.raises(td.tdIndexError, match="it has 4, counted from 0"):
            c[place]
    for change in (lambda: c.copyNumpyArray([0.0] * 4), lambda: c.__setitem__(0, 1.0), lambda: setattr(c, "vals", [1.0])):
        with pytest.raises(td.tdError, match="script of a Script CHOP"):
            change()
    for change in (lambda: setattr(wave, "numSamples", 3), lambda: setattr(wave, "rate", 3)):
        with pytest.raises(td.tdError, match="script of a Script CHOP"):
            change()
    assert c.valid
    wave.par.channelname = "a b"
    assert wave.numChans == 2 and not c.valid and "gone" in repr(c)
    for use in (c.eval, lambda: c.vals, lambda: c + 1, lambda: len(c)):
        with pytest.raises(td.tdError, match="other channels now"):
            use()


def test_channels_are_saved(network: td.Network, tmp_path: pathlib.Path) -> None:
    n = levels(network, tx=0.5, ty=-2)
    path = n.save(tmp_path / "new" / "take.clip", createFolders=True)
    assert path == str(tmp_path / "new" / "take.clip")
    assert "name = ty" in pathlib.Path(path).read_text() and "rate = 60" in pathlib.Path(path).read_text()
    assert pathlib.Path(n.save(str(tmp_path / "take.chan"))).read_text() == "0.5\t-2\n"
    assert pathlib.Path(n.save(tmp_path / "take.csv")).read_text() == "tx,ty\n0.5,-2\n"
    assert pathlib.Path(n.save(tmp_path / "take.aiff")).read_bytes()[8:12] == b"AIFC"
    for file in ("take.clip", "take.chan", "take.csv"):
        same = network.create(td.fileinCHOP)
        same.par.file = str(tmp_path / ("new" if file == "take.clip" else "") / file)
        assert same.numpyArray().tolist() == n.numpyArray().tolist() and same.errors() == ""
    n.save(tmp_path / "take.wav")
    back = network.create(td.fileinCHOP)
    back.par.file = str(tmp_path / "take.wav")
    assert back.numpyArray().tolist() == [[0.5], [-2.0]]
    with pytest.raises(FileNotFoundError):
        n.save(tmp_path / "nope" / "take.clip")
    for extension in ("bclip", "bchan", "mp3"):
        with pytest.raises(td.tdValueError, match=rf"\.?{extension}"):
            n.save(tmp_path / f"take.{extension}")


def test_images(network: td.Network, tmp_path: pathlib.Path, name: str) -> None:
    with tdshm.TopSender(name, 3, 2, format="rgba8") as sender:
        pixels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4) * 10
        sender.send(pixels)
        n = network.create(td.sharedmeminTOP)
        n.par.name = name
        n.par.outputresolution = "useinput"
        array = n.numpyArray()
    assert array is not None and array.shape == (2, 3, 4) and array.dtype == np.float32
    assert np.allclose(array[::-1], pixels / np.float32(255)), "the bottom row first"
    assert (n.width, n.height, n.aspect, n.aspectWidth, n.depth, n.curPass) == (3, 2, 1, 1, 1, 0)
    assert (n.pixelFormatName, n.pixelFormat, n.gpuMemory) == ("rgba8fixed", "8-bit fixed (RGBA)", 24)
    assert n.sample(x=2, y=1) == pytest.approx(tuple(pixels[0, 2] / 255))
    assert n.sample() == n.sample(u=0.1, v=0.1) == n.sample(u=-5) == pytest.approx(tuple(pixels[1, 0] / 255))
    assert n.sample(u=1, v=1) == n.sample(x=2, y=1)
    for wrong in ({"x": 3}, {"y": 2}, {"x": -1}):
        with pytest.raises((td.tdValueError, td.tdIndexError)):
            n.sample(**wrong)
    with pytest.raises(ValueError, match="two of the four"):
        n.sample(x=1, u=0.5)
    path = n.save(tmp_path / "plate.png")
    assert pathlib.Path(path).read_bytes() == bytes(n.saveByteArray(".png")) and isinstance(n.saveByteArray(), bytearray)
    back = network.create(td.moviefileinTOP)
    back.par.file = path
    assert np.array_equal(back.numpyArray(), array)
    with pytest.raises(td.tdValueError, match="gif"):
        n.saveByteArray(".gif")
    delayed = network.create(td.constantTOP)
    assert delayed.numpyArray(delayed=True) is None
    delayed.par.colorr = 0.5
    first, second = delayed.numpyArray(delayed=True), delayed.numpyArray(delayed=True)
    assert first is not None and first[0, 0, 0] == 1 and second is not None and 0.49 < second[0, 0, 0] < 0.51
    nothing = network.create(td.nullTOP)
    assert nothing.numpyArray() is None
    with pytest.raises(td.tdError, match="has no image"):
        nothing.sample()


def test_tables(network: td.Network) -> None:
    n = network.create(td.tableDAT)
    assert (n.numRows, n.numCols, n.text, n[0, 0]) == (0, 0, "", None) and bool(n)
    n.text = "name\tvalue\ntx\t0.5\nty\t2"
    assert (n.numRows, n.numCols) == (3, 2)
    cell = n["tx", "value"]
    assert cell is not None and cell.val == "0.5" and float(cell) == 0.5 and str(cell) == "0.5" and cell == "0.5"
    assert (cell.row, cell.col, cell.owner) == (1, 1, n) and repr(cell) == "type:Cell cell:(1, 1) owner:/table1 value:0.5"
    assert n.cell(-1, 0) == "ty" and n["nope", 0] is None and n[3, 0] is None and n[0, 2] is None
    cell.val = 0.75
    n["ty", 1] = 3
    assert [c.val for c in n.col("value") or []] == ["value", "0.75", "3"] and [c.val for c in n.row(0) or []] == ["name", "value"]
    assert n.appendRow(["tz", 4]) == 3 and n.rows()[3][0] == "tz"
    n.deleteRow("tx")
    assert n.text == "name\tvalue\nty\t3\ntz\t4" and n.row("tx") is None and n.col("nope") is None
    for wrong in (lambda: n.__setitem__((9, 0), "x"), lambda: n.deleteRow(9)):
        with pytest.raises(td.tdIndexError):
            wrong()
    n.clear(keepFirstRow=True)
    assert n.numRows == 1
    n.clear()
    assert n.numRows == 0


def test_info_channels(network: td.Network, name: str) -> None:
    n = levels(network, tx=1)
    info = network.create(td.infoCHOP)
    info.par.op = n
    family = ["start", "length", "sample_rate", "num_channels", "time_slice", "export_sernum"]
    general = (
        "total_cooks cook_time cook_frame cook_abs_frame cook_start_time cook_end_time cooked_this_frame warnings errors"
    ).split()
    assert [c.name for c in info] == family + general == list(n.info())
    assert info["num_channels"] == 1 and info["total_cooks"] == n.totalCooks
    info.par.infotype = "general"
    assert [c.name for c in info.chans()] == general == list(n.info("general"))
    out = network.create(td.sharedmemoutCHOP)
    out.par.name = name
    out.setInputs([n])
    network.cook(3)
    assert out.info("shm")["shm_frames"] == 3 and out.info("shm")["shm_connected"] == 1
    assert out.info("timecode") == {}
    info.par.op = ""
    assert info.numChans == 0 and info.warnings() == "Operator is empty."
