import { waves } from "../clock.js";
import { weightsAt } from "../data.js";
import { color, mark } from "../palette.js";

/** What stands for the symbols of an operand: rows (s, width) of the embedding, or with two-hot input of the first layer. */
function embedding(net, task, weights, operand) {
  if (net.input !== "two_hot") return [weights["embed.W_E"], net.shapes["embed.W_E"][1]];
  const [, v, m] = net.shapes["layers.0.W_in"], j = task.words.findIndex((word) => word.operand === operand);
  return [weights["layers.0.W_in"].subarray(j * v * m, (j + 1) * v * m), m];
}

/** The plane of a frequency in the last embedding: two orthonormal directions, its cosine's first, and the radius of the circle. */
function planeOf(net, task, rows, width, operand, k) {
  const positions = task.clock.positions[operand];
  const [a, b] = waves(task.clock.size, k, positions).map((wave) => {
    const out = new Float64Array(width);
    wave.forEach((w, s) => {
      for (let j = 0; j < width; j++) out[j] += w * rows[s * width + j];
    });
    return out;
  });
  const unit = (v) => {
    const norm = Math.hypot(...v) || 1;
    return v.map((x) => x / norm);
  };
  const first = unit(a), share = first.reduce((sum, x, j) => sum + x * b[j], 0);
  return [first, unit(b.map((x, j) => x - share * first[j]))];
}

const kept = new Map();
function planes(state, operand, k) {
  const key = `${state.number.value},${operand},${k}`, { net } = state, task = state.task.value;
  if (!kept.has(key)) {
    const [rows, width] = embedding(net, task, weightsAt(net, state.film.value, state.last), operand);
    const plane = planeOf(net, task, rows, width, operand, k), points = project(rows, width, task.symbols, plane);
    const radius = Math.max(1e-9, ...points.map(([a, b]) => Math.hypot(a, b)));
    kept.set(key, { plane, radius });
  }
  return kept.get(key);
}

const project = (rows, width, count, plane) =>
  Array.from({ length: count }, (_, s) =>
    plane.map((direction) => {
      let sum = 0;
      for (let j = 0; j < width; j++) sum += direction[j] * rows[s * width + j];
      return sum;
    }),
  );

/** The names of the hands beside their ends: one name for hands on one symbol, and inside where outside is taken. */
function labels(hands, at) {
  const found = [];
  for (const symbol of new Set(hands.map(([, symbol]) => symbol))) {
    const name = hands.filter(([, own]) => own === symbol).map(([name]) => name).join(", ");
    const [x, y] = [1.2, 0.75].map((far) => at[symbol].map((a) => Math.max(-1.12, Math.min(1.12, far * a))))
      .find(([x, y]) => found.every((other) => Math.hypot(other.x - x, other.y - y) > 0.24)) ?? at[symbol];
    found.push({ name, x, y: Number(y) });
  }
  return found;
}

function Circle({ state, k, operands }) {
  const { net } = state, task = state.task.value, weights = state.weights.value, q = task.clock.size;
  const hands = operands.map((operand) => ["xyz"[operand], [state.x.value, state.y.value, task.z][operand], operand]);
  const said = `frequency ${k}${operands.length < task.clock.positions.length ? ` of ${hands.map(([name]) => name).join(", ")}` : ""}`;
  const off = state.off.value.includes(`frequency-${k}`);
  let drawing = null;
  if (weights) {
    const [rows, width] = embedding(net, task, weights, operands[0]), { plane, radius } = planes(state, operands[0], k);
    const at = project(rows, width, task.symbols, plane).map((point) => point.map((a) => (a / radius).toFixed(3)));
    const positions = task.clock.positions[operands[0]], on = at.map((_, s) => s).filter((s) => positions[s] >= 0);
    const order = on.sort((a, b) => ((k * positions[a]) % q) - ((k * positions[b]) % q));
    drawing = (
      <>
        <polygon points={order.map((s) => at[s].join(",")).join(" ")} class="ring" />
        {at.map(([a, b], s) => (
          <circle key={s} cx={a} cy={b} r={at.length > 70 ? 0.026 : 0.034} class={positions[s] < 0 ? "outside" : ""}>
            <title>{s}</title>
          </circle>
        ))}
        {hands.map(([name, symbol, operand]) => (
          <g key={name}>
            <line x1="0" y1="0" x2={at[symbol][0]} y2={at[symbol][1]} class={operand ? "hand other" : "hand"} />
            <circle cx={at[symbol][0]} cy={at[symbol][1]} r=".07" class="pin" />
          </g>
        ))}
        {labels(hands, at).map(({ name, x, y }) => (
          <text key={name} x={x} y={y + 0.06} text-anchor="middle">{name}</text>
        ))}
      </>
    );
  }
  return (
    <figure class={off ? "circle off" : "circle"} style={{ "--c": color(task, k) }}>
      <h4><span class="mark">{mark(task, k)}</span> {said}</h4>
      <svg viewBox="-1.35 -1.35 2.7 2.7" role="img" aria-label={`The ${task.symbols} symbols on the plane of ${said}${hands.map(([name, symbol]) => `, ${name} = ${symbol}`).join("")}`}>{drawing}</svg>
    </figure>
  );
}

export function Circles({ state }) {
  const { net } = state, task = state.task.value, { positions } = task.clock;
  if (!task.key.length || task.irreps) return null;
  const alike = net.input !== "two_hot" && positions.every((of) => of.every((place, s) => place === positions[0][s]));
  const sets = alike ? [positions.map((_, operand) => operand)] : positions.map((_, operand) => [operand]);
  return (
    <section>
      <h3>The operands on the circles of the key frequencies</h3>
      <p class="key">Each symbol where the embedding puts it, on the plane of a frequency; neighbors on the clock are joined.</p>
      <div class="circles">
        {task.key.map((k) => sets.map((operands) => <Circle key={`${k},${operands}`} state={state} k={k} operands={operands} />))}
      </div>
    </section>
  );
}
