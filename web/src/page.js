"use strict";
// Draws every panel with the colors of the reader's theme, and again when the theme changes.
const root = document.documentElement;
const errors = [];
function failed(message) {
  errors.push(String(message));
  root.dataset.errors = JSON.stringify(errors);
}
addEventListener("error", (event) => failed(event.message));
addEventListener("unhandledrejection", (event) => failed(event.reason));
addEventListener("securitypolicyviolation", (event) => failed(`${event.violatedDirective}: ${event.blockedURI}`));
const logged = console.error;
console.error = (...words) => { failed(words.join(" ")); logged(...words); };

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const palettes = read("palettes");
const panels = read("panels");
const dark = matchMedia("(prefers-color-scheme: dark)");

// "$name" stands for a color of the palette, wherever it is
function paint(value, palette) {
  if (typeof value === "string") return value.startsWith("$") ? palette[value.slice(1)] ?? value : value;
  if (Array.isArray(value)) return value.map((item) => paint(item, palette));
  if (value && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, paint(item, palette)]));
  return value;
}

function layout(own, palette) {
  const axis = {
    automargin: true, color: palette.muted, gridcolor: palette.grid, zerolinecolor: palette.grid, linecolor: palette.line,
    ticks: "", tickfont: { size: 11 },
  };
  const merged = { ...paint(own, palette) };
  for (const key of ["xaxis", "yaxis"]) {
    const title = merged[key]?.title;
    merged[key] = { ...axis, ...merged[key], title: { standoff: 6, font: { size: 12, color: palette.muted }, ...title } };
  }
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true,
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: palette.ink },
    margin: { l: 8, r: 8, t: 10, b: 8 },
    hoverlabel: { bgcolor: palette.raised, bordercolor: palette.line, font: { color: palette.ink, size: 12 } },
    ...merged,
    showlegend: false, // it is in the page, where it wraps
  };
}

const config = { responsive: true, displayModeBar: false };
const rest = () => new Promise((resume) => setTimeout(resume));

let round = 0;
async function draw() {
  const own = ++round;
  const palette = palettes[dark.matches ? "dark" : "light"];
  root.dataset.state = "drawing";
  for (const plot of document.querySelectorAll(".plot")) {
    const panel = panels[plot.id];
    try {
      await Plotly.react(plot, paint(panel.traces, palette), layout(panel.layout, palette), config);
      plot.dataset.drawn = dark.matches ? "dark" : "light";
    } catch (error) {
      failed(`${plot.id}: ${error.message}`);
    }
    await rest();
    if (own !== round) return; // the theme changed meanwhile, and a later round draws everything
  }
  root.dataset.state = "drawn";
}
dark.addEventListener("change", draw);
draw();

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
