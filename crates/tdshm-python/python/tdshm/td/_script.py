"""Script CHOPs: Python code that makes channels."""

from __future__ import annotations

import atexit
import ctypes
import os
import threading
import traceback
import weakref
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

import numpy as np

from .. import _tdshm
from ._base import HERE
from ._channel import ScriptChannel
from ._chop import CHOP
from ._errors import tdError, tdValueError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ._network import Network

    _Made = tuple[list[str], NDArray[np.float32], float, int, bool]


class Draft:
    """The channels that a script is making."""

    __slots__ = ("_rate", "_samples", "_start", "isTimeSlice", "names", "owner", "thread")

    def __init__(self, owner: ScriptCHOP) -> None:
        self.owner = owner
        self.thread = threading.get_ident()
        self.names, self._samples, self._rate, self._start, self.isTimeSlice = _tdshm._td_last_channels(owner._raw)

    def made(self) -> _Made:
        """What the network takes."""
        return self.names, np.ascontiguousarray(self._samples), self._rate, self._start, bool(self.isTimeSlice)

    @property
    def samples(self) -> NDArray[np.float32]:
        return self._samples

    @property
    def numChans(self) -> int:
        return len(self.names)

    @numChans.setter
    def numChans(self, count: int) -> None:
        raise tdError(f"{self.owner.path}.numChans cannot be set: append channels, or clear() them")

    @property
    def numSamples(self) -> int:
        return int(self._samples.shape[1])

    @numSamples.setter
    def numSamples(self, count: int) -> None:
        if not 0 <= count <= 1 << 27:
            raise tdValueError(f"{self.owner.path}.numSamples cannot be {count}: give 0 to {1 << 27}")
        made = np.zeros((len(self.names), count), np.float32)
        kept = min(count, self.numSamples)
        made[:, :kept] = self._samples[:, :kept]
        self._samples = made

    @property
    def rate(self) -> float:
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        if not 0 < rate < float("inf"):
            raise tdValueError(f"{self.owner.path}.rate cannot be {rate}: give samples a second, above 0")
        self._rate = float(rate)

    @property
    def start(self) -> int:
        return self._start

    @start.setter
    def start(self, start: int) -> None:
        self._start = int(start)

    @property
    def end(self) -> int:
        return self._start + self.numSamples - 1

    @end.setter
    def end(self, end: int) -> None:
        self.numSamples = int(end) - self._start + 1

    def append(self, name: str) -> ScriptChannel:
        if name in self.names:
            raise tdValueError(f"{self.owner.path} has a channel {name!r} already: choose another name, or clear() first")
        self.names.append(name)
        count = max(self.numSamples, 1) if len(self.names) == 1 else self.numSamples
        made = np.zeros((len(self.names), count), np.float32)
        made[:-1, : self.numSamples] = self._samples[:, :count]
        self._samples = made
        return ScriptChannel(self, name)

    def replace(self, names: list[str], samples: NDArray[np.float32]) -> None:
        if len(set(names)) != len(names):
            raise tdValueError(f"{self.owner.path} cannot have two channels of one name")
        self.names, self._samples = names, samples


