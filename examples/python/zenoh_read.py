"""Read a stream that `tdshm-net share` offers, with zenoh's own client and numpy: no package of tdshm's.

    pip install eclipse-zenoh numpy
    python zenoh_read.py host2/mocap [--connect tcp/192.168.1.20:7447] [--frames 10]

The bytes are those of docs/network-encoding.md.
"""

import argparse
import json
import queue
import struct
import urllib.parse

import numpy as np
import zenoh


def channels(block):
    """Names, sample rate and samples of a channel block (channels x samples)."""
    _, _, _, count, length, rate, named, at, names_at = struct.unpack_from("<5if3i", block)
    samples = np.frombuffer(block, "<f4", count * length, at).reshape(count, length)
    names = block[names_at:].split(b"\0")[:count] if named else []
    return [name.decode("utf-8", "replace") for name in names], rate, samples


def image(block):
    """Pixel format and rows of an image block (rows x bytes, the bottom one first)."""
    _, _, _, height, _, _, pixel_format, size, at = struct.unpack_from("<I3i2fI4xqi", block)
    return pixel_format, np.frombuffer(block, np.uint8, size, at).reshape(height, -1)


def changed(payload, base):
    """The base's samples with those channels replaced that changed."""
    _, length, count, _ = struct.unpack_from("<4I", payload)
    samples = base.copy()
    places = np.frombuffer(payload, "<u4", count, 16)
    samples[places] = np.frombuffer(payload, "<f4", count * length, 16 + 4 * count).reshape(count, length)
    return samples


arguments = argparse.ArgumentParser()
arguments.add_argument("stream", help="HOST/NAME")
arguments.add_argument("--connect", help="an endpoint; otherwise whoever is found on the local network")
arguments.add_argument("--frames", type=int, default=10, help="end after so many")
arguments = arguments.parse_args()

config = zenoh.Config()
if arguments.connect:
    config.insert_json5("connect/endpoints", json.dumps([arguments.connect]))
    config.insert_json5("scouting/multicast/enabled", "false")
host, name = (urllib.parse.quote(part, safe="") for part in arguments.stream.split("/", 1))
key = f"tdshm/{host}/{name}/frame"

with zenoh.open(config) as session:
    arrivals = queue.Queue()
    subscriber = session.declare_subscriber(key, arrivals.put)
    for reply in session.get(key):  # the last frame, whole; after that the next one comes whole, too
        if reply.ok is not None:
            arrivals.put(reply.ok)
    names, base, base_number, newest = [], None, None, (0, 0)
    printed = 0
    while printed < arguments.frames:
        sample = arrivals.get()
        payload, encoding = sample.payload.to_bytes(), str(sample.encoding)
        if sample.kind == zenoh.SampleKind.DELETE:
            print("the sender has gone", flush=True)
            continue
        number = based_on = 0
        if sample.attachment is not None:  # programs that count nothing send none
            stream, number, based_on = struct.unpack_from("<8x3Q", sample.attachment.to_bytes())
            if stream == newest[0] and number <= newest[1]:
                continue  # an answer that was overtaken
            newest = (stream, number)
        if encoding == "tdshm/channels;changed":
            if based_on != base_number:
                continue  # a whole one comes within a second, or when it is asked for
            samples = changed(payload, base)
        elif encoding == "tdshm/image":
            pixel_format, rows = image(payload)
            print(f"frame {number}: image of format {pixel_format}, {rows.shape[0]} rows, sum {int(rows.sum())}", flush=True)
            printed += 1
            continue
        elif encoding.startswith("tdshm/image;"):
            print(f"frame {number}: {encoding}, {len(payload)} bytes", flush=True)
            printed += 1
            continue
        else:
            names, rate, samples = channels(payload)
            base, base_number = samples, number
        print(f"frame {number}: {dict(zip(names, samples.tolist()))}", flush=True)
        printed += 1
