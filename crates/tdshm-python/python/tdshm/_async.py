"""``async for``: waits in a thread of its own for each receiver, so that the loop goes on."""

from __future__ import annotations

import asyncio
import threading
import weakref
from queue import SimpleQueue
from typing import Any

from ._tdshm import _Stop

_waiters: weakref.WeakKeyDictionary[Any, _Waiter] = weakref.WeakKeyDictionary()


class _Waiter:
    """The thread that waits for one receiver. It keeps no receiver alive while nobody waits."""

    def __init__(self) -> None:
        self.requests: SimpleQueue[Any] = SimpleQueue()
        # At exit nobody waits for it: what is open is closed then, and a wait ends.
        threading.Thread(target=_serve, args=(self.requests,), name="tdshm", daemon=True).start()

    def __del__(self) -> None:
        self.requests.put(None)


def _serve(requests: SimpleQueue[Any]) -> None:
    while True:
        request = requests.get()
        if request is None:
            return
        receiver, stop, loop, future = request
        frame, error = None, None
        try:
            frame = receiver._wait(stop)
        except BaseException as caught:  # it is the waiting task's
            error = caught
        try:
            loop.call_soon_threadsafe(_settle, receiver, future, frame, error)
        except RuntimeError:  # the loop has been closed meanwhile
            if frame is not None:
                receiver._unread(frame)
        del request, receiver, stop, loop, future, frame, error


def _settle(receiver: Any, future: asyncio.Future[Any], frame: Any, error: BaseException | None) -> None:
    if future.cancelled():
        if frame is not None:
            receiver._unread(frame)
    elif error is not None:
        future.set_exception(error)
    else:
        future.set_result(frame)


async def next_frame(receiver: Any) -> Any:
    """Wait for the next frame. A task that is cancelled loses none: it is the first that is given out afterwards."""
    frame = None if receiver.closed else receiver._try_next()
    if frame is not None:
        # Others have their turn also when frames come faster than they are used.
        await asyncio.sleep(0)
        return frame
    if receiver.closed:
        raise StopAsyncIteration
    waiter = _waiters.get(receiver)
    if waiter is None:
        waiter = _waiters[receiver] = _Waiter()
    loop = asyncio.get_running_loop()
    stop, future = _Stop(), loop.create_future()
    waiter.requests.put((receiver, stop, loop, future))
    try:
        frame = await future
    finally:
        stop.set()
    if frame is None:
        raise StopAsyncIteration
    return frame
