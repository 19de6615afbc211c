import type { ArenaLayout, BufferRange } from './ir';
import { bytesOf, type Role, type Tensor } from './tensor';

/** Offsets of bindings are multiples of this (WebGPU's default minStorageBufferOffsetAlignment). */
export const ALIGNMENT = 256;
/**
 * An arena is bound in parts of this many bytes: the largest binding that every WebGPU device allows
 * (maxStorageBufferBindingSize), so that a plan does not depend on the device.
 */
export const ARENA_PART = 2 ** 27;
/**
 * Buffers that hold many tensors, each bound apart: of four roles, what an optimiser remembers of the gradients, their sums over
 * micro-batches, and averages over the steps.
 */
export const ARENAS = [
  'parameters',
  'gradients',
  'state',
  'constants',
  'momentum',
  'second moment',
  'gradient sums',
  'average parameters',
  'average state',
] as const;
export type Arena = (typeof ARENAS)[number];

const align = (n: number) => Math.ceil(n / ALIGNMENT) * ALIGNMENT;

export interface Usage {
  reads: Tensor[];
  writes: Tensor[];
}

export interface Placement {
  ranges: Map<Tensor, BufferRange>;
  buffers: Record<string, number>;
}

/**
 * Gives every tensor a range of a buffer. Persistent tensors go to the arenas of their role (inputs and outputs to
 * buffers of their own); activations share slots, one buffer each, so that a dispatch never reads and writes one
 * buffer. Slots are filled greedily by size with tensors whose lifetimes do not meet (arXiv 2001.03288, section 5.2).
 */
export function placeTensors(steps: Usage[], layout: ArenaLayout): Placement {
  const ranges = new Map<Tensor, BufferRange>();
  const buffers: Record<string, number> = {};
  const lives = new Map<Tensor, { first: number; last: number }>();
  const arenas = new Set<Tensor>();
  steps.forEach(({ reads, writes }, i) => {
    for (const t of [...reads, ...writes]) {
      if (t.role === 'arena') arenas.add(t);
      else if (t.role !== 'activation') {
        if (!ranges.has(t)) ranges.set(t, placePersistent(t, layout));
      } else {
        const life = lives.get(t);
        if (life) life.last = i;
        else lives.set(t, { first: i, last: i });
      }
    }
  });
  for (const r of Object.values(layout))
    buffers[r.buffer] = Math.max(buffers[r.buffer] ?? 0, r.offset + align(r.bytes));
  // an optimiser's state and an average have the layout of what they are of, whatever of it the plan binds
  for (const t of arenas) {
    const like = t.name.endsWith('state') ? 'state' : 'parameters';
    buffers[t.name] = Math.max(buffers[t.name] ?? 0, buffers[like]);
  }
  for (const t of arenas) ranges.set(t, arenaPart(t, buffers[t.name]));
  const used = new Set([...ranges.values()].map((r) => r.buffer));
  for (const name of Object.keys(buffers)) if (!used.has(name)) delete buffers[name];
  placeActivations(lives, ranges, buffers);
  return { ranges, buffers };
}

function arenaPart({ name, part = 0 }: Tensor, bytes: number): BufferRange {
  const offset = part * ARENA_PART;
  return { buffer: name, offset, bytes: Math.min(ARENA_PART, bytes - offset) };
}

/** The arena of each role that has one. */
const ARENA_OF = {
  parameter: 'parameters',
  gradient: 'gradients',
  state: 'state',
  constant: 'constants',
} as const satisfies Partial<Record<Role, Arena>>;

/** Finds or extends the layout's place for a persistent tensor. Gradients mirror their parameter's offset. */
export function placePersistent(t: Tensor, layout: ArenaLayout): BufferRange {
  const key = `${t.role}:${t.name}`;
  const known = layout[key];
  if (known) return known;
  const bytes = bytesOf(t);
  if (t.role === 'gradient') {
    const parameter = placePersistent({ ...t, role: 'parameter' }, layout);
    layout[key] = { buffer: ARENA_OF.gradient, offset: parameter.offset, bytes };
    return layout[key];
  }
  const buffer = (ARENA_OF as Partial<Record<Role, Arena>>)[t.role] ?? `${t.role} ${t.name}`;
  let offset = 0;
  for (const r of Object.values(layout))
    if (r.buffer === buffer) offset = Math.max(offset, r.offset + align(r.bytes));
  layout[key] = { buffer, offset, bytes };
  return layout[key];
}

function placeActivations(
  lives: Map<Tensor, { first: number; last: number }>,
  ranges: Map<Tensor, BufferRange>,
  buffers: Record<string, number>,
): void {
  const slots: { bytes: number; lives: { first: number; last: number }[] }[] = [];
  const bySize = [...lives].sort(([a], [b]) => bytesOf(b) - bytesOf(a) || a.id - b.id);
  for (const [t, life] of bySize) {
    const free = (s: (typeof slots)[number]) =>
      s.lives.every((l) => l.last < life.first || l.first > life.last);
    let slot = slots.findIndex(free);
    if (slot < 0) slot = slots.push({ bytes: align(bytesOf(t)), lives: [] }) - 1;
    slots[slot].lives.push(life);
    ranges.set(t, { buffer: `slot ${slot}`, offset: 0, bytes: bytesOf(t) });
  }
  slots.forEach((s, i) => {
    buffers[`slot ${i}`] = s.bytes;
  });
}
