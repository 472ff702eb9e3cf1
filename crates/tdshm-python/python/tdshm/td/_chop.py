"""CHOPs: operators that put out channels."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Iterator, Optional, TypeVar, Union

from .. import _tdshm
from ._base import Flag, Member
from ._channel import Channel, ScriptChannel
from ._errors import tdError, tdIndexError
from ._op import OP

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ._script import Draft

T = TypeVar("T")


class ChopMember(Member[T]):
    """A member that the script of a Script CHOP can set."""

    def __get__(self, instance: Any, owner: Any) -> Any:
        draft = None if instance is None else instance._draft()
        return super().__get__(instance, owner) if draft is None else getattr(draft, self.name)

    def __set__(self, instance: Any, value: Any) -> None:
        draft = instance._draft()
        if draft is None:
            raise tdError(
                f"{instance.path}.{self.name} cannot be set: that is for the script of a Script CHOP, while it cooks"
            )
        setattr(draft, self.name, value)


class CHOP(OP):
    """An operator that puts out channels: ``n['tx']``, ``n[0]``, ``len(n)``, ``for channel in n``."""

    __slots__ = ()

    numChans = ChopMember[int]("How many channels it has.")
    numSamples = ChopMember[int]("How many samples its channels have.")
    start = ChopMember[int]("The index of the first sample.")
    end = ChopMember[int]("The index of the last sample.")
    rate = ChopMember[float]("Samples a second.")
    isTimeSlice = ChopMember[bool]("Whether they are a slice of time.")
    export = Flag("Whether its channels drive parameters.")
    exportChanges = Member[int]("How often what drives what changed.")

    def _draft(self) -> Optional[Draft]:
        return self._net._draft_of(self)

    def _export_source(self, at: int) -> Any:
        raw = _tdshm._td_channel(self._raw, None, at)
        return None if raw is None else Channel(self._net, raw)

    def __getitem__(self, nameOrIndex: Union[str, int]) -> Any:
        """The first channel of exactly that name, or ``None``; or the channel at a place, from 0, or from the end."""
        draft = self._draft()
        if isinstance(nameOrIndex, str):
            if draft is not None:
                return ScriptChannel(draft, nameOrIndex) if nameOrIndex in draft.names else None
            raw = _tdshm._td_channel(self._raw, nameOrIndex, None)
            return None if raw is None else Channel(self._net, raw)
        count = self.numChans
        at = nameOrIndex + count if nameOrIndex < 0 else nameOrIndex
        if not 0 <= at < count:
            raise tdIndexError(f"{self.path} has no channel {nameOrIndex}: it has {count}, counted from 0")
        if draft is not None:
            return ScriptChannel(draft, draft.names[at])
        raw = _tdshm._td_channel(self._raw, None, at)
        if raw is None:
            raise tdIndexError(f"{self.path} has no channel {nameOrIndex} any more")
        return Channel(self._net, raw)

    def __len__(self) -> int:
        count: int = self.numChans
        return count

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Any]:
        return iter(self.chans())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self[name] is not None

    def chan(self, *nameOrIndex: Union[str, int], caseSensitive: bool = True) -> Any:
        """The first channel that one of the names, patterns or places means, or ``None``; the first of all without one."""
        for channel in self._found(nameOrIndex, caseSensitive):
            return channel
        return None

    def chans(self, *nameOrIndex: Union[str, int], caseSensitive: bool = True) -> list[Any]:
        """All channels that the names, patterns and places mean, each once; all of them without one."""
        return list(self._found(nameOrIndex, caseSensitive))

    def _found(self, wanted: tuple[Union[str, int], ...], case_sensitive: bool) -> Iterator[Any]:
        seen: set[int] = set()
        for what in wanted or ("*",):
            if isinstance(what, int):
                count = self.numChans
                channels: list[Any] = [self[what]] if -count <= what < count else []
            else:
                exact = self[what]
                channels = self._matching(what, case_sensitive) if exact is None else [exact]
            for channel in channels:
                if channel.index not in seen:
                    seen.add(channel.index)
                    yield channel

    def _matching(self, pattern: str, case_sensitive: bool) -> list[Any]:
        draft = self._draft()
        if draft is not None:
            found = _tdshm._td_matching(draft.names, pattern, case_sensitive)
            return [ScriptChannel(draft, draft.names[at]) for at in found]
        return [Channel(self._net, raw) for raw in _tdshm._td_channels(self._raw, pattern, case_sensitive)]

    def numpyArray(self) -> NDArray[np.float32]:
        """A copy of all samples: two dimensions, ``(numChans, numSamples)``, 32-bit floats."""
        draft = self._draft()
        samples: NDArray[np.float32] = _tdshm._td_samples(self._raw) if draft is None else draft.samples.copy()
        return samples

    def save(self, filepath: Union[str, os.PathLike[str]], createFolders: bool = False) -> str:
        """Saves the channels as ``.clip``, ``.chan``, ``.csv``, ``.aiff`` or ``.wav``, and gives the path. TouchDesigner's ``.bclip``
        and ``.bchan`` are described nowhere in public, and are refused; the ``OSError`` of the system where it is that."""
        return os.fspath(_tdshm._td_save(self._raw, filepath, createFolders))
