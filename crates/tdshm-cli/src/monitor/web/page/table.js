// The table of segments. Cells are changed where what they say has changed, so that nothing is read out twice.

const CELLS = ["name", "kind", "layout", "rate", "missed", "age", "owner", "readers", "warnings"];
const CLASSES = { kind: "wide", layout: "layout", rate: "number", missed: "number wide", age: "number", owner: "owner wide", readers: "number wide", warnings: "warnings wide" };

export function age(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  return `${Math.floor(ms / 3_600_000)} h`;
}

const number = (value) => (value === null || value === undefined ? "–" : String(value));

function cells(row) {
  return {
    kind: row.kind,
    layout: row.layout,
    rate: row.rate === null ? "–" : `${row.rate.toFixed(1)} Hz`,
    missed: number(row.missed),
    age: age(row.age_ms),
    owner: row.owner,
    readers: number(row.readers),
    warnings: [...row.warnings, ...row.remarks].join("; "),
  };
}

export class Table {
  constructor(body, choose) {
    this.body = body;
    this.choose = choose;
    this.rows = new Map();
    this.chosen = null;
    this.filter = "";
    body.addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      if (row) this.choose(row.dataset.name);
    });
    body.addEventListener("keydown", (event) => this.key(event));
  }

  get visible() {
    return [...this.body.rows].filter((row) => !row.hidden);
  }

  set(segments) {
    const names = new Set(segments.map((segment) => segment.name));
    for (const [name, row] of this.rows) {
      if (names.has(name)) continue;
      const focused = row.contains(document.activeElement);
      row.remove();
      this.rows.delete(name);
      if (focused) this.visible[0]?.querySelector("button").focus();
    }
    segments.forEach((segment, index) => {
      const row = this.rows.get(segment.name) ?? this.add(segment.name);
      if (this.body.rows[index] !== row) this.body.insertBefore(row, this.body.rows[index] ?? null);
      const say = cells(segment);
      CELLS.slice(1).forEach((cell, place) => {
        const element = row.cells[place + 1];
        if (element.textContent !== say[cell]) {
          element.textContent = say[cell];
          if (cell === "warnings" || cell === "owner") element.title = say[cell];
        }
      });
      row.toggleAttribute("data-stale", segment.stale);
      // Facts are no warnings.
      row.toggleAttribute("data-calm", segment.warnings.length === 0);
    });
    this.mark();
  }

  add(name) {
    const row = document.createElement("tr");
    row.dataset.name = name;
    for (const cell of CELLS) {
      const element = document.createElement("td");
      element.className = CLASSES[cell] ?? "";
      row.append(element);
    }
    const pick = document.createElement("button");
    pick.type = "button";
    pick.className = "pick";
    pick.textContent = name;
    pick.title = name;
    row.cells[0].append(pick);
    this.rows.set(name, row);
    return row;
  }

  select(name) {
    this.chosen = name;
    this.mark();
    this.rows.get(name)?.scrollIntoView({ block: "nearest" });
  }

  narrow(text) {
    this.filter = text.trim().toLowerCase();
    this.mark();
  }

  mark() {
    for (const [name, row] of this.rows) {
      row.hidden = !name.toLowerCase().includes(this.filter);
      row.toggleAttribute("data-chosen", name === this.chosen);
      const pick = row.querySelector("button");
      if (name === this.chosen) pick.setAttribute("aria-current", "true");
      else pick.removeAttribute("aria-current");
    }
    // One of them is reached by Tab, the others by the arrows.
    const visible = this.visible;
    const stop = visible.find((row) => row.contains(document.activeElement)) ?? visible.find((row) => row.dataset.name === this.chosen) ?? visible[0];
    for (const row of this.rows.values()) row.querySelector("button").tabIndex = row === stop ? 0 : -1;
  }

  key(event) {
    const visible = this.visible;
    const at = visible.findIndex((row) => row.contains(document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: visible.length - 1 }[event.key];
    if (to === undefined || !visible[to]) return;
    event.preventDefault();
    visible[to].querySelector("button").focus();
    this.mark();
  }
}
