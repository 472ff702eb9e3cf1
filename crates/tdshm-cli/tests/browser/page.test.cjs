// The page of `tdshm serve` in a real browser. Nothing here sleeps to synchronise: it waits for what is to be seen.
"use strict";

const test = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const http = require("node:http");
const os = require("node:os");
const path = require("node:path");
const { browser, look, name, page: newPage, png, send, serve, start, stopAll } = require("./kit.cjs");

const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const f32 = (values) => Array.from(new Float32Array(values));

let context;
let server;
let page;

test.before(async () => {
  context = await browser();
  server = await serve("--port", "0");
});
test.after(async () => {
  await context?.close();
  await stopAll();
});
test.beforeEach(async () => {
  page = await newPage(context);
});
test.afterEach(async () => {
  if (!page.mayComplain) assert.deepEqual(page.complaints, [], "the page complained");
  await page.close();
});

/** Opens the page at that segment, and waits until it is shown. */
async function open(segment, at = server) {
  await page.goto(`${at.url}#${segment}`);
  await page.locator("#detail-title", { hasText: segment }).waitFor();
  await page.locator("#detail-state", { hasText: "live" }).waitFor();
}

const plotted = () => page.evaluate(() => document.getElementById("plot").uplot?.data.map((row) => Array.from(row)) ?? null);

async function untilPlotted(count, last) {
  const there = ([count, last]) => {
    const data = document.getElementById("plot").uplot?.data;
    return data?.length === count + 1 && Math.abs(data[1].at(-1) - last) < 1e-6;
  };
  await page.waitForFunction(there, [count, last]);
  return plotted();
}

/** Two channels of fifty samples that no float of 32 bits holds exactly. */
const wave = Array.from({ length: 50 }, (_, index) => Math.sin(index / 5));
const ramp = Array.from({ length: 50 }, (_, index) => index / 10 - 1.1);
const frame = { sample_rate: 48, channels: [{ name: "wave", samples: wave }, { name: "ramp,1", samples: ramp }] };

test("lists what is there, and plots what was sent, number by number", async () => {
  const segment = name("a");
  const sender = await send(segment, frame);
  await open(segment);
  const row = page.locator("#segments tr", { hasText: segment });
  assert.equal(await row.locator("td").nth(1).textContent(), "channels");
  assert.equal(await row.locator("td").nth(2).textContent(), "2 × 50 at 48 Hz");
  assert.match(await row.locator("td").nth(6).textContent(), /^tdshm \(\d+\)$/);
  const data = await untilPlotted(2, Math.fround(wave.at(-1)));
  assert.deepEqual(data[0], Array.from({ length: 50 }, (_, index) => index));
  assert.deepEqual(data[1], f32(wave));
  assert.deepEqual(data[2], f32(ramp));
  const legend = await page.locator("#legend button").allTextContents();
  assert.deepEqual(legend, ["wave−0.3665", "ramp,13.8000"]);
  await page.locator("#fields", { hasText: /frames sent.*numChans2.*length50/ }).waitFor();
  await look(page, "plot-dark");

  // The next frame takes the place of this one.
  sender.write(`${JSON.stringify({ ...frame, channels: [{ name: "wave", samples: ramp }, { name: "ramp,1", samples: wave }] })}\n`);
  assert.deepEqual((await untilPlotted(2, Math.fround(ramp.at(-1))))[2], f32(wave));

  // Some channels, by a pattern.
  await page.locator("#pattern").fill("w*");
  assert.deepEqual((await untilPlotted(1, Math.fround(ramp.at(-1))))[1], f32(ramp));
  await page.locator("#pattern").fill("w |");
  await page.locator("#pattern-error:not(:empty)").waitFor();
  assert.equal(await page.locator("#pattern").getAttribute("aria-invalid"), "true");
  await page.locator("#pattern").fill("*");
  await untilPlotted(2, Math.fround(ramp.at(-1)));
  await sender.stop();
});

