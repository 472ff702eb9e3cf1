"""Read a recording without tdshm: `pip install mcap numpy`. Prints a line a frame."""

# snippet:begin
import struct
import sys

import numpy
from mcap.reader import make_reader

FORMATS = {9: ("u1", 1), 16: ("u1", 2), 37: ("u1", 4), 76: ("f2", 1), 97: ("f2", 4), 100: ("f4", 1), 109: ("f4", 4)}


def channels(block):
    _, _, _, count, length, rate, named, samples, names = struct.unpack_from("<5if3i", block)
    values = numpy.frombuffer(block, "<f4", count * length, samples).reshape(count, length)
    texts = block[names:].split(b"\0")[:count] if named else [b"chan%d" % (n + 1) for n in range(count)]
    return {text.decode(): row for text, row in zip(texts, values)}, rate


def image(block):
    _, _, width, height, _, _, pixel_format = struct.unpack_from("<I3iffI", block)
    size, offset = struct.unpack_from("<qi", block, 32)
    kind, parts = FORMATS.get(pixel_format, ("u1", size // (width * height)))
    return numpy.frombuffer(block, kind, width * height * parts, offset).reshape(height, width, parts)  # bottom row first


with open(sys.argv[1], "rb") as file:
    for _, channel, message in make_reader(file).iter_messages():
        which = (channel.topic, message.sequence, message.log_time)
        if channel.message_encoding == "x-tdshm-channels":
            rows, rate = channels(message.data)
            print(*which, {name: row.tolist() for name, row in rows.items()}, rate)
        elif channel.message_encoding == "x-tdshm-image":
            pixels = image(message.data)
            print(*which, pixels.shape, pixels.dtype, pixels[0, 0].tolist())
# snippet:end
