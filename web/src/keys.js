// The key frequencies of a task, or the key irreps of its group: what they are called, and the functions they stand for.
import { dot, orthonormal, waves } from "./clock.js";

/** What a key is: "frequency" or "irrep". */
export const kind = (task) => (task.irreps ? "irrep" : "frequency");
export const kinds = (task) => (task.irreps ? "irreps" : "frequencies");
export const nameOf = (task, k) => (task.irreps ? task.irreps.names[k] : String(k));

/** The entries of an irrep, each with its values at the places of the elements among n. */
function entries({ of, entries }, k, places, n) {
  const columns = of.map((number, j) => (number === k ? j : -1)).filter((j) => j >= 0);
  return columns.map((j) => {
    const out = new Float64Array(n);
    places.forEach((place, g) => (out[place] = entries[g * of.length + j]));
    return out;
  });
}

/** The functions of an operand's symbol: cosine and sine of a frequency, or the entries of an irrep. */
function ofSymbols(task, operand, k) {
  if (task.irreps) return entries(task.irreps, k, task.irreps.symbols[operand], task.symbols);
  return waves(task.clock.size, k, task.clock.positions[operand]);
}

/** The same of the answers. */
function ofAnswers(task, k) {
  if (task.irreps) return entries(task.irreps, k, task.irreps.answers, task.answers);
  const { size: q, answers } = task.clock;
  return waves(q, k, Int32Array.from({ length: q }, (_, s) => s)).map((wave) => {
    const sum = new Float64Array(task.answers), count = new Float64Array(task.answers);
    for (let s = 0; s < q; s++)
      if (answers[s] >= 0) {
        sum[answers[s]] += wave[s];
        count[answers[s]]++;
      }
    return sum.map((a, c) => (count[c] ? a / count[c] : 0));
  });
}

/** Take keys out of the rows of symbols (s, width), as functions of an operand's symbol. */
export function withoutKeys(rows, width, task, operand, keys) {
  const basis = orthonormal(keys.flatMap((k) => ofSymbols(task, operand, k)));
  const out = Float32Array.from(rows);
  for (const b of basis)
    for (let j = 0; j < width; j++) {
      let sum = 0;
      for (let i = 0; i < b.length; i++) sum += b[i] * rows[i * width + j];
      for (let i = 0; i < b.length; i++) out[i * width + j] -= sum * b[i];
    }
  return out;
}

/** What a key adds to the centered logits of one pair: their projection on its functions of the answer. */
export function added(centered, task, k) {
  const out = new Float64Array(centered.length);
  for (const b of orthonormal(ofAnswers(task, k))) {
    const share = dot(b, centered);
    for (let c = 0; c < out.length; c++) out[c] += share * b[c];
  }
  return out;
}
