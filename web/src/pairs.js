// The pairs of a task, and which rows of activations they share: what is computed from x alone is computed once for every x.

const iota = (n) => Int32Array.from({ length: n }, (_, i) => i);

export class Pairs {
  /** Operands as Int32Arrays (n,) of x and of y; a third operand has one value, z, for all. */
  constructor(x, y, symbols, z = null) {
    this.n = x.length;
    this.operands = z === null ? [x, y] : [x, y, new Int32Array(x.length).fill(z)];
    this.symbols = symbols;
    this.z = z;
    this.shared = new Map();
  }

  /** The rows of what depends on the operands in a mask: 1 for x, 2 for y. */
  rows(mask) {
    if (!this.shared.has(mask)) {
      const single = mask === 1 || mask === 2;
      const few = single && this.symbols < this.n;
      const n = mask === 0 ? 1 : few ? this.symbols : this.n;
      const index = mask === 0 ? new Int32Array(this.n) : few ? this.operands[mask - 1] : iota(this.n);
      this.shared.set(mask, { mask, n, index, few });
    }
    return this.shared.get(mask);
  }

  /** For each of these rows the row of another set, whose mask is part of theirs, that it is made from. */
  within(rows, part) {
    if (part.mask === rows.mask) return iota(rows.n);
    return part.mask === 0 ? new Int32Array(rows.n) : part.index;
  }

  /** The symbol of an operand in each of the rows that depend on it alone. */
  symbolsOf(operand, rows) {
    if (operand === 2) return Int32Array.of(this.z);
    return rows.few ? iota(rows.n) : this.operands[operand];
  }

  /** The mask of a word of the template. */
  maskOf(word) {
    return word.operand === undefined || word.operand === 2 ? 0 : 1 << word.operand;
  }
}
