// The two loops in which a network spends its time, in WebAssembly with SIMD. `loops.js` has them again in JavaScript.
// All offsets count elements of 4 bytes; widths are multiples of 4.

/** out[r] = Σ_c weight[r, c] · table[index[r, c]] for n rows of a table of rows of this width; a weight of 0 costs nothing. */
export function mix(n: i32, count: i32, width: i32, index: i32, weight: i32, table: i32, out: i32): void {
  const bytes = width << 2;
  for (let r = 0; r < n; r++) {
    const to = (out + r * width) << 2;
    memory.fill(to, 0, bytes);
    for (let c = 0; c < count; c++) {
      const at = (r * count + c) << 2;
      const w = load<f32>((weight << 2) + at);
      if (w == 0) continue;
      const from = (table + load<i32>((index << 2) + at) * width) << 2, each = f32x4.splat(w);
      for (let j = 0; j < bytes; j += 16)
        v128.store(to + j, f32x4.add(v128.load(to + j), f32x4.mul(each, v128.load(from + j))));
    }
  }
}

/**
 * C += A·B with A (n, k), B (k, m) and C (n, m), whose rows are a, m and c elements apart. Zeros of A, which are most of
 * the neurons after a ReLU, are passed over; the others are taken four at a time.
 */
export function multiply(n: i32, k: i32, m: i32, A: i32, a: i32, B: i32, C: i32, c: i32): void {
  const bytes = m << 2;
  for (let r = 0; r < n; r++) {
    const row = (A + r * a) << 2, to = (C + r * c) << 2;
    let found = 0, b0 = 0, b1 = 0, b2 = 0, w0: f32 = 0, w1: f32 = 0, w2: f32 = 0;
    for (let j = 0; j < k; j++) {
      const w = load<f32>(row + (j << 2));
      if (w == 0) continue;
      const b = (B + j * m) << 2;
      if (found == 0) { b0 = b; w0 = w; found = 1; continue; }
      if (found == 1) { b1 = b; w1 = w; found = 2; continue; }
      if (found == 2) { b2 = b; w2 = w; found = 3; continue; }
      found = 0;
      const v0 = f32x4.splat(w0), v1 = f32x4.splat(w1), v2 = f32x4.splat(w2), v3 = f32x4.splat(w);
      for (let i = 0; i < bytes; i += 16) {
        const first = f32x4.add(f32x4.mul(v0, v128.load(b0 + i)), f32x4.mul(v1, v128.load(b1 + i)));
        const second = f32x4.add(f32x4.mul(v2, v128.load(b2 + i)), f32x4.mul(v3, v128.load(b + i)));
        v128.store(to + i, f32x4.add(v128.load(to + i), f32x4.add(first, second)));
      }
    }
    if (found > 0) axpy(bytes, w0, b0, to);
    if (found > 1) axpy(bytes, w1, b1, to);
    if (found > 2) axpy(bytes, w2, b2, to);
  }
}

function axpy(bytes: i32, w: f32, from: i32, to: i32): void {
  const each = f32x4.splat(w);
  for (let i = 0; i < bytes; i += 16)
    v128.store(to + i, f32x4.add(v128.load(to + i), f32x4.mul(each, v128.load(from + i))));
}
