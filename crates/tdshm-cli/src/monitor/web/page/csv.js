// CSV as `tdshm watch --format csv` writes it, so that `tdshm send --file` reads it back: a line of names, a row a sample.

/** The shortest decimal that is this 32-bit float. */
export function shortest(value) {
  if (Number.isNaN(value)) return "NaN";
  if (value === Infinity) return "inf";
  if (value === -Infinity) return "-inf";
  if (Object.is(value, -0)) return "-0";
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

function quoted(name) {
  const plain =
    name.trim() === name && name !== "" && Number.isNaN(Number(name)) && !/^[{[\ufeff]/.test(name) && !/[,"\n\r]/.test(name) && !/^[+-]?(inf|infinity|nan)$/i.test(name);
  return plain ? name : `"${name.replaceAll('"', '""')}"`;
}

/** `rows` has a sequence of numbers for each name; those from `from` up to `to` are written. */
export function csv(names, rows, from, to) {
  const lines = [names.map(quoted).join(",")];
  for (let index = from; index < to; index++) {
    lines.push(rows.map((row) => shortest(row[index] ?? NaN)).join(","));
  }
  return lines.join("\n") + "\n";
}

export function download(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // Not before the browser has begun.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
