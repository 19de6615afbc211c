/** The benchmark's numbers: the same in every library, so that results can be compared. */

/** `count` numbers, uniform in offset +- scale, from the generator mulberry32 (public domain). */
export function uniform(count: number, seed: number, scale = 1, offset = 0): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count);
  let state = seed | 0;
  for (let i = 0; i < count; i++) {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    out[i] = (((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1) * scale + offset;
  }
  return out;
}

/** A batch of square RGB images, NHWC. */
export const benchImages = (batch: number, size: number) => uniform(batch * size * size * 3, 77, 1.7);

/** Classes 0 to 9. */
export const benchLabels = (batch: number): Uint32Array<ArrayBuffer> =>
  Uint32Array.from({ length: batch }, (_, i) => (i * 7 + 3) % 10);
