// Memory that grows, in which arrays are known by the offset of their first element, with the loops that work on it.
import kernel from "../build/kernel.wasm";
import { plainLoops } from "./loops.js";

const PAGE = 65536;

class Heap {
  constructor(memory) {
    this.memory = memory; // of WebAssembly; without it a Float32Array of our own
    this.top = 1024; // the first elements belong to the kernel
    this.see(memory ? memory.buffer : new ArrayBuffer(PAGE));
  }

  see(buffer) {
    this.floats = new Float32Array(buffer);
    this.integers = new Int32Array(buffer);
  }

  /** Room for n elements, all zero; freed by setting `top` back. */
  room(n) {
    const at = this.top;
    this.top += (n + 3) & ~3;
    const missing = this.top * 4 - this.floats.byteLength;
    if (missing > 0) {
      if (this.memory) {
        this.memory.grow(Math.ceil(missing / PAGE));
        this.see(this.memory.buffer);
      } else {
        const larger = new Float32Array(Math.max(this.top, this.floats.length * 2));
        larger.set(this.floats);
        this.see(larger.buffer);
      }
    }
    this.floats.fill(0, at, this.top);
    return at;
  }

  /** A copy of an array of numbers. */
  put(values) {
    const at = this.room(values.length);
    this.floats.set(values, at);
    return at;
  }

  view(at, n) {
    return this.floats.subarray(at, at + n);
  }
}

export function plainHeap() {
  const heap = new Heap(null);
  return Object.assign(heap, plainLoops(heap));
}

/** A heap with the kernel in WebAssembly, or without it where the browser cannot run it. */
export async function fastHeap() {
  try {
    const { instance } = await WebAssembly.instantiate(kernel, {});
    const { memory, mix, multiply } = instance.exports;
    return Object.assign(new Heap(memory), { mix, multiply });
  } catch {
    return plainHeap();
  }
}
