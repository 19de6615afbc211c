/** Which parts of a forward pass to keep for the backward pass, and which to compute again. */
import type { Dispatch, Phase } from '../graph/ir';
import { ALIGNMENT } from '../graph/memory';
import { bytesOf, present, type Tensor } from '../graph/tensor';

/** Floating-point operations that take as long as moving a byte: between a large GPU's 20 and a software adapter's 3. */
const FLOPS_PER_BYTE = 10;

/** Lengths of segments that are tried, as shares of all that is kept. */
const SEGMENTS = Array.from({ length: 16 }, (_, i) => 0.75 ** i);

interface Item {
  phase: Phase;
  dispatch: Dispatch;
}

/**
 * The lifetimes of a step's activations, by which parts of its forward pass are kept. A set of dispatches to be dropped is a
 * flag for each: dropped ones run again where the backward pass wants what they wrote.
 */
export class Checkpoints {
  /** activations that each dispatch reads and writes, by number */
  private readonly reads: number[][];
  private readonly writes: number[][];
  private readonly bytes: number[] = [];
  /** the dispatches that write each activation, in order */
  private readonly writers: number[][] = [];
  /** dispatches of the forward pass */
  private readonly forward: number;
  /** what it takes to run each dispatch of the forward pass again, in bytes moved */
  private readonly cost: number[];
  /** dispatches that are dropped together, since they write one tensor; without those that must not run twice */
  private readonly groups: number[][];
  /** what `order` and `peak` write, made once */
  private readonly turns: Int32Array;
  private readonly isDone: Uint8Array;
  private readonly first: Int32Array;
  private readonly last: Int32Array;
  private readonly change: Float64Array;

  constructor(items: readonly Item[]) {
    const numbers = new Map<Tensor, number>();
    const numberOf = (t: Tensor): number => {
      const number = numbers.get(t) ?? numbers.size;
      numbers.set(t, number);
      this.writers[number] ??= [];
      this.bytes[number] = Math.ceil(bytesOf(t) / ALIGNMENT) * ALIGNMENT;
      return number;
    };
    const activations = (tensors: Tensor[]) =>
      tensors.filter(({ role }) => role === 'activation').map(numberOf);
    this.reads = items.map(({ dispatch }) => activations(present(dispatch.reads)));
    this.writes = items.map(({ dispatch }) => activations(present(dispatch.writes)));
    this.writes.forEach((written, i) => {
      for (const t of written) this.writers[t].push(i);
    });
    const end = items.findIndex(({ phase }) => phase !== 'forward');
    this.forward = end < 0 ? items.length : end;
    this.cost = items.slice(0, this.forward).map(({ dispatch }) => costOf(dispatch));
    this.groups = this.groupsOf(items);
    this.turns = new Int32Array(items.length + this.forward);
    this.isDone = new Uint8Array(this.forward);
    this.first = new Int32Array(2 * this.bytes.length);
    this.last = new Int32Array(2 * this.bytes.length);
    this.change = new Float64Array(this.turns.length + 1);
  }

  /** The dispatches to drop so that what lives at once stays within so many bytes, and least is computed again; undefined where none do. */
  cheapest(most: number): Uint8Array | undefined {
    let best: { dropped: Uint8Array; cost: number } | undefined;
    for (const dropped of this.segmentations()) {
      if (this.peak(dropped) > most) continue;
      this.keepAgain(dropped, most);
      const cost = this.costOf(dropped);
      if (!best || cost < best.cost) best = { dropped, cost };
    }
    return best?.dropped;
  }

  /** The dispatches to drop for the least memory. */
  smallest(): Uint8Array {
    const ways = this.segmentations().map((dropped) => ({ dropped, peak: this.peak(dropped) }));
    const best = ways.reduce((a, b) => (b.peak < a.peak ? b : a));
    this.keepAgain(best.dropped, best.peak);
    return best.dropped;
  }

  /** All dispatches in the order in which they run: numbers below zero, `~i`, are dispatch i for the second time. */
  order(dropped: Uint8Array): Int32Array {
    const { turns, isDone, forward } = this;
    let count = 0;
    const remake = (t: number, before: number) => {
      for (const writer of this.writers[t]) {
        if (writer >= before || writer >= forward) return;
        if (!dropped[writer] || isDone[writer]) continue;
        isDone[writer] = 1;
        for (const read of this.reads[writer]) remake(read, writer);
        turns[count++] = ~writer;
      }
    };
    isDone.fill(0);
    for (let i = 0; i < this.reads.length; i++) {
      if (i >= forward) for (const t of this.reads[i]) remake(t, i);
      turns[count++] = i;
    }
    return turns.subarray(0, count);
  }

  /** Bytes of activations that live at once, at most. */
  private peak(dropped: Uint8Array): number {
    const turns = this.order(dropped);
    const { bytes, first, last, change } = this;
    const count = bytes.length;
    first.fill(-1);
    // of each activation as it is written first, then as it is written again
    const use = (t: number, at: number) => {
      if (first[t] < 0) first[t] = at;
      last[t] = at;
    };
    for (let at = 0; at < turns.length; at++) {
      const turn = turns[at];
      const isRepeat = turn < 0;
      const index = isRepeat ? ~turn : turn;
      for (const t of this.writes[index]) use(isRepeat ? count + t : t, at);
      const isLate = isRepeat || index >= this.forward;
      for (const t of this.reads[index]) use(isLate && first[count + t] >= 0 ? count + t : t, at);
    }
    change.fill(0, 0, turns.length + 1);
    for (let t = 0; t < 2 * count; t++) {
      if (first[t] < 0) continue;
      change[first[t]] += bytes[t % count];
      change[last[t] + 1] -= bytes[t % count];
    }
    let [live, most] = [0, 0];
    for (let at = 0; at < turns.length; at++) {
      live += change[at];
      most = Math.max(most, live);
    }
    return most;
  }

