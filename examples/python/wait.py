"""Wait for frames, a second at a time, and say what is waited for where none comes.

Start it, then start send.py, and end that in whatever way you like; end this one with Ctrl-C.
"""

import sys

import tdshm

WHY = {
    "not yet": "nobody has sent yet",
    "yes": "the sender is there, and sends nothing new",
    "left": "the sender has left",
    "died": "the sender has died",
}

with tdshm.ChopReceiver(sys.argv[1] if len(sys.argv) > 1 else "circle") as receiver:
    while True:
        try:
            frame = receiver.wait(timeout=1)
        except tdshm.Error as error:
            # What somebody else wrote is wrong, or a lock was not free: the next frame may be right.
            print(error, flush=True)
            continue
        if frame is None:
            print(WHY[receiver.attached], flush=True)
        else:
            missed = frame.missed or 0  # None: a foreign sender does not count
            print(f"{frame.numChans} x {frame.numSamples} samples, {missed} missed", flush=True)
