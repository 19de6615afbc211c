import { product } from '../../graph/tensor';

/** The shape that Reshape makes: 0 keeps an extent, -1 is what is left. */
export function resolveShape(
  from: readonly number[],
  wanted: readonly number[],
  allowZero: boolean,
): number[] {
  const shape = wanted.map((extent, d) => (extent === 0 && !allowZero ? from[d] : extent));
  const known = product(shape.filter((extent) => extent !== -1));
  return shape.map((extent) => (extent === -1 ? product(from) / known : extent));
}
