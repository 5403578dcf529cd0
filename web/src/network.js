// The network, as `modgrok.models` computes it, with parts of it switched off. Names are those of its state dict.
import { withoutKeys } from "./keys.js";

const up = (n) => (n + 3) & ~3;

/** @typedef {{at: number, n: number, stride: number}} Rows  rows in the heap */

export const EVERYTHING_ON = { keys: [], heads: new Set(), layers: new Set(), neurons: null, fill: null };

/**
 * Run the network over pairs.
 *
 * @param heap where it computes; what was there above `top` is overwritten
 * @param net the description: kind, layers, activation, input, shapes by name
 * @param weights by name
 * @param task whose words are read
 * @param pairs the pairs
 * @param off what is switched off: keys (frequencies or irreps) of the embedding, heads as "layer.head", neurons of earlier layers, neurons
 *   of the last layer as (m,) flags, and the values (m,) that those take instead of 0
 * @returns the last layer's neurons and the logits as rows in the heap, and where the last position attends to in each
 *   block, (n, h, t)
 */
export function run(heap, net, weights, task, pairs, off = EVERYTHING_ON) {
  return (net.kind === "MLP" ? runPerceptron : runTransformer)(new Calculation(heap, net, weights, task, pairs, off));
}

class Calculation {
  constructor(heap, net, weights, task, pairs, off) {
    Object.assign(this, { heap, net, weights, task, pairs, off });
  }

  shape(name) {
    return this.net.shapes[name];
  }

  has(name) {
    return name in this.weights;
  }

  /** Matrix number `block` of a weight in the heap, its columns filled up to a multiple of 4. */
  matrix(name, block = 0) {
    const shape = this.shape(name), [n, m] = shape.slice(-2);
    return this.rows(this.weights[name].subarray(block * n * m, (block + 1) * n * m), n, m);
  }

  rows(values, n, m) {
    const stride = up(m), at = this.heap.room(n * stride);
    for (let i = 0; i < n; i++) this.heap.floats.set(values.subarray(i * m, (i + 1) * m), at + i * stride);
    return { at, n, stride };
  }

  zeros(n, stride) {
    return { at: this.heap.room(n * stride), n, stride };
  }

  /** into + A·B, B whole. */
  times(A, B, into = this.zeros(A.n, B.stride)) {
    this.heap.multiply(A.n, B.n, B.stride, A.at, A.stride, B.at, into.at, into.stride);
    return into;
  }

  /** Add a bias, where there is one, to each row. */
  add(A, name, block = 0, width = this.has(name) ? this.shape(name).at(-1) : 0) {
    if (!this.has(name)) return A;
    const b = this.weights[name].subarray(block * width, (block + 1) * width), { floats } = this.heap;
    for (let i = 0; i < A.n; i++) for (let j = 0; j < width; j++) floats[A.at + i * A.stride + j] += b[j];
    return A;
  }

  /** The sum of rows of one width, each with an index of the rows taken. */
  gather(n, terms, weights = null) {
    const stride = terms[0].rows.stride, count = terms.length;
    const index = this.heap.room(n * count), weight = this.heap.room(n * count);
    const { integers, floats } = this.heap, base = Math.min(...terms.map(({ rows }) => rows.at));
    terms.forEach(({ rows, index: own }, c) => {
      const first = (rows.at - base) / stride;
      for (let i = 0; i < n; i++) {
        integers[index + i * count + c] = first + own[i];
        floats[weight + i * count + c] = weights ? weights[i * count + c] : 1;
      }
    });
    const out = this.zeros(n, stride);
    this.heap.mix(n, count, stride, index, weight, base, out.at);
    return out;
  }

  /** The activation function, in place; then what is switched off in the last layer. */
  activate(A, m, last) {
    const { floats } = this.heap, { neurons, fill } = this.off, f = FUNCTIONS[this.net.activation];
    for (let i = 0; i < A.n; i++)
      for (let j = 0, at = A.at + i * A.stride; j < m; j++)
        floats[at + j] = last && neurons?.[j] ? (fill ? fill[j] : 0) : f(floats[at + j]);
    return A;
  }

