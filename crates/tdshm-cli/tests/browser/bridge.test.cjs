// Pages that send, in a real browser, and what is in the segments then. Nothing here sleeps to synchronise.
"use strict";

const test = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { bridge, browser, holds, look, name, page: newPage, send, start, stopAll } = require("./kit.cjs");

const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const example = path.join(__dirname, "../../../../examples/browser");
const near = (value, expected) => Math.abs(value - expected) < 0.02;

let context;

test.before(async () => {
  context = await browser();
});
test.after(async () => {
  await context?.close();
  await stopAll();
});

const state = (page, text) => page.locator("#state", { hasText: text }).waitFor();

/** Whether anything is drawn on the plot. */
const drawn = (page) =>
  page.evaluate(() => {
    const canvas = document.getElementById("plot");
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return pixels.some((value, at) => at % 4 === 3 && value > 0);
  });

test("the example plots and sends, survives a reload, and a restart of the bridge", async () => {
  const segment = name("ex");
  let server = await bridge("--port", "0", segment, "--pages", example);
  const page = await newPage(context);
  await page.goto(`${server.url}?segment=${segment}`);
  await state(page, `sending ${segment}`);
  // What is moved is in the segment,
  await page.locator("#knob").fill("0.75");
  const box = await page.locator("#plot").boundingBox();
  await page.mouse.move(box.x + box.width / 4, box.y + box.height / 4);
  const values = await holds(segment, ({ knob, x, y }) => knob === 0.75 && near(x, 0.25) && near(y, 0.75));
  assert.deepEqual(Object.keys(values), ["x", "y", "knob"]);
  // and what is in the segment is plotted.
  await page.locator("#values", { hasText: "knob 0.75" }).waitFor();
  // A line has two ends.
  await page.locator("#knob").fill("0.25");
  await page.locator("#values", { hasText: "knob 0.25" }).waitFor();
  await page.locator("#knob").fill("0.75");
  await page.locator("#values", { hasText: "knob 0.75" }).waitFor();
  assert.ok(await drawn(page));
  await look(page, "bridge-example");

  // Loaded again: the segment stays, with what it had, and the same page goes on with it.
  const watch = start("watch", segment, "--format", "json", "--latest");
  await watch.line();
  await page.reload();
  await state(page, `sending ${segment}`);
  await page.locator("#values", { hasText: "knob 0.75" }).waitFor();
  await page.locator("#knob").fill("0.5");
  await holds(segment, ({ knob }) => knob === 0.5);

  // The bridge goes and comes back at the same port: the page finds it, and says again what it had.
  await server.stop();
  await state(page, "no connection");
  server = await bridge("--port", String(server.port), segment, "--pages", example);
  await state(page, `sending ${segment}`);
  await holds(segment, ({ knob }) => knob === 0.5);
  // Who received before that receives again.
  while (JSON.parse(await watch.line()).channels[2].samples.at(-1) !== 0.5);
  await watch.stop();
  page.complaints.splice(0); // the browser tells of the connection that was refused
  await page.close();
  await server.stop();
});

test("two browsers: one sends, the other is told, and takes over when the first has gone", async () => {
  const segment = name("two");
  const server = await bridge("--port", "0", segment);
  const [first, second] = [await newPage(context), await newPage(context)];
  await first.goto(server.url);
  await state(first, `sending ${segment}`);
  await first.locator("#slider1").fill("0.25");
  await holds(segment, ({ slider1 }) => slider1 === 0.25);
  await second.goto(server.url);
  await state(second, `another connection sends "${segment}"`);
  // It sees what the first one sends all the same.
  await second.locator("#values div", { hasText: "slider10.250" }).waitFor();
  await second.locator("#slider1").fill("0.9");
  await first.locator("#slider2").fill("0.5");
  const both = await holds(segment, ({ slider2 }) => slider2 === 0.5);
  assert.equal(both.slider1, 0.25);
  // Loaded again, it goes on from what it had sent.
  assert.match(await first.evaluate(() => sessionStorage.secret), /^\d+-\d+-\d+-\d+$/);
  await first.reload();
  await first.waitForFunction(() => document.getElementById("slider1").value === "0.25");
  await first.locator("#slider3").fill("0.125");
  assert.equal((await holds(segment, ({ slider3 }) => slider3 === 0.125)).slider2, 0.5);
  await first.close();
  await state(second, `sending ${segment}`);
  await holds(segment, ({ slider1 }) => near(slider1, 0.9));
  assert.deepEqual(second.complaints, []);
  await second.close();
  await server.stop();
});

