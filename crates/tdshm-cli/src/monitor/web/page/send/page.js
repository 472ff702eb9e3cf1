// The page of `tdshm bridge ws` where no other is given: sliders and a pad that send, and a plot of what is in the segment.

import { Bridge, plot } from "./client.js";

const by = (id) => document.getElementById(id);
const COLOURS = ["#2a9da5", "#d6742f", "#7a6fd6", "#3f9e58", "#c94f7c", "#a8872b", "#6b7d87"];
const NAMES = ["slider1", "slider2", "slider3", "slider4", "x", "y", "touch"];
const asked = new URL(location.href);
const history = [];
const values = NAMES.map(() => 0);
let segment = asked.searchParams.get("segment");
let due = false;
/** Something was moved here. */
let moved = false;

// The token is in a cookie by now, and need not be seen.
if (asked.searchParams.has("token")) {
  asked.searchParams.delete("token");
  window.history.replaceState(null, "", asked);
}

/** A name that the server takes: of a pattern one that this tab keeps. */
function choose(offer) {
  const tag = (sessionStorage.tag ??= String(crypto.getRandomValues(new Uint16Array(1))[0] % 900 + 100));
  segment ??= (offer?.names[0] ?? "phone").replace("*", tag).replaceAll("*", "").replaceAll("?", tag[0]);
  by("segment").value = segment;
  return segment;
}

const bridge = new Bridge({
  publish: (offer) => ({ segment: choose(offer), names: NAMES }),
  subscribe: (offer) => (by("read").textContent = asked.searchParams.get("read") ?? choose(offer)),
  state: (text, isBad = false) => {
    by("state").textContent = text;
    by("state").classList.toggle("bad", isBad);
  },
  frame: (names, rows) => {
    const last = plot(by("plot"), history, rows, COLOURS);
    if (!moved && !asked.searchParams.has("read")) adopt(names, last);
    by("values").replaceChildren(
      ...names.map((name, at) => {
        const entry = document.createElement("div");
        const [term, number] = [document.createElement("dt"), document.createElement("dd")];
        term.textContent = name;
        term.style.setProperty("border-color", COLOURS[at % COLOURS.length]);
        number.textContent = last[at] === null ? "no number" : (last[at] ?? 0).toFixed(3);
        entry.append(term, number);
        return entry;
      }),
    );
  },
});

/** Goes on from what the segment has, until something is moved here: nothing jumps when a page is loaded again. */
function adopt(names, last) {
  NAMES.forEach((name, at) => {
    values[at] = last[names.indexOf(name)] ?? values[at];
    if (by(name)) by(name).valueAsNumber = values[at];
  });
  show();
}

/** Sends once for each picture of the screen, however often something moves. */
function changed() {
  moved = true;
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    bridge.send([...values]);
  });
}

NAMES.slice(0, 4).forEach((name, at) => {
  const [label, slider] = [document.createElement("label"), document.createElement("input")];
  Object.assign(slider, { type: "range", min: 0, max: 1, step: 0.001, value: 0, id: name });
  slider.addEventListener("input", () => {
    values[at] = slider.valueAsNumber;
    changed();
  });
  label.append(name, slider);
  by("sliders").append(label);
});

const pad = by("pad");
function move(x, y, touch) {
  const within = (value) => Math.min(1, Math.max(0, value));
  [values[4], values[5], values[6]] = [within(x), within(y), touch];
  show();
  changed();
}
function show() {
  by("dot").style.setProperty("left", `${values[4] * 100}%`);
  by("dot").style.setProperty("top", `${100 - values[5] * 100}%`);
}
function point(event, touch) {
  const box = pad.getBoundingClientRect();
  move((event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height, touch);
}
pad.addEventListener("pointerdown", (event) => {
  pad.setPointerCapture(event.pointerId);
  point(event, 1);
});
pad.addEventListener("pointermove", (event) => pad.hasPointerCapture(event.pointerId) && point(event, 1));
pad.addEventListener("pointerup", (event) => point(event, 0));
pad.addEventListener("pointercancel", () => move(values[4], values[5], 0));
pad.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
  if (!step) return;
  event.preventDefault();
  move(values[4] + step[0] * 0.02, values[5] + step[1] * 0.02, 0);
});

by("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const to = new URL(location.href);
  to.searchParams.set("segment", by("segment").value.trim());
  location.href = to;
});
