// Scores all pairs beside the page, so that the page stays free to move.
import { decodeFilm, weightsAt } from "./data.js";
import { Evaluation, switches } from "./evaluate.js";
import { fastHeap } from "./heap.js";
import { Pairs } from "./pairs.js";

let net, film, heap;
const evaluations = new Map(), means = new Map();

function evaluationOf(number) {
  if (!evaluations.has(number)) {
    const task = net.tasks[number];
    evaluations.set(number, new Evaluation(heap, net, task, new Pairs(task.x, task.y, task.symbols, task.z)));
  }
  return evaluations.get(number);
}

/** The mean of every neuron with everything on. */
function meansOf(number, t, weights) {
  const key = `${number},${t}`;
  if (!means.has(key)) {
    const evaluation = evaluationOf(number);
    evaluation.run(weights, switches(net.tasks[number], [], null));
    means.set(key, evaluation.means());
  }
  return means.get(key);
}

onmessage = async ({ data }) => {
  if (data.start) {
    net = data.start.net;
    [film, heap] = await Promise.all([decodeFilm(net, data.start.film, data.start.last), fastHeap()]);
    postMessage({ film });
    return;
  }
  const { number, t, off, mean, mode, neuron } = data.wanted, started = performance.now();
  const weights = weightsAt(net, film, t), evaluation = evaluationOf(number);
  const fill = mean ? meansOf(number, t, weights) : null;
  evaluation.run(weights, switches(net.tasks[number], off, fill));
  const found = evaluation.score(mode), values = evaluation.neuron(neuron);
  postMessage({ wanted: data.wanted, ...found, values, fill, ms: performance.now() - started });
};
