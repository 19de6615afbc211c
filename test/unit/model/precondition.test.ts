import { describe, expect, test } from 'vitest';
import { symmetricEigen } from '../../../src/analysis/eigen';
import { floats } from '../../../src/io/tensor';
import { buildModel } from '../../../src/model/builder';
import { currentKernel } from '../../../src/model/current-kernels';
import { initialState } from '../../../src/model/init';
import { unpack, weightLayout } from '../../../src/model/layout';
import { mergeState } from '../../../src/model/merge';
import { type ConvLayer, convolutions, PRECONDITIONERS, type Precondition } from '../../../src/model/model';
import {
  matrixCount,
  PRECONDITION,
  type PreconditionedLayer,
  preconditionedLayers,
  preconditionerOf,
  randomRotation,
  withPrecondition,
} from '../../../src/model/precondition';
import { normals, uniforms } from '../../../src/model/random';
import { readState } from '../../../src/model/read-state';
import { gramOf, mapShape, type RefocusGeometry, refocus, timesGram } from '../../../src/model/refocus-math';
import { loadState } from '../../../src/model/state';

const plain = buildModel({ name: 'small', classes: 5 }, (net, x) => {
  let y = net.conv('dense', x, 4, 3);
  y = net.conv('depthwise', y, 4, 5, { groups: 4 });
  y = net.conv('grouped', y, 6, 3, { groups: 2 });
  return net.head('fc', net.globalAvgPool(y));
});
const state = initialState(plain, 3);
const numbers = (name: string) => state.get(`${name}.weight`)!.data as Float32Array;

const layerOf = (name: string, matrix: Precondition['matrix'], seed = 1): PreconditionedLayer => {
  const conv = convolutions(plain).find((one) => one.name === name)!;
  return { ...conv, precondition: { matrix, mapKernel: 3, seed } };
};
const geometryOf = ({ shape, groups }: ConvLayer): RefocusGeometry => ({
  basis: shape,
  groups,
  mapKernel: 3,
});
const NAMES = ['dense', 'depthwise', 'grouped'];

/** Each plane's matrix, T x T. */
function matricesOf(layer: PreconditionedLayer): Float64Array[] {
  const [o, i, kh, kw] = layer.shape;
  const all = preconditionerOf(layer, numbers(layer.name));
  const size = (kh * kw) ** 2;
  expect(all.length).toBe(matrixCount(layer) * size);
  const run = (o * i) / matrixCount(layer);
  return Array.from({ length: o * i }, (_, n) => {
    const at = Math.floor(n / run) * size;
    return all.slice(at, at + size);
  });
}

const traceOf = (m: Float64Array) => {
  const n = Math.sqrt(m.length);
  return m.reduce((sum, v, at) => (at % (n + 1) === 0 ? sum + v : sum), 0);
};
const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (v, i) => Math.abs(v - b[i])));

describe('the matrices', () => {
  test.each(NAMES.flatMap((name) => PRECONDITIONERS.map((matrix) => [matrix, name] as const)))(
    '%s of %s: symmetric, no negative eigenvalue, of the trace of the Gram matrices',
    (matrix, name) => {
      const all = matricesOf(layerOf(name, matrix));
      const gram = matricesOf(layerOf(name, 'gram'));
      const total = (of: Float64Array[]) => of.reduce((sum, m) => sum + traceOf(m), 0);
      expect(total(all) / total(gram)).toBeCloseTo(1, 9);
      const n = Math.sqrt(all[0].length);
      for (const m of all) {
        for (let a = 0; a < n; a++) for (let b = 0; b < a; b++) expect(m[a * n + b]).toBe(m[b * n + a]);
        const { values } = symmetricEigen(m, n);
        expect(Math.min(...values)).toBeGreaterThan(-1e-9 * Math.max(...values));
      }
    },
  );

  test.each(NAMES)(
    'random of %s has the spectrum of the Gram matrix, other eigenvectors, by its seed',
    (name) => {
      const [random] = matricesOf(layerOf(name, 'random'));
      const [gram] = matricesOf(layerOf(name, 'gram'));
      const n = Math.sqrt(gram.length);
      const [a, b] = [symmetricEigen(random, n), symmetricEigen(gram, n)];
      expect(largestDifference(a.values, b.values)).toBeLessThan(1e-9 * b.values[0]);
      expect(largestDifference(random, gram)).toBeGreaterThan(0.05 * b.values[0]);
      expect(matricesOf(layerOf(name, 'random'))[0]).toEqual(random);
      expect(matricesOf(layerOf(name, 'random', 2))[0]).not.toEqual(random);
    },
  );

  test('those of each kernel alone have the Gram matrix of all as their mean', () => {
    const own = matricesOf(layerOf('depthwise', 'own'));
    const [gram] = matricesOf(layerOf('depthwise', 'gram'));
    expect(new Set(own).size).toBe(4);
    const mean = gram.map((_, at) => own.reduce((sum, m) => sum + m[at], 0) / own.length);
    expect(largestDifference(mean, gram)).toBeLessThan(1e-12);
  });

  test('a rotation is orthogonal', () => {
    const n = 25;
    const r = randomRotation(n, normals(uniforms(5, 'r')));
    for (let a = 0; a < n; a++)
      for (let b = 0; b < n; b++) {
        let dot = 0;
        for (let k = 0; k < n; k++) dot += r[a * n + k] * r[b * n + k];
        expect(dot).toBeCloseTo(a === b ? 1 : 0, 12);
      }
  });
});

