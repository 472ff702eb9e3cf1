// The plot of a segment's channels: the samples of the newest frame, or what came during the last seconds.

const DARK = ["#5cc3c9", "#f2a65a", "#a5d86e", "#e58ac0", "#8fb2ff", "#e8d06a", "#ff8d80", "#6fd6a4", "#c3a4ff", "#b9c4c9"];
const LIGHT = ["#0a6a73", "#b35900", "#3f7d0e", "#a8327d", "#2856c4", "#7d6a00", "#b8322a", "#0e7a4d", "#6d3fc0", "#4a565c"];

/** Points of each channel that are kept. */
const KEPT = 16_384;

/** Samples of the last seconds: the times, and a row a channel, in memory that is moved once in a while. */
class History {
  constructor(count) {
    this.times = new Float64Array(2 * KEPT);
    this.rows = Array.from({ length: count }, () => new Float32Array(2 * KEPT));
    this.from = 0;
    this.to = 0;
  }

  get last() {
    return this.to > this.from ? this.times[this.to - 1] : -Infinity;
  }

  push(frame) {
    const { points, rows, time } = frame;
    if (points === 0 || points > KEPT) return;
    if (time <= this.last) return;
    if (this.to + points > 2 * KEPT) this.move();
    // Samples took as long as the server saw, or as they say, unless the one before was later.
    const seconds = frame.since ? frame.span : (frame.samples - 1) / frame.rate;
    let step = points > 1 ? seconds / (points - 1) : 0;
    if (points > 1 && !(time - step * (points - 1) > this.last)) step = (time - this.last) / points;
    if (!Number.isFinite(step)) step = 0;
    for (let index = 0; index < points; index++) {
      this.times[this.to + index] = time - step * (points - 1 - index);
    }
    rows.forEach((row, channel) => this.rows[channel].set(row, this.to));
    this.to += points;
    this.from = Math.max(this.from, this.to - KEPT);
  }

  move() {
    this.times.copyWithin(0, this.from, this.to);
    for (const row of this.rows) row.copyWithin(0, this.from, this.to);
    this.to -= this.from;
    this.from = 0;
  }

  /** Lets go of what is older. */
  forget(before) {
    while (this.from < this.to && this.times[this.from] < before) this.from++;
  }
}

/** Where there is no number the line has a gap. */
function drawable(row) {
  for (const value of row) {
    if (!Number.isFinite(value)) return Array.from(row, (v) => (Number.isFinite(v) ? v : null));
  }
  return row;
}

