"""multiprocessing.shared_memory and a Lock, a writer and a reader in two processes.

Prints the middle of deliveries of 256 bytes to a reader that looks without a pause, and the distinct frames of 2.4 MB
that a reader gets in a second from a writer that never rests.
"""

import multiprocessing as mp
import statistics
import time
from multiprocessing import shared_memory as sm

NUMBER = 8  # bytes before the frame: its number


def write(name, lock, size, pause, stop):
    """Writes frames until it is told to stop, each with its number and, in its first bytes, the time."""
    shared = sm.SharedMemory(name)
    frames = [bytes([i]) * size for i in range(4)]
    number = 0
    while not stop.value:
        number += 1
        until = time.perf_counter() + pause
        while time.perf_counter() < until:
            pass
        with lock:
            shared.buf[NUMBER : NUMBER + size] = frames[number % 4]
            if pause:
                shared.buf[NUMBER : NUMBER + 8] = time.monotonic_ns().to_bytes(8, "little")
            shared.buf[:NUMBER] = number.to_bytes(NUMBER, "little")
    shared.close()


def read(size, pause, seconds):
    """Reads for so long; gives the frames a second and how long each took, in nanoseconds."""
    context = mp.get_context("fork")
    shared = sm.SharedMemory(create=True, size=size + NUMBER)
    lock, stop = context.Lock(), context.Value("b", 0, lock=False)
    writer = context.Process(target=write, args=(shared.name, lock, size, pause, stop))
    writer.start()
    own, last, times = bytearray(size), 0, []
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        with lock:
            number = int.from_bytes(shared.buf[:NUMBER], "little")
            if number != last:
                own[:] = shared.buf[NUMBER : NUMBER + size]
        if number != last:
            times.append(time.monotonic_ns() - int.from_bytes(own[:8], "little"))
            last = number
    took = time.monotonic() - begin
    stop.value = 1
    writer.join()
    shared.close()
    shared.unlink()
    return len(times) / took, times


if __name__ == "__main__":
    _, times = read(256, 100e-6, 1)
    rate, _ = read(2_400_000, 0, 2)
    print(f"{statistics.median(times) / 1000:.2f} µs; {rate:.0f} frames a second")
