/**
 * A seeded stream of random numbers: 32-bit integer arithmetic only, so the same on every machine.
 * State update: a Weyl sequence; output: the mixing steps of MurmurHash3's finaliser, twice keyed.
 */
export class Random {
  private state: number;
  private readonly key: number;

  /** @param keys integers that name the stream, for example (seed, split, image) */
  constructor(...keys: number[]) {
    let hash = 0x243f6a88;
    for (const key of keys) hash = mix((hash ^ (key | 0)) + 0x9e3779b9);
    this.key = mix(hash ^ 0x85a308d3);
    this.state = hash;
  }

  /** A uniform unsigned 32-bit integer. */
  uint32(): number {
    this.state = (this.state + 0x9e3779b9) | 0;
    return mix(mix(this.state) ^ this.key) >>> 0;
  }

  /** A uniform number in [low, high). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.uint32() / 4294967296);
  }

  /** A uniform integer in [0, count); the bias of at most count / 2^32 does not matter here. */
  index(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** A uniform direction (unit vector), by rejection: no sine or cosine, whose last bit differs by platform. */
  direction(): [number, number] {
    for (;;) {
      const x = this.uniform(-1, 1);
      const y = this.uniform(-1, 1);
      const square = x * x + y * y;
      if (square > 1 || square < 0.01) continue;
      const length = Math.sqrt(square);
      return [x / length, y / length];
    }
  }

  /** Shuffles in place (Fisher-Yates). */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.index(i + 1);
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }
}

function mix(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
