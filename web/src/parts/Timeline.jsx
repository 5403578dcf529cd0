import { number, updates } from "../palette.js";

const CURVES = [
  ["train_loss", "training", "var(--train)", ""],
  ["heldout_loss", "held-out", "var(--heldout)", ""],
  ["restricted_loss", "restricted", "var(--key2)", "6 3"],
  ["excluded_loss", "excluded", "var(--key3)", "2 3"],
];
const BANDS = { memorisation: 0, "circuit formation": 1, cleanup: 2 };
const HEIGHT = 236, LEFT = 40, RIGHT = 84, TOP = 8, BOTTOM = 26;

function round(most, count) {
  const raw = most / count, unit = 10 ** Math.floor(Math.log10(raw));
  return unit * [1, 2, 5, 10].find((step) => step * unit >= raw);
}

export function Timeline({ state, narrow }) {
  const WIDTH = narrow ? 360 : 520;
  const { net, t, last } = state, { curves, phases, key } = state.task.value, end = net.updates[last];
  if (!end || curves.update.length < 2) return null;
  const shown = CURVES.slice(0, key.length ? 4 : 2).filter(([name]) => curves[name].every((value) => value !== null && value > 0));
  const values = shown.flatMap(([name]) => curves[name]).map(Math.log10);
  const low = Math.floor(Math.min(...values)), high = Math.ceil(Math.max(...values));
  const X = (u) => LEFT + ((WIDTH - LEFT - RIGHT) * u) / end, Y = (v) => TOP + ((HEIGHT - TOP - BOTTOM) * (high - Math.log10(v))) / (high - low || 1);
  const every = Math.max(1, Math.ceil((high - low) / 6)), step = round(end, narrow ? 2 : 4);
  const ends = shown.map(([name, label, color]) => ({ label, color, y: Y(curves[name].at(-1)) })).sort((a, b) => a.y - b.y);
  for (let i = 1; i < ends.length; i++) ends[i].y = Math.max(ends[i].y, ends[i - 1].y + 13);
  /** How high a curve is at x. */
  const height = (values, x) => {
    const i = Math.max(1, curves.update.findIndex((u) => X(u) >= x)), [a, b] = [X(curves.update[i - 1]), X(curves.update[i])];
    return Y(values[i - 1]) + ((Y(values[i]) - Y(values[i - 1])) * (x - a)) / (b - a);
  };
  /** Where a label of some width from x on is farthest from the curves. */
  const free = (x, width) => {
    const room = (y) => Math.min(HEIGHT, ...shown.flatMap(([name]) => [0, 0.25, 0.5, 0.75, 1].map((part) => Math.abs(height(curves[name], x + part * width) - y + 4))));
    return [TOP + 12, (TOP + HEIGHT - BOTTOM) / 2, HEIGHT - BOTTOM - 5].reduce((best, y) => (room(y) > room(best) + 4 ? y : best));
  };
  const over = Math.max(0, (ends.at(-1)?.y ?? 0) - (HEIGHT - BOTTOM));
  const drag = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const u = ((((event.clientX - box.left) / box.width) * WIDTH - LEFT) / (WIDTH - LEFT - RIGHT)) * end;
    t.value = net.updates.reduce((best, at, i) => (Math.abs(at - u) < Math.abs(net.updates[best] - u) ? i : best), 0);
  };
  const now = net.updates[t.value], at = curves.update.indexOf(now);
  return (
    <figure class="timeline">
      <h3>Losses over the training</h3>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`Losses over ${updates(end)} updates. At update ${updates(now)}: ${shown.map(([name, label]) => `${label} ${number(curves[name][at])}`).join(", ")}.`}
        onPointerDown={drag}
        onPointerMove={(event) => event.buttons && drag(event)}
      >
        {phases.map(({ name, start, end: until }) => (
          <g key={name}>
            <rect x={X(start)} width={Math.max(0, X(until ?? end) - X(start))} y={TOP} height={HEIGHT - TOP - BOTTOM} style={{ fill: `var(--band${BANDS[name]})` }} />
            {X(until ?? end) - X(start) > 6.2 * name.length + 8 && <text x={X(start) + 4} y={free(X(start), 6.2 * name.length)} class="phase">{name}</text>}
          </g>
        ))}
        {Array.from({ length: Math.floor((high - low) / every) + 1 }, (_, i) => high - i * every).map((e) => (
          <g key={e}>
            <line x1={LEFT} x2={WIDTH - RIGHT} y1={Y(10 ** e)} y2={Y(10 ** e)} class="rule" />
            <text x={LEFT - 6} y={Y(10 ** e) + 4} text-anchor="end">
              10<tspan dy="-4" font-size="8">{String(e).replace("-", "−")}</tspan>
            </text>
          </g>
        ))}
        {Array.from({ length: Math.floor(end / step) + 1 }, (_, i) => i * step).map((u) => (
          <text key={u} x={X(u)} y={HEIGHT - 8} text-anchor="middle">{updates(u)}</text>
        ))}
        {shown.map(([name, , stroke, dash]) => (
          <polyline key={name} points={curves[name].map((v, i) => `${X(curves.update[i]).toFixed(1)},${Y(v).toFixed(1)}`).join(" ")} style={{ stroke }} stroke-dasharray={dash} class="curve" />
        ))}
        {ends.map(({ label, color, y }) => (
          <g key={label}>
            <line x1={WIDTH - RIGHT + 3} x2={WIDTH - RIGHT + 12} y1={y - over} y2={y - over} style={{ stroke: color, strokeWidth: 3 }} />
            <text x={WIDTH - RIGHT + 16} y={y - over + 4} class="name">{label}</text>
          </g>
        ))}
        <line x1={X(now)} x2={X(now)} y1="4" y2={HEIGHT - BOTTOM} class="now" />
        {at >= 0 && shown.map(([name, , fill]) => <circle key={name} cx={X(now)} cy={Y(curves[name][at])} r="4" style={{ fill }} class="dot" />)}
      </svg>
    </figure>
  );
}
