import { percent } from "../palette.js";
import { ink } from "../palette.js";
import { Grid } from "./Grid.jsx";

export function Answers({ state, theme }) {
  const scores = state.scores.value, task = state.task.value, dots = state.dots.value;
  const sides = [["trained", "of the training pairs"], ["heldout", "of the held-out pairs"]];
  const words = scores ? sides.filter(([side]) => scores[side] !== null).map(([side, of]) => `${percent(scores[side])} ${of}`).join(", ") : "computing";
  const natural = task.order.every((order) => order.every((symbol, i) => symbol === i));
  return (
    <figure class="answers">
      <h3>Every pair: right or wrong</h3>
      <Grid
        state={state}
        label={`Right answers over all pairs: ${words}.`}
        stale={!scores || scores.stale}
        deps={[scores, dots, theme]}
        paint={(context, place, cell) => {
          const right = ink("right"), wrong = ink("wrong"), dot = ink("dot"), inset = Math.max(1, Math.floor(cell / 3));
          task.x.forEach((_, r) => {
            const [left, top] = place(r);
            context.fillStyle = !scores || scores.right[r] ? right : wrong;
            context.fillRect(left, top, cell, cell);
            if (dots && task.side[r] === 2 && state.net.split_known) {
              context.fillStyle = dot;
              context.fillRect(left + inset, top + inset, Math.max(1, cell - 2 * inset), Math.max(1, cell - 2 * inset));
            }
          });
        }}
      />
      <p class="key">
        <span><span class="swatch right" /> right</span> <span><span class="swatch wrong" /> wrong</span>
        {state.net.split_known && (
          <label>
            <input type="checkbox" checked={dots} onChange={() => (state.dots.value = !dots)} /> <span class="swatch dotted" /> trained on
          </label>
        )}
        <span>
          x down, y across{natural ? "" : `, in the order of the ${task.clock.law} clock`}
          {task.z === null ? "" : `, z = ${task.z}`}; click a pair.
        </span>
      </p>
    </figure>
  );
}
