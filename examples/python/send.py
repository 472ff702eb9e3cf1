"""Send a circle: two channels, 60 frames a second, for ten seconds.

Receive it with receive.py, with `tdshm watch circle`, or with a Shared Mem In CHOP whose Shared Mem Name is circle.
"""

# snippet:begin
import math
import sys
import time

import tdshm

name = sys.argv[1] if len(sys.argv) > 1 else "circle"
with tdshm.ChopSender(name, ["tx", "ty"], rate=60) as sender:
    for step in range(600):
        sender.send([math.cos(step / 30), math.sin(step / 30)])
        time.sleep(1 / 60)
# snippet:end
