// What the page does: which segment is looked at, how, and what is said about it.

import { Link } from "./link.js";
import { Plot } from "./plot.js";
import { Picture } from "./picture.js";
import { Table, age } from "./table.js";
import { csv, download } from "./csv.js";

const $ = (id) => document.getElementById(id);
/** The one subscription of this page. Each change has a number of its own, so that what is late is not taken for new. */
let subscription = 0;
let segments = [];
let chosen = null;
let kind = null;
let state = null;
/** When it became that. */
let since = 0;
let frozen = false;
let waiting = [];

let arrivals = [];
/** When the last frame came. */
let arrived = null;
let dropped = 0;
let scheduled = false;

const plot = new Plot($("plot"), () => values(true), () => status());
const picture = new Picture($("stage"), $("picture"), $("pixel"));
const table = new Table($("segments"), choose);
const link = new Link(take, connection);

// The cookie has it by now; the address need not keep it.
if (location.search !== "") history.replaceState(null, "", location.pathname + location.hash);

// ---- what is said ----

let lastSaid = "";
/** One sentence for those who hear the page; not again while it is the same. */
function say(sentence) {
  if (sentence === lastSaid) return;
  lastSaid = sentence;
  $("live").textContent = sentence;
}

function connection({ state, text }) {
  $("connection").dataset.state = state;
  $("connection-text").textContent = text;
  $("retry").hidden = state !== "lost";
  if (state === "open") {
    subscription = 0;
    link.send({ type: "list", hz: 4 });
    if (chosen !== null) subscribe();
    if (lastSaid.startsWith("Connection lost")) say("Connected again");
  } else if (state === "lost") {
    $("detail-state").hidden = true;
    // Not each try: that it is lost is enough.
    say("Connection lost; trying again");
  }
}

// ---- messages ----

function take(message) {
  switch (message.type) {
    case "hello":
      document.title = "tdshm";
      break;
    case "segments":
      list(message);
      break;
    case "state":
      if (message.id === subscription) senderState(message);
      break;
    case "error":
      problem(message);
      break;
    case "channels":
    case "image":
      if (message.id !== subscription) return;
      waiting.push(message);
      schedule();
      break;
  }
}

function list({ segments: rows, trouble, warnings }) {
  segments = rows;
  const place = [trouble, ...warnings].filter(Boolean).join("; ");
  if ($("place").textContent !== place) $("place").textContent = place;
  table.set(rows);
  $("segments-empty").hidden = rows.length > 0;
  $("segments-count").textContent = rows.length === 0 ? "" : String(rows.length);
  if (chosen === null) {
    // The address names one, be it there already or not.
    const wanted = decodeURIComponent(location.hash.slice(1));
    const name = wanted || (rows.find((row) => !row.stale) ?? rows[0])?.name;
    if (name) choose(name, true);
  }
  about();
  // What stands still says so by itself.
  if (arrived !== null) status();
}

function problem({ code, message, id }) {
  if (code === "pattern" && id === subscription) {
    $("pattern-error").textContent = message;
    $("pattern").setAttribute("aria-invalid", "true");
    return;
  }
  $("status").textContent = message;
}

function senderState(message) {
  const before = state;
  state = message.state;
  const pill = $("detail-state");
  pill.hidden = false;
  pill.dataset.state = state;
  pill.textContent = { waiting: "waiting", left: "has left", died: "has died", error: "cannot be read" }[state] ?? state;
  if (state === "there") live(segments.find((row) => row.name === chosen));
  $("detail-note").textContent = state === "there" ? "" : message.sentence;
  // That one is there who was looked at a moment ago goes without saying.
  const news = before !== null && before !== state && !(before === "waiting" && performance.now() - since < 1500);
  if (before !== state) since = performance.now();
  if (news) say(message.sentence);
  if (message.kind && message.kind !== kind) setKind(message.kind);
}

/** A sender that is there may stand still all the same. */
function live(row) {
  const pill = $("detail-state");
  const still = row?.warnings.some((text) => text.startsWith("still:"));
  pill.dataset.state = still ? "still" : "there";
  pill.textContent = still ? "still" : "live";
}

function setKind(now) {
  kind = now;
  const shown = kind === "channels" || kind === "image" ? kind : "channels";
  $("body").dataset.kind = shown;
  $("tools").dataset.kind = shown;
  if (kind === "image") plot.clear();
  else picture.clear();
  legend();
}