export class Plot {
  /**
   * @param {HTMLElement} root the element that it fills
   * @param {(index: number | null) => void} pointed gets the place of the cursor among the points
   * @param {() => void} moved is called when other points are in view
   */
  constructor(root, pointed, moved) {
    this.root = root;
    this.pointed = pointed;
    this.moved = moved;
    this.names = [];
    this.hidden = new Set();
    this.mode = "auto";
    this.span = 10;
    this.fixed = null;
    this.zoomX = null;
    this.zoomY = null;
    this.auto = null;
    this.frame = null;
    this.history = new History(0);
    this.uplot = null;
    this.data = [[]];
    new ResizeObserver(() => this.resize()).observe(root);
    root.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.rebuild());
  }

  /** Other channels, or none. */
  clear(names = []) {
    this.names = names;
    this.frame = null;
    this.history = new History(names.length);
    this.auto = null;
    this.zoomX = null;
    this.zoomY = null;
    this.rebuild();
  }

  /** A frame; what it says is drawn with the next `draw`. */
  push(frame) {
    const names = frame.names ?? this.names;
    const same = names.length === this.names.length && names.every((name, index) => name === this.names[index]);
    if (!same || this.uplot === null) this.clear(names);
    const before = this.shows;
    this.frame = frame;
    if (frame.since) this.history.push(frame);
    if (this.shows !== before) {
      this.zoomX = null;
      this.auto = null;
    }
  }

  /** `frame` or `history`. */
  get shows() {
    if (this.mode !== "auto") return this.mode;
    return this.frame && !this.frame.since ? "frame" : "history";
  }

  get isDark() {
    return getComputedStyle(this.root).colorScheme.startsWith("dark")
      ? document.documentElement.dataset.theme !== "light" && (document.documentElement.dataset.theme === "dark" || matchMedia("(prefers-color-scheme: dark)").matches)
      : false;
  }

  colour(index) {
    const colours = this.isDark ? DARK : LIGHT;
    return colours[index % colours.length];
  }

  /** The least and the greatest place that is shown without zoom. */
  get whole() {
    if (this.shows === "frame") return [0, Math.max(1, (this.frame?.samples ?? 2) - 1)];
    return [-this.span, 0];
  }

  /** What is on screen: names, rows, and which of their points. */
  get shown() {
    const chosen = this.names.map((_, index) => index).filter((index) => !this.hidden.has(this.names[index]));
    const [low, high] = this.zoomX ?? this.whole;
    const xs = this.data[0];
    let from = 0;
    let to = xs.length;
    while (from < to && xs[from] < low) from++;
    while (to > from && xs[to - 1] > high) to--;
    return { names: chosen.map((index) => this.names[index]), rows: chosen.map((index) => this.rawRow(index)), from, to };
  }

  rawRow(index) {
    if (this.shows === "frame") return this.frame?.rows[index] ?? [];
    const { from, to } = this.history;
    return this.history.rows[index]?.subarray(from, to) ?? [];
  }

  value(channel, at) {
    const row = this.rawRow(channel);
    return row[at ?? row.length - 1];
  }

  get at() {
    return this.uplot?.cursor.idx ?? null;
  }

  place(at) {
    const x = this.data[0][at];
    if (x === undefined) return "";
    return this.shows === "frame" ? `at sample ${Math.round(x)}` : `${x.toFixed(2)} s ago`.replace("-", "");
  }

  draw() {
    if (!this.uplot) return;
    const { frame } = this;
    if (this.shows === "frame") {
      const points = frame?.points ?? 0;
      const step = points > 1 ? ((frame?.samples ?? 1) - 1) / (points - 1) : 1;
      if (this.data[0].length !== points || this.step !== step || this.xsOf !== "frame") {
        this.xs = Float64Array.from({ length: points }, (_, index) => index * step);
        this.step = step;
        this.xsOf = "frame";
      }
      this.data = [this.xs, ...(frame?.rows ?? []).map(drawable)];
    } else {
      const { history } = this;
      const end = history.last;
      history.forget(end - this.span);
      const times = history.times.subarray(history.from, history.to);
      this.xsOf = "history";
      this.data = [times.map((time) => time - end), ...history.rows.map((row) => drawable(row.subarray(history.from, history.to)))];
    }
    const [min, max] = this.zoomX ?? this.whole;
    this.uplot.batch(() => {
      this.uplot.setData(this.data, false);
      this.uplot.setScale("x", { min, max });
    });
  }

  /** The range of values: grows at once, and shrinks when most of it is empty. */
  rangeY(least, greatest) {
    if (this.zoomY) return this.zoomY;
    if (this.fixed) return this.fixed;
    if (!Number.isFinite(least) || !Number.isFinite(greatest)) return this.auto ?? [-1, 1];
    const height = greatest - least || Math.abs(greatest) || 1;
    const now = this.auto;
    const fits = now && least >= now[0] && greatest <= now[1] && greatest - least > 0.4 * (now[1] - now[0]);
    if (!fits) this.auto = [least - 0.06 * height, greatest + 0.06 * height];
    return this.auto;
  }

  rebuild() {
    this.uplot?.destroy();
    this.uplot = null;
    this.root.uplot = null;
    if (this.names.length === 0) return;
    const style = getComputedStyle(this.root);
    const probe = (name) => {
      const element = document.createElement("i");
      element.style.color = `var(${name})`;
      this.root.append(element);
      const colour = getComputedStyle(element).color;
      element.remove();
      return colour;
    };
    const muted = probe("--muted");
    const line = probe("--line");
    const axis = { stroke: muted, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1, size: 4 }, font: `11px ${style.fontFamily}` };
    const options = {
      width: Math.max(80, this.root.clientWidth),
      height: Math.max(80, this.root.clientHeight),
      legend: { show: false },
      pxAlign: 0,
      padding: [8, 10, 0, 0],
      cursor: {
        drag: { x: true, y: true, uni: 16, setScale: false },
        points: { show: this.names.length <= 12 },
        bind: { dblclick: () => () => this.reset() },
      },
      scales: { x: { time: false }, y: { range: (_, min, max) => this.rangeY(min, max) } },
      axes: [
        { ...axis, size: 26, space: 60, values: (_, ticks) => ticks.map((tick) => (this.shows === "history" ? `${+tick.toFixed(3)} s`.replace("-", "−") : `${+tick.toFixed(2)}`)) },
        { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => String(+tick.toPrecision(6)).replace("-", "−")) },
      ],
      series: [
        {},
        ...this.names.map((name, index) => ({
          label: name,
          stroke: this.colour(index),
          width: this.names.length > 24 ? 1 : 1.5,
          points: { show: false },
          show: !this.hidden.has(name),
        })),
      ],
      hooks: { setCursor: [(uplot) => this.pointed(uplot.cursor.idx ?? null)], setSelect: [(uplot) => this.select(uplot)] },
    };
    this.data = [[], ...this.names.map(() => [])];
    this.uplot = new uPlot(options, this.data, this.root);
    this.root.uplot = this.uplot;
    this.draw();
  }

  resize() {
    if (this.uplot && this.root.clientWidth > 0) {
      this.uplot.setSize({ width: this.root.clientWidth, height: this.root.clientHeight });
    }
  }

  show(index, visible) {
    const name = this.names[index];
    if (visible) this.hidden.delete(name);
    else this.hidden.add(name);
    this.auto = null;
    this.uplot?.setSeries(index + 1, { show: visible });
    this.draw();
  }

  select(uplot) {
    const { left, top, width, height } = uplot.select;
    if (width < 3 && height < 3) return;
    if (width >= 3) this.zoomX = [uplot.posToVal(left, "x"), uplot.posToVal(left + width, "x")];
    if (height >= 3 && height < uplot.over.clientHeight - 1) {
      this.zoomY = [uplot.posToVal(top + height, "y"), uplot.posToVal(top, "y")];
    }
    uplot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.view();
  }

  view() {
    this.draw();
    this.moved();
  }

  reset() {
    this.zoomX = null;
    this.zoomY = null;
    this.auto = null;
    this.view();
  }

  /** Zooms in time around the cursor, or the middle. */
  zoom(factor, around) {
    if (!this.uplot) return;
    const [least, greatest] = this.whole;
    const [low, high] = this.zoomX ?? this.whole;
    const middle = around ?? this.data[0][this.at] ?? (low + high) / 2;
    const width = Math.min(greatest - least, Math.max((greatest - least) / 10_000, (high - low) * factor));
    const share = (middle - low) / (high - low || 1);
    const start = Math.min(Math.max(least, middle - share * width), greatest - width);
    this.zoomX = width >= greatest - least ? null : [start, start + width];
    this.view();
  }

  pan(share) {
    if (!this.zoomX) return;
    const [least, greatest] = this.whole;
    const [low, high] = this.zoomX;
    const by = Math.min(Math.max((high - low) * share, least - low), greatest - high);
    this.zoomX = [low + by, high + by];
    this.view();
  }

  wheel(event) {
    if (!this.uplot || event.ctrlKey) return;
    event.preventDefault();
    const box = this.uplot.over.getBoundingClientRect();
    this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.uplot.posToVal(event.clientX - box.left, "x"));
  }

  /** Moves the cursor by so many points that are in view. */
  stepCursor(by) {
    const { from, to } = this.shown;
    if (!this.uplot || to === from) return;
    const start = this.at ?? (by > 0 ? from - 1 : to);
    const index = Math.min(Math.max(start + by, from), to - 1);
    this.uplot.setCursor({ left: this.uplot.valToPos(this.data[0][index], "x"), top: this.uplot.over.clientHeight / 2 });
  }

  leave() {
    this.uplot?.setCursor({ left: -10, top: -10 });
  }
}
