"""Channels and images as numpy arrays, to and from TouchDesigner and any other program, through shared memory."""

from __future__ import annotations

import atexit
import os

from ._catalogue import SegmentInfo, Swept, clean, info, list
from ._errors import (
    AlreadyExistsError,
    ArgumentError,
    BlockError,
    BusyError,
    ClosedError,
    DtypeError,
    Error,
    ForkedError,
    GoneError,
    InvalidNameError,
    LockTimeoutError,
    NoRoomError,
    NotFoundError,
    RefusedError,
)
from ._tdshm import ChopFrame, ChopReceiver, ChopSender, TopFrame, TopReceiver, TopSender, __version__, _close_all, _forked

# What is open is closed when the interpreter ends, and belongs to the parent where a process is forked.
atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)

__all__ = [
    "AlreadyExistsError",
    "ArgumentError",
    "BlockError",
    "BusyError",
    "ChopFrame",
    "ChopReceiver",
    "ChopSender",
    "ClosedError",
    "DtypeError",
    "Error",
    "ForkedError",
    "GoneError",
    "InvalidNameError",
    "LockTimeoutError",
    "NoRoomError",
    "NotFoundError",
    "RefusedError",
    "SegmentInfo",
    "Swept",
    "TopFrame",
    "TopReceiver",
    "TopSender",
    "__version__",
    "clean",
    "info",
    "list",
]