test("downloads as CSV what is on screen", async () => {
  const segment = name("csv");
  const sender = await send(segment, frame);
  await open(segment);
  await untilPlotted(2, Math.fround(wave.at(-1)));
  const csv = async () => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV", exact: true }).click()]);
    assert.equal(download.suggestedFilename(), `${segment}.csv`);
    return fs.readFileSync(await download.path(), "utf8").trimEnd().split("\n");
  };
  const lines = await csv();
  assert.equal(lines[0], 'wave,"ramp,1"');
  assert.equal(lines.length, 51);
  const columns = [0, 1].map((column) => lines.slice(1).map((line) => Number(line.split(",")[column])));
  assert.deepEqual(f32(columns[0]), f32(wave));
  assert.deepEqual(f32(columns[1]), f32(ramp));
  assert.equal(lines[3], "0.38941833,-0.9", "the shortest that is the same number");
  // Zoomed in, and with one channel hidden.
  await page.getByRole("button", { name: "Zoom in" }).click();
  await page.getByRole("button", { name: "wave" }).click();
  const part = await csv();
  assert.equal(part[0], '"ramp,1"');
  assert.ok(part.length > 20 && part.length < 30, `${part.length} lines`);
  const first = lines.findIndex((line) => line.split(",")[1] === part[1]);
  assert.deepEqual(part.slice(1), lines.slice(first, first + part.length - 1).map((line) => line.split(",")[1]));
  // `tdshm send` reads it back.
  const file = path.join(os.tmpdir(), `${segment}.csv`);
  fs.writeFileSync(file, `${lines.join("\n")}\n`);
  const back = start("send", name("back"), "--file", file, "--frames", "1");
  assert.equal(await back.ended, 0);
  fs.rmSync(file);
  await sender.stop();
});

test("shows an image the right way up", async () => {
  const segment = name("img");
  const [red, green, blue, half] = [[255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255], [10, 20, 30, 255]];
  const pixels = [...red, ...green, ...blue, ...half, ...blue, ...blue, ...red, ...red];
  const file = path.join(os.tmpdir(), `${segment}.png`);
  fs.writeFileSync(file, png(4, 2, pixels));
  const sender = start("send", segment, "--image", file);
  await sender.says("sending");
  await open(segment);
  await page.waitForFunction(() => document.getElementById("picture").width === 4);
  const read = () => page.evaluate(() => Array.from(document.getElementById("picture").getContext("2d").getImageData(0, 0, 4, 2).data));
  assert.deepEqual(await read(), pixels);
  assert.equal(await page.locator("#picture").getAttribute("aria-label"), `Image ${segment}, 4 by 2 pixels`);
  // Other numbers become white: half of them is half as bright.
  await page.locator("#levels").selectOption("fixed");
  await page.locator("#levels-max").fill("2");
  await page.locator("#levels-max").press("Enter");
  await page.waitForFunction(() => document.getElementById("picture").getContext("2d").getImageData(0, 0, 1, 1).data[0] === 128);
  await page.locator("#status", { hasText: "0 is black, 2 is white" }).waitFor();
  fs.rmSync(file);
  await sender.stop();

  const bars = name("bars");
  const pattern = start("send", bars, "--test-pattern", "640x360", "--fps", "30");
  await pattern.says("sending");
  await open(bars);
  await page.waitForFunction(() => document.getElementById("picture").width === 640);
  await look(page, "image-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await look(page, "image-light");
  await pattern.stop();
});

test("survives the sender's restart, and the server's", async () => {
  const segment = name("again");
  const values = (value) => ({ sample_rate: 60, channels: [{ name: "x", samples: Array(40).fill(value) }] });
  let sender = await send(segment, values(1));
  let own = await serve("--port", "0");
  await open(segment, own);
  await untilPlotted(1, 1);
  await sender.stop();
  await page.locator("#detail-state", { hasText: "has left" }).waitFor();
  assert.equal(await page.locator("#live").textContent(), `the sender of "${segment}" has left: waiting for another one`);
  assert.equal((await plotted())[1].at(-1), 1, "what was there stays");
  sender = await send(segment, values(2));
  await page.locator("#detail-state", { hasText: "live" }).waitFor();
  await untilPlotted(1, 2);

  assert.equal(await own.stop(), 130);
  await page.locator("#connection", { hasText: "trying again in" }).waitFor();
  await look(page, "lost");
  sender.write(`${JSON.stringify(values(3))}\n`);
  own = await serve("--port", String(own.port));
  await page.locator("#connection", { hasText: /^connected$/ }).waitFor();
  await untilPlotted(1, 3);
  // The browser itself says that a connection was refused.
  page.mayComplain = page.complaints.every((text) => /ERR_CONNECTION|WebSocket connection/.test(text));
  await sender.stop();
  await own.stop();
});

test("is closed to other pages, and under other names", async () => {
  page.mayComplain = true;
  const foreign = http.createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<title>foreign</title>"));
  await new Promise((resolve) => foreign.listen(0, "127.0.0.1", resolve));
  await page.goto(`http://127.0.0.1:${foreign.address().port}/`);
  const tried = await page.evaluate(async ({ url, port }) => {
    const attempt = (promise) => promise.then((value) => `got ${value}`, () => "refused");
    const socket = (host) =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`ws://${host}:${port}/socket`, ["tdshm.monitor.v1"]);
        socket.onmessage = (event) => resolve(event.data);
        socket.onerror = reject;
      });
    const image = (source) =>
      new Promise((resolve, reject) => Object.assign(new Image(), { onload: resolve, onerror: reject, src: source }));
    const script = (source) =>
      new Promise((resolve, reject) => document.head.append(Object.assign(document.createElement("script"), { onload: resolve, onerror: reject, src: source })));
    return {
      fetched: await attempt(fetch(url).then((answer) => answer.text())),
      blind: await attempt(fetch(`${url}health`, { mode: "no-cors" }).then((answer) => answer.type)),
      socket: await attempt(socket("127.0.0.1")),
      byName: await attempt(socket("localhost")),
      image: await attempt(image(`${url}icon.svg`)),
      script: await attempt(script(`${url}theme.js`)),
    };
  }, { url: server.url, port: server.port });
  const all = { fetched: "refused", blind: "refused", socket: "refused", byName: "refused", image: "refused", script: "refused" };
  assert.deepEqual(tried, all);
  await page.setContent(`<iframe id="f" src="${server.url}"></iframe>`);
  await page.waitForFunction(() => document.getElementById("f").contentDocument === null);
  const inner = page.frames().find((frame) => frame !== page.mainFrame());
  assert.ok(!(await inner.content()).includes("Segments"));
  // A name that somebody else's name server points here.
  const answer = await page.goto(`http://evil.example:${server.port}/`);
  assert.equal(answer.status(), 403);
  foreign.closeAllConnections();
  await new Promise((resolve) => foreign.close(resolve));
});