// ---- frames ----

function schedule() {
  if (scheduled || frozen) return;
  scheduled = true;
  requestAnimationFrame(show);
}

async function show() {
  try {
    await draw();
  } finally {
    scheduled = false;
    if (waiting.length > 0) schedule();
  }
}

async function draw() {
  const frames = waiting;
  waiting = [];
  const last = frames.at(-1);
  if (last && last.id === subscription) {
    if (last.type !== kind) setKind(last.type);
    for (const frame of frames) {
      dropped += frame.dropped;
      arrived = performance.now();
      arrivals.push(arrived);
    }
    if (last.type === "channels") {
      const names = plot.names;
      for (const frame of frames) plot.push(frame);
      plot.draw();
      if (plot.names !== names) legend();
      values(false);
    } else {
      try {
        await picture.draw(last);
      } catch {
        $("status").textContent = "this browser cannot show the image";
      }
      if (last.id === subscription) imageNote(last);
    }
    link.send({ type: "ack", id: last.id, serial: last.serial });
    status();
  }
}

let statusAt = 0;
/** When the segment was asked for. */
let asked = 0;
function status() {
  const now = performance.now();
  if (now - statusAt < 250 && !frozen) return;
  statusAt = now;
  arrivals = arrivals.filter((time) => now - time < 2000);
  const rate = arrivals.length / Math.min(2, Math.max(0.5, (now - asked) / 1000));
  const parts = [];
  if (frozen) parts.push("frozen");
  else if (arrived !== null && now - arrived > 2000) parts.push(`the last frame came ${age(now - arrived)} ago`);
  else parts.push(`${rate.toFixed(rate < 10 ? 1 : 0)} frames/s shown`);
  if (dropped > 0) parts.push(`${dropped} skipped, to keep up`);
  const { frame } = plot;
  if (kind === "channels" && frame) {
    $("span-field").hidden = plot.shows === "frame";
    parts.push(plot.shows === "frame" ? `${frame.samples} samples at ${+frame.rate.toFixed(3)} Hz` : `the last ${plot.span} s`);
    if (frame.reduced) parts.push(`least and greatest of every ${Math.round((2 * frame.samples) / frame.points)} samples are drawn`);
    if (plot.zoomX || plot.zoomY) parts.push("zoomed");
  }
  if (kind === "image" && picture.frame) {
    const { width, height, sourceWidth, sourceHeight, isFloat, low, high } = picture.frame;
    if (width !== sourceWidth || height !== sourceHeight) parts.push(`scaled to ${width} × ${height}`);
    if (isFloat || low !== 0 || high !== 1) parts.push(`${+low.toPrecision(4)} is black, ${+high.toPrecision(4)} is white`);
  }
  $("status").textContent = parts.join(" · ");
}

function imageNote(frame) {
  const text = `Image ${chosen}, ${frame.sourceWidth} by ${frame.sourceHeight} pixels`;
  if ($("picture").getAttribute("aria-label") !== text) $("picture").setAttribute("aria-label", text);
}

// ---- the legend ----

let valueCells = [];
function legend() {
  const box = $("legend");
  const focused = [...box.children].findIndex((item) => item.contains(document.activeElement));
  valueCells = [];
  box.replaceChildren(
    ...plot.names.map((name, index) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", String(!plot.hidden.has(name)));
      const swatch = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      swatch.setAttribute("class", "swatch");
      swatch.setAttribute("viewBox", "0 0 10 10");
      swatch.setAttribute("aria-hidden", "true");
      const mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      mark.setAttribute("y", "3.5");
      mark.setAttribute("width", "10");
      mark.setAttribute("height", "3");
      mark.setAttribute("fill", plot.colour(index));
      swatch.append(mark);
      const label = document.createElement("span");
      label.className = "name";
      label.textContent = name;
      label.title = name;
      const value = document.createElement("span");
      value.className = "value";
      valueCells.push(value);
      button.append(swatch, label, value);
      button.addEventListener("click", () => {
        const visible = plot.hidden.has(name);
        plot.show(index, visible);
        button.setAttribute("aria-pressed", String(visible));
      });
      item.append(button);
      return item;
    }),
  );
  if (focused >= 0) box.children[focused]?.querySelector("button").focus();
  const all = plot.frame?.allChannels ?? plot.names.length;
  $("plot").setAttribute("aria-label", `Plot of ${plot.names.length} of ${all} channels of ${chosen ?? "nothing"}`);
  values(true);
}

