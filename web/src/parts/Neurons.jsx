import { useEffect, useRef } from "preact/hooks";
import { kind, nameOf } from "../keys.js";
import { color, ink, mark, percent } from "../palette.js";
import { Grid } from "./Grid.jsx";
import { Switch } from "./Switches.jsx";

const CELL = 12;

function Group({ state, name, members, top, columns, theme }) {
  const canvas = useRef(), task = state.task.value, chosen = state.neuron.value, off = state.off.value;
  const values = state.forward.value?.neurons, width = Math.min(columns, members.length), height = Math.ceil(members.length / columns);
  useEffect(() => {
    const context = canvas.current.getContext("2d");
    canvas.current.width = width * CELL;
    canvas.current.height = height * CELL;
    const fill = name === "others" ? ink("muted") : ink(`key${task.key.indexOf(Number(name)) % 8}`);
    members.forEach((j, i) => {
      const left = (i % columns) * CELL, upper = Math.floor(i / columns) * CELL;
      context.globalAlpha = 0.1 + 0.9 * Math.min(1, Math.abs(values ? values[j] : 0) / top);
      context.fillStyle = fill;
      context.fillRect(left, upper, CELL - 1, CELL - 1);
      context.globalAlpha = 1;
      context.strokeStyle = ink("ink");
      if (j === chosen) context.strokeRect(left + 0.5, upper + 0.5, CELL - 2, CELL - 2);
      if (off.includes(`neuron-${j}`)) {
        context.beginPath();
        context.moveTo(left + 2, upper + 2);
        context.lineTo(left + CELL - 3, upper + CELL - 3);
        context.stroke();
      }
    });
  }, [members, values, chosen, off, columns, theme]);
  const walk = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (!step) return;
    event.preventDefault();
    const i = members.indexOf(chosen);
    state.neuron.value = members[i < 0 ? 0 : Math.max(0, Math.min(members.length - 1, i + step))];
  };
  const point = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const i = Math.floor(((event.clientY - box.top) / box.height) * height) * columns + Math.floor(((event.clientX - box.left) / box.width) * width);
    if (members[i] !== undefined) state.neuron.value = members[i];
  };
  const said = name === "others" ? (task.key.length ? "other neurons" : "neurons") : `neurons tuned to ${kind(task)} ${nameOf(task, name)}`;
  const current = members.includes(chosen) ? chosen : members[0];
  return (
    <div class={off.includes(`group-${name}`) ? "group off" : "group"}>
      <Switch state={state} name={`group-${name}`}>
        {name === "others" ? (task.key.length ? "others" : "all") : <><span class="mark" style={{ color: color(task, name) }}>{mark(task, name)}</span> {nameOf(task, name)}</>} <small>({members.length})</small>
      </Switch>
      <canvas
        ref={canvas}
        style={{ width: `${(100 * width) / columns}%` }}
        tabIndex="0"
        role="slider"
        aria-label={`The ${members.length} ${said}; arrow keys choose one`}
        aria-valuemin="0"
        aria-valuemax={task.clusters.length - 1}
        aria-valuenow={current}
        aria-valuetext={`neuron ${current}${values ? `, activation ${values[current].toFixed(2)}` : ""}`}
        onKeyDown={walk}
        onClick={point}
      />
    </div>
  );
}

/** What a neuron is tuned to, in a sentence. */
function tuning(task, j) {
  const share = percent(task.explained[j]), k = task.clusters[j];
  if (task.irreps) return k >= 0 ? `At the end ${share} of its inputs lie in the irrep ${nameOf(task, k)}.` : "It has no irrep at the end.";
  return k > 0 ? `Tuned to frequency ${k} at the end (${share} of its variance).` : `Not tuned to one frequency at the end: the best explains ${share} of its variance.`;
}

export function Neurons({ state, narrow, theme }) {
  const task = state.task.value, values = state.forward.value?.neurons, map = state.map.value, j = state.neuron.value;
  const top = values ? Math.max(1e-9, ...values.map(Math.abs)) : 1;
  let low = 0, high = 1e-9;
  map?.values.forEach((value) => {
    low = Math.min(low, value);
    high = Math.max(high, value);
  });
  const name = `neuron-${j}`;
  return (
    <section class="two uneven">
      <figure class={`neurons ${kind(task)}`}>
        <h3>Neurons{task.key.length > 0 && `, by the ${kind(task)} they are tuned to`}</h3>
        {state.groups.value.map(({ name, members }) => (
          <Group key={name} state={state} name={name} members={members} top={top} columns={narrow ? 24 : 48} theme={theme} />
        ))}
        <p class="key">Darker: more active on this pair. Click one to see it over all pairs.</p>
      </figure>
      <figure class="neuron">
        <h3>
          <label>
            Neuron{" "}
            <input
              type="number"
              min="0"
              max={task.clusters.length - 1}
              value={j}
              onInput={(event) => {
                const value = event.currentTarget.valueAsNumber;
                if (Number.isInteger(value) && value >= 0 && value < task.clusters.length) state.neuron.value = value;
              }}
            />
          </label>{" "}
          over all pairs
        </h3>
        <Grid
          state={state}
          label={`Activation of neuron ${j} over all pairs.`}
          stale={!map || map.stale}
          deps={[map, theme]}
          paint={(context, place, cell) => {
            context.fillStyle = ink("raised");
            context.fillRect(0, 0, task.symbols * cell, task.symbols * cell);
            const positive = ink("key0"), negative = ink("key1"), most = Math.max(high, -low);
            map?.values.forEach((value, r) => {
              const [left, upper] = place(r);
              context.fillStyle = value < 0 ? negative : positive;
              context.globalAlpha = Math.abs(value) / most;
              context.fillRect(left, upper, cell, cell);
            });
            context.globalAlpha = 1;
          }}
        />
        <p class="key">
          {tuning(task, j)}
          {values && ` On this pair ${values[j].toFixed(2)}, over all pairs from ${low.toFixed(2)} to ${high.toFixed(2)}.`}
        </p>
        <Switch state={state} name={name}>neuron {j} is on</Switch>
      </figure>
    </section>
  );
}
