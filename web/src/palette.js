// Colors by their names in the palette, and the marks that go with those of the key frequencies.
const MARKS = ["●", "■", "▲", "◆", "✚", "★", "▼", "✖"];

export const color = (task, k) => {
  const place = task.key.indexOf(Number(k));
  return place < 0 ? "var(--muted)" : `var(--key${place % MARKS.length})`;
};
export const mark = (task, k) => {
  const place = task.key.indexOf(Number(k));
  return place < 0 ? "○" : MARKS[place % MARKS.length];
};
/** The value of a color, for a canvas. */
export const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export const percent = (share) => {
  if (share === null || share === undefined) return "…";
  if (share === 1) return "100%";
  const shown = (100 * share).toFixed(share > 0.999 ? 2 : 1);
  return `${shown === "100.00" ? "99.99" : shown}%`;
};
export function number(value) {
  if (value === null || value === undefined) return "…";
  if (value === 0 || (Math.abs(value) >= 0.01 && Math.abs(value) < 1e4)) return value.toPrecision(3);
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  return `${(value / 10 ** exponent).toFixed(2)} × 10${String(exponent).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)])}`;
}
export const updates = (update) => update.toLocaleString("en");
