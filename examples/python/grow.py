"""Send frames that grow beyond the room there was: receivers follow, and no frame is lost."""

import sys

import numpy

import tdshm

name = sys.argv[1] if len(sys.argv) > 1 else "growing"
with tdshm.ChopSender(name) as sender, tdshm.ChopReceiver(name) as receiver:
    for power in range(1, 21):
        sender.send(numpy.arange(2**power, dtype=numpy.float32).reshape(1, -1))
        frame = receiver.wait(timeout=5)
        print(f"{frame.numSamples} samples, the last of which is {frame.value('chan1'):.0f}")
