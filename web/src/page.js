// What every page does: sorts its tables, and says the value under the pointer.

// a button in a table's heading sorts its rows by that column, then the other way; empty cells stay last
for (const button of document.querySelectorAll("th > button")) {
  button.addEventListener("click", () => {
    const heading = button.parentElement, table = heading.closest("table"), body = table.tBodies[0];
    const up = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const keyed = [...body.rows].map((row) => {
      const text = row.cells[heading.cellIndex].dataset.value ?? row.cells[heading.cellIndex].textContent.trim();
      return { row, text, number: Number(text) };
    });
    const order = (a, b) => (Number.isNaN(a.number - b.number) ? a.text.localeCompare(b.text) : a.number - b.number);
    keyed.sort((a, b) => (a.text === "") - (b.text === "") || (up ? order(a, b) : order(b, a)));
    body.append(...keyed.map(({ row }) => row));
  });
}

const SIDE = 1000;
const tip = document.body.appendChild(Object.assign(document.createElement("output"), { className: "tip", hidden: true }));
const shown = (value) => (value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6) ? String(+value.toPrecision(4)) : value.toExponential(2));

/** The value at a place of an axis, 0 to SIDE. */
function valueAt(axis, place) {
  const share = axis.flipped ? 1 - place / SIDE : place / SIDE, { low, high } = axis;
  const value = axis.log ? 10 ** (Math.log10(low) + share * (Math.log10(high) - Math.log10(low))) : low + share * (high - low);
  return axis.labels ? (axis.labels[Math.round(value)] ?? "") : value;
}

/** The values of all lines where x is nearest to the pointer. */
function onLines(plot, across) {
  const axes = JSON.parse(plot.dataset.axes);
  let at = null;
  const found = [...plot.querySelectorAll("polyline")].map((line) => {
    line.places ??= line.getAttribute("points").split(" ").map((point) => point.split(",").map(Number));
    const near = line.places.reduce((best, point) => (Math.abs(point[0] - across) < Math.abs(best[0] - across) ? point : best));
    if (at === null || Math.abs(near[0] - across) < Math.abs(at - across)) at = near[0];
    return [line.querySelector("title")?.textContent ?? "", near];
  });
  const said = found.filter(([, near]) => Math.abs(near[0] - at) < 1).map(([name, near]) => `${name ? `${name}: ` : ""}${shown(valueAt(axes.y, near[1]))}`);
  const x = valueAt(axes.x, at);
  return [typeof x === "number" ? Number(x.toPrecision(5)).toLocaleString("en") : x, ...said].join("\n");
}

/** The value of a map's cell, read back from its gray picture. */
function onMap(image, across, down) {
  const { low, high, value, x, y, x_title: ofX, y_title: ofY, down: downwards } = JSON.parse(image.dataset.map);
  if (!image.pixels) {
    const picture = new Image();
    picture.onload = () => {
      const canvas = document.createElement("canvas"), { naturalWidth: width, naturalHeight: height } = picture;
      Object.assign(canvas, { width, height });
      const context = canvas.getContext("2d");
      context.drawImage(picture, 0, 0);
      image.pixels = context.getImageData(0, 0, width, height);
    };
    picture.src = image.getAttribute("href");
    return "…";
  }
  const { width, height, data } = image.pixels;
  const column = Math.min(width - 1, Math.floor(across * width)), row = Math.min(height - 1, Math.floor(down * height));
  const at = 4 * (row * width + column), line = downwards ? row : height - 1 - row;
  const label = (labels, i) => (Array.isArray(labels) ? labels[i] : labels + i);
  const place = `${ofY} ${label(y, line)}, ${ofX} ${label(x, column)}`.trim();
  return data[at + 3] === 0 ? `${place}\n–` : `${place}\n${value}: ${shown(low + (data[at] / 255) * (high - low))}`;
}

document.addEventListener("pointermove", (event) => {
  const area = event.target.closest?.(".area"), plot = area?.parentElement;
  const image = area?.querySelector("image"), axes = plot?.dataset.axes;
  tip.hidden = !image && !axes;
  if (tip.hidden) return;
  const box = area.getBoundingClientRect();
  const across = (event.clientX - box.left) / box.width, down = (event.clientY - box.top) / box.height;
  tip.textContent = image ? onMap(image, Math.max(0, across), Math.max(0, down)) : onLines(plot, across * SIDE);
  const left = event.clientX + 14 + tip.offsetWidth > innerWidth ? event.clientX - 14 - tip.offsetWidth : event.clientX + 14;
  tip.style.left = `${Math.max(0, left)}px`;
  tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight)}px`;
});