test("a token opens it once, and the address forgets it", async () => {
  page.mayComplain = true;
  const closed = await serve("--port", "0", "--token");
  const bare = `http://127.0.0.1:${closed.port}/`;
  assert.equal((await page.goto(bare)).status(), 401);
  await page.goto(closed.url);
  await page.locator("#connection", { hasText: /^connected$/ }).waitFor();
  assert.equal(new URL(page.url()).search, "");
  await page.reload();
  await page.locator("#connection", { hasText: /^connected$/ }).waitFor();
  await closed.stop();
  await page.locator("#connection", { hasText: "trying again" }).waitFor();
});

test("is dark and light, as the system or the user likes", async () => {
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.goto(server.url);
  const dark = await background();
  await page.emulateMedia({ colorScheme: "light" });
  const light = await background();
  assert.deepEqual([dark, light], ["rgb(14, 18, 20)", "rgb(246, 247, 247)"]);
  await page.locator("#theme").selectOption("dark");
  assert.equal(await background(), dark);
  await page.reload();
  assert.equal(await background(), dark);
  await page.locator("#theme").selectOption("auto");
  assert.equal(await background(), light);
});

test("works with the keyboard alone, and says little", async () => {
  const [first, second] = [name("k"), name("l")];
  const senders = [await send(first, frame), await send(second, frame)];
  await open(first);
  await untilPlotted(2, Math.fround(wave.at(-1)));
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
  // Both are listed, and so is no segment of the test before.
  for (const name of [first, second]) await page.locator("#segments button", { hasText: name }).waitFor();
  await page.locator("#filter").fill(`brw${process.pid}`);
  await page.locator('#segments button[tabindex="0"]', { hasText: first }).waitFor();
  await page.locator("#filter").focus();
  await page.keyboard.press("Tab");
  assert.equal(await focused(), first);
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(), second);
  await page.keyboard.press("Enter");
  await page.locator("#detail-title", { hasText: second }).waitFor();
  assert.equal(await page.locator("#live").textContent(), `${second} selected`);
  assert.equal(await page.locator(`#segments button[aria-current]`).textContent(), second);
  await untilPlotted(2, Math.fround(wave.at(-1)));

  await page.keyboard.press("f");
  assert.equal(await page.locator("#freeze").getAttribute("aria-pressed"), "true");
  assert.equal(await page.locator("#live").textContent(), "Frozen");
  senders[1].write(`${JSON.stringify({ sample_rate: 48, channels: [{ name: "wave", samples: ramp }, { name: "ramp,1", samples: ramp }] })}\n`);
  const row = page.locator("#segments tr", { hasText: second });
  await page.locator("#fields", { hasText: "frames sent2" }).waitFor();
  assert.deepEqual((await plotted())[1], f32(wave));
  await page.keyboard.press("f");
  await untilPlotted(2, Math.fround(ramp.at(-1)));

  await page.keyboard.press("/");
  assert.equal(await focused(), "pattern");
  await page.locator("#plot").focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.locator("#legend-at").textContent(), "at sample 1");
  assert.equal(await page.locator("#legend .value").first().textContent(), "−1.0000");
  const range = () => page.evaluate(() => [document.getElementById("plot").uplot.scales.x.min, document.getElementById("plot").uplot.scales.x.max]);
  const whole = await range();
  await page.keyboard.press("+");
  const zoomed = await range();
  assert.ok(zoomed[1] - zoomed[0] < (whole[1] - whole[0]) * 0.6, `${zoomed}`);
  await page.keyboard.press("Shift+ArrowRight");
  assert.ok((await range())[0] > zoomed[0]);
  await page.keyboard.press("0");
  assert.deepEqual(await range(), whole);
  await page.keyboard.press("?");
  assert.ok(await page.locator("#keys").isVisible());
  await page.keyboard.press("Escape");
  assert.ok(!(await page.locator("#keys").isVisible()));

  // While many frames come nothing is read out.
  await page.evaluate(() => {
    window.said = 0;
    new MutationObserver(() => window.said++).observe(document.getElementById("live"), { childList: true, characterData: true, subtree: true });
  });
  for (let round = 0; round < 40; round++) senders[1].write(`${JSON.stringify(frame)}\n`);
  await page.locator("#fields", { hasText: "frames sent42" }).waitFor();
  assert.equal(await page.evaluate(() => window.said), 0);
  assert.ok(await row.isVisible());
  for (const sender of senders) await sender.stop();
});

