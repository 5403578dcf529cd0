// Accuracies and losses of all pairs, by side of the split.

export const SIDES = ["new", "known", "trained"];

/** The share of right answers of each side that has pairs; without a known split, of all. */
export function accuracies(task, right) {
  const hits = [0, 0, 0], counts = [0, 0, 0];
  for (let r = 0; r < right.length; r++) {
    counts[task.side[r]]++;
    hits[task.side[r]] += right[r];
  }
  const share = (...sides) => {
    const n = sides.reduce((sum, i) => sum + counts[i], 0);
    return n ? sides.reduce((sum, i) => sum + hits[i], 0) / n : null;
  };
  return { trained: share(2), heldout: share(0, 1), known: counts[1] ? share(1) : null, fresh: counts[1] ? share(0) : null };
}

/** Which pairs are answered right, and the mean cross-entropy of each side. */
export function score(task, logits, { width, answers }) {
  const n = task.x.length, right = new Uint8Array(n), losses = [0, 0], counts = [0, 0];
  for (let r = 0; r < n; r++) {
    const at = r * width;
    let best = 0, top = -Infinity, total = 0;
    for (let c = 0; c < answers; c++)
      if (logits[at + c] > top) {
        top = logits[at + c];
        best = c;
      }
    for (let c = 0; c < answers; c++) total += Math.exp(logits[at + c] - top);
    const trained = task.side[r] === 2 ? 1 : 0;
    right[r] = best === task.answer[r] ? 1 : 0;
    losses[trained] += Math.log(total) + top - logits[at + task.answer[r]];
    counts[trained]++;
  }
  const [heldout, trained] = losses.map((sum, i) => (counts[i] ? sum / counts[i] : null));
  return { right, ...accuracies(task, right), heldoutLoss: heldout, trainedLoss: trained };
}
