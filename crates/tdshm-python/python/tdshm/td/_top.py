"""TOPs: operators that put out images."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Optional, Union

from .. import _tdshm
from ._base import Member
from ._errors import tdError, tdIndexError
from ._op import OP

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TOP(OP):
    """An operator that puts out an image."""

    __slots__ = ()

    width = Member[int]("Pixels in a row.")
    height = Member[int]("Rows.")
    aspect = Member[float]("The width of a pixel by its height.")
    aspectWidth = Member[float]("The first number of the aspect.")
    aspectHeight = Member[float]("The second number of the aspect.")
    depth = Member[int]("Always 1: there are no images of three dimensions here.")
    curPass = Member[int]("Always 0: every image is made at once.")
    pixelFormat = Member[str]("What the pixels are, for people: ``8-bit fixed (RGBA)``.")
    pixelFormatName = Member[str]("What the pixels are, as the menu of *Pixel Format* names it: ``rgba8fixed``.")

    def sample(
        self,
        x: Optional[int] = None,
        y: Optional[int] = None,
        z: Optional[int] = None,
        u: Optional[float] = None,
        v: Optional[float] = None,
        w: Optional[float] = None,
    ) -> tuple[float, float, float, float]:
        """One pixel as red, green, blue and alpha. ``x`` counts from 0 at the left, ``y`` from 0 at the bottom; ``u`` and ``v`` are places
        from 0 to 1, of which the nearest pixel counts. What is not given is 0."""
        if (x is not None or y is not None) and (u is not None or v is not None):
            raise ValueError("a pixel is at x and y, or at u and v: give two of the four")
        if u is None and v is None:
            x, y = x or 0, y or 0
            if x < 0 or y < 0:
                raise tdIndexError(f"there is no pixel at x={x}, y={y}: they count from 0 at the bottom left")
            found = _tdshm._td_sample(self._raw, (x, y), (0.0, 0.0))
        else:
            found = _tdshm._td_sample(self._raw, None, (u or 0.0, v or 0.0))
        if found is None:
            raise tdError(f"{self.path} has no image: wire its input, or take its bypass flag away")
        return found

    def numpyArray(self, delayed: bool = False, writable: bool = False) -> Optional[NDArray[np.float32]]:
        """A copy of the pixels: 32-bit floats, ``(height, width, 4)``, red, green, blue and alpha, the bottom row first.

        ``None`` without an image; with ``delayed`` what it was at the last such call, and ``None`` at the first. The array can
        be written to in any case.
        """
        return _tdshm._td_pixels(self._raw, delayed)

    def save(self, filepath: Union[str, os.PathLike[str]], createFolders: bool = False) -> str:
        """Saves the image as ``.png``, ``.jpg`` or ``.exr``, cut to what such a file holds, and gives the path."""
        return os.fspath(_tdshm._td_save(self._raw, filepath, createFolders))

    def saveByteArray(self, filetype: str = ".png") -> bytearray:
        """The bytes of such a file."""
        return bytearray(_tdshm._td_picture(self._raw, filetype))