/**
 * In float64, on a loss of W alone (half the squared distance of A W from a goal, plane by plane with one A for all): dense
 * refocusing by SGD on the map itself, and fine-tuning of W = W_b + D with the gradient times the Gram matrix.
 */
test.each([
  ['depthwise', { basis: [24, 1, 5, 5], groups: 24, mapKernel: 3 }],
  ['group-wise', { basis: [8, 3, 3, 3], groups: 4, mapKernel: 3 }],
] as [string, RefocusGeometry][])(
  'over 200 steps of momentum and decay, Gram-preconditioned fine-tuning is refocusing: %s',
  (_, geometry) => {
    const [o, i, kh, kw] = geometry.basis;
    const taps = kh * kw;
    const random = normals(uniforms(9, 'course'));
    const draw = (count: number, scale: number) =>
      Float64Array.from({ length: count }, () => scale * random());
    const basis = draw(o * i * taps, 0.3);
    const goal = draw(o * i * taps, 0.3);
    const metric = draw(taps * taps, 0.5 / Math.sqrt(taps));
    /** A^T A (W - goal) of each plane */
    const gradient = (w: Float64Array) => {
      const out = new Float64Array(w.length);
      for (let n = 0; n < o * i; n++) {
        const y = new Float64Array(taps);
        for (let r = 0; r < taps; r++)
          for (let t = 0; t < taps; t++)
            y[r] += metric[r * taps + t] * (w[n * taps + t] - goal[n * taps + t]);
        for (let r = 0; r < taps; r++)
          for (let t = 0; t < taps; t++) out[n * taps + t] += metric[r * taps + t] * y[r];
      }
      return out;
    };
    const [lr, momentum, decay] = [2e-3, 0.9, 1e-2];
    const sgd = (parameter: Float64Array) => {
      const buffer = new Float64Array(parameter.length);
      return (g: ArrayLike<number>) => {
        for (let k = 0; k < parameter.length; k++) {
          buffer[k] = momentum * buffer[k] + g[k] + decay * parameter[k];
          parameter[k] -= lr * buffer[k];
        }
      };
    };
    const map = new Float64Array(mapShape(geometry).reduce((a, b) => a * b, 1));
    const change = new Float64Array(basis.length);
    const [moveMap, moveChange] = [sgd(map), sgd(change)];
    const gram = gramOf(basis, geometry);
    const weights = (): [Float64Array, Float64Array] => [
      refocus(basis, map, geometry),
      basis.map((v, k) => v + change[k]),
    ];
    for (let step = 0; step < 200; step++) {
      const [refocused, tuned] = weights();
      moveMap(mapGradient(gradient(refocused), basis, geometry));
      moveChange(timesGram(gradient(tuned), gram, geometry));
    }
    const [refocused, tuned] = weights();
    expect(largestDifference(refocused, basis)).toBeGreaterThan(0.1);
    expect(largestDifference(refocused, tuned)).toBeLessThan(1e-12);
  },
);

