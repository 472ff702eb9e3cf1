// Processes that are killed at the end, names of their own, and a browser.
"use strict";

const { spawn, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const readline = require("node:readline");
const zlib = require("node:zlib");
const { chromium } = require("playwright-core");

const command = process.env.TDSHM_COMMAND;
const pictures = process.env.TDSHM_SCREENSHOTS;
const running = new Set();
/** The names that were given out. */
const given = [];

/** A short name of its own. */
exports.name = (what) => {
  given.push(`brw${process.pid}${what}${given.length}`);
  return given.at(-1);
};

class Run {
  constructor(args) {
    this.child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    running.add(this);
    this.ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.ended.then(() => running.delete(this));
    this.out = readline.createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    this.err = readline.createInterface({ input: this.child.stderr })[Symbol.asyncIterator]();
  }

  async line() {
    const { value, done } = await this.out.next();
    if (done) throw new Error("standard output has ended");
    return value;
  }

  async says(text) {
    for (;;) {
      const { value, done } = await this.err.next();
      if (done) throw new Error(`${text} was not said`);
      if (value.includes(text)) return value;
    }
  }

  write(text) {
    this.child.stdin.write(text);
  }

  /** Ends it as Ctrl-C does. */
  async stop(signal = "SIGINT") {
    this.child.kill(signal);
    return this.ended;
  }
}

exports.start = (...args) => new Run(args);

/** A sender of that line of JSON, which stays. */
exports.send = async (name, frame) => {
  const run = new Run(["send", name, "--stdin"]);
  run.write(`${JSON.stringify(frame)}\n`);
  await run.says("sending");
  return run;
};

exports.serve = async (...args) => {
  const run = new Run(["serve", "--json", ...args]);
  return Object.assign(run, JSON.parse(await run.line()));
};

/** A bridge for browsers that send. */
exports.bridge = async (...args) => {
  const run = new Run(["bridge", "ws", "--json", ...args]);
  return Object.assign(run, JSON.parse(await run.line()));
};

/** What is in a segment: its channels' last samples by name, when `is` says that they are right. */
exports.holds = async (name, is) => {
  const run = new Run(["watch", name, "--format", "json", "--latest"]);
  for (;;) {
    const { channels } = JSON.parse(await run.line());
    const values = Object.fromEntries(channels.map(({ name, samples }) => [name, samples.at(-1)]));
    if (!is(values)) continue;
    await run.stop();
    return values;
  }
};

exports.stopAll = async () => {
  for (const run of [...running]) await run.stop();
  // Each name's two locks stay until somebody cleans.
  if (given.length) spawnSync(command, ["clean", "--quiet", ...given]);
};

/** A browser of its own, without a network besides this machine's. */
exports.browser = async () => {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "tdshm-browser-"));
  const quiet = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.TDSHM_CHROMIUM,
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", ...quiet, "--host-resolver-rules=MAP evil.example 127.0.0.1"],
    viewport: { width: 1280, height: 800 },
    colorScheme: "dark",
    acceptDownloads: true,
  });
  context.setDefaultTimeout(20_000);
  const close = context.close.bind(context);
  context.close = async () => {
    await close();
    fs.rmSync(profile, { recursive: true, force: true });
  };
  return context;
};

/** A page that keeps what it complained about. */
exports.page = async (context) => {
  const page = await context.newPage();
  page.complaints = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && page.complaints.push(message.text()));
  page.on("pageerror", (error) => page.complaints.push(error.message));
  return page;
};

exports.look = async (page, name) => {
  fs.mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: path.join(pictures, `${name}.png`) });
};

/** A PNG of rows of red, green, blue and alpha. */
exports.png = (width, height, rgba) => {
  const crcs = Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c >>> 0;
  });
  const crc = (bytes) => {
    let c = 0xffffffff;
    for (const byte of bytes) c = crcs[(c ^ byte) & 255] ^ (c >>> 8);
    return (c ^ 0xffffffff) >>> 0;
  };
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const ends = [Buffer.alloc(4), Buffer.alloc(4)];
    ends[0].writeUInt32BE(data.length);
    ends[1].writeUInt32BE(crc(body));
    return Buffer.concat([ends[0], body, ends[1]]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 6, 0, 0, 0], 8);
  const rows = [];
  for (let y = 0; y < height; y++) rows.push(Buffer.from([0]), Buffer.from(rgba.slice(y * width * 4, (y + 1) * width * 4)));
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", zlib.deflateSync(Buffer.concat(rows))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
};
