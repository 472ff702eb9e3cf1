"""List what is in the machine's shared memory."""

import tdshm

for segment in tdshm.list():
    what = f"{segment.width} x {segment.height} {segment.format}" if segment.kind == "image" else segment.channels
    print(segment.name, segment.kind, what, segment.program or "", segment.frames)
