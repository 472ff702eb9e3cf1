"""Channels of CHOPs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator, Optional

import numpy as np

from ._base import Guarded, Numeric
from ._errors import tdError, tdIndexError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .._tdshm import TdChannel
    from ._chop import CHOP
    from ._network import Network
    from ._par import Par
    from ._script import Draft


class Channel(Guarded, Numeric):
    """A channel of a CHOP: ``op('x')['tx']``.

    It acts as a number, which is its value at the current time, and as a list of its samples. It goes stale (``valid`` is
    ``False``) when its CHOP gets other channels.
    """

    __slots__ = ("_net", "_raw")

    _raw: TdChannel
    _net: Network

    def __init__(self, net: Network, raw: TdChannel) -> None:
        object.__setattr__(self, "_net", net)
        object.__setattr__(self, "_raw", raw)

    def _value(self) -> float:
        return self.eval()

    def _there(self, value: Optional[float]) -> float:
        if value is None:
            raise tdError(f"the channel {self.name} is gone: its CHOP has other channels now: look it up again")
        return value

    def _samples(self) -> NDArray[np.float32]:
        if not self._raw.valid():
            self._there(None)
        return self._raw.samples()

    def __repr__(self) -> str:
        if not self.valid:
            return f"type:Channel name:{self.name} (gone)"
        return f"type:Channel name:{self.name} owner:{self.owner.path} value:{self.eval()}"

    @property
    def valid(self) -> bool:
        """Whether its CHOP still has these channels."""
        return self._raw.valid()

    @property
    def name(self) -> str:
        """Its name."""
        return self._raw.name

    @property
    def index(self) -> int:
        """Its place among the channels, from 0."""
        return self._raw.index

    @property
    def owner(self) -> CHOP:
        """The CHOP that it belongs to."""
        found: CHOP = self._net._wrap(self._raw.owner)
        return found

    @property
    def exports(self) -> list[Par]:
        """The parameters that it drives."""
        return [self._net._par(raw) for raw in self._raw.exports()]

    @property
    def vals(self) -> list[float]:
        """Its samples, as floats. In the script of a Script CHOP they can be set."""
        return [float(sample) for sample in self._samples()]

    @vals.setter
    def vals(self, vals: ArrayLike) -> None:
        self.copyNumpyArray(vals)

    def eval(self, index: Optional[int] = None) -> float:
        """Its value at the current time; or at a sample, counted from 0, outside the interval by its extend conditions."""
        return self._there(self._raw.eval() if index is None else self._raw.eval_at(index))

    def evalFrame(self, frame: Optional[float] = None) -> float:
        """Its value at a frame of the timeline, the current one where none is given; the first is 1."""
        return self.eval() if frame is None else self._there(self._raw.eval_frame(frame))

    def evalSeconds(self, secs: Optional[float] = None) -> float:
        """Its value at a time of the timeline in seconds, the current one where none is given."""
        return self.eval() if secs is None else self._there(self._raw.eval_seconds(secs))

    def numpyArray(self) -> NDArray[np.float32]:
        """A copy of its samples: one dimension, 32-bit floats."""
        return self._samples()

    def copyNumpyArray(self, numpyArray: ArrayLike) -> None:
        """Replaces its samples; for the script of a Script CHOP."""
        raise self._only_scripts()

    def _only_scripts(self) -> tdError:
        return tdError(f"the samples of {self.name} cannot be set: that is for the script of a Script CHOP, while it cooks")

    def average(self) -> float:
        """The mean of its samples; NaN where it has none."""
        samples = self._samples()
        return float(samples.mean(dtype=np.float64)) if samples.size else float("nan")

    def min(self) -> float:
        """The smallest of its samples; NaN where it has none."""
        samples = self._samples()
        return float(samples.min()) if samples.size else float("nan")

    def max(self) -> float:
        """The greatest of its samples; NaN where it has none."""
        samples = self._samples()
        return float(samples.max()) if samples.size else float("nan")

    def __array__(self, dtype: Any = None, copy: Optional[bool] = None) -> Any:
        """Its samples: ``numpy.asarray(channel)``, ``numpy.sqrt(channel)``."""
        return np.array(self._samples(), dtype)

    def __len__(self) -> int:
        return len(self._samples())

    def __bool__(self) -> bool:
        return bool(self.eval())

    def __iter__(self) -> Iterator[float]:
        return iter(self.vals)

    def __getitem__(self, index: Any) -> Any:
        """A sample, counted from 0, or from the end where the number is negative; of a slice a list."""
        samples = self._samples()
        if isinstance(index, slice):
            return [float(sample) for sample in samples[index]]
        try:
            return float(samples[index])
        except IndexError:
            raise self._beyond(index, len(samples)) from None

    def __setitem__(self, index: Any, value: float) -> None:
        raise self._only_scripts()

    def _beyond(self, index: object, length: int) -> tdIndexError:
        return tdIndexError(f"there is no sample {index} in {self.name}: it has {length}, counted from 0")


class ScriptChannel(Channel):
    """A channel that the script of a Script CHOP is making: its samples can be set."""

    __slots__ = ("_draft", "_name")

    _draft: Draft
    _name: str

    def __init__(self, draft: Draft, name: str) -> None:
        object.__setattr__(self, "_draft", draft)
        object.__setattr__(self, "_name", name)

    def _at(self) -> int:
        try:
            return self._draft.names.index(self._name)
        except ValueError:
            raise tdError(f"the channel {self._name} is gone: the script took it away") from None

    def _samples(self) -> NDArray[np.float32]:
        samples: NDArray[np.float32] = self._draft.samples[self._at()]
        return samples

    @property
    def valid(self) -> bool:
        """Whether the script still has it."""
        return self._name in self._draft.names

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def index(self) -> int:
        """Its place among the channels, from 0."""
        return self._at()

    @property
    def owner(self) -> CHOP:
        """The Script CHOP."""
        return self._draft.owner

    @property
    def exports(self) -> list[Par]:
        """Nothing yet: exports begin when the script is through."""
        return []

    def eval(self, index: Optional[int] = None) -> float:
        """A sample, counted from 0; without a number the last one."""
        samples = self._samples()
        if not samples.size:
            raise self._beyond(-1 if index is None else index, 0)
        at = samples.size - 1 if index is None else min(max(index, 0), samples.size - 1)
        return float(samples[at])

    def evalFrame(self, frame: Optional[float] = None) -> float:
        """As :meth:`eval`, whatever the frame."""
        return self.eval()

    def evalSeconds(self, secs: Optional[float] = None) -> float:
        """As :meth:`eval`, whatever the time."""
        return self.eval()

    def numpyArray(self) -> NDArray[np.float32]:
        """A copy of its samples."""
        return self._samples().copy()

    def copyNumpyArray(self, numpyArray: ArrayLike) -> None:
        """Replaces its samples: a list or an array of as many numbers as the CHOP has samples, or one number for all."""
        samples = self._samples()
        given = np.asarray(numpyArray, dtype=np.float32)
        if given.ndim > 1 or given.size not in (1, samples.size):
            raise ValueError(
                f"{self._name} has {samples.size} samples, and was given {given.size}: set numSamples of the CHOP first"
            )
        samples[:] = given

    def __setitem__(self, index: Any, value: float) -> None:
        samples = self._samples()
        try:
            samples[index] = value
        except IndexError:
            raise self._beyond(index, len(samples)) from None
