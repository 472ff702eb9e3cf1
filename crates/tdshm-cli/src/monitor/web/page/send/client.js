// Channels to and from `tdshm bridge ws`: one WebSocket, opened again whenever it is lost. docs/monitor-protocol.md has all messages.
export class Bridge {
  /** publish(offer) gives {segment, names, rate}, subscribe(offer) a segment to read; frame gets what comes, state what happens. */
  constructor({ publish, subscribe, frame = () => {}, state = () => {} }) {
    Object.assign(this, { publish, subscribe, frame, state, values: null, sends: false, wait: 125 });
    // Whoever brings the same key gets the segment back at once: this tab, when it is loaded again.
    this.key = sessionStorage.secret ??= crypto.getRandomValues(new Uint32Array(4)).join("-");
    this.open();
  }
  open() {
    this.socket = new WebSocket(`${location.origin.replace("http", "ws")}/socket`, "tdshm.monitor.v1.json");
    this.socket.onmessage = ({ data }) => this.hear(JSON.parse(data));
    this.socket.onclose = () => {
      this.hear({ type: "error", id: 1, message: "no connection: trying again" });
      setTimeout(() => this.open(), (this.wait = Math.min(this.wait * 2, 4000)));
    };
  }
  hear({ type, id, code, ...message }) {
    // Names come where they are new.
    if (type === "channels") return this.frame((this.names = message.names ?? this.names), message.channels);
    if (type === "hello") {
      Object.assign(this, { offer: message.publish, wait: 125 });
      if (this.publish) this.begin();
      if (this.subscribe) this.say({ type: "subscribe", id: 2, segment: this.subscribe(this.offer) });
    } else if (type === "published") {
      this.sends = true;
      this.state(`sending ${message.segment}`);
      if (this.values) this.send(this.values);
    } else if (type === "error") {
      if (id === 1 && code !== "frame") this.sends = false;
      if (code === "taken") setTimeout(() => this.begin(), 2000); // whoever has it may go
      this.state(message.message, true);
    }
  }
  begin = () => this.say({ type: "publish", id: 1, key: this.key, ...this.publish(this.offer) });
  /** A number for each channel, or a list of samples for each. */
  send(values) {
    this.values = values;
    if (this.sends) this.say({ type: "channels", id: 1, channels: values });
  }
  say = (message) => this.socket.readyState === WebSocket.OPEN && this.socket.send(JSON.stringify(message));
}

/** Draws the last samples of each channel, and gives the last of all. */
export function plot(canvas, history, rows, colours, length = 300) {
  const pen = canvas.getContext("2d");
  history.splice(0, history.length, ...rows.map((row, at) => [...(history[at] ?? []), ...row].slice(-length)));
  const [low, high] = history.flat().reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [0, 1]);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  history.forEach((row, at) => {
    pen.strokeStyle = colours[at % colours.length];
    pen.beginPath();
    row.forEach((value, x) => Number.isFinite(value) && pen.lineTo((x * canvas.width) / (length - 1), (canvas.height - 4) * (1 - (value - low) / (high - low)) + 2));
    pen.stroke();
  });
  return rows.map((row) => row.at(-1));
}
