// The page with the network in it: reads what the report wrote into it, and draws the parts.
import { effect, signal } from "@preact/signals";
import { render } from "preact";
import { read } from "./data.js";
import { Answers } from "./parts/Answers.jsx";
import { Bar } from "./parts/Bar.jsx";
import { Circles } from "./parts/Circles.jsx";
import { Heads } from "./parts/Heads.jsx";
import { Logits } from "./parts/Logits.jsx";
import { Neurons } from "./parts/Neurons.jsx";
import { Switches } from "./parts/Switches.jsx";
import { Timeline } from "./parts/Timeline.jsx";
import { makeState } from "./state.js";
import worker from "./worker.js?bundle";

const text = (id) => document.getElementById(id).textContent;
const dark = matchMedia("(prefers-color-scheme: dark)"), small = matchMedia("(max-width: 720px)");
const theme = signal(dark.matches), narrow = signal(small.matches);
dark.addEventListener("change", () => (theme.value = dark.matches));
small.addEventListener("change", () => (narrow.value = small.matches));

function Page({ state }) {
  const look = { state, theme: theme.value, narrow: narrow.value };
  return (
    <>
      <h2>The network, running here</h2>
      <Bar {...look} />
      <section class="two">
        <Answers {...look} />
        <div>
          <Timeline {...look} />
          <Switches {...look} />
          <Heads {...look} />
        </div>
      </section>
      <Circles {...look} />
      <Neurons {...look} />
      <Logits {...look} />
    </>
  );
}

async function start(root) {
  const net = await read(JSON.parse(text("network-description")));
  const scoring = new Worker(URL.createObjectURL(new Blob([worker], { type: "text/javascript" })));
  const state = makeState(net, scoring);
  state.read(location.hash.includes("=") ? location.hash : "");
  render(<Page state={state} />, root);
  // after the first picture: what takes time
  requestAnimationFrame(() => setTimeout(() => scoring.postMessage({ start: { net, film: text("network-film"), last: text("network-last") } })));
  let first = null;
  effect(() => {
    const address = state.address();
    first ??= address;
    const changed = address !== first || location.hash.includes("=");
    if (changed && location.protocol !== "about:") history.replaceState(null, "", address);
  });
  effect(() => {
    const ready = state.film.value && state.found.value && !state.scores.value?.stale && !state.map.value?.stale;
    root.dataset.state = ready ? "ready" : "busy";
  });
  effect(() => {
    // of several formulas a print holds the chosen one's numbers and figures
    for (const part of document.querySelectorAll("[data-task]")) part.classList.toggle("unchosen", +part.dataset.task !== state.number.value);
  });
  addEventListener("hashchange", () => location.hash.includes("=") && state.read(location.hash));
  // links whose address is a state set it, also where the page has no address of its own
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#'][href*='=']");
    if (!link) return;
    event.preventDefault();
    state.read(link.getAttribute("href"));
    root.scrollIntoView({ block: "start" });
  });
  window.modgrok = { state };
}

const root = document.getElementById("network");
if (root) start(root);
