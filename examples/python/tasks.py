"""Receive several streams at once in one asyncio program, each by its own task."""

import asyncio
import sys

import tdshm


async def follow(name: str) -> None:
    async for frame in tdshm.ChopReceiver(name):
        print(name, frame.number, frame.numpyArray()[:, -1].tolist(), flush=True)


async def main() -> None:
    await asyncio.gather(*(follow(name) for name in sys.argv[1:] or ["circle"]))


asyncio.run(main())
