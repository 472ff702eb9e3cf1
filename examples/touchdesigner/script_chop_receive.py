"""Callbacks of a Script CHOP that receives channels from shared memory, in any licence: a Shared Mem In CHOP without the operator.

Put this text into its callbacks DAT, press Setup Parameters, and give the name. The package: docs/which-way.md.
"""

import tdshm

# Kept where another version of this text finds it: what is open stays open while somebody edits.
OPEN = vars(tdshm).setdefault("_script_chop_receive", {})


def onSetupParameters(scriptOp):
    page = scriptOp.appendCustomPage("Shared Mem")
    page.appendStr("Sharedname", label="Shared Mem Name")
    page.appendToggle("Active", label="Active")[0].val = True
    page.appendToggle("Clear", label="Clear When The Sender Leaves")
    page.appendPulse("Reopen", label="Open Again")
    # Asked for in every cook, so that there is one in every frame.
    page.appendInt("Frame", label="Frame")[0].expr = "absTime.frame"


def onPulse(par):
    close(par.owner)


def close(scriptOp):
    """Lets go of the segment."""
    name, receiver = OPEN.pop(scriptOp.id, (None, None))
    if receiver is not None:
        receiver.close()


def closeAll():
    """For the onExit of an Execute DAT: lets go of all of them."""
    while OPEN:
        OPEN.popitem()[1][1].close()


def receiver(scriptOp):
    """The one that is open, or a new one where the name is another."""
    name = scriptOp.par.Sharedname.eval()
    if scriptOp.id in OPEN and OPEN[scriptOp.id][0] != name:
        close(scriptOp)
    if scriptOp.id not in OPEN:
        # It never waits: where somebody has the lock, the last frame is shown once more.
        OPEN[scriptOp.id] = (name, tdshm.ChopReceiver(name, lock_timeout=0))
    return OPEN[scriptOp.id][1]


def onCook(scriptOp):
    scriptOp.par.Frame.eval()
    if not scriptOp.par.Active or not scriptOp.par.Sharedname.eval():
        close(scriptOp)
        return
    try:
        source = receiver(scriptOp)
        frame = source.read()
    except TimeoutError:
        return
    except tdshm.Error as error:
        scriptOp.addError(str(error))
        return
    if source.attached != "yes":
        scriptOp.addWarning(f"nobody sends {source.name!r}: waiting")
        if scriptOp.par.Clear:
            scriptOp.clear()
        return
    if frame is None:
        return
    scriptOp.clear()
    scriptOp.isTimeSlice = False
    scriptOp.rate = frame.rate
    scriptOp.numSamples = frame.numSamples
    for name, samples in zip(frame.names, frame.numpyArray()):
        scriptOp.appendChan(name).vals = samples.tolist()
