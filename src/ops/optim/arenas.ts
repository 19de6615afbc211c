import type { Graph } from '../../graph/graph';
import { ALIGNMENT, ARENA_PART, type Arena } from '../../graph/memory';
import { bytesOf, type Tensor } from '../../graph/tensor';

/** The graph's parameters or state in numbers of their arena, cut into the parts that one binding can hold. */
export function arenaParts(g: Graph, role: 'parameter' | 'state'): number[] {
  let bytes = 0;
  for (const t of g.tensors) if (t.role === role) bytes += Math.ceil(bytesOf(t) / ALIGNMENT) * ALIGNMENT;
  const count = Math.max(1, Math.ceil(bytes / ARENA_PART));
  return Array.from({ length: count }, (_, i) => Math.min(ARENA_PART, bytes - i * ARENA_PART) / 4);
}

/** A part of an arena, `size` numbers, as one tensor. */
export const arenaTensor = (g: Graph, arena: Arena, part: number, size: number): Tensor =>
  g.find('arena', arena, part) ?? g.tensor(arena, [size], { role: 'arena', part });
