/** The twin of shaders/common/rng.wgsl: the same four numbers give the same 32 bits. */
export function randomU32(a: number, b: number, c: number, d: number): number {
  return pcg(d + pcg(c + pcg(b + pcg(a))));
}

function pcg(v: number): number {
  const state = (Math.imul(v, 747796405) + 2891336453) >>> 0;
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}
