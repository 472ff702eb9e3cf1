"""Callbacks of a Script TOP that receives images from shared memory, in any licence: a Shared Mem In TOP without the operator.

Put this text into its callbacks DAT, press Setup Parameters, and give the name. The package: docs/which-way.md.
"""

import numpy
import tdshm

# Kept where another version of this text finds it: what is open stays open while somebody edits.
OPEN = vars(tdshm).setdefault("_script_top_receive", {})
# What a Script TOP takes. Everything else becomes float32.
TAKEN = (numpy.uint8, numpy.uint16, numpy.float32)


def onSetupParameters(scriptOp):
    page = scriptOp.appendCustomPage("Shared Mem")
    page.appendStr("Sharedname", label="Shared Mem Name")
    page.appendToggle("Active", label="Active")[0].val = True
    page.appendToggle("Clear", label="Black When The Sender Leaves")
    page.appendPulse("Reopen", label="Open Again")
    # Asked for in every cook, so that there is one in every frame.
    page.appendInt("Frame", label="Frame")[0].expr = "absTime.frame"


def onPulse(par):
    close(par.owner)


def close(scriptOp):
    """Lets go of the segment."""
    name, receiver, number = OPEN.pop(scriptOp.id, (None, None, None))
    if receiver is not None:
        receiver.close()


def closeAll():
    """For the onExit of an Execute DAT: lets go of all of them."""
    while OPEN:
        OPEN.popitem()[1][1].close()


def receiver(scriptOp):
    """The one that is open, or a new one where the name is another; and the number of the image that was shown last."""
    name = scriptOp.par.Sharedname.eval()
    if scriptOp.id in OPEN and OPEN[scriptOp.id][0] != name:
        close(scriptOp)
    if scriptOp.id not in OPEN:
        # The bottom row first, as TouchDesigner has it. It never waits for a lock.
        OPEN[scriptOp.id] = (name, tdshm.TopReceiver(name, flip=True, lock_timeout=0), None)
    return OPEN[scriptOp.id][1:]


def rgba(image):
    """Four components of a type that is taken: grey becomes all three colours, and what has no alpha is opaque."""
    if image.dtype not in TAKEN:
        image = image.astype(numpy.float32)
    if image.ndim == 2:
        image = image[:, :, None]
    if image.shape[2] == 4:
        return numpy.ascontiguousarray(image)
    whole = 1 if image.dtype == numpy.float32 else numpy.iinfo(image.dtype).max
    full = numpy.zeros(image.shape[:2] + (4,), image.dtype)
    full[:, :, 3] = whole
    full[:, :, :3] = image if image.shape[2] == 1 else 0
    if image.shape[2] in (2, 3):
        full[:, :, : image.shape[2]] = image
    return full


def onCook(scriptOp):
    scriptOp.par.Frame.eval()
    if not scriptOp.par.Active or not scriptOp.par.Sharedname.eval():
        close(scriptOp)
        return
    try:
        source, shown = receiver(scriptOp)
        frame = source.read()
    except TimeoutError:
        return
    except tdshm.Error as error:
        scriptOp.addError(str(error))
        return
    if source.attached != "yes":
        scriptOp.addWarning(f"nobody sends {source.name!r}: waiting")
        if scriptOp.par.Clear:
            scriptOp.copyNumpyArray(numpy.zeros((1, 1, 4), numpy.uint8))
        return
    # The image that is there already costs nothing more.
    if frame is None or (frame.number is not None and frame.number == shown):
        return
    scriptOp.copyNumpyArray(rgba(frame.numpyArray()))
    OPEN[scriptOp.id] = (source.name, source, frame.number)
