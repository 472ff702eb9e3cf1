"""Receive channels, and print the newest sample of each, until nothing has come for five seconds."""

# snippet:begin
import sys

import tdshm

with tdshm.ChopReceiver(sys.argv[1] if len(sys.argv) > 1 else "circle") as receiver:
    while (frame := receiver.wait(timeout=5)) is not None:
        print({name: frame.value(name) for name in frame})
# snippet:end
