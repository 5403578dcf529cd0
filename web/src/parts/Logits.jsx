import { added, kind, nameOf } from "../keys.js";
import { color, mark, percent } from "../palette.js";

const STEP = 10;

function centered(logits) {
  const mean = logits.reduce((sum, v) => sum + v / logits.length, 0);
  return Float64Array.from(logits, (v) => v - mean);
}

export function Logits({ state }) {
  const task = state.task.value, found = state.logits.value, pair = state.pair.value;
  if (!found) return <section class="logits"><h3>Logits</h3></section>;
  const right = pair === undefined ? -1 : task.answer[pair], shown = centered(found.shown), p = shown.length;
  const whole = centered(found.whole), parts = task.key.map((k) => added(whole, task, k));
  const order = [...new Set([...task.clock.answers, ...Array.from({ length: p }, (_, c) => c)])].filter((c) => c >= 0 && c < p);
  const place = new Map(order.map((c, i) => [c, i]));
  const best = shown.indexOf(Math.max(...shown)), total = shown.reduce((sum, v) => sum + Math.exp(v - shown[best]), 0);
  const high = Math.max(0, ...shown), low = Math.min(0, ...shown), Y = (v) => 4 + (152 * (high - v)) / (high - low || 1);
  const most = Math.max(1e-6, ...parts.flatMap((wave) => Array.from(wave, Math.abs)));
  const natural = order.every((c, i) => c === i), marks = Math.ceil(p / 8 / 5) * 5;
  const ticks = order.map((c, i) => [c, i]).filter(([c, i]) => (natural ? c : i) % marks === 0);
  return (
    <section class={`logits ${kind(task)} ${found.stale ? "stale" : ""}`}>
      <h3>
        Logits: the network says <b class={best === right ? "ok" : "bad"}>{best}</b>{" "}
        {right < 0 ? "" : best === right ? "✓" : `✗, it is ${right}`} <small>with {percent(1 / total)}</small>
      </h3>
      <svg class="bars" viewBox={`0 0 ${p * STEP} 160`} preserveAspectRatio="none" role="img" aria-label={`Logits of the ${p} answers; the highest is that of ${best}${right < 0 ? "" : `, the right answer is ${right}`}`}>
        <line x1="0" x2={p * STEP} y1={Y(0)} y2={Y(0)} class="rule" />
        {order.map((c, i) => (
          <rect key={c} x={i * STEP + 1} width={STEP - 2} y={Math.min(Y(0), Y(shown[c]))} height={Math.abs(Y(shown[c]) - Y(0))} class={c === right ? "answer" : c === best ? "bad" : ""}>
            <title>{`${c}: ${shown[c].toFixed(2)}`}</title>
          </rect>
        ))}
      </svg>
      <div class="ticks" aria-hidden="true">
        {ticks.map(([c, i]) => <span key={c} style={{ left: `${(100 * (i + 0.5)) / p}%` }}>{c}</span>)}
      </div>
      {parts.length > 0 && <h4>What each key {kind(task)} adds to them{right < 0 ? "" : `: each is high at ${right} where the circuit works`}</h4>}
      {task.key.map((k, n) => (
        <div key={k} class="wave" style={{ "--c": color(task, k) }}>
          <span><span class="mark">{mark(task, k)}</span> {nameOf(task, k)}</span>
          <svg viewBox={`0 0 ${p * STEP} 40`} preserveAspectRatio="none" role="img" aria-label={`The ${kind(task)} ${nameOf(task, k)} adds ${(parts[n][right] ?? 0).toFixed(1)} to the right answer`}>
            {right >= 0 && <rect x={place.get(right) * STEP} width={STEP} y="0" height="40" class="at" />}
            {task.irreps // whose elements have no order
              ? order.map((c, i) => <line key={c} x1={(i + 0.5) * STEP} x2={(i + 0.5) * STEP} y1="20" y2={20 - (18 * parts[n][c]) / most} />)
              : <polyline points={order.map((c, i) => `${i * STEP + STEP / 2},${(20 - (18 * parts[n][c]) / most).toFixed(2)}`).join(" ")} />}
            {right >= 0 && <line x1={(place.get(right) + 0.5) * STEP} x2={(place.get(right) + 0.5) * STEP} y1="20" y2={20 - (18 * parts[n][right]) / most} class="stem" />}
          </svg>
          <b>{right < 0 ? "" : `${parts[n][right] < 0 ? "−" : "+"}${Math.abs(parts[n][right]).toFixed(1)}`}</b>
        </div>
      ))}
      {!natural && <p class="key">Answers in the order of the {task.clock.law} clock.</p>}
    </section>
  );
}
