"""What users of ``tdshm.td`` write, for the type checkers; it runs as well."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

from tdshm import td


def chain(name: str) -> float:
    with td.Network(cookRate=30) as network:
        op = network.op
        network.create(td.constantCHOP, "source1").par.const0value = 0.5
        out: td.sharedmemoutCHOP = network.create(td.sharedmemoutCHOP, "out")
        out.par.name = name
        out.inputConnectors[0].connect(op("source1"))
        network.cook(2)
        names: Optional[list[str]] = out.par.memtype.menuNames
        assert names == ["local", "global"] and out.par.active.mode is td.ParMode.CONSTANT
        array: NDArray[np.float32] = out.numpyArray()
        channel: Optional[td.Channel] = out["chan1"]
        found: list[td.Channel] = out.chans("chan*")
        assert channel is not None and len(found) == 1 and array.shape == (1, 1)
        seconds: float = network.absTime.seconds
        problems: str = out.errors(recurse=True) + network.root.warnings()
        assert problems == "" and seconds > 0
        return channel.eval() * 2 + float(channel)


def image() -> tuple[int, int, int]:
    network = td.Network()
    top: td.TOP = network.create(td.constantTOP)
    pixels = top.numpyArray()
    assert pixels is not None and top.sample(x=0, y=0)[3] == 1.0 and top.saveByteArray(".png")[:4] == b"\x89PNG"
    height, width, parts = pixels.shape
    return height, width, parts


def script() -> list[float]:
    network = td.Network()
    made: td.scriptCHOP = network.create(td.scriptCHOP)

    def onCook(scriptOp: Any) -> None:
        scriptOp.clear()
        scriptOp.numSamples = 2
        scriptOp.appendChan("tx").vals = [1, 2]

    made.onCook = onCook
    made.cook(force=True)
    vals: list[float] = made[0].vals
    return vals
