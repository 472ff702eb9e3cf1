"""What is in the machine's shared memory, and what nobody needs there any more."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import Optional, Tuple

from . import _tdshm


@dataclass(frozen=True)
class SegmentInfo:
    """One segment. What only senders of this library say is None of others."""

    name: str
    """The Shared Mem Name."""
    kind: str
    """What lies there: "channels", "image", "global" or "unknown"."""
    segment: str
    """The name of the object that has the data."""
    size_bytes: Optional[int] = None
    """Its size in bytes, whole pages; None where it has gone."""
    detached: Optional[bool] = None
    """Whether its sender has left."""
    problem: Optional[str] = None
    """What is wrong with the block that lies there."""
    frames: Optional[int] = None
    """How many frames were sent."""
    age: Optional[float] = None
    """How long ago the last one was, in seconds."""
    pid: Optional[int] = None
    """The process that sends."""
    alive: Optional[bool] = None
    """Whether it still runs."""
    program: Optional[str] = None
    """What it is called."""
    receivers: Optional[int] = None
    """How many receive it."""
    channels: Optional[Tuple[str, ...]] = None
    """Channels: their names, where they are sent."""
    numChans: Optional[int] = None
    """Channels: how many there are."""
    numSamples: Optional[int] = None
    """Channels: samples in each."""
    rate: Optional[float] = None
    """Channels: samples per second, in Hz."""
    width: Optional[int] = None
    """Image: pixels in a row."""
    height: Optional[int] = None
    """Image: rows."""
    format: Optional[str] = None
    """Image: what its pixels are, such as "rgba8"."""


@dataclass(frozen=True)
class Swept:
    """An object that `clean` looked at."""

    object: str
    """Its name."""
    kind: str
    """What it is: "data", "info", "lock" or "other"."""
    fate: str
    """What became of it: "removed", "in use", "held open", "foreign" or "out of reach"."""
    pid: Optional[int] = None
    """The process that uses it, where that is known."""
    reason: Optional[str] = None
    """Why it is out of reach."""


def list() -> builtins.list[SegmentInfo]:
    """List every segment on this machine, sorted by name.

    >>> import tdshm
    >>> with tdshm.ChopSender("doc_list", ["tx"]) as sender:
    ...     sender.send([1.0])
    ...     [(s.kind, s.channels, s.frames) for s in tdshm.list() if s.name == "doc_list"]
    [('channels', ('tx',), 1)]
    """
    return [SegmentInfo(**fields) for fields in _tdshm._list()]


def info(name: str) -> SegmentInfo:
    """Say what is known of one segment.

    Raises
    ------
    NotFoundError (a FileNotFoundError)
        Nobody sends under that name.
    InvalidNameError (a ValueError)
        No segment can have it.
    """
    return SegmentInfo(**_tdshm._info(name))


def clean(*names: str, dry_run: bool = False) -> builtins.list[Swept]:
    """Remove what dead programs have left in shared memory: of these names, or everything.

    What somebody uses stays, and so does what is not of this library. With `dry_run` nothing is removed, and what would be
    says "removed" all the same.
    """
    return [Swept(*row) for row in _tdshm._clean([*names], dry_run)]
