"""Look on: print the newest frame twice a second, and take part in nothing.

No lock is taken, nobody's room for receivers is used up, and the sender cannot tell that somebody looks.
"""

import sys
import time

import tdshm

with tdshm.ChopReceiver(sys.argv[1] if len(sys.argv) > 1 else "circle", observe=True) as receiver:
    while True:
        frame = receiver.read()
        print("nobody sends" if frame is None else f"frame {frame.number}: {frame.numpyArray().tolist()}", flush=True)
        time.sleep(0.5)