test("the page that comes with it is used by keys and by touch, and plots what others send", async () => {
  const [segment, cue] = [name("own"), name("cue")];
  const server = await bridge("--port", "0", `${segment}*`, "--read", cue);
  const page = await newPage(context);
  await page.goto(server.url);
  await state(page, `sending ${segment}`);
  const mine = await page.locator("#segment").inputValue();
  assert.match(mine, new RegExp(`^${segment}\\d{3}$`));
  await page.locator("#pad").focus();
  for (const key of ["ArrowUp", "ArrowUp", "ArrowRight"]) await page.keyboard.press(key);
  await holds(mine, ({ x, y, touch }) => near(x, 0.02) && near(y, 0.04) && touch === 0);
  const box = await page.locator("#pad").boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await holds(mine, ({ x, y, touch }) => near(x, 0.5) && near(y, 0.5) && touch === 1);
  await page.mouse.up();
  await holds(mine, ({ touch }) => touch === 0);
  await page.addScriptTag({ content: axe }).catch(() => page.evaluate(axe));
  const wrong = await page.evaluate(async () => (await window.axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`));
  assert.deepEqual(wrong, []);
  page.complaints.splice(0); // the policy lets no script of others in
  await look(page, "bridge-page");
  await page.goto(`${server.url}?segment=elsewhere`);
  await state(page, "may not be");
  // What TouchDesigner sends is plotted, where it may be read.
  const sender = await send(cue, { sample_rate: 60, channels: [{ name: "bright", samples: [0.625] }] });
  await page.goto(`${server.url}?read=${cue}`);
  await page.locator("#values", { hasText: "bright0.625" }).waitFor();
  assert.equal(await page.locator("#reads").textContent(), `What is in ${cue}`);
  await sender.stop();
  await page.close();
  await server.stop();
});

test("a foreign page is refused, and beyond loopback who has no token", async () => {
  const segment = name("no");
  const server = await bridge("--port", "0", segment);
  const foreign = http.createServer((_, answer) => answer.end("<title>foreign</title>")).listen(0, "127.0.0.1");
  await new Promise((resolve) => foreign.once("listening", resolve));
  const page = await newPage(context);
  const connects = (url) =>
    page.evaluate(
      (url) =>
        new Promise((resolve) => {
          const socket = new WebSocket(url, "tdshm.monitor.v1.json");
          socket.onmessage = ({ data }) => resolve(JSON.parse(data).type);
          socket.onerror = () => resolve("refused");
        }),
      url,
    );
  await page.goto(`http://evil.example:${foreign.address().port}/`);
  assert.equal(await connects(`ws://127.0.0.1:${server.port}/socket`), "refused");
  assert.equal(await connects(`ws://evil.example:${server.port}/socket`), "refused");

  const beyond = await bridge("--port", "0", "--listen", "0.0.0.0", segment);
  const at = `http://127.0.0.1:${beyond.port}/`;
  assert.equal((await page.goto(at)).status(), 401);
  assert.equal(await connects(`ws://127.0.0.1:${beyond.port}/socket`), "refused");
  await page.goto(`${at}?token=${beyond.token}`);
  await state(page, `sending ${segment}`);
  assert.equal(page.url(), at, "the token is seen no more");
  await page.locator("#slider3").fill("1");
  await holds(segment, ({ slider3 }) => slider3 === 1);
  await page.close();
  foreign.close();
  await beyond.stop();
  await server.stop();
});
