"""Channels and images as numpy arrays, to and from TouchDesigner and any other program, through shared memory."""

from __future__ import annotations

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
from ._tdshm import __version__

__all__ = [
    "AlreadyExistsError",
    "ArgumentError",
    "BlockError",
    "BusyError",
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
    "__version__",
]
