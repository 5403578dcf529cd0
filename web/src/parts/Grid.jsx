// A picture over all pairs, one cell a pair, that can be clicked and walked through with the arrow keys.
import { useEffect, useRef } from "preact/hooks";

export function Grid({ state, label, paint, deps, stale }) {
  const canvas = useRef(), task = state.task.value, [down, across] = task.order, s = task.symbols;
  const cell = Math.max(2, Math.floor(640 / s)), wider = s > 40 ? 0.5 : 0; // so that the frame of a small cell is seen
  const place = (order) => {
    const at = new Int32Array(s);
    order.forEach((symbol, i) => (at[symbol] = i));
    return at;
  };
  const rows = place(down), columns = place(across);
  useEffect(() => {
    const context = canvas.current.getContext("2d");
    canvas.current.width = canvas.current.height = cell * s;
    paint(context, (r) => [columns[task.y[r]] * cell, rows[task.x[r]] * cell], cell);
  }, [task, ...deps]);
  const walk = (event) => {
    const step = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const to = (order, at, by) => order[Math.max(0, Math.min(s - 1, at + by))];
    state.choose(to(down, rows[state.x.value], step[0]), to(across, columns[state.y.value], step[1]));
  };
  const point = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const at = (v, length) => Math.max(0, Math.min(s - 1, Math.floor((v / length) * s)));
    state.choose(down[at(event.clientY - box.top, box.height)], across[at(event.clientX - box.left, box.width)]);
  };
  return (
    <div class={stale ? "grid stale" : "grid"} tabIndex="0" role="application" aria-label={`${label} Arrow keys move the pair.`} onKeyDown={walk} onClick={point}>
      <canvas ref={canvas} aria-hidden="true" />
      <svg viewBox={`0 0 ${s} ${s}`} aria-hidden="true">
        <rect x={columns[state.y.value] - wider} y={rows[state.x.value] - wider} width={1 + 2 * wider} height={1 + 2 * wider} class="cross" />
      </svg>
    </div>
  );
}
