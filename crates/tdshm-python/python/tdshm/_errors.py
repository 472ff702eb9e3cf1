"""The exceptions of the package. Each derives from :class:`Error`, and from the built-in one that people catch."""

from __future__ import annotations


class Error(Exception):
    """Anything that goes wrong in shared memory.

    After an error the object that raised it is usable, and holds no lock.
    """

    code: int = 0
    """The number of the error, which never changes: 1 to 6 are those of TouchDesigner's own classes, 100 and above are
    those of this library, 0 is said of wrong arguments."""


class NotFoundError(Error, FileNotFoundError):
    """There is no segment of that name: start the program that sends it."""


class GoneError(NotFoundError):
    """The segment was there, and its sender has left."""


class AlreadyExistsError(Error, FileExistsError):
    """Another program sends under that name."""


class BusyError(Error, BlockingIOError):
    """Somebody else has it at the moment: trying again may work."""


class LockTimeoutError(Error, TimeoutError):
    """A lock was not free within its limit, because another program held it."""


class RefusedError(Error, PermissionError):
    """The operating system, or the one whose object it is, does not allow it."""


class NoRoomError(Error, MemoryError):
    """There is no memory left for the segment, or for the view of it."""


class InvalidNameError(Error, ValueError):
    """A name that no segment can have: empty, too long, or with a character that is not allowed."""


class BlockError(Error, ValueError):
    """What lies in the segment, or what was to be put there, does not follow the protocol."""


class ArgumentError(Error, ValueError):
    """An argument of the right type whose value makes no sense: a shape, a size, a channel that is not there."""


class DtypeError(Error, TypeError):
    """An array of elements that cannot be sent, or cannot be read into."""


class ClosedError(Error, ValueError):
    """The sender or receiver was closed before."""


class ForkedError(Error, RuntimeError):
    """The object belongs to the process from which this one was forked: make one here."""
