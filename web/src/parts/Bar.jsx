import { number, percent, updates } from "../palette.js";

function Operand({ name, signal, most }) {
  return (
    <label>
      {name}{" "}
      <input
        type="number"
        min="0"
        max={most}
        value={signal.value}
        onInput={(event) => {
          const value = event.currentTarget.valueAsNumber;
          if (Number.isInteger(value) && value >= 0 && value <= most) signal.value = value;
        }}
      />
    </label>
  );
}

export function Bar({ state }) {
  const { net, t, playing, last } = state, task = state.task.value, scores = state.scores.value, pair = state.pair.value;
  const numbers = scores
    ? [
        [net.split_known ? "training pairs" : "all pairs", percent(scores.trained)],
        ...(scores.known === null
          ? scores.heldout === null ? [] : [["held-out pairs", percent(scores.heldout)]]
          : [["known by symmetry", percent(scores.known)], ["new pairs", percent(scores.fresh)]]),
        ...(scores.heldoutLoss === null || scores.heldout === null ? [] : [["held-out loss", number(scores.heldoutLoss)]]),
      ]
    : [];
  return (
    <div class="bar" role="region" aria-label="Pair and time">
      {net.tasks.length > 1 && (
        <label>
          formula{" "}
          <select value={state.number.value} onChange={(event) => state.read(`task=${+event.currentTarget.value + 1}`)}>
            {net.tasks.map(({ name }, i) => (
              <option key={name} value={i}>{name}</option>
            ))}
          </select>
          <small class="printed"> The numbers and figures that follow are those of this formula.</small>
        </label>
      )}
      <div class="pair">
        <Operand name="x" signal={state.x} most={task.symbols - 1} /> <Operand name="y" signal={state.y} most={task.symbols - 1} />{" "}
        {task.z !== null && <span>z {task.z} </span>}
        <output>{pair === undefined ? "not a pair of the task" : <>→ <b>{task.answer[pair]}</b>{net.split_known && <small> {task.side[pair] === 2 ? "trained on" : "held out"}</small>}</>}</output>
      </div>
      {last > 0 && (
        <div class="time">
          <button
            type="button"
            aria-label={playing.value ? "Pause" : "Play the training"}
            onClick={() => {
              if (!playing.value && t.value === last) t.value = 0;
              playing.value = !playing.value;
            }}
          >
            {playing.value ? "❚❚" : "▶"}
          </button>
          <input
            type="range"
            min="0"
            max={last}
            value={t.value}
            aria-label="Update"
            aria-valuetext={`update ${updates(net.updates[t.value])}`}
            onInput={(event) => (t.value = event.currentTarget.valueAsNumber)}
          />
          <output>update {updates(net.updates[t.value])}</output>
        </div>
      )}
      <dl class={scores?.stale ? "stale" : ""} aria-live="polite">
        {numbers.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {task.z !== null && <small class="note">of the pairs with z = {task.z}</small>}
      {state.bits.value && !state.untouched.value && <small class="note">from weights rounded to {state.bits.value} bits</small>}
    </div>
  );
}