class ScriptCHOP(CHOP):
    """What Script CHOPs have beyond other CHOPs."""

    __slots__ = ()

    @property
    def onCook(self) -> Optional[Callable[[Any], object]]:
        """The function that makes the channels, called with the operator whenever that cooks. (TouchDesigner has it in a
        callbacks DAT.)

        In it ``scriptOp.clear()``, ``appendChan()``, ``numSamples``, ``rate``, ``start``, ``isTimeSlice``, ``chan[i] = …``, ``chan.vals = …`` and
        ``copyNumpyArray()`` make the channels; they stay until something changes them. What it raises is an error of the
        operator, with the line, and the channels stay as they were.
        """
        return self._net._scripts.get(self._raw.id)

    @onCook.setter
    def onCook(self, function: Optional[Callable[[Any], object]]) -> None:
        if function is None:
            self._net._scripts.pop(self._raw.id, None)
            return
        if not callable(function):
            raise TypeError(f"onCook takes a function, and no {type(function).__name__}")
        self._net._scripts[self._raw.id] = function
        _tdshm._td_set_script(self._raw, _Cook(self._net, self._raw.id))

    def _drafted(self) -> Draft:
        draft = self._draft()
        if draft is None:
            raise tdError(f"{self.path} can be changed by its own script only, while it cooks: set onCook")
        return draft

    def clear(self) -> None:
        """Takes all channels away."""
        draft = self._drafted()
        draft.replace([], np.zeros((0, draft.numSamples), np.float32))

    def appendChan(self, name: Optional[str] = None) -> ScriptChannel:
        """Adds a channel, of zeros, called ``chanN`` where no name is given. The first one has a sample at least."""
        draft = self._drafted()
        return draft.append(f"chan{draft.numChans + 1}" if name is None else name)

    def copy(self, chop: CHOP) -> None:
        """Takes over the channels of another CHOP: samples, names, rate and start."""
        draft = self._drafted()
        if chop == self:
            return
        draft.replace([channel.name for channel in chop], chop.numpyArray())
        draft.rate, draft.start, draft.isTimeSlice = chop.rate, chop.start, chop.isTimeSlice

    def copyNumpyArray(self, numpyArray: ArrayLike, baseName: str = "chan") -> None:
        """Replaces all channels: a row of the array is a channel, called ``baseName`` and its number from 1."""
        draft = self._drafted()
        given = np.array(numpyArray, dtype=np.float32, ndmin=2, order="C")
        if given.ndim != 2:
            raise ValueError(f"an array of {given.ndim} dimensions was given: a row a channel, a column a sample")
        draft.replace([f"{baseName}{number}" for number in range(1, given.shape[0] + 1)], given)


class _Cook:
    """What the network calls. It knows the network weakly, so that a network that nobody has any more goes."""

    __slots__ = ("_id", "_network")

    def __init__(self, net: Network, op_id: int) -> None:
        self._network = weakref.ref(net)
        self._id = op_id

    def __call__(self) -> Union[str, _Made, None]:
        net = self._network()
        if net is None:
            return "The network of this script is gone."
        function = net._scripts.get(self._id)
        op = net._by_id(self._id)
        if function is None or not isinstance(op, ScriptCHOP):
            return None
        try:
            draft = Draft(op)
            net._drafts[self._id] = draft
            outermost = not HERE.stack
            HERE.stack.append(op)
            try:
                if outermost:
                    _RUNNING.add(draft.thread)
                if _ENDING and draft.thread not in _ENDING:
                    return "The interpreter ends."
                function(op)
            finally:
                if outermost:
                    _RUNNING.discard(draft.thread)
                HERE.stack.pop()
                net._drafts.pop(self._id, None)
            return draft.made()
        except Exception as error:
            return _said(error, function)
        except BaseException as error:  # Ctrl-C, or the end of the program: raised again behind the cook.
            net._interrupted = error
            return "The script was interrupted."


# The threads that run scripts.
_RUNNING: set[int] = set()
# The thread that ends the interpreter: no script of another one begins any more.
_ENDING: list[int] = []


@atexit.register
def _interrupt() -> None:
    """Ends the scripts of daemon threads: a thread that is ended in the midst of a cook ends the program, with an abort."""
    _ENDING.append(threading.get_ident())
    for thread in _RUNNING.difference(_ENDING):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(SystemExit))


def _said(error: Exception, function: Callable[[Any], object]) -> str:
    """The error in one line, with the place in the script."""
    frames = traceback.extract_tb(error.__traceback__)
    code = getattr(function, "__code__", None)
    own = [frame for frame in frames if code is not None and frame.filename == code.co_filename]
    at = (own or frames)[-1]
    what = traceback.format_exception_only(type(error), error)[-1].strip()
    return f"{what} (line {at.lineno} of {os.path.basename(at.filename)}, in {at.name})"
