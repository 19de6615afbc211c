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
 * buffers of their own); activations share slots, one buffer each. Greedily by size, each goes to the smallest range of a slot
 * that is free while it lives (arXiv 2001.03288, section 5), in a slot of which no dispatch that reads it writes another part.
 */
export function placeTensors(steps: Usage[], layout: ArenaLayout): Placement {
  const ranges = new Map<Tensor, BufferRange>();
  const buffers: Record<string, number> = {};
  const lives = new Map<Tensor, Life>();
  const arenas = new Set<Tensor>();
  steps.forEach(({ reads, writes }, i) => {
    for (const t of [...reads, ...writes]) {
      if (t.role === 'arena') arenas.add(t);
      else if (t.role !== 'activation') {
        if (!ranges.has(t)) ranges.set(t, placePersistent(t, layout));
      } else {
        const life = lives.get(t);
        if (life) life.last = i;
        else lives.set(t, { first: i, last: i, reads: [], writes: [] });
      }
    }
    for (const t of reads) lives.get(t)?.reads.push(i);
    for (const t of writes) lives.get(t)?.writes.push(i);
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

/** When an activation is read and written: the steps, in order. */
interface Life {
  first: number;
  last: number;
  reads: number[];
  writes: number[];
}

interface Resident extends Life {
  offset: number;
  end: number;
}

interface Slot {
  bytes: number;
  /** in order of their offsets */
  residents: Resident[];
}

type Place = Pick<BufferRange, 'offset'> & { slot: number };

/** Slots to be, and where each activation lies in them. */
interface Packing {
  slots: Slot[];
  places: Map<Tensor, Place>;
}

function placeActivations(
  lives: Map<Tensor, Life>,
  ranges: Map<Tensor, BufferRange>,
  buffers: Record<string, number>,
): void {
  const bySize = [...lives].sort(([a], [b]) => bytesOf(b) - bytesOf(a) || a.id - b.id);
  const total = ({ slots }: Packing) => slots.reduce((sum, { bytes }) => sum + bytes, 0);
  const ofRanges = pack(bySize, rangeOf);
  // a slot of parts is closed to more steps: now and then whole slots are better
  const isTight = total(ofRanges) <= 1.01 * mostAlive(lives);
  const ofWholes = isTight ? undefined : pack(bySize, wholeOf);
  const { slots, places } = ofWholes && total(ofWholes) < total(ofRanges) ? ofWholes : ofRanges;
  for (const [t, { slot, offset }] of places)
    ranges.set(t, { buffer: `slot ${slot}`, offset, bytes: bytesOf(t) });
  slots.forEach((s, i) => {
    buffers[`slot ${i}`] = s.bytes;
  });
}

/** Bytes that live at once, at most. */
function mostAlive(lives: ReadonlyMap<Tensor, Life>): number {
  const changes: number[] = [];
  for (const [t, { first, last }] of lives) {
    changes[first] = (changes[first] ?? 0) + align(bytesOf(t));
    changes[last + 1] = (changes[last + 1] ?? 0) - align(bytesOf(t));
  }
  let [alive, most] = [0, 0];
  for (const change of changes) {
    alive += change ?? 0;
    most = Math.max(most, alive);
  }
  return most;
}

/** A free range of a slot, which is at least as large as asked. */
type Gap = { offset: number; bytes: number } | undefined;

/** Puts each tensor where the gap is smallest, or makes a slot of its size. */
function pack(bySize: [Tensor, Life][], gapOf: (slot: Slot, life: Life, bytes: number) => Gap): Packing {
  const slots: Slot[] = [];
  const places = new Map<Tensor, Place>();
  for (const [t, life] of bySize) {
    const bytes = align(bytesOf(t));
    let best = { slot: slots.length, offset: 0, bytes: Number.POSITIVE_INFINITY };
    for (let i = 0; i < slots.length && best.bytes > bytes; i++) {
      const gap = gapOf(slots[i], life, bytes);
      if (gap && gap.bytes < best.bytes) best = { slot: i, ...gap };
    }
    const { slot, offset } = best;
    slots[slot] ??= { bytes, residents: [] };
    insert(slots[slot].residents, { ...life, offset, end: offset + bytes });
    places.set(t, { slot, offset });
  }
  return { slots, places };
}

const isBeside = (a: Life, b: Life): boolean => a.last >= b.first && a.first <= b.last;

/** The whole of a slot, where it is free for so long: as good as of the size asked, so that the first is taken. */
const wholeOf = ({ residents }: Slot, life: Life, bytes: number): Gap =>
  residents.some((other) => isBeside(other, life)) ? undefined : { offset: 0, bytes };

/** The smallest range of a slot that is free for so long and large enough. */
function rangeOf({ bytes: end, residents }: Slot, life: Life, bytes: number): Gap {
  let gap: Gap;
  let offset = 0;
  const take = (until: number) => {
    const free = until - offset;
    if (free >= bytes && (!gap || free < gap.bytes)) gap = { offset, bytes: free };
  };
  for (const other of residents) {
    if (!isBeside(other, life)) continue;
    // WebGPU lets no dispatch read one part of a buffer and write another
    if (meet(life.writes, other.reads) || meet(life.reads, other.writes)) return undefined;
    take(other.offset);
    offset = Math.max(offset, other.end);
  }
  take(end);
  return gap;
}

const meet = (a: readonly number[], b: readonly number[]): boolean => a.some((step) => b.includes(step));

function insert(residents: Resident[], resident: Resident): void {
  const at = residents.findIndex(({ offset }) => offset > resident.offset);
  residents.splice(at < 0 ? residents.length : at, 0, resident);
}
