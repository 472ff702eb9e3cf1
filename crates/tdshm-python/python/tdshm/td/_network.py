"""Networks, their clocks, and the one that is there without asking."""

from __future__ import annotations

import os
import threading
import time as clock
import weakref
from typing import TYPE_CHECKING, Any, Callable, Optional, TypeVar, Union, overload

from .. import _tdshm
from ._base import HERE, Guarded
from ._par import Par

if TYPE_CHECKING:
    from ._comp import COMP
    from ._op import OP
    from ._script import Draft

_Made = TypeVar("_Made", bound="OP")


class Network:
    """A network of operators, with a timeline of its own.

    Nothing happens by itself: :meth:`cook` lets frames pass, :meth:`run` lets them pass in real time. Any thread may use a network;
    one at a time works in it, and others wait. In a ``with`` statement, or by :meth:`close`, its segments are left at once, and
    otherwise when nobody has it any more.

    >>> network = Network()
    >>> op = network.op
    >>> wave = network.create('waveCHOP', 'source1')
    >>> op('source1').numSamples
    600
    """

    def __init__(self, *, cookRate: float = 60.0) -> None:
        self._raw = _tdshm.TdNetwork()
        self._ops: weakref.WeakValueDictionary[int, OP] = weakref.WeakValueDictionary()
        self._storage: dict[int, dict[Any, Any]] = {}
        self._scripts: dict[int, Callable[[Any], object]] = {}
        self._drafts: dict[int, Draft] = {}
        self._interrupted: Optional[BaseException] = None
        self._process = os.getpid()
        if cookRate != 60.0:
            self._raw.set_rate(cookRate)
        self._settings = _Settings()

    def __repr__(self) -> str:
        return f"<tdshm.td.Network of {len(self.root.children)} operators, frame {self.absTime.frame}>"

    def __enter__(self) -> Network:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> Any:
        raise TypeError("cannot pickle a Network: it belongs to this process: send a patch, or values")

    def close(self) -> None:
        """Destroys all operators, so that their segments are left. The network is empty then, and can be used again."""
        self._raw.close()
        self._scripts.clear()
        self._storage.clear()

    @property
    def time(self) -> Timeline:
        """The timeline: ``frame``, ``seconds``, ``rate``, ``play``, ``start``, ``end``."""
        return Timeline(self)

    @property
    def absTime(self) -> AbsTime:
        """The clock that never goes back: ``frame``, ``seconds``."""
        return AbsTime(self)

    @property
    def project(self) -> Project:
        """What concerns all of it: ``cookRate``, ``realTime``, ``folder``, ``globalResMultiplier``."""
        return Project(self)

    # Operators

    @property
    def root(self) -> COMP:
        """The component at the top, whose path is ``/``."""
        root: COMP = self._wrap(self._raw.root())
        return root

    def op(self, *patterns: Union[str, int, OP, None]) -> Any:
        """The first operator that one of the paths, patterns or numbers means, seen from the top; or ``None``."""
        return self.root.op(*patterns)

    def opex(self, *patterns: Union[str, int, OP, None]) -> Any:
        """As :meth:`op`, with :class:`tdError` in place of ``None``."""
        return self.root.opex(*patterns)

    def ops(self, *patterns: Union[str, int, OP]) -> list[Any]:
        """All operators that the paths and patterns mean, seen from the top."""
        return self.root.ops(*patterns)

    @overload
    def create(self, OPtype: type[_Made], name: Optional[str] = None) -> _Made: ...

    @overload
    def create(self, OPtype: str, name: Optional[str] = None) -> Any: ...

    def create(self, OPtype: Any, name: Optional[str] = None) -> Any:
        """Makes an operator at the top: ``create(sharedmeminCHOP, 'in1')``. See :meth:`COMP.create`."""
        return self.root.create(OPtype, name)

    def load(self, path: Union[str, os.PathLike[str]]) -> list[Any]:
        """Makes what a patch describes (the TOML files of ``tdshm run``), and gives its operators. Paths in it begin in its folder.
        A patch with mistakes is refused with :class:`tdValueError`, and nothing changes."""
        made = self._raw.load(os.fspath(path))
        self._settings.folder = os.path.dirname(os.path.abspath(path))
        return [self.opex(path) for path in made]

    def loads(self, text: str) -> list[Any]:
        """The same of a text."""
        return [self.opex(made) for made in self._raw.apply(text)]

    # Time

    def cook(self, frames: int = 1) -> None:
        """Lets so many frames pass, one after the other, as fast as it goes: what sends, exports or is looked at cooks."""
        if frames < 0:
            raise ValueError(f"cook() lets frames pass, and was given {frames}: give 0 or more")
        for _ in range(frames):
            self._advance(1)

    def _advance(self, frames: int) -> None:
        self._raw.advance(frames)
        self._check()

    def run(
        self,
        seconds: Optional[float] = None,
        *,
        frames: Optional[int] = None,
        until: Optional[Callable[[], object]] = None,
    ) -> None:
        """Lets frames pass in real time, ``project.cookRate`` of them a second: for some seconds, for some frames, until a function
        says so, or for ever. Ctrl-C ends it with ``KeyboardInterrupt``, as any wait.

        Frames for which there was no time are left out, and time slices are longer then; with ``project.realTime`` off every
        frame is cooked, however long it takes.
        """
        rate = self.project.cookRate
        begin = clock.monotonic()
        end = None if seconds is None else begin + seconds
        due = begin
        left = frames
        while (left is None or left > 0) and not (until is not None and until()):
            if end is not None and due >= end:
                break
            while (wait := due - clock.monotonic()) > 0:
                clock.sleep(wait)
            late = int((clock.monotonic() - due) * rate)
            passes = 1 if late < 1 or not self.project.realTime else late + 1
            if left is not None:
                left -= 1
            self._advance(passes)
            now_rate = self.project.cookRate
            if now_rate != rate or not self.project.realTime and clock.monotonic() > due + 1 / rate:
                rate, due = now_rate, clock.monotonic()
            else:
                due += passes / rate

    # For the other classes

    def _wrap(self, raw: Any) -> Any:
        """The one Python object of an operator, of the class of its type."""
        known = self._ops.get(raw.id)
        if known is not None:
            return known
        from ._types import FAMILIES, TYPES

        op_type = raw.op_type()
        cls = TYPES.get(op_type) or FAMILIES[raw.member("family")]
        return self._ops.setdefault(raw.id, cls(self, raw))

    def _by_id(self, op_id: int) -> Any:
        return self.root.op(op_id)

    def _value(self, value: Any) -> Any:
        return self._wrap(value) if isinstance(value, _tdshm.TdOp) else value

    def _par(self, raw: Any) -> Par:
        return Par(self, raw)

    def _draft_of(self, op: OP) -> Optional[Draft]:
        if not self._drafts:
            return None
        draft = self._drafts.get(op._raw.id)
        return draft if draft is not None and draft.thread == threading.get_ident() else None

    def _check(self) -> None:
        """Raises what interrupted a script."""
        if self._interrupted is not None and not HERE.stack:
            error, self._interrupted = self._interrupted, None
            raise error

    def _forget(self, op: OP, ids: list[int]) -> None:
        for gone in ids:
            self._storage.pop(gone, None)
            self._scripts.pop(gone, None)


