// All pairs of a task with some parts of the network switched off.
import { filterLogits, projectLogits } from "./clock.js";
import { kind } from "./keys.js";
import { run } from "./network.js";
import { score } from "./score.js";

/** What `network.run` takes, from the names of the parts that are off: "frequency-5" or "irrep-2", "head-0.1", "group-5", "neuron-17", "layer-0". */
export function switches(task, names, means) {
  const numbers = (kind) => names.filter((name) => name.startsWith(`${kind}-`)).map((name) => name.slice(kind.length + 1));
  const groups = numbers("group"), single = new Set(numbers("neuron").map(Number));
  const off = groups.length + single.size > 0;
  return {
    keys: numbers(kind(task)).map(Number),
    heads: new Set(numbers("head")),
    layers: new Set(numbers("layer").map(Number)),
    neurons: off ? Uint8Array.from(task.clusters, (k, j) => (single.has(j) || groups.includes(groupOf(task, k)) ? 1 : 0)) : null,
    fill: means,
  };
}

/** The group of a neuron that is tuned to k: its key, or the others. */
export const groupOf = (task, k) => (task.key.includes(k) ? String(k) : "others");

/** Whether the logits of a task can be restricted to its key frequencies. */
export const hasModes = (task) => task.key.length > 0 && !task.irreps;

export class Evaluation {
  constructor(heap, net, task, pairs) {
    Object.assign(this, { heap, net, task, pairs, start: heap.top });
  }

  /** The logits and neurons of all pairs; they stay in the heap until the next call. */
  run(weights, off) {
    this.heap.top = this.start;
    this.found = run(this.heap, this.net, weights, this.task, this.pairs, off);
    return this.found;
  }

  neuron(j) {
    const { neurons } = this.found;
    return Float32Array.from({ length: this.pairs.n }, (_, r) => this.heap.floats[neurons.at + r * neurons.stride + j]);
  }

  means() {
    const { neurons, m } = this.found, sums = new Float64Array(m), { floats } = this.heap;
    for (let r = 0; r < this.pairs.n; r++) for (let j = 0; j < m; j++) sums[j] += floats[neurons.at + r * neurons.stride + j];
    return Float32Array.from(sums, (sum) => sum / this.pairs.n);
  }

  /** The scores, and of filtered logits what they were filtered by. */
  score(mode) {
    const { logits, answers } = this.found, shape = { n: this.pairs.n, width: logits.stride, answers };
    const all = this.heap.floats.subarray(logits.at);
    if (mode === "all" || !hasModes(this.task)) return { ...score(this.task, all, shape), projected: null };
    const projected = projectLogits(all, shape, this.task);
    return { ...score(this.task, filterLogits(all, shape, this.task.class, projected, mode), shape), projected };
  }
}
