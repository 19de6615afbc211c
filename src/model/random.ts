/**
 * Uniform numbers in (0, 1), a stream of its own for each (seed, name): PCG-RXS-M-XS over 32 bits. So what one tensor
 * draws does not depend on which others there are.
 */
export function uniforms(seed: number, name: string): () => number {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 747796405) + 2891336453) >>> 0;
    const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
    return ((word >>> 22) ^ word) >>> 0;
  };
  for (let i = 0; i < name.length; i++) state = (next() ^ name.charCodeAt(i)) >>> 0;
  return () => (next() + 0.5) / 2 ** 32;
}

/** Standard normal numbers of uniform ones, by Box and Muller. */
export function normals(uniform: () => number): () => number {
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}
