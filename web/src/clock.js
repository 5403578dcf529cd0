// Waves on the clock of a task, and what they are of the logits.

/** cos and sin of w_k·s at positions s on a clock of q; 0 off the clock, at −1. */
export function waves(q, k, positions) {
  const angle = (s) => (2 * Math.PI * ((k * s) % q)) / q;
  const sine = (s) => ((2 * k * s) % q === 0 ? 0 : Math.sin(angle(s)));
  return [
    Float64Array.from(positions, (s) => (s < 0 ? 0 : Math.cos(angle(s)))),
    Float64Array.from(positions, (s) => (s < 0 ? 0 : sine(s))),
  ];
}

export const dot = (a, b, weights) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i] * (weights ? weights[i] : 1);
  return sum;
};

/** An orthonormal basis of what vectors span, in an inner product with weights; directions that are lost in rounding are left out. */
export function orthonormal(vectors, weights = null) {
  const basis = [];
  for (const vector of vectors) {
    const rest = Float64Array.from(vector);
    const whole = dot(rest, rest, weights);
    for (let twice = 0; twice < 2; twice++)
      for (const b of basis) {
        const share = dot(b, rest, weights);
        for (let i = 0; i < rest.length; i++) rest[i] -= share * b[i];
      }
    const norm = dot(rest, rest, weights);
    if (norm > 1e-10 * whole && norm > 1e-20) basis.push(rest.map((a) => a / Math.sqrt(norm)));
  }
  return basis;
}

/** The pairs in each class s of the answer's position; the last class is off the clock. */
export function classCounts(classes, q) {
  const counts = new Float64Array(q + 1);
  for (const s of classes) counts[s < 0 ? q : s]++;
  return counts;
}

/**
 * The part of the logits (n, width) in the key frequencies, and their means: a logit as a function of the pair is
 * projected on the cosines and sines of its class (Nanda et al. 2023, arXiv 2301.05217, section 5.1). Both are functions
 * of the class, (q + 1, answers), the last row off the clock.
 */
export function projectLogits(logits, { n, width, answers }, task) {
  const q = task.clock.size, counts = classCounts(task.class, q);
  const sums = new Float64Array((q + 1) * answers);
  const row = (r) => (task.class[r] < 0 ? q : task.class[r]);
  for (let r = 0; r < n; r++)
    for (let c = 0, s = row(r) * answers; c < answers; c++) sums[s + c] += logits[r * width + c];
  let total = 0;
  for (let s = 0; s < q; s++) total += counts[s];
  const positions = Int32Array.from({ length: q }, (_, s) => s);
  const centered = task.key.flatMap((k) => waves(q, k, positions)).map((wave) => {
    let mean = 0;
    for (let s = 0; s < q; s++) mean += (wave[s] * counts[s]) / total;
    return wave.map((a) => a - mean);
  });
  const part = new Float64Array((q + 1) * answers);
  for (const b of orthonormal(centered, counts))
    for (let c = 0; c < answers; c++) {
      let share = 0;
      for (let s = 0; s < q; s++) share += b[s] * sums[s * answers + c];
      for (let s = 0; s < q; s++) part[s * answers + c] += share * b[s];
    }
  const means = new Float64Array((q + 1) * answers);
  for (let c = 0; c < answers; c++) {
    let mean = 0;
    for (let s = 0; s < q; s++) mean += sums[s * answers + c] / Math.max(1, total);
    for (let s = 0; s < q; s++) means[s * answers + c] = mean;
    means[q * answers + c] = sums[q * answers + c] / Math.max(1, counts[q]);
  }
  return { part, means };
}

/** The logits of n pairs, of these classes, with the key frequencies alone ("restricted") or without them ("excluded"). */
export function filterLogits(logits, { n, width, answers }, classes, { part, means }, mode) {
  const out = new Float64Array(n * width), off = part.length - answers;
  for (let r = 0; r < n; r++) {
    const s = classes[r] < 0 ? off : classes[r] * answers;
    for (let c = 0; c < answers; c++)
      out[r * width + c] = mode === "excluded" ? logits[r * width + c] - part[s + c] : part[s + c] + means[s + c];
  }
  return out;
}