  private costOf(dropped: Uint8Array): number {
    return this.order(dropped).reduce((sum, turn) => sum + (turn < 0 ? this.cost[~turn] : 0), 0);
  }

  /** Keeps what is dearest to compute again for its bytes, as far as memory goes; nothing stays dropped that nobody wants. */
  private keepAgain(dropped: Uint8Array, most: number): void {
    const weigh = (group: number[]) => {
      const cost = group.reduce((sum, i) => sum + this.cost[i], 0);
      const written = new Set(group.flatMap((i) => this.writes[i]));
      return cost / [...written].reduce((sum, t) => sum + this.bytes[t], 0);
    };
    const candidates = this.groups
      .filter(([i]) => dropped[i])
      .map((group) => ({ group, weight: weigh(group) }));
    candidates.sort((a, b) => b.weight - a.weight);
    const repeated = new Set(Array.from(this.order(dropped)).filter((turn) => turn < 0));
    for (const { group } of candidates) {
      for (const i of group) dropped[i] = 0;
      if (!group.some((i) => repeated.has(~i)) || this.peak(dropped) <= most) continue;
      for (const i of group) dropped[i] = 1;
    }
  }

  /** Ways to cut the forward pass into segments of about one size, between which alone tensors are kept. */
  private segmentations(): Uint8Array[] {
    const wanted = this.wantedBytes();
    const all = wanted.reduce((a, b) => a + b, 0);
    const crossing = this.crossingBytes();
    return SEGMENTS.map((share) => {
      const dropped = new Uint8Array(this.forward);
      for (const group of this.groups) for (const i of group) dropped[i] = 1;
      for (const cut of cuts(wanted, crossing, share * all)) this.keepAcross(dropped, cut);
      return dropped;
    });
  }

  /** Bytes that each dispatch of the forward pass writes and the backward pass reads. */
  private wantedBytes(): number[] {
    const wanted = new Set(this.reads.slice(this.forward).flat());
    return this.cost.map((_, i) =>
      this.writes[i].filter((t) => wanted.has(t)).reduce((sum, t) => sum + this.bytes[t], 0),
    );
  }

  /** The last dispatch of the forward pass that reads each activation. */
  private lastForwardReads(): number[] {
    const last: number[] = [];
    for (let i = 0; i < this.forward; i++) for (const t of this.reads[i]) last[t] = i;
    return last;
  }

  /** Bytes that are written before each dispatch of the forward pass and read by it or behind it. */
  private crossingBytes(): number[] {
    const change = new Float64Array(this.forward + 1);
    this.lastForwardReads().forEach((last, t) => {
      change[this.writers[t][0] + 1] += this.bytes[t];
      change[last + 1] -= this.bytes[t];
    });
    let live = 0;
    return Array.from(change.subarray(0, this.forward), (bytes) => {
      live += bytes;
      return live;
    });
  }

  /** Keeps what is written before a dispatch and read by it or behind it. */
  private keepAcross(dropped: Uint8Array, cut: number): void {
    const last = this.lastForwardReads();
    for (const group of this.groups) {
      const crosses = (t: number) => this.writers[t][0] < cut && last[t] >= cut;
      if (group.some((i) => this.writes[i].some(crosses))) for (const i of group) dropped[i] = 0;
    }
  }

  /** The dispatches of the forward pass that may run twice: they write activations alone, of what no other dispatch changes meanwhile. */
  private groupsOf(items: readonly Item[]): number[][] {
    const changed = new Set(
      items.filter(({ phase }) => phase !== 'update').flatMap(({ dispatch }) => present(dispatch.writes)),
    );
    const isPure = ({ dispatch }: Item) =>
      present(dispatch.writes).every(({ role }) => role === 'activation') &&
      present(dispatch.reads).every((t) => t.role === 'activation' || !changed.has(t));
    const groupOf = new Map<number, number>();
    const find = (i: number): number => {
      const parent = groupOf.get(i) ?? i;
      return parent === i ? i : find(parent);
    };
    for (const [first, ...others] of this.writers)
      for (const other of others) groupOf.set(find(other), find(first));
    const groups = new Map<number, number[]>();
    for (let i = 0; i < this.forward; i++) groups.set(find(i), [...(groups.get(find(i)) ?? []), i]);
    return [...groups.values()].filter((group) => group.every((i) => isPure(items[i])));
  }
}

const costOf = ({ bytes, flops, reads, writes }: Dispatch): number => {
  const bound = [...present(reads), ...present(writes)].reduce((sum, t) => sum + bytesOf(t), 0);
  return Math.max(bytes ?? bound, flops / FLOPS_PER_BYTE);
};

/** Where segments of so many wanted bytes begin: in the second half of each, where the least crosses. */
function cuts(wanted: readonly number[], crossing: readonly number[], size: number): number[] {
  const found: number[] = [];
  let [start, held, from] = [0, 0, 0];
  for (let i = 0; i < wanted.length; i++) {
    held += wanted[i];
    if (held < size / 2) from = i + 1;
    if (held < size) continue;
    let cut = Math.min(Math.max(from, start + 1), i);
    for (let at = cut; at <= i; at++) if (crossing[at] <= crossing[cut]) cut = at;
    if (cut <= start) continue;
    found.push(cut);
    held = wanted.slice(cut, i + 1).reduce((a, b) => a + b, 0);
    [start, from] = [cut, cut + 1];
  }
  return found;
}
