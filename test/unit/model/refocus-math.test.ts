import { describe, expect, it } from 'vitest';
import { expandMap } from '../../../src/model/expand-map';
import {
  gramOf,
  mapGradientNormSquared,
  mapShape,
  type RefocusGeometry,
  refocus,
  timesGram,
} from '../../../src/model/refocus-math';
import { chooseRefocusPath } from '../../../src/ops/refocus/dense';

const GEOMETRIES: Record<string, RefocusGeometry> = {
  'depthwise 24 5x5, k 3': { basis: [24, 1, 5, 5], groups: 24, mapKernel: 3 },
  'depthwise 7 3x3, k 1': { basis: [7, 1, 3, 3], groups: 7, mapKernel: 1 },
  'depthwise 5 5x21, k 5': { basis: [5, 1, 5, 21], groups: 5, mapKernel: 5 },
  'depthwise with multiplier 2': { basis: [12, 1, 3, 3], groups: 6, mapKernel: 3 },
  'group-wise 8 to 16 in 4': { basis: [16, 2, 3, 3], groups: 4, mapKernel: 3 },
  'dense 3 to 4': { basis: [4, 3, 3, 3], groups: 1, mapKernel: 3 },
};

/** Numbers in [-1, 1). */
function numbers(count: number, seed: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const worst = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((w, v, i) => Math.max(w, Math.abs(v - b[i])), 0);

/** torch.optim.SGD on one tensor, in place. */
class Sgd {
  private momentum?: Float64Array;
  constructor(
    private readonly p: Float64Array,
    private readonly o: { lr: number; nesterov: boolean; decay: number },
  ) {}

  step(gradient: ArrayLike<number>): void {
    const { lr, nesterov, decay } = this.o;
    this.momentum ??= new Float64Array(this.p.length);
    for (let i = 0; i < this.p.length; i++) {
      const g = gradient[i] + decay * this.p[i];
      this.momentum[i] = 0.9 * this.momentum[i] + g;
      this.p[i] -= lr * (nesterov ? g + 0.9 * this.momentum[i] : this.momentum[i]);
    }
  }
}

/** The gradient of a loss that is no quadratic, so that each step's gradient depends on the weights before it. */
const gradientAt = (w: Float64Array, target: Float64Array) =>
  w.map((v, i) => v - target[i] + 0.3 * Math.sin(3 * v));

describe.each(Object.entries(GEOMETRIES))('%s', (_, geometry) => {
  const basis = numbers(product(geometry.basis), 1);
  const shape = mapShape(geometry);
  const map = numbers(product(shape), 2).map((v) => v / Math.sqrt(product(shape.slice(1))));
  const gram = gramOf(basis, geometry);

  it('refocuses as the formula says, written out plane by plane', () => {
    const [o, i, kh, kw] = geometry.basis;
    const [n, p, k] = shape;
    expect(n).toBe(o * i);
    const expected = Float64Array.from(basis);
    for (let plane = 0; plane < n; plane++)
      for (let m = 0; m < p; m++)
        for (let u = 0; u < k; u++)
          for (let v = 0; v < k; v++)
            for (let a = 0; a < kh; a++)
              for (let b = 0; b < kw; b++) {
                const [row, column] = [a + u - (k >> 1), b + v - (k >> 1)];
                if (row < 0 || row >= kh || column < 0 || column >= kw) continue;
                const from = Math.floor(plane / p) * p + m;
                expected[(plane * kh + a) * kw + b] +=
                  basis[(from * kh + row) * kw + column] * map[((plane * p + m) * k + u) * k + v];
              }
    expect(worst(refocus(basis, map, geometry), expected)).toBeLessThan(1e-13);
  });

  it('has Gram = B^T B: W_r = M B^T applied to the basis is M Gram', () => {
    const m = numbers(basis.length, 3);
    const applied = refocus(basis, expandMap(m, basis, geometry), geometry, false);
    expect(worst(applied, timesGram(m, gram, geometry))).toBeLessThan(1e-11);
  });

  it('knows the norm of the map’s gradient without forming it', () => {
    const dw = numbers(basis.length, 4);
    const formed = expandMap(dw, basis, geometry).reduce((sum, v) => sum + v * v, 0);
    expect(mapGradientNormSquared(dw, gram, geometry) / formed).toBeCloseTo(1, 12);
  });

  it.each([
    { nesterov: false, zero: true, identity: true },
    { nesterov: true, zero: false, identity: true },
    { nesterov: false, zero: false, identity: false },
  ])('trains alike in both forms for 60 steps: %o', ({ nesterov, zero, identity }) => {
    const options = { lr: 0.02 / product(shape.slice(1)), nesterov, decay: 1e-3 };
    const target = numbers(basis.length, 5);
    const start = zero ? new Float64Array(map.length) : map;
    const wr = Float64Array.from(start);
    const dense = new Sgd(wr, options);
    const startTerm = refocus(basis, start, geometry, false);
    const m = new Float64Array(basis.length);
    const a = new Float64Array([1]);
    const factored = [new Sgd(m, options), new Sgd(a, options)];
    const factoredWeight = () =>
      timesGram(m, gram, geometry).map((v, i) => v + a[0] * startTerm[i] + (identity ? basis[i] : 0));
    for (let step = 0; step < 60; step++) {
      const wt = refocus(basis, wr, geometry, identity);
      const wf = factoredWeight();
      expect(worst(wf, wt)).toBeLessThan(1e-12);
      dense.step(expandMap(gradientAt(wt, target), basis, geometry));
      factored[0].step(gradientAt(wf, target));
      factored[1].step([0]);
    }
    expect(worst(wr, start)).toBeGreaterThan(1e-3);
    expect(worst(expandMap(m, basis, geometry, start, a[0]), wr)).toBeLessThan(1e-12);
  });
});

describe('chooseRefocusPath', () => {
  it('factors what is smaller so', () => {
    expect(chooseRefocusPath(9, 96, 3)).toBe('factored');
    expect(chooseRefocusPath(25, 960, 3)).toBe('factored');
    expect(chooseRefocusPath(961, 384, 3)).toBe('factored');
  });
  it('keeps a map where the Gram matrix would be larger', () => {
    expect(chooseRefocusPath(9, 1, 3)).toBe('dense');
    expect(chooseRefocusPath(9, 2, 3)).toBe('dense');
    expect(chooseRefocusPath(961, 32, 3)).toBe('dense');
  });
});
