"""Send what a model sees: where the brightest spot of an image is, as channels tx, ty and confidence.

The model is a stand-in of one line. Images come from a Shared Mem Out TOP named cam (or from webcam.py), channels go to a
Shared Mem In CHOP named tracker.
"""

import numpy

import tdshm


def model(image: numpy.ndarray) -> tuple:
    grey = image[..., :3].mean(axis=2)
    y, x = numpy.unravel_index(grey.argmax(), grey.shape)
    return x / grey.shape[1], 1 - y / grey.shape[0], grey.max() / 255


# snippet:begin
with tdshm.TopReceiver("cam") as images, tdshm.ChopSender("tracker", ["tx", "ty", "confidence"]) as sender:
    while (frame := images.wait(timeout=10)) is not None:
        tx, ty, confidence = model(frame.numpyArray())  # height x width x 4 of uint8, top row first
        sender.send([tx, ty, confidence])
# snippet:end