  clear(A, m) {
    for (let i = 0; i < A.n; i++) this.heap.floats.fill(0, A.at + i * A.stride, A.at + i * A.stride + m);
    return A;
  }

  /** Layer normalization of each row; a copy. */
  normalized(A, name) {
    if (!this.has(`${name}.w`)) return A;
    const w = this.weights[`${name}.w`], b = this.weights[`${name}.b`], d = w.length, out = this.zeros(A.n, A.stride);
    const { floats } = this.heap;
    for (let i = 0; i < A.n; i++) {
      const from = A.at + i * A.stride, to = out.at + i * A.stride;
      let mean = 0, square = 0;
      for (let j = 0; j < d; j++) mean += floats[from + j] / d;
      for (let j = 0; j < d; j++) square += (floats[from + j] - mean) ** 2 / d;
      const scale = Math.sqrt(square + 1e-5);
      for (let j = 0; j < d; j++) floats[to + j] = ((floats[from + j] - mean) / scale) * w[j] + b[j];
    }
    return out;
  }

  /** The rows of an embedding (v, width) at a word of the template, keys taken out. */
  embedded(word, table, width) {
    const rows = this.pairs.rows(this.pairs.maskOf(word));
    if (word.operand === undefined)
      return this.rows(table.subarray(word.token * width, (word.token + 1) * width), 1, width);
    const kept = this.off.keys.length
      ? withoutKeys(table.subarray(0, this.task.symbols * width), width, this.task, word.operand, this.off.keys)
      : table;
    const symbols = this.pairs.symbolsOf(word.operand, rows), out = this.zeros(symbols.length, up(width));
    symbols.forEach((s, i) => this.heap.floats.set(kept.subarray(s * width, (s + 1) * width), out.at + i * out.stride));
    return out;
  }
}

function erf(x) {
  // Abramowitz & Stegun 7.1.26, within 1.5e-7
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const y = 1 - ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * Math.exp(-x * x);
  return x < 0 ? -y : y;
}

const FUNCTIONS = {
  relu: (x) => (x > 0 ? x : 0),
  gelu: (x) => (x / 2) * (1 + erf(x * Math.SQRT1_2)),
  square: (x) => x * x,
};

function runPerceptron(calc) {
  const { net, task, pairs, heap } = calc, last = net.layers - 1;
  const W_in = "layers.0.W_in", m = calc.shape(W_in).at(-1), n = pairs.n;
  const many = calc.shape(W_in).length === 3, matrices = many ? calc.shape(W_in)[0] : 1;
  const inputs = task.words.map((word, j) => {
    if (net.input === "two_hot") {
      const [, v] = calc.shape(W_in);
      return { word, rows: calc.embedded(word, calc.weights[W_in].subarray(j * v * m, (j + 1) * v * m), m) };
    }
    const d = calc.shape("embed.W_E")[1];
    return { word, rows: calc.embedded(word, calc.weights["embed.W_E"], d), through: Math.min(j, matrices - 1) };
  });
  const stride = up(m), total = inputs.reduce((sum, { rows }) => sum + rows.n, 0);
  const weights = net.input === "two_hot" ? [] : Array.from({ length: matrices }, (_, i) => calc.matrix(W_in, i));
  const table = calc.zeros(total, stride);
  let at = table.at;
  const terms = inputs.map(({ word, rows, through }) => {
    const placed = { at, n: rows.n, stride };
    if (through === undefined) heap.floats.copyWithin(at, rows.at, rows.at + rows.n * stride);
    else calc.times(rows, weights[through], placed);
    at += rows.n * stride;
    return { rows: placed, index: pairs.rows(pairs.maskOf(word)).index };
  });
  let x = calc.add(calc.gather(n, terms), "layers.0.b_in");
  for (let layer = 0; layer < net.layers; layer++) {
    if (layer > 0) x = calc.add(calc.times(x, calc.matrix(`layers.${layer}.W_in`)), `layers.${layer}.b_in`);
    calc.activate(x, m, layer === last);
    if (layer < last && calc.off.layers.has(layer)) calc.clear(x, m);
  }
  const logits = calc.add(calc.times(x, calc.matrix("unembed.W_U")), "unembed.b_U");
  return { neurons: x, m, logits, answers: calc.shape("unembed.W_U")[1], patterns: [] };
}

