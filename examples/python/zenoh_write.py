"""Write a stream that `tdshm-net mirror` makes a segment of, with zenoh's own client and numpy: no package of tdshm's.

    pip install eclipse-zenoh numpy
    python zenoh_write.py pi/sensors [--connect tcp/192.168.1.20:7447 | --listen tcp/0.0.0.0:7447]

Each line of standard input is a frame, a number a channel. The bytes are those of docs/network-encoding.md.
"""

import argparse
import json
import struct
import sys
import urllib.parse

import numpy as np
import zenoh


def channel_block(names, rate, samples):
    """A channel block: samples is an array of channels x samples."""
    samples = np.ascontiguousarray(samples, "<f4")
    text = b"".join(name.encode() + b"\0" for name in names)
    names_at = 36 + samples.nbytes
    header = struct.pack("<5if3i", 0x12ED54CF, 1, names_at + len(text), *samples.shape, rate, 1, 36, names_at)
    return header + samples.tobytes() + text


arguments = argparse.ArgumentParser()
arguments.add_argument("stream", help="HOST/NAME")
arguments.add_argument("--connect", help="an endpoint; otherwise whoever is found on the local network")
arguments.add_argument("--listen", help="an endpoint to listen at")
arguments = arguments.parse_args()

config = zenoh.Config()
for key in ("connect", "listen"):
    if endpoint := getattr(arguments, key):
        config.insert_json5(f"{key}/endpoints", json.dumps([endpoint]))
        config.insert_json5("scouting/multicast/enabled", "false")
host, name = (urllib.parse.quote(part, safe="") for part in arguments.stream.split("/", 1))
stream = f"tdshm/{host}/{name}"

with zenoh.open(config) as session:
    block = None
    # Who comes late asks for the last frame.
    answers = session.declare_queryable(
        f"{stream}/frame",
        lambda query: block and query.reply(f"{stream}/frame", block, encoding="tdshm/channels"),
        complete=True,
    )
    frames = session.declare_publisher(
        f"{stream}/frame", encoding="tdshm/channels", congestion_control=zenoh.CongestionControl.DROP
    )
    # From here on mirrors know of the stream, until the token goes with the session.
    token = session.liveliness().declare_token(f"{stream}/alive")
    print("ready", flush=True)
    for line in sys.stdin:
        samples = np.array([[float(number)] for number in line.split()])
        block = channel_block([f"chan{row + 1}" for row in range(len(samples))], 60.0, samples)
        frames.put(block)
        print(f"sent {len(samples)} channels", flush=True)
