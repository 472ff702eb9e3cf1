"""What a user writes, for mypy: types are there, and right. It runs, too."""

from __future__ import annotations

import numpy

import tdshm


def channels(name: str) -> dict[str, float]:
    with tdshm.ChopSender(name, ["tx", "ty"], rate=60) as sender, tdshm.ChopReceiver(name) as receiver:
        sender.send(numpy.zeros((2, 3), numpy.float32))
        sender.send([0.25, -1.0])
        sender.send({"tx": 0.5, "ty": 2})
        frame = receiver.wait(timeout=1)
        assert frame is not None
        return {key: float(samples[-1]) for key, samples in frame.to_dict("t*").items()}


def image(name: str) -> int:
    with tdshm.TopSender(name, 4, 3) as sender, tdshm.TopReceiver(name) as receiver:
        with sender.frame() as array:
            array[...] = 7
        for frame in receiver:
            return int(frame.numpyArray().sum())
    raise AssertionError


async def stream(name: str) -> float | None:
    async for frame in tdshm.ChopReceiver(name):
        return frame.age
    return None


def errors(name: str) -> int:
    try:
        info: tdshm.SegmentInfo = tdshm.info(name)
    except tdshm.NotFoundError as error:
        return error.code
    return 0 if info.width is None else info.width
