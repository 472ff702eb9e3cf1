"""Callbacks of a Script TOP that sends its input into shared memory, in any licence: a Shared Mem Out TOP without the operator.

Put this text into its callbacks DAT, press Setup Parameters, give the name, and wire an image into it. The image comes back from the
graphics card for that, which takes time: `Delayed` gives it up for one frame of delay. The package: docs/which-way.md.
"""

import tdshm

# Kept where another version of this text finds it: the segment stays while somebody edits.
OPEN = vars(tdshm).setdefault("_script_top_send", {})


def onSetupParameters(scriptOp):
    page = scriptOp.appendCustomPage("Shared Mem")
    page.appendStr("Sharedname", label="Shared Mem Name")
    page.appendToggle("Active", label="Active")[0].val = True
    page.appendToggle("Delayed", label="Delayed Download")[0].val = True
    page.appendPulse("Reopen", label="Open Again")
    # Asked for in every cook, so that there is one in every frame.
    page.appendInt("Frame", label="Frame")[0].expr = "absTime.frame"


def onPulse(par):
    close(par.owner)


def close(scriptOp):
    """Leaves the segment; receivers are told."""
    name, sender = OPEN.pop(scriptOp.id, (None, None))
    if sender is not None:
        sender.close()


def closeAll():
    """For the onExit of an Execute DAT: leaves all segments."""
    while OPEN:
        OPEN.popitem()[1][1].close()


def sender(scriptOp):
    """The one that is open, or a new one where the name is another."""
    name = scriptOp.par.Sharedname.eval()
    if scriptOp.id in OPEN and OPEN[scriptOp.id][0] != name:
        close(scriptOp)
    if scriptOp.id not in OPEN:
        # It never waits: where somebody has the lock, this image is left out.
        OPEN[scriptOp.id] = (name, tdshm.TopSender(name, lock_timeout=0))
    return OPEN[scriptOp.id][1]


def onCook(scriptOp):
    scriptOp.par.Frame.eval()
    source = scriptOp.inputs[0] if scriptOp.inputs else None
    if source is None:
        close(scriptOp)
        scriptOp.addWarning("wire an image into it")
        return
    if not scriptOp.par.Active or not scriptOp.par.Sharedname.eval():
        close(scriptOp)
        return
    # Numbers of 32 bits, the bottom row first; None where a delayed one is not there yet.
    image = source.numpyArray(delayed=bool(scriptOp.par.Delayed))
    if image is None:
        return
    try:
        sender(scriptOp).send(image, flip=True)
    except TimeoutError:
        pass
    except tdshm.Error as error:
        scriptOp.addError(str(error))