class _Settings:
    """What a network was told and does not tell."""

    __slots__ = ("folder", "global_name", "multiplier", "real_time")

    def __init__(self) -> None:
        self.real_time = True
        self.folder = ""
        self.multiplier = 1.0
        self.global_name = "tdshmGlobal"


class AbsTime(Guarded):
    """The clock of a network that counts all frames, played or not."""

    __slots__ = ("_net",)

    def __init__(self, net: Network) -> None:
        object.__setattr__(self, "_net", net)

    _net: Network

    def __repr__(self) -> str:
        return f"type:AbsTime frame:{self.frame} seconds:{self.seconds}"

    @property
    def frame(self) -> int:
        """Frames that have passed."""
        return self._net._raw.clock()[2]

    @property
    def seconds(self) -> float:
        """The same in seconds."""
        return self._net._raw.clock()[7]


class Timeline(Guarded):
    """The timeline of a network, which begins again at its end."""

    __slots__ = ("_net",)

    def __init__(self, net: Network) -> None:
        object.__setattr__(self, "_net", net)

    _net: Network

    def __repr__(self) -> str:
        return f"type:Timeline frame:{self.frame} rate:{self.rate}"

    @property
    def frame(self) -> float:
        """The frame, from 1 on. Setting it jumps there."""
        return self._net._raw.clock()[1]

    @frame.setter
    def frame(self, frame: float) -> None:
        self._net._raw.jump(frame)

    @property
    def seconds(self) -> float:
        """The same in seconds, from 0 on. Setting it jumps there."""
        return self._net._raw.clock()[6]

    @seconds.setter
    def seconds(self, seconds: float) -> None:
        self._net._raw.jump(seconds * self.rate + 1)

    @property
    def rate(self) -> float:
        """Frames a second."""
        return self._net._raw.clock()[0]

    @rate.setter
    def rate(self, rate: float) -> None:
        self._net._raw.set_rate(rate)

    @property
    def play(self) -> bool:
        """Whether it goes on with the frames."""
        return self._net._raw.clock()[3]

    @play.setter
    def play(self, play: bool) -> None:
        self._net._raw.set_play(play)

    @property
    def start(self) -> float:
        """The first frame."""
        return self._net._raw.clock()[4]

    @start.setter
    def start(self, start: float) -> None:
        self._net._raw.set_range(start, self.end)

    @property
    def end(self) -> float:
        """The last frame, after which it begins again."""
        return self._net._raw.clock()[5]

    @end.setter
    def end(self, end: float) -> None:
        self._net._raw.set_range(self.start, end)