function runTransformer(calc) {
  const { net, task, pairs } = calc, [, d] = calc.shape("embed.W_E");
  let x = task.words.map((word, j) => {
    const rows = calc.embedded(word, calc.weights["embed.W_E"], d);
    return { mask: pairs.maskOf(word), rows: calc.add(rows, "pos_embed.W_pos", j, d) };
  });
  const patterns = [];
  for (let layer = 0; layer < net.layers - 1; layer++) {
    const found = block(calc, x, layer);
    patterns.push(found.pattern);
    x = found.x;
  }
  const { pattern, ...found } = block(calc, x, net.layers - 1);
  return { ...found, patterns: [...patterns, pattern] };
}

/** One block; of the last only the last position, and the logits. */
function block(calc, x, layer) {
  const { net, pairs, heap, off } = calc, name = `blocks.${layer}`, last = layer === net.layers - 1;
  const [h, d, k] = calc.shape(`${name}.attn.W_Q`), m = calc.shape(`${name}.mlp.W_in`)[1];
  const answers = calc.shape("unembed.W_U")[1], normal = calc.has(`${name}.ln2.w`) || calc.has("ln_final.w");
  // without normalization after the attention a single block is linear from its heads to the neurons and straight to the
  // logits, so that both are computed for every symbol and not for every pair
  const folded = net.layers === 1 && !normal && pairs.n > d;
  const onward = folded ? sideBySide(calc, calc.matrix(`${name}.mlp.W_in`), calc.matrix("unembed.W_U")) : null;
  const stride = folded ? onward.stride : up(d);
  const y = x.map(({ rows }) => calc.normalized(rows, `${name}.ln1`));
  const queries = last ? [x.length - 1] : x.map((_, j) => j);

  const table = calc.zeros(x.reduce((sum, { rows }) => sum + (h + 1) * rows.n, 0), stride);
  let at = table.at;
  const place = (n) => ({ at: (at += n * stride) - n * stride, n, stride });
  const residual = x.map(({ rows }) => {
    const placed = place(rows.n);
    if (folded) calc.times(rows, onward, placed);
    else heap.floats.copyWithin(placed.at, rows.at, rows.at + rows.n * stride);
    return placed;
  });
  const keys = [], outputs = [], query = [];
  for (let head = 0; head < h; head++) {
    const of = (part, rows) =>
      calc.add(calc.times(rows, calc.matrix(`${name}.attn.W_${part}`, head)), `${name}.attn.b_${part}`, head);
    const W_O = calc.matrix(`${name}.attn.W_O`, head), out = folded ? calc.times(W_O, onward) : W_O;
    keys.push(y.map((rows) => of("K", rows)));
    query.push(queries.map((i) => of("Q", y[i])));
    outputs.push(y.map((rows) => calc.times(of("V", rows), out, place(rows.n))));
  }

  let pattern = null;
  const mid = queries.map((i, which) => {
    const seen = x.slice(0, i + 1), mask = seen.reduce((all, { mask }) => all | mask, 0), whole = pairs.rows(mask);
    const t = i + 1, index = seen.map(({ mask }) => pairs.within(whole, pairs.rows(mask)));
    const scores = seen.map(({ mask: other }, j) => {
      const both = pairs.rows(other | x[i].mask), from = pairs.within(both, pairs.rows(x[i].mask));
      const to = pairs.within(both, pairs.rows(other)), found = new Float32Array(both.n * h), { floats } = heap;
      for (let head = 0; head < h; head++) {
        const q = query[head][which], key = keys[head][j];
        for (let r = 0; r < both.n; r++) {
          const a = q.at + from[r] * q.stride, b = key.at + to[r] * key.stride;
          let sum = 0;
          for (let l = 0; l < k; l++) sum += floats[a + l] * floats[b + l];
          found[r * h + head] = sum / Math.sqrt(k);
        }
      }
      return { found, index: pairs.within(whole, both) };
    });
    const count = 1 + h * t, weights = new Float32Array(whole.n * count);
    pattern = new Float32Array(whole.n * h * t);
    for (let r = 0; r < whole.n; r++) {
      weights[r * count] = 1;
      for (let head = 0; head < h; head++) {
        const s = scores.map(({ found, index }) => found[index[r] * h + head]), top = Math.max(...s);
        let total = 0;
        for (let j = 0; j < t; j++) total += s[j] = Math.exp(s[j] - top);
        for (let j = 0; j < t; j++) {
          const share = (net.attention_rate * s[j]) / total + 1 - net.attention_rate;
          pattern[(r * h + head) * t + j] = share;
          weights[r * count + 1 + head * t + j] = off.heads.has(`${layer}.${head}`) ? 0 : share;
        }
      }
    }
    const terms = [{ rows: residual[i], index: index[i] }];
    for (let head = 0; head < h; head++)
      for (let j = 0; j < t; j++) terms.push({ rows: outputs[head][j], index: index[j] });
    const rows = calc.gather(whole.n, terms, weights), b_O = `${name}.attn.b_O`;
    if (calc.has(b_O) && folded) addRow(heap, rows, calc.times(calc.rows(calc.weights[b_O], 1, d), onward));
    else calc.add(rows, b_O);
    return { mask, rows };
  });

  if (folded) {
    const [{ rows }] = mid, logits = { at: rows.at + up(m), n: rows.n, stride };
    const neurons = calc.activate(calc.add(rows, `${name}.mlp.b_in`), m, true);
    const W_U = calc.matrix("unembed.W_U"), b_out = `${name}.mlp.b_out`;
    calc.times(neurons, calc.times(calc.matrix(`${name}.mlp.W_out`), W_U), logits);
    if (calc.has(b_out)) addRow(heap, logits, calc.times(calc.rows(calc.weights[b_out], 1, d), W_U));
    return { neurons, m, logits: calc.add(logits, "unembed.b_U"), answers, pattern };
  }
  const W_in = calc.matrix(`${name}.mlp.W_in`), W_out = calc.matrix(`${name}.mlp.W_out`);
  let neurons;
  const out = mid.map(({ mask, rows }) => {
    neurons = calc.add(calc.times(calc.normalized(rows, `${name}.ln2`), W_in), `${name}.mlp.b_in`);
    calc.activate(neurons, m, last);
    if (!last && off.layers.has(layer)) calc.clear(neurons, m);
    return { mask, rows: calc.add(calc.times(neurons, W_out, rows), `${name}.mlp.b_out`) };
  });
  if (!last) return { x: out, pattern };
  const logits = calc.times(calc.normalized(out[0].rows, "ln_final"), calc.matrix("unembed.W_U"));
  return { neurons, m, logits: calc.add(logits, "unembed.b_U"), answers, pattern };
}

function sideBySide(calc, A, B) {
  const out = calc.zeros(A.n, A.stride + B.stride), { floats } = calc.heap;
  for (let i = 0; i < A.n; i++) {
    floats.copyWithin(out.at + i * out.stride, A.at + i * A.stride, A.at + (i + 1) * A.stride);
    floats.copyWithin(out.at + i * out.stride + A.stride, B.at + i * B.stride, B.at + (i + 1) * B.stride);
  }
  return out;
}

function addRow(heap, A, row) {
  for (let i = 0; i < A.n; i++)
    for (let j = 0; j < row.stride; j++) heap.floats[A.at + i * A.stride + j] += heap.floats[row.at + j];
}
