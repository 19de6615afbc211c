import * as v from 'valibot';
import type { Builder, Value } from '../builder';
import { type Argument, count } from './define';

/** An odd side of a kernel, at most `max`. */
export const oddSide = (max: number) =>
  v.pipe(
    count(max),
    v.check((k) => k % 2 === 1),
  );

/** Odd sides of kernels, as many as the fallback has. */
export const oddSides = (fallback: number[], expects: string): Argument<number[]> => ({
  schema: v.pipe(v.array(oddSide(127)), v.length(fallback.length)),
  expects,
  fallback,
});

/** A branch's name and its kernel. */
export type Branch = readonly [name: string, kernel: number | [number, number]];

/**
 * A large depthwise kernel as RepLKNet and SLaK train it, the sum of branches, each behind a batch norm; merged it is one
 * convolution of `side` with a bias.
 */
export function largeKernel(
  net: Builder,
  name: string,
  x: Value,
  { side, branches, isMerged }: { side: number; branches: readonly Branch[]; isMerged: boolean },
): Value {
  const groups = x.channels;
  if (isMerged) return net.conv(`${name}.lkb_reparam`, x, groups, side, { groups, bias: true });
  return branches
    .map(([part, kernel]) =>
      net.batchNorm(`${name}.${part}.bn`, net.conv(`${name}.${part}.conv`, x, groups, kernel, { groups })),
    )
    .reduce((a, b) => net.add(a, b));
}
