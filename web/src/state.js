// What the reader has set, what follows from it, and the address that says both.
import { batch, computed, effect, signal } from "@preact/signals";
import { filterLogits } from "./clock.js";
import { rightAt, weightsAt } from "./data.js";
import { Evaluation, groupOf, hasModes, switches } from "./evaluate.js";
import { plainHeap } from "./heap.js";
import { kind } from "./keys.js";
import { Pairs } from "./pairs.js";
import { accuracies } from "./score.js";

export function makeState(net, worker) {
  const last = net.updates.length - 1, number = signal(0), t = signal(last), x = signal(0), y = signal(0);
  const off = signal([]), mean = signal(false), mode = signal("all"), neuron = signal(0), playing = signal(false);
  const film = signal(null), found = signal(null), dots = signal(true);
  const task = computed(() => net.tasks[number.value]);
  const places = net.tasks.map((task) => {
    const place = new Map();
    task.x.forEach((x, r) => place.set(x * task.symbols + task.y[r], r));
    return place;
  });
  /** The number of the pair (x, y) among the task's; undefined if the task does not have it. */
  const pair = computed(() => places[number.value].get(x.value * task.value.symbols + y.value));

  const wanted = computed(() => ({ number: number.value, t: t.value, off: off.value, mean: mean.value, mode: mode.value, neuron: neuron.value }));
  const same = (a, b, ...names) => names.every((name) => JSON.stringify(a[name]) === JSON.stringify(b[name]));
  const untouched = computed(() => !off.value.length && mode.value === "all");

  let busy = true, waiting = null;
  function ask(request) {
    waiting = request;
    if (busy) return;
    busy = true;
    worker.postMessage({ wanted: waiting });
    waiting = null;
  }
  worker.onmessage = ({ data }) => {
    busy = false;
    if (data.film) film.value = data.film;
    else found.value = data;
    if (waiting) ask(waiting);
  };
  effect(() => ask(wanted.value));
  effect(() => {
    if (!playing.value) return undefined;
    const timer = setInterval(() => {
      if (t.peek() >= last) playing.value = false;
      else t.value++;
    }, 160);
    return () => clearInterval(timer);
  });

  /** What is said of all pairs; `stale` until it belongs to what is set. */
  const scores = computed(() => {
    if (untouched.value) {
      const right = rightAt(task.value, t.value), curve = task.value.curves, at = curve.update.indexOf(net.updates[t.value]);
      const loss = net.loss === "CrossEntropy" && task.value.z === null;
      return { right, ...accuracies(task.value, right), heldoutLoss: loss ? curve.heldout_loss[at] : null };
    }
    if (!found.value) return null;
    const fresh = same(found.value.wanted, wanted.value, "number", "t", "off", "mean", "mode");
    const { heldoutLoss, ...rest } = found.value;
    return { ...rest, heldoutLoss: net.loss === "CrossEntropy" ? heldoutLoss : null, stale: !fresh };
  });
  /** The chosen neuron over all pairs. */
  const map = computed(() => {
    if (!found.value || found.value.wanted.number !== number.value) return null;
    return { values: found.value.values, stale: !same(found.value.wanted, wanted.value, "t", "off", "mean", "neuron") };
  });
  /** The bits that the weights shown were rounded to; null where they are the network's own. */
  const bits = computed(() => (t.value < last ? 8 : net.last_as === "float16" ? 11 : null));
  const weights = computed(() => film.value && weightsAt(net, film.value, t.value));
  const heap = plainHeap(), start = heap.top;
  /** The chosen pair, from the tokens to the logits. */
  const forward = computed(() => {
    if (!weights.value) return null;
    heap.top = start;
    const { symbols, z } = task.value, own = new Pairs(Int32Array.of(x.value), Int32Array.of(y.value), symbols, z);
    const evaluation = new Evaluation(heap, net, task.value, own);
    const fill = mean.value && found.value ? found.value.fill : null;
    const { neurons, m, logits, answers, patterns } = evaluation.run(weights.value, switches(task.value, off.value, fill));
    return { neurons: heap.view(neurons.at, m).slice(), logits: heap.view(logits.at, answers).slice(), patterns };
  });
  /** The logits of the chosen pair, as they are and with the filter that is set; null where that is of no such pair. */
  const logits = computed(() => {
    if (!forward.value) return null;
    const whole = forward.value.logits, answers = whole.length, projected = found.value?.projected, own = task.value.answers;
    if (mode.value === "all") return { whole: whole.slice(0, own), shown: whole.slice(0, own), stale: false };
    if (!projected || scores.value.stale) return { whole: whole.slice(0, own), shown: whole.slice(0, own), stale: true };
    if (pair.value === undefined) return null;
    const shown = filterLogits(whole, { n: 1, width: answers, answers }, [task.value.class[pair.value]], projected, mode.value);
    return { whole: whole.slice(0, own), shown: shown.slice(0, own), stale: false };
  });
  const groups = computed(() => {
    const { key, clusters, explained } = task.value, named = [...key.map(String), "others"];
    const members = (name) => clusters.map((_, j) => j).filter((j) => groupOf(task.value, clusters[j]) === name);
    return named.map((name) => ({ name, members: members(name).sort((a, b) => explained[b] - explained[a]) })).filter((g) => g.members.length);
  });

  const toggle = (name) => (off.value = off.value.includes(name) ? off.value.filter((a) => a !== name) : [...off.value, name]);
  const choose = (a, b) => batch(() => {
    x.value = a;
    y.value = b;
  });

  // the address: everything that differs from the page as it opens
  const whole = (text, least, most) => (/^\d+$/.test(text ?? "") && +text >= least && +text <= most ? +text : null);
  const applies = (name) => {
    const [, what, number] = /^(frequency|irrep|head|layer|group|neuron)-([\w.]+)$/.exec(name) ?? [];
    if (what === "irrep") return kind(task.value) === what && task.value.key.includes(+number);
    return what === "frequency" ? kind(task.value) === what && +number > 0 : what !== undefined;
  };
  function read(hash) {
    const given = new URLSearchParams(hash.replace(/^#/, ""));
    batch(() => {
      number.value = (whole(given.get("task"), 1, net.tasks.length) ?? 1) - 1;
      const nearest = (update) => net.updates.reduce((best, u, i) => (Math.abs(u - update) < Math.abs(net.updates[best] - update) ? i : best), 0);
      const update = whole(given.get("update"), 0, Number.MAX_SAFE_INTEGER);
      t.value = update === null ? last : nearest(update);
      const symbols = task.value.symbols, middle = Math.floor(task.value.x.length * 0.38);
      x.value = whole(given.get("x"), 0, symbols - 1) ?? task.value.x[middle];
      y.value = whole(given.get("y"), 0, symbols - 1) ?? task.value.y[middle];
      off.value = (given.get("off") ?? "").split(",").filter(applies);
      mean.value = given.get("at") === "mean";
      mode.value = hasModes(task.value) && ["restricted", "excluded"].includes(given.get("logits")) ? given.get("logits") : "all";
      neuron.value = whole(given.get("neuron"), 0, task.value.clusters.length - 1) ?? groups.value[0].members[0];
    });
  }
  function address() {
    const say = new URLSearchParams();
    if (number.value) say.set("task", number.value + 1);
    if (t.value !== last) say.set("update", net.updates[t.value]);
    say.set("x", x.value);
    say.set("y", y.value);
    if (off.value.length) say.set("off", off.value.join(","));
    if (mean.value) say.set("at", "mean");
    if (mode.value !== "all") say.set("logits", mode.value);
    say.set("neuron", neuron.value);
    return `#${say}`.replaceAll("%2C", ",");
  }
  return {
    net, last, number, t, x, y, off, mean, mode, neuron, playing, dots, task, pair, untouched, film, found, scores, map, bits, weights,
    forward, logits, groups, toggle, choose, read, address,
  };
}
