import { Switch } from "./Switches.jsx";

const percent = (share) => `${Math.round(100 * share)}%`;

export function Heads({ state }) {
  const { net } = state, { words } = state.task.value, found = state.forward.value;
  if (net.kind === "MLP") return null;
  const h = net.shapes["blocks.0.attn.W_Q"][0], t = words.length;
  return (
    <figure class="heads">
      <h3>Where “{words.at(-1).word}” attends to</h3>
      {Array.from({ length: net.layers }, (_, layer) =>
        Array.from({ length: h }, (_, head) => {
          const name = `head-${layer}.${head}`, said = net.layers > 1 ? `head ${layer}.${head}` : `head ${head}`;
          const shares = words.map((_, j) => found?.patterns[layer][head * t + j] ?? 0);
          return (
            <div key={name} class={state.off.value.includes(name) ? "head off" : "head"}>
              <Switch state={state} name={name}>{said}</Switch>
              <span class="shares" role="img" aria-label={`${said}: ${words.map(({ word }, j) => `${percent(shares[j])} to ${word}`).join(", ")}`}>
                {words.map(({ word, operand }, j) => (
                  <span key={j} class={operand === undefined ? "other" : `operand-${operand}`} style={{ width: `${100 * shares[j]}%` }}>
                    <b>{word} {percent(shares[j])}</b>
                  </span>
                ))}
              </span>
            </div>
          );
        }),
      )}
    </figure>
  );
}