/** dW_r = dW_t Bᵀ by the definition: the derivative of each number of W_t by each of the map, one at a time. */
function mapGradient(dw: Float64Array, basis: Float64Array, geometry: RefocusGeometry): Float64Array {
  const [planes, perGroup, k] = mapShape(geometry);
  const [, , kh, kw] = geometry.basis;
  const out = new Float64Array(planes * perGroup * k * k);
  for (let n = 0; n < planes; n++)
    for (let q = 0; q < perGroup; q++)
      for (let u = 0; u < k; u++)
        for (let v = 0; v < k; v++) {
          let sum = 0;
          for (let a = 0; a < kh; a++)
            for (let b = 0; b < kw; b++) {
              const [row, column] = [a + u - (k >> 1), b + v - (k >> 1)];
              if (row < 0 || column < 0 || row >= kh || column >= kw) continue;
              const from = n - (n % perGroup) + q;
              sum += dw[(n * kh + a) * kw + b] * basis[(from * kh + row) * kw + column];
            }
          out[((n * perGroup + q) * k + u) * k + v] = sum;
        }
  return out;
}

describe('a model with preconditioners', () => {
  const options = { layers: 'spatial', matrix: 'gram', mapKernel: 3, seed: 0 } as const;
  const model = withPrecondition(plain, options);
  const changes = new Map(
    NAMES.map((name) => {
      const { shape } = state.get(`${name}.weight`)!;
      return [
        name,
        floats(
          shape,
          numbers(name).map((v, i) => Math.fround(0.1 * v + (i % 3) / 8)),
        ),
      ] as const;
    }),
  );
  const trained = new Map(state);
  for (const [name, change] of changes) trained.set(PRECONDITION.change(name), change);

  test('has a frozen kernel and a change of it that trains, which a file need not have', async () => {
    expect(preconditionedLayers(model).map(({ name }) => name)).toEqual(NAMES);
    const entry = (name: string) => model.state.find((one) => one.name === name)!;
    for (const name of NAMES) {
      expect(entry(`${name}.weight`).role).toBe('constant');
      expect(entry(PRECONDITION.change(name))).toMatchObject({ role: 'parameter', init: 'map' });
    }
    const written = new Map<string, Float32Array<ArrayBuffer>>();
    const session = {
      write: (key: string, data: Float32Array<ArrayBuffer>) => void written.set(key, data),
      tensor: (key: string) => written.get(key)!,
    };
    loadState(session, model, state);
    expect(written.get(`parameter:${PRECONDITION.change('dense')}`)!.every((v) => v === 0)).toBe(true);
    // in rows of a multiple of four
    const matrix = written.get(`constant:${PRECONDITION.matrix('depthwise')}`)!;
    const expected = gramOf(numbers('depthwise'), geometryOf(layerOf('depthwise', 'gram')));
    expect(matrix.length).toBe(25 * 28);
    expect(matrix[28 + 2]).toBe(Math.fround(expected[25 + 2]));
    loadState(session, model, trained);
    expect((await readState(session, model, state)).get(PRECONDITION.change('grouped'))).toEqual(
      changes.get('grouped'),
    );
  });

  test('merges to the sum, with the keys and shapes of the plain network', async () => {
    const merged = await mergeState(model, trained);
    expect([...merged.keys()].sort()).toEqual([...state.keys()].sort());
    for (const [name, { data }] of changes) {
      const { shape, data: sum } = merged.get(`${name}.weight`)!;
      expect(shape).toEqual(state.get(`${name}.weight`)!.shape);
      const from = numbers(name);
      expect(sum).toEqual(Float32Array.from(data as Float32Array, (v, i) => v + from[i]));
    }
    // without a change, as before a run's first step
    expect(await mergeState(model, state)).toEqual(state);
  });

  test('tells the kernel of now', () => {
    const conv = convolutions(model).find(({ name }) => name === 'grouped')!;
    const now = currentKernel(model, conv, state);
    expect(now.tensors).toEqual([`parameter:${PRECONDITION.change('grouped')}`]);
    const session = new Map<string, Float32Array<ArrayBuffer>>();
    loadState({ write: (key, data) => void session.set(key, data) }, model, trained);
    const kernel = now.of({ tensor: (key) => session.get(key)! });
    const layout = weightLayout(conv.shape, conv.groups);
    const change = unpack(session.get(now.tensors[0])!, layout);
    expect(
      largestDifference(
        kernel,
        numbers('grouped').map((v, i) => v + change[i]),
      ),
    ).toBeLessThan(1e-6);
  });
});
