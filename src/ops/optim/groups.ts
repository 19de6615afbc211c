import type { BufferRange, GraphBuilder } from '../../graph/ir';
import { ALIGNMENT, ARENA_PART } from '../../graph/memory';
import type { Tensor } from '../../graph/tensor';

/** What a parameter's learning rate and weight decay are multiplied by: torch.optim has a param group for each such pair. */
export interface GroupFactors {
  lr: number;
  decay: number;
}

const nameOf = (part: number): string => `parameter groups ${part}`;

/**
 * The factors of a part of the arena of parameters, `size` numbers: a constant `[size / 64, 2]`, a pair for each 256 bytes, at
 * multiples of which parameters begin. So an update of the whole arena is one dispatch, however many groups there are.
 */
export function groupsTensor(g: GraphBuilder, part: number, size: number): Tensor {
  const shape = [size / (ALIGNMENT / 4), 2];
  return g.tensor(nameOf(part), shape, { role: 'constant', padded: shape });
}

/** The contents of these constants by `role:name`, for parameters that lie in those ranges of their arena. */
export function groupTables(
  parameters: ReadonlyMap<string, BufferRange>,
  factorsOf: (name: string) => GroupFactors,
): Map<string, Float32Array<ArrayBuffer>> {
  const end = Math.max(...[...parameters.values()].map(({ offset, bytes }) => offset + bytes));
  const blocks = new Float32Array(2 * Math.ceil(end / ALIGNMENT));
  for (const [name, { offset, bytes }] of parameters) {
    const { lr, decay } = factorsOf(name);
    for (let block = offset / ALIGNMENT; block * ALIGNMENT < offset + bytes; block++)
      blocks.set([lr, decay], 2 * block);
  }
  const partSize = (2 * ARENA_PART) / ALIGNMENT;
  return new Map(
    Array.from({ length: Math.ceil(blocks.length / partSize) }, (_, part) => [
      `constant:${nameOf(part)}`,
      blocks.slice(part * partSize, (part + 1) * partSize),
    ]),
  );
}
