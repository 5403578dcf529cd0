// What the page was given: the description of network and tasks, and the film of checkpoints.

export const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

export async function inflate(text) {
  if (!text) return new ArrayBuffer(0);
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (exponent === 31 ? Infinity : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

const size = (shape) => shape.reduce((a, b) => a * b, 1);

export async function decodeFilm(net, film, last) {
  const total = net.weights.reduce((sum, { shape }) => sum + size(shape), 0);
  const codes = new Int8Array(await inflate(film));
  for (let i = total; i < codes.length; i++) codes[i] += codes[i - total]; // each checkpoint is a difference to the one before
  const bytes = await inflate(last);
  return { codes, last: net.last_as === "float16" ? Float32Array.from(new Uint16Array(bytes), half) : new Float32Array(bytes) };
}

/** The weights by name of checkpoint number t. */
export function weightsAt(net, { codes, last }, t) {
  const out = {}, total = last.length;
  let at = 0;
  for (const { name, shape, scale } of net.weights) {
    const n = size(shape);
    out[name] =
      t === net.updates.length - 1
        ? last.subarray(at, at + n)
        : Float32Array.from(codes.subarray(t * total + at, t * total + at + n), (code) => code * scale);
    at += n;
  }
  return out;
}

/** A description with the shapes by name, and the tasks with their pairs as arrays. */
export async function read(description) {
  const shapes = Object.fromEntries(description.weights.map(({ name, shape }) => [name, shape]));
  const tasks = await Promise.all(
    description.tasks.map(async (task) => {
      const array = async (name, kind) => new kind(await inflate(task.pairs[name]));
      return {
        ...task,
        x: Int32Array.from(await array("x", Uint16Array)),
        y: Int32Array.from(await array("y", Uint16Array)),
        answer: await array("answer", Uint16Array),
        class: await array("class", Int16Array),
        side: await array("side", Uint8Array),
        right: new Uint8Array(await inflate(task.right)),
        irreps: task.irreps && { ...task.irreps, entries: new Float32Array(await inflate(task.irreps.entries)) },
      };
    }),
  );
  return { ...description, shapes, tasks };
}

/** Whether each pair was answered right at checkpoint number t. */
export function rightAt(task, t) {
  const stride = Math.ceil(task.x.length / 8);
  return Uint8Array.from(task.x, (_, r) => (task.right[t * stride + (r >> 3)] >> (7 - (r & 7))) & 1);
}