test("a sender that is stopped stands still, and says since when", async () => {
  const segment = name("still");
  const sender = start("send", segment);
  await sender.says("sending");
  await open(segment);
  sender.child.kill("SIGSTOP");
  try {
    await page.locator("#detail-state", { hasText: "still" }).waitFor();
    await page.locator("#status", { hasText: "the last frame came" }).waitFor();
    await page.locator("#warnings", { hasText: "was stopped" }).waitFor();
  } finally {
    sender.child.kill("SIGCONT");
  }
  await page.locator("#detail-state", { hasText: "live" }).waitFor();
  await page.locator("#status", { hasText: "frames/s shown" }).waitFor();
  await sender.stop();
});

test("has no fault that axe knows, wide and narrow, dark and light", async () => {
  const segment = name("axe");
  const moving = start("send", segment, "--channels", "tx,ty,tz,rx,ry,rz");
  await moving.says("sending");
  const bars = name("axebars");
  const pattern = start("send", bars, "--test-pattern", "320x180", "--fps", "5");
  await pattern.says("sending");
  const faults = async () => {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join("; ")}`);
  };
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    for (const [shown, what] of [[segment, "scope"], [bars, "bars"]]) {
      await page.setViewportSize({ width: 1280, height: 800 });
      await open(shown);
      await page.waitForFunction(() => document.querySelectorAll("#legend .value:not(:empty)").length === 6 || document.getElementById("picture").width > 1);
      assert.deepEqual(await faults(), [], `${shown} ${colorScheme}`);
      await look(page, `${what}-${colorScheme}`);
      await page.setViewportSize({ width: 390, height: 844 });
      await page.evaluate(() => document.getElementById("detail").scrollIntoView());
      assert.deepEqual(await faults(), [], `${shown} ${colorScheme}, narrow`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 390, `${wide} pixels wide`);
      await look(page, `${what}-${colorScheme}-narrow`);
    }
  }
  await page.getByRole("button", { name: "Keys" }).click();
  assert.deepEqual(await faults(), [], "the keys");
  await moving.stop();
  await pattern.stop();
});
