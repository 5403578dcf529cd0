// Colors by their names in the palette, and the marks that go with those of the key frequencies.
const MARKS = ["●", "■", "▲", "◆", "✚", "★", "▼", "✖"];

export const color = (task, k) => {
  const place = task.key.indexOf(Number(k));
  return place < 0 ? "var(--muted)" : `var(--key${place % MARKS.length})`;
};
/** After eight keys the colors repeat, and the marks shift: no two keys have both alike. */
export const mark = (task, k) => {
  const place = task.key.indexOf(Number(k));
  return place < 0 ? "○" : MARKS[(place + Math.floor(place / MARKS.length)) % MARKS.length];
};
/** The value of a color, for a canvas. */
export const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Three digits, and 100% only for all, as the report's text has it. */
export const percent = (share) => {
  if (share === null || share === undefined) return "…";
  const shown = share === 1 ? "100" : String(Number((100 * share).toPrecision(3)));
  return share < 1 && shown === "100" ? "99.9%" : `${shown}%`;
};
export function number(value) {
  if (value === null || value === undefined) return "…";
  if (value === 0 || (Math.abs(value) >= 0.01 && Math.abs(value) < 1e4)) return value.toPrecision(3);
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  return `${(value / 10 ** exponent).toFixed(2)} × 10${String(exponent).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)])}`;
}
export const updates = (update) => update.toLocaleString("en");
