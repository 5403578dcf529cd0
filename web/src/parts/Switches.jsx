import { batch } from "@preact/signals";
import { hasModes } from "../evaluate.js";
import { kind, nameOf } from "../keys.js";
import { color, mark } from "../palette.js";

export function Switch({ state, name, children, tint }) {
  const on = !state.off.value.includes(name);
  return (
    <label class={on ? "switch" : "switch off"} style={tint && { "--c": tint }}>
      <input type="checkbox" checked={on} onChange={() => state.toggle(name)} /> {children}
    </label>
  );
}

function Choice({ signal, value, name, children }) {
  return (
    <label>
      <input type="radio" name={name} checked={signal.value === value} onChange={() => (signal.value = value)} /> {children}
    </label>
  );
}

export function Switches({ state }) {
  const { net } = state, task = state.task.value, layer = net.kind === "MLP" ? "hidden layer" : "block";
  return (
    <div class="switches">
      <h3>Switch a part off</h3>
      {task.key.length > 0 && (
        <fieldset>
          <legend>The embedding keeps the {kind(task)}</legend>
          {task.key.map((k) => (
            <Switch key={k} state={state} name={`${kind(task)}-${k}`}>
              <span class="mark" style={{ color: color(task, k) }}>{mark(task, k)}</span> {nameOf(task, k)}
            </Switch>
          ))}
        </fieldset>
      )}
      {net.layers > 1 && (
        <fieldset>
          <legend>Neurons of the {layer}s before the last</legend>
          {Array.from({ length: net.layers - 1 }, (_, i) => (
            <Switch key={i} state={state} name={`layer-${i}`}>{layer} {i}</Switch>
          ))}
        </fieldset>
      )}
      {hasModes(task) && (
        <fieldset>
          <legend>Logits</legend>
          <Choice signal={state.mode} name="logits" value="all">as they are</Choice>
          <Choice signal={state.mode} name="logits" value="restricted">only the key frequencies (restricted)</Choice>
          <Choice signal={state.mode} name="logits" value="excluded">all but the key frequencies (excluded)</Choice>
        </fieldset>
      )}
      <fieldset>
        <legend>Neurons that are off are at</legend>
        <Choice signal={state.mean} name="mean" value={false}>0</Choice>
        <Choice signal={state.mean} name="mean" value={true}>their mean</Choice>
      </fieldset>
      <button
        type="button"
        disabled={state.untouched.value}
        onClick={() => batch(() => {
          state.off.value = [];
          state.mode.value = "all";
        })}
      >
        Everything on
      </button>
    </div>
  );
}