function short(value) {
  if (value === undefined) return "";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+∞" : "−∞";
  const size = Math.abs(value);
  const text = size !== 0 && (size >= 1e6 || size < 1e-4) ? value.toExponential(3) : value.toFixed(size >= 1000 ? 2 : 4);
  return text.replace("-", "−");
}

let valuesAt = 0;
function values(now) {
  // Numbers that change more often cannot be read.
  if (!now && performance.now() - valuesAt < 120) return;
  valuesAt = performance.now();
  const { at } = plot;
  valueCells.forEach((element, index) => {
    const text = short(plot.value(index, at ?? undefined));
    if (element.textContent !== text) element.textContent = text;
  });
  $("legend-at").textContent = at === null ? "" : plot.place(at);
}

// ---- the segment that is looked at ----

function choose(name, quietly = false) {
  if (name !== chosen) {
    chosen = name;
    state = null;
    kind = null;
    frozen = false;
    plot.hidden.clear();
    plot.clear();
    picture.clear();
    legend();
    freezeButton();
    history.replaceState(null, "", `#${encodeURIComponent(name)}`);
    const row = segments.find((row) => row.name === name);
    setKind(row?.kind === "image" ? "image" : "channels");
    $("detail-title").textContent = name;
    $("detail-empty").hidden = true;
    $("detail-state").hidden = true;
    $("detail-note").textContent = "";
    $("body").hidden = false;
    $("tools").hidden = false;
    table.select(name);
    subscribe();
    about();
    if (!quietly) say(`${name} selected`);
  }
}

function about() {
  const row = segments.find((row) => row.name === chosen);
  for (const what of ["warnings", "remarks"]) {
    const sentences = row?.[what] ?? [];
    $(`${what}-box`).hidden = sentences.length === 0;
    fill($(what), sentences, (text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    });
  }
  if (state === "there") live(row);
  if (!row || row.groups.length === 0) return;
  fill($("fields"), row.groups, group);
}

function group({ title, fields }) {
  const section = document.createElement("section");
  const heading = document.createElement("h3");
  heading.textContent = title;
  const list = document.createElement("dl");
  for (const [label, value] of fields) {
    const pair = document.createElement("div");
    const term = document.createElement("dt");
    const text = document.createElement("dd");
    term.textContent = label;
    text.textContent = value;
    pair.append(term, text);
    list.append(pair);
  }
  section.append(heading, list);
  return section;
}

/** Makes the children anew, if what they say has changed. */
function fill(element, things, make) {
  const now = JSON.stringify(things);
  if (element.dataset.says === now) return;
  element.dataset.says = now;
  element.replaceChildren(...things.map(make));
}

function subscribe() {
  const before = subscription;
  subscription += 1;
  waiting = [];
  dropped = 0;
  arrivals = [];
  arrived = null;
  asked = performance.now();
  $("pattern-error").textContent = "";
  $("pattern").removeAttribute("aria-invalid");
  if (chosen === null) return;
  const pixels = devicePixelRatio || 1;
  const full = $("fit").value === "full";
  const room = (length) => Math.max(64, Math.ceil((length * pixels) / 64) * 64);
  link.send({
    type: "subscribe",
    id: subscription,
    segment: chosen,
    channels: $("pattern").value.trim() || "*",
    points: 4096,
    hz: 60,
    window: 2,
    stretch: { auto: "auto", frame: "frame", history: "since" }[$("mode").value],
    image: {
      width: full ? 0 : room($("stage").clientWidth || $("body").clientWidth || 640),
      height: full ? 0 : innerWidth <= 760 ? room(innerHeight) : room($("stage").clientHeight || 640),
      encoding: isNear() ? "rgba8" : "jpeg",
      range: levels(),
    },
  });
  // Afterwards, so that the server keeps what it has read of the same segment.
  if (before > 0) link.send({ type: "unsubscribe", id: before });
}

/** Whether the server is this machine, so that pixels need not be pressed together. */
function isNear() {
  return location.hostname === "localhost" || location.hostname === "[::1]" || location.hostname.startsWith("127.");
}

