"""Send a camera to TouchDesigner: a Shared Mem In TOP whose Shared Mem Name is cam.

Needs `pip install opencv-python`. With --test a moving picture takes the camera's place.
"""

import sys
import time

import numpy

import tdshm


def camera():
    """Frames as OpenCV has them: height x width x 3 of uint8, blue first, top row first."""
    if "--test" in sys.argv:
        for step in range(60):
            yield numpy.full((480, 640, 3), (255, 4 * step, 0), numpy.uint8)
            time.sleep(1 / 60)
        return
    import cv2

    capture = cv2.VideoCapture(0)
    while True:
        there, frame = capture.read()
        if not there:
            raise SystemExit("the camera gives no more frames")
        yield frame


# snippet:begin
with tdshm.TopSender("cam", format="bgra8") as sender:
    for frame in camera():  # height x width x 3 of uint8, blue first
        sender.send(frame)  # an alpha of 255 is added on the way
# snippet:end
