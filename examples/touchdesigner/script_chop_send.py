"""Callbacks of a Script CHOP that sends its input into shared memory, in any licence: a Shared Mem Out CHOP without the operator.

Put this text into its callbacks DAT, press Setup Parameters, give the name, and wire channels into it. They go on to its output.
The package: docs/which-way.md.
"""

import numpy
import tdshm

# Kept where another version of this text finds it: the segment stays while somebody edits.
OPEN = vars(tdshm).setdefault("_script_chop_send", {})


def onSetupParameters(scriptOp):
    page = scriptOp.appendCustomPage("Shared Mem")
    page.appendStr("Sharedname", label="Shared Mem Name")
    page.appendToggle("Active", label="Active")[0].val = True
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


def sender(scriptOp, rate):
    """The one that is open, or a new one where the name is another."""
    name = scriptOp.par.Sharedname.eval()
    if scriptOp.id in OPEN and OPEN[scriptOp.id][0] != name:
        close(scriptOp)
    if scriptOp.id not in OPEN:
        # It never waits: where somebody has the lock, this frame is left out.
        OPEN[scriptOp.id] = (name, tdshm.ChopSender(name, rate=rate, lock_timeout=0))
    return OPEN[scriptOp.id][1]


def onCook(scriptOp):
    scriptOp.par.Frame.eval()
    source = scriptOp.inputs[0] if scriptOp.inputs else None
    if source is None:
        scriptOp.clear()
        close(scriptOp)
        scriptOp.addWarning("wire channels into it")
        return
    scriptOp.copy(source)
    if not scriptOp.par.Active or not scriptOp.par.Sharedname.eval():
        close(scriptOp)
        return
    try:
        out = sender(scriptOp, source.rate)
        names = [channel.name for channel in source.chans()]
        if list(out.channels) != names:
            out.channels = names
        if out.rate != source.rate:
            out.rate = source.rate
        out.send(numpy.ascontiguousarray(source.numpyArray(), numpy.float32))
    except TimeoutError:
        pass
    except tdshm.Error as error:
        scriptOp.addError(str(error))
