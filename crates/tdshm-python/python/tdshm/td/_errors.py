"""The exceptions of ``tdshm.td``, named as TouchDesigner's. Each derives from :class:`tdError`."""

from __future__ import annotations

from .._errors import Error


class tdError(Error):
    """Something that an operator, a parameter or a network cannot do; the text says why, and what to do."""


class tdAttributeError(tdError, AttributeError):
    """A parameter or a member of that name is not there. The text has those that look alike."""


class tdIndexError(tdError, IndexError):
    """A place beyond the end: of channels, samples, cells, pixels or connectors."""


class tdValueError(tdError, ValueError):
    """A value that is not taken: a menu has no such entry, a name is in use, a rate is beyond its limits."""
