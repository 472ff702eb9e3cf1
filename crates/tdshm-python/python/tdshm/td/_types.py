"""A class for each type of operator, as TouchDesigner names them: for ``create``, and for ``isinstance``."""

from __future__ import annotations

from ._chop import CHOP
from ._comp import COMP
from ._dat import DAT
from ._op import OP
from ._script import ScriptCHOP
from ._top import TOP


class analyzeCHOP(CHOP):
    """Analyze. Each channel's samples as one: behind a Time Slice CHOP the level of a sound, frame by frame."""

    __slots__ = ()


class baseCOMP(COMP):
    """Base. A component without a panel or an object: it holds operators and custom parameters."""

    __slots__ = ()


class constantCHOP(CHOP):
    """Constant. Channels of one sample each, whose values are parameters. Time sliced, each value fills the slice."""

    __slots__ = ()


class constantTOP(TOP):
    """Constant. An image of one colour, in the size and the pixel format of its Common page. Channels that are masked
    out are 0."""

    __slots__ = ()


class extendCHOP(CHOP):
    """Extend. Sets the extend conditions of channels. All channels of a clip have the same, so they change for all as
    soon as one of them is in Scope, and not where none is (ours)."""

    __slots__ = ()


class fileinCHOP(CHOP):
    """File In. The channels of a recording: a table (.csv, .parquet), a clip (.clip), columns of numbers (.chan) or sound
    (.wav, .aiff, a channel a track). It begins at sample 0, or where the clip says, so its current value follows the
    timeline."""

    __slots__ = ()


class infoCHOP(CHOP):
    """Info. One channel of one sample for each thing that is known of another operator: its data, its cooks, its
    warnings and errors. An input can be wired, as in TouchDesigner, and is not used."""

    __slots__ = ()


class mergeCHOP(CHOP):
    """Merge. The channels of all inputs, one behind the other, at one rate and over one interval. As soon as one input
    is a time slice the output is the slice of this frame, and inputs that are none are cut to it (ours)."""

    __slots__ = ()


class moviefileinTOP(TOP):
    """Movie File In. A picture (.png, .jpg, .exr), or a folder of pictures as a sequence, by the numbers in their names.
    Films are not read."""

    __slots__ = ()


class noiseCHOP(CHOP):
    """Noise. Noise over an interval or, time sliced, for ever. A sample is the same either way: it goes by its index
    alone."""

    __slots__ = ()


class nullCHOP(CHOP):
    """Null. Passes its input on: a place to wire from, to export from and to look at. It works on nothing, so a CHOP's
    Scope changes nothing here."""

    __slots__ = ()


class nullTOP(TOP):
    """Null. Passes its input on: a place to wire from, to export from and to look at. It works on nothing, so a CHOP's
    Scope changes nothing here."""

    __slots__ = ()


class oscinCHOP(CHOP):
    """OSC In. Channels of the Open Sound Control messages that come by UDP, in the order in which they came first, each
    with its last value. A channel is called as its address; several arguments are several channels, with a number
    behind it."""

    __slots__ = ()


class oscoutCHOP(CHOP):
    """OSC Out. Sends its input by UDP every frame, as messages of Open Sound Control, and passes it on. A channel's
    address is a slash and its name. What is no time slice is cut to one. Scope says which channels are sent."""

    __slots__ = ()


class renameCHOP(CHOP):
    """Rename. Gives channels new names."""

    __slots__ = ()


class resampleCHOP(CHOP):
    """Resample. Channels at another sample rate, or over another interval. All channels of a clip have the same rate and
    interval, so those outside Scope get them as well: they stay where they are in time, and each sample is the one
    that stood there, or the last before it (ours). Of a time slice only the rate changes."""

    __slots__ = ()


class scriptCHOP(ScriptCHOP):
    """Script. A closure of the program makes its channels, with what its inputs and other operators give. Without a
    closure the first input is passed on. A closure that fails shows its error here, and one that panics as well: the
    channels stay as they were."""

    __slots__ = ()


class selectCHOP(CHOP):
    """Select. Channels of the input, or of any other CHOP by its path: the way across components."""

    __slots__ = ()


class sharedmeminCHOP(CHOP):
    """Shared Mem In. Reads channels that another program writes into shared memory. With Time Slice off the output is
    the block as it is; with it on, a slice of this network's time at the block's rate. Scope leaves channels out,
    unless Scope Mode says otherwise."""

    __slots__ = ()


class sharedmeminTOP(TOP):
    """Shared Mem In. Reads images that another program writes into shared memory, also those with the header from before
    2022. It reads whenever it cooks; the flags bypass and lock stop it. Until the first image it is black, 256 x 256.
    Its Common page makes RGBA of 8 bits of whatever comes, unless Pixel Format says Use Input."""

    __slots__ = ()


class sharedmemoutCHOP(CHOP):
    """Shared Mem Out. Writes its input into shared memory every frame, for other programs, and passes it on. With Time
    Slice on, what is no slice yet is cut to one first. Scope says which channels are written: all of them are passed
    on. What is written has the names of the input: Rename is for what is passed on."""

    __slots__ = ()


class sharedmemoutTOP(TOP):
    """Shared Mem Out. Writes its input into shared memory every frame, for other programs, and passes it on, both as the
    Common page makes it: RGBA of 8 bits, unless Pixel Format says something else."""

    __slots__ = ()


class tableDAT(DAT):
    """Table. Rows of cells, set by a script or a patch. With the Export flag each row drives a parameter: its first row
    then has the headers path, parameter, value and, if some rows are to be switched off, enable."""

    __slots__ = ()


class timesliceCHOP(CHOP):
    """Time Slice. The samples since the last cooked frame, of any CHOP. A slice is passed on as it is. Its output is
    always a slice, so the parameter Time Slice changes nothing."""

    __slots__ = ()


class waveCHOP(CHOP):
    """Wave. A wave over an interval or, time sliced, for ever. A sample is the same either way: it goes by its index
    alone."""

    __slots__ = ()


__all__ = [
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

FAMILIES: dict[str, type[OP]] = {"CHOP": CHOP, "TOP": TOP, "DAT": DAT, "COMP": COMP}

TYPES: dict[str, type[OP]] = {
    cls.__name__: cls
    for cls in (
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
}
