// The loops of `kernel.ts` in plain JavaScript, on one Float32Array: for browsers without WebAssembly SIMD, and for single pairs.
export function plainLoops(heap) {
  return {
    mix(n, count, width, index, weight, table, out) {
      const { floats, integers } = heap;
      for (let r = 0; r < n; r++) {
        const to = out + r * width;
        floats.fill(0, to, to + width);
        for (let c = 0; c < count; c++) {
          const w = floats[weight + r * count + c];
          if (w === 0) continue;
          const from = table + integers[index + r * count + c] * width;
          for (let j = 0; j < width; j++) floats[to + j] += w * floats[from + j];
        }
      }
    },
    multiply(n, k, m, A, a, B, C, c) {
      const { floats } = heap;
      for (let r = 0; r < n; r++) {
        const to = C + r * c;
        for (let j = 0; j < k; j++) {
          const w = floats[A + r * a + j];
          if (w === 0) continue;
          const from = B + j * m;
          for (let i = 0; i < m; i++) floats[to + i] += w * floats[from + i];
        }
      }
    },
  };
}
