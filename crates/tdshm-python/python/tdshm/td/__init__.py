"""TouchDesigner's way: operators, parameters and connectors that read as in TouchDesigner's Python.

>>> from tdshm import td
>>> network = td.Network()
>>> op = network.op
>>> source = network.create(td.constantCHOP, 'source1')
>>> source.par.const0value = 0.5
>>> sharedmemoutchop_op = network.create(td.sharedmemoutCHOP)
>>> sharedmemoutchop_op.par.name = 'doctest_td'
>>> sharedmemoutchop_op.inputConnectors[0].connect(op('source1'))
>>> network.cook()
>>> op('sharedmemout1')['chan1'].eval()
0.5
>>> network.close()

A script that needs one network only can do without it: ``td.op``, ``td.root``, ``td.project`` and so on are those of a network that the
module keeps; within the script of a Script CHOP they are those of its network, seen from ``td.me``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

from ._channel import Channel
from ._chop import CHOP
from ._comp import COMP
from ._connector import Connector
from ._dat import DAT, Cell
from ._errors import tdAttributeError, tdError, tdIndexError, tdValueError
from ._network import DEFAULT as _DEFAULT
from ._network import AbsTime, Network, Project, Timeline
from ._network import here as _here
from ._op import OP
from ._par import Page, Par, ParCollection, ParGroup, ParMode
from ._top import TOP
from ._types import (
    analyzeCHOP,
    baseCOMP,
    constantCHOP,
    constantTOP,
    extendCHOP,
    fileinCHOP,
    infoCHOP,
    mergeCHOP,
    moviefileinTOP,
    noiseCHOP,
    nullCHOP,
    nullTOP,
    oscinCHOP,
    oscoutCHOP,
    renameCHOP,
    resampleCHOP,
    scriptCHOP,
    selectCHOP,
    sharedmeminCHOP,
    sharedmeminTOP,
    sharedmemoutCHOP,
    sharedmemoutTOP,
    tableDAT,
    timesliceCHOP,
    waveCHOP,
)

if TYPE_CHECKING:
    me: OP
    """The operator whose script runs; outside of one the component at the top."""
    root: COMP
    """The component at the top."""
    project: Project
    """What concerns the whole network."""
    absTime: AbsTime
    """The clock that never goes back."""
    network: Network
    """The network that the functions of this module use."""


def __getattr__(name: str) -> Any:
    if name == "me":
        return _here()
    if name == "network":
        return _DEFAULT.get()
    if name in ("root", "project", "absTime"):
        return getattr(_DEFAULT.get(), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def op(*patterns: Union[str, int, OP, None]) -> Any:
    """The first operator that one of the paths, patterns or numbers means, seen from ``me``; or ``None``."""
    return _here().op(*patterns)


def opex(*patterns: Union[str, int, OP, None]) -> Any:
    """As :func:`op`, with :class:`tdError` in place of ``None``."""
    return _here().opex(*patterns)


def ops(*patterns: Union[str, int, OP]) -> list[Any]:
    """All operators that the paths and patterns mean, seen from ``me``."""
    found: list[Any] = _here().ops(*patterns)
    return found


def parent(n: int = 1) -> Any:
    """The component that ``me`` lives in, or the one so many levels up; ``None`` above the top."""
    return _here().parent(n)


__all__ = [
    "CHOP",
    "COMP",
    "DAT",
    "OP",
    "TOP",
    "AbsTime",
    "Cell",
    "Channel",
    "Connector",
    "Network",
    "Page",
    "Par",
    "ParCollection",
    "ParGroup",
    "ParMode",
    "Project",
    "Timeline",
    "absTime",
    "me",
    "network",
    "op",
    "opex",
    "ops",
    "parent",
    "project",
    "root",
    "tdAttributeError",
    "tdError",
    "tdIndexError",
    "tdValueError",
    "analyzeCHOP",
    "baseCOMP",
    "constantCHOP",
    "constantTOP",
    "extendCHOP",
    "fileinCHOP",
    "infoCHOP",
    "mergeCHOP",
    "moviefileinTOP",
    "noiseCHOP",
    "nullCHOP",
    "nullTOP",
    "oscinCHOP",
    "oscoutCHOP",
    "renameCHOP",
    "resampleCHOP",
    "scriptCHOP",
    "selectCHOP",
    "sharedmeminCHOP",
    "sharedmeminTOP",
    "sharedmemoutCHOP",
    "sharedmemoutTOP",
    "tableDAT",
    "timesliceCHOP",
    "waveCHOP",
]
