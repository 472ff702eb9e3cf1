// The connection: one WebSocket, opened again when it is lost, and its messages as objects. docs/monitor-protocol.md has the
// other side's account of it.

const PROTOCOL = "tdshm.monitor.v1";
const MAGIC = 0x4d_53_44_54; // "TDSM"
const SHORTEST = 500;
const LONGEST = 10_000;

export class Link {
  /**
   * @param {(message: object) => void} take gets each message
   * @param {(state: {state: string, text: string, seconds?: number}) => void} tell gets each change of the connection
   */
  constructor(take, tell) {
    this.take = take;
    this.tell = tell;
    this.wait = SHORTEST;
    this.timer = 0;
    this.socket = null;
    addEventListener("online", () => this.now());
    this.open();
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  open() {
    clearTimeout(this.timer);
    const url = new URL("socket", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.search = "";
    url.hash = "";
    const socket = new WebSocket(url, [PROTOCOL]);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.tell({ state: "waiting", text: "connecting" });
    socket.onmessage = (event) => {
      if (this.socket !== socket) return;
      if (typeof event.data !== "string") {
        const frame = decode(event.data);
        if (frame) this.take(frame);
        return;
      }
      const message = JSON.parse(event.data);
      if (message.type === "hello") {
        this.wait = SHORTEST;
        this.tell({ state: "open", text: "connected" });
      }
      this.take(message);
    };
    socket.onclose = (event) => {
      if (this.socket === socket) this.lost(event);
    };
  }

  /** Tries again at once. */
  now() {
    if (this.isOpen || this.socket?.readyState === WebSocket.CONNECTING) return;
    this.wait = SHORTEST;
    this.open();
  }

  async lost(event) {
    this.socket = null;
    let why = event.reason || "connection lost";
    // A browser does not say with what status an upgrade was refused; a plain request does.
    try {
      const answer = await fetch("health", { cache: "no-store" });
      if (answer.status === 401) why = "this server wants its token: open the address that it printed";
      else if (answer.status === 503) why = "too many browsers are connected";
    } catch {
      why = event.reason || "the server does not answer";
    }
    if (this.socket) return;
    const delay = this.wait * (0.8 + 0.4 * Math.random());
    this.wait = Math.min(this.wait * 2, LONGEST);
    const seconds = Math.max(1, Math.round(delay / 1000));
    this.tell({ state: "lost", text: `${why}; trying again in ${seconds} s`, seconds });
    this.timer = setTimeout(() => this.open(), delay);
  }

  send(message) {
    if (this.isOpen) this.socket.send(JSON.stringify(message));
  }
}

const text = new TextDecoder();

/** A binary message as an object; `null` for what this page does not know. */
export function decode(buffer) {
  if (buffer.byteLength < 72) return null;
  const view = new DataView(buffer);
  if (view.getUint32(0, true) !== MAGIC || view.getUint8(4) !== 1) return null;
  const kind = view.getUint8(5);
  const start = view.getUint16(6, true);
  if (start < 72 || start > buffer.byteLength) return null;
  const flags = view.getUint32(36, true);
  const frame = {
    id: view.getUint32(8, true),
    serial: view.getUint32(12, true),
    number: flags & 1 ? Number(view.getBigUint64(16, true)) : null,
    time: view.getFloat64(24, true),
    dropped: view.getUint32(32, true),
    torn: Boolean(flags & 2),
    reduced: Boolean(flags & 4),
  };
  if (kind === 1) return channels(frame, view, start, Boolean(flags & 8));
  if (kind === 2) return image(frame, view, start);
  return null;
}

function channels(frame, view, start, named) {
  const count = view.getUint32(40, true);
  const points = view.getUint32(44, true);
  const nameBytes = view.getUint32(60, true);
  const data = start + nameBytes;
  if (data % 4 !== 0 || data + count * points * 4 > view.byteLength) return null;
  let names = null;
  if (named) {
    names = [];
    let at = start;
    for (let index = 0; index < count; index++) {
      const length = view.getUint16(at, true);
      names.push(text.decode(new Uint8Array(view.buffer, at + 2, length)));
      at += 2 + length;
    }
  }
  const rows = [];
  for (let index = 0; index < count; index++) {
    rows.push(new Float32Array(view.buffer, data + index * points * 4, points));
  }
  return Object.assign(frame, {
    type: "channels",
    names,
    rows,
    points,
    allChannels: view.getUint32(48, true),
    samples: view.getUint32(52, true),
    rate: view.getFloat32(56, true),
    first: view.getUint32(64, true),
    span: view.getFloat32(68, true),
    since: Boolean(view.getUint32(36, true) & 16),
  });
}

function image(frame, view, start) {
  return Object.assign(frame, {
    type: "image",
    width: view.getUint32(40, true),
    height: view.getUint32(44, true),
    sourceWidth: view.getUint32(48, true),
    sourceHeight: view.getUint32(52, true),
    encoding: view.getUint8(56) === 1 ? "jpeg" : "rgba8",
    isFloat: view.getUint8(57) === 1,
    low: view.getFloat32(64, true),
    high: view.getFloat32(68, true),
    bytes: new Uint8Array(view.buffer, start),
  });
}