class Project(Guarded):
    """What concerns a whole network."""

    __slots__ = ("_net",)

    _net: Network

    def __init__(self, net: Network) -> None:
        object.__setattr__(self, "_net", net)

    @property
    def cookRate(self) -> float:
        """Frames a second."""
        return self._net.time.rate

    @cookRate.setter
    def cookRate(self, rate: float) -> None:
        self._net.time.rate = rate

    @property
    def realTime(self) -> bool:
        """Whether :meth:`Network.run` leaves out frames for which there was no time."""
        return self._net._settings.real_time

    @realTime.setter
    def realTime(self, on: bool) -> None:
        self._net._settings.real_time = bool(on)

    @property
    def folder(self) -> str:
        """Where relative paths of file parameters begin; empty for the working directory."""
        return self._net._settings.folder

    @folder.setter
    def folder(self, folder: Union[str, os.PathLike[str]]) -> None:
        text = os.fspath(folder)
        self._net._raw.set_folder(text)
        self._net._settings.folder = text

    @property
    def globalResMultiplier(self) -> float:
        """What images whose size is their own choice are larger by, where *Use Global Res Multiplier* is on."""
        return self._net._settings.multiplier

    @globalResMultiplier.setter
    def globalResMultiplier(self, multiplier: float) -> None:
        self._net._raw.set_resolution_multiplier(multiplier)
        self._net._settings.multiplier = float(multiplier)

    @property
    def globalName(self) -> str:
        """The name of the segment that operators with *Shared Mem Type* Global share. (Ours.)"""
        return self._net._settings.global_name

    @globalName.setter
    def globalName(self, name: str) -> None:
        self._net._raw.set_global_name(name)
        self._net._settings.global_name = name


class _Default:
    """The network that module functions use, made when somebody asks for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._network: Optional[Network] = None

    def get(self) -> Network:
        """Of the thread whose script runs the network of that; otherwise the one of the module."""
        if HERE.stack:
            return HERE.stack[-1]._net
        with self._lock:
            if self._network is None or self._network._process != os.getpid():
                self._network = Network()
            return self._network


DEFAULT = _Default()


def here() -> Any:
    """The operator whose script runs, or the component at the top."""
    return HERE.stack[-1] if HERE.stack else DEFAULT.get().root