function levels() {
  const choice = $("levels").value;
  if (choice === "auto") return "auto";
  if (choice === "unit") return [0, 1];
  const ends = [Number($("levels-min").value), Number($("levels-max").value)];
  return ends[0] < ends[1] ? ends : [0, 1];
}

// ---- controls ----

function freezeButton() {
  $("freeze").setAttribute("aria-pressed", String(frozen));
}

function freeze() {
  if (chosen === null) return;
  frozen = !frozen;
  freezeButton();
  say(frozen ? "Frozen" : "Going on");
  status();
  // What came meanwhile is not acknowledged, so that nothing more comes.
  if (!frozen && waiting.length > 0) schedule();
}

function save() {
  if (chosen === null) return;
  if (kind === "image") {
    if (picture.frame) $("picture").toBlob((blob) => download(`${chosen}.png`, blob), "image/png");
    return;
  }
  const { names, rows, from, to } = plot.shown;
  if (names.length === 0 || to === from) {
    say("Nothing is on screen to download");
    return;
  }
  download(`${chosen}.csv`, new Blob([csv(names, rows, from, to)], { type: "text/csv" }));
  say(`${to - from} rows of ${names.length} channels downloaded`);
}

function fixedRange() {
  $("range-fixed").hidden = $("range").value !== "fixed";
  const ends = [Number($("range-min").value), Number($("range-max").value)];
  plot.fixed = $("range").value === "fixed" && ends[0] < ends[1] ? ends : null;
  $("range-max").setAttribute("aria-invalid", String($("range").value === "fixed" && !(ends[0] < ends[1])));
  plot.zoomY = null;
  plot.auto = null;
  plot.draw();
}

$("retry").addEventListener("click", () => link.now());
$("freeze").addEventListener("click", freeze);
$("csv").addEventListener("click", save);
$("png").addEventListener("click", save);
$("filter").addEventListener("input", () => table.narrow($("filter").value));
let typing = 0;
$("pattern").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(subscribe, 250);
});
$("mode").addEventListener("change", () => {
  plot.mode = $("mode").value;
  plot.clear();
  subscribe();
});
$("span").addEventListener("change", () => {
  plot.span = Number($("span").value);
  plot.reset();
});
for (const id of ["range", "range-min", "range-max"]) $(id).addEventListener("change", fixedRange);
$("zoom-in").addEventListener("click", () => plot.zoom(0.5));
$("zoom-out").addEventListener("click", () => plot.zoom(2));
$("zoom-reset").addEventListener("click", () => plot.reset());
$("fit").addEventListener("change", () => {
  $("stage").dataset.fit = $("fit").value;
  subscribe();
});
for (const id of ["levels", "levels-min", "levels-max"]) {
  $(id).addEventListener("change", () => {
    $("levels-fixed").hidden = $("levels").value !== "fixed";
    subscribe();
  });
}
$("opaque").addEventListener("change", () => {
  picture.opaque = $("opaque").checked;
  subscribe();
});
$("stage").dataset.fit = "fit";
let resizing = 0;
new ResizeObserver(() => {
  picture.fit();
  clearTimeout(resizing);
  resizing = setTimeout(() => kind === "image" && subscribe(), 400);
}).observe($("stage"));

$("theme").value = document.documentElement.dataset.theme ?? "auto";
$("theme").addEventListener("change", () => {
  const theme = $("theme").value;
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("tdshm.theme", theme);
  } catch {
    // Then it is forgotten.
  }
  plot.rebuild();
  legend();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => legend());
addEventListener("hashchange", () => {
  const name = decodeURIComponent(location.hash.slice(1));
  if (name) choose(name);
});

$("keys-open").addEventListener("click", () => $("keys").showModal());
$("plot").addEventListener("blur", () => plot.leave());
$("plot").addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by === undefined) {
    if (event.key === "Escape") plot.leave();
    return;
  }
  event.preventDefault();
  if (event.shiftKey) plot.pan(by * 0.2);
  else plot.stepCursor(by);
});
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("keys").open) return;
  if (event.target.closest("input, select, textarea")) return;
  const act = {
    f: freeze,
    d: save,
    "+": () => plot.zoom(0.5),
    "=": () => plot.zoom(0.5),
    "-": () => plot.zoom(2),
    0: () => plot.reset(),
    "/": () => $("pattern").focus(),
    "?": () => $("keys").showModal(),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
