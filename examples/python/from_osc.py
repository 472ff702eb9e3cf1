"""What OSC was for, without OSC: a sender of values by name, and a reader that asks for the newest one when it needs it."""

import tdshm

# snippet:begin
# Instead of client.send_message("/hand/tx", 0.25):
sender = tdshm.ChopSender("hand")
sender.send({"hand/tx": 0.25, "hand/ty": -1.0})  # one frame: all values change together

# Instead of a server with a handler for each address:
receiver = tdshm.ChopReceiver("hand")
frame = receiver.read()
print(frame.value("hand/tx"), sorted(frame.to_dict("hand/t*")))
# snippet:end
receiver.close()
sender.close()
