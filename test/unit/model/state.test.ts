import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { Graph } from '../../../src/graph/graph';
import { product } from '../../../src/graph/tensor';
import { floats, type StateDict } from '../../../src/io/tensor';
import { buildModel } from '../../../src/model/builder';
import { currentKernel } from '../../../src/model/current-kernels';
import { initialState } from '../../../src/model/init';
import { instantiate } from '../../../src/model/instantiate';
import { pack, weightLayout } from '../../../src/model/layout';
import { mergeState } from '../../../src/model/merge';
import { convolutions } from '../../../src/model/model';
import { readState } from '../../../src/model/read-state';
import { geometryOf, type RefConvOptions, refconvs, withRefConv } from '../../../src/model/refconv';
import { gramOf, refocus, timesGram } from '../../../src/model/refocus-math';
import { checkState, loadState } from '../../../src/model/state';

/** A dense, a depthwise and a group-wise convolution, channels that are no multiples of four. */
const plain = buildModel({ name: 'small', classes: 7 }, (net, x) => {
  let y = net.batchNorm('bn', net.conv('dense', x, 6, 3), 'relu');
  y = net.conv('depthwise', y, 6, 5, { groups: 6, bias: true });
  y = net.conv('grouped', y, 10, 3, { groups: 2 });
  return net.head('fc', net.globalAvgPool(y));
});

const refconv = (path: 'dense' | 'factored', o: Partial<RefConvOptions> = {}): RefConvOptions => ({
  layers: 'spatial',
  mapKernel: 3,
  identity: true,
  trainBasis: false,
  path,
  startsNonZero: true,
  ...o,
});

const modelOf = (options?: RefConvOptions) => (options ? withRefConv(plain, options) : plain);

/** What a session holds: persistent tensors by `role:name`. */
class Memory {
  readonly tensors = new Map<string, Float32Array<ArrayBuffer>>();
  write = (key: string, data: Float32Array<ArrayBuffer>) => void this.tensors.set(key, data);
  tensor = (key: string): Float32Array => this.tensors.get(key)!;
}

const numbers = (state: StateDict, name: string) => Array.from(state.get(name)!.data as ArrayLike<number>);

describe('loading and reading a state', () => {
  test.each([
    ['plain', undefined],
    ['dense maps', refconv('dense')],
    ['factored maps', refconv('factored')],
    ['a basis that trains', refconv('dense', { trainBasis: true })],
  ])('%s: what is written is read', async (_, options) => {
    const model = modelOf(options);
    const state = initialState(model, 7, 'kaiming');
    const memory = new Memory();
    loadState(memory, model, state);
    const read = await readState(memory, model, state);
    expect([...read.keys()].sort()).toEqual([...state.keys()].sort());
    for (const name of state.keys()) {
      expect(read.get(name)!.shape).toEqual(state.get(name)!.shape);
      expect(numbers(read, name)).toEqual(numbers(state, name));
    }
  });

  test('a state without maps starts from zero maps, also in a session that held others', async () => {
    for (const path of ['dense', 'factored'] as const) {
      const model = modelOf(refconv(path));
      const memory = new Memory();
      loadState(memory, model, initialState(model, 7, 'kaiming'));
      const start = initialState(model, 7);
      loadState(memory, model, start);
      const merged = await mergeState(model, await readState(memory, model, start));
      for (const name of start.keys()) expect(numbers(merged, name)).toEqual(numbers(start, name));
    }
  });

  test('every tensor that a plan binds is written, whole', () => {
    const model = modelOf(refconv('factored'));
    const memory = new Memory();
    loadState(memory, model, initialState(model, 1, 'kaiming'));
    const graph = new Graph();
    const x = graph.tensor('x', [2, 8, 8, 3], { role: 'input' });
    instantiate(model, graph, x, { training: true });
    const bound = graph.tensors.filter((t) => ['parameter', 'state', 'constant'].includes(t.role));
    for (const t of bound) expect(memory.tensor(`${t.role}:${t.name}`).length).toBe(product(t.padded));
  });
});

describe('merging', () => {
  test('keeps the plain network’s keys and shapes', async () => {
    const model = modelOf(refconv('dense'));
    const merged = await mergeState(model, initialState(model, 3, 'kaiming'));
    expect([...merged.keys()]).toEqual(plain.state.map((e) => e.name));
    checkState(plain, merged, 'merged');
  });

  test('of a factored layer is W_b + a (W_r0 B) + M Gram', async () => {
    const model = modelOf(refconv('factored'));
    const start = initialState(model, 5, 'kaiming');
    const memory = new Memory();
    loadState(memory, model, start);
    const a = 0.75;
    memory.write('parameter:convmap.scale', Float32Array.of(a, 0, 0, 0));
    for (const conv of refconvs(model)) {
      const { name, shape, groups } = conv;
      const m = Float32Array.from({ length: product(shape) }, (_, i) => Math.sin(i));
      memory.write(`parameter:${name}.convmap.factor`, pack(m, weightLayout(shape, groups)));
      const basis = numbers(start, `${name}.weight`);
      const first = refocus(basis, numbers(start, `${name}.convmap.weight`), geometryOf(conv), false);
      const trained = timesGram(m, gramOf(basis, geometryOf(conv)), geometryOf(conv));
      const merged = await mergeState(model, await readState(memory, model, start));
      numbers(merged, `${name}.weight`).forEach((w, i) => {
        expect(w).toBeCloseTo(basis[i] + a * first[i] + trained[i], 5);
      });
    }
  });

  test('without the identity term leaves out the basis', async () => {
    const model = modelOf(refconv('dense', { identity: false }));
    const merged = await mergeState(model, initialState(model, 3));
    expect(numbers(merged, 'depthwise.weight').every((w) => w === 0)).toBe(true);
    expect(numbers(merged, 'fc.weight').some((w) => w !== 0)).toBe(true);
  });
});

describe('the kernel of a convolution while it trains', () => {
  test.each([
    ['plain', undefined],
    ['dense maps', refconv('dense')],
    ['factored maps', refconv('factored')],
    ['factored maps from zero', refconv('factored', { startsNonZero: false })],
    ['no identity', refconv('dense', { identity: false })],
    ['no identity, factored', refconv('factored', { identity: false })],
    ['a basis that trains', refconv('dense', { trainBasis: true })],
  ])('%s: is that of the merged network', async (_, options) => {
    const model = modelOf(options);
    const start = initialState(model, 7, options?.startsNonZero ? 'kaiming' : 'zeros');
    const memory = new Memory();
    loadState(memory, model, start);
    // as after some steps
    for (const [key, data] of memory.tensors)
      if (key.startsWith('parameter:'))
        memory.write(
          key,
          data.map((w, i) => w + 0.1 * Math.sin(i)),
        );
    memory.write('parameter:convmap.scale', Float32Array.of(0.75, 0, 0, 0));
    const merged = await mergeState(model, await readState(memory, model, start));
    for (const conv of convolutions(model)) {
      const { tensors, of } = currentKernel(model, conv, start);
      const asked = new Map(tensors.map((key) => [key, memory.tensor(key)]));
      const kernel = of({ tensor: (key) => asked.get(key)! });
      const expected = numbers(merged, `${conv.name}.weight`);
      expect(kernel).toHaveLength(expected.length);
      for (const [i, w] of expected.entries()) expect(kernel[i]).toBeCloseTo(w, 5);
    }
  });
});

describe('a state that does not fit', () => {
  const model = modelOf();
  const with_ = (change: (state: StateDict) => void): StateDict => {
    const state = initialState(model, 0);
    change(state);
    return state;
  };
  const tensor = (...shape: number[]) => floats(shape, new Float32Array(product(shape)));

  test.each<[string, StateDict, RegExp]>([
    [
      'lacks tensors',
      with_((s) => s.delete('fc.weight')),
      /^a\.pt lacks tensor fc\.weight \(7 x 10\): choose/,
    ],
    [
      'has other shapes',
      with_((s) => s.set('fc.bias', tensor(9))),
      /^a\.pt: tensor fc\.bias is 9, but 7 in the/,
    ],
    [
      'holds more',
      with_((s) => s.set('a', tensor(1)).set('b', tensor(2, 2))),
      /holds tensor a \(1\) and 1 more, which/,
    ],
    [
      'holds maps',
      with_((s) => s.set('depthwise.convmap.weight', tensor(6, 6, 3, 3))),
      /merge its maps first/,
    ],
    [
      'holds integers',
      with_((s) => s.set('fc.bias', { dtype: 'I64', shape: [7], data: new BigInt64Array(7) })),
      /fc\.bias holds integers/,
    ],
  ])('%s', (_, state, message) => {
    const check = () => checkState(model, state, 'a.pt');
    expect(check).toThrow(UserError);
    expect(check).toThrow(message);
  });

  test('PyTorch’s counters do not count', () => {
    checkState(
      model,
      with_((s) => s.set('bn.num_batches_tracked', { dtype: 'I64', shape: [], data: new BigInt64Array(1) })),
      'a.pt',
    );
  });

  test('a map under a plan that starts from zero maps', () => {
    const zero = modelOf(refconv('factored', { startsNonZero: false }));
    const state = initialState(zero, 0, 'kaiming');
    expect(() => loadState(new Memory(), zero, state, 'a.pt')).toThrow(/a\.pt: dense has a map already/);
  });
});

describe('a start from random numbers', () => {
  const model = modelOf(refconv('dense'));

  test('depends on the seed and on each tensor’s own name alone', () => {
    const state = initialState(model, 1, 'kaiming');
    expect(initialState(model, 1, 'kaiming')).toEqual(state);
    expect(numbers(initialState(modelOf(), 1), 'fc.weight')).toEqual(numbers(state, 'fc.weight'));
    expect(numbers(initialState(model, 2), 'fc.weight')).not.toEqual(numbers(state, 'fc.weight'));
    expect(state.has('depthwise.convmap.weight')).toBe(true);
    expect(initialState(model, 1).has('depthwise.convmap.weight')).toBe(false);
  });

  test('has torch’s distributions', () => {
    // as many channels in as out would hide one in the place of the other
    const wide = buildModel({ name: 'wide', classes: 50 }, (net, x) =>
      net.head('fc', net.conv('c', net.conv('stem', x, 24, 1), 64, 3)),
    );
    const state = initialState(wide, 9);
    const conv = numbers(state, 'c.weight');
    const deviation = Math.sqrt(conv.reduce((s, w) => s + w * w, 0) / conv.length);
    expect(deviation / Math.sqrt(2 / (64 * 9)), 'over fan-out').toBeCloseTo(1, 1);
    expect(Math.abs(conv.reduce((s, w) => s + w, 0) / conv.length)).toBeLessThan(deviation / 50);
    // some 4.5 % of a normal distribution lie beyond two deviations, none of a uniform one
    const beyond = conv.filter((w) => Math.abs(w) > 2 * deviation).length / conv.length;
    expect(beyond).toBeGreaterThan(0.04);
    expect(beyond).toBeLessThan(0.051);
    const fc = numbers(state, 'fc.weight').map(Math.abs);
    expect(Math.max(...fc)).toBeLessThanOrEqual(1 / 8);
    expect(Math.max(...fc)).toBeGreaterThan(0.99 / 8);
  });

  test('does not look at groups, and leaves norms and biases plain', () => {
    const grouped = buildModel({ name: 'grouped', classes: 2 }, (net, x) =>
      net.head('fc', net.conv('g', net.conv('stem', x, 48, 1), 96, 5, { groups: 48 })),
    );
    const weights = numbers(initialState(grouped, 4), 'g.weight');
    const deviation = Math.sqrt(weights.reduce((s, w) => s + w * w, 0) / weights.length);
    expect(deviation / Math.sqrt(2 / (96 * 25))).toBeCloseTo(1, 1);
    const state = initialState(model, 9);
    for (const name of ['bn.weight', 'bn.running_var'])
      expect(numbers(state, name)).toEqual(new Array(6).fill(1));
    for (const name of ['bn.bias', 'bn.running_mean', 'depthwise.bias'])
      expect(numbers(state, name)).toEqual(new Array(6).fill(0));
  });

  test('starts maps as torch.nn.Conv2d starts: uniform within 1 / sqrt(fan-in)', () => {
    const state = initialState(model, 5, 'kaiming');
    // 6 planes in a group of 6, kernels of 3 x 3
    const map = numbers(state, 'depthwise.convmap.weight').map(Math.abs);
    const bound = (6 * 9) ** -0.5;
    expect(Math.max(...map)).toBeLessThanOrEqual(bound);
    expect(Math.max(...map)).toBeGreaterThan(0.97 * bound);
    expect(map.reduce((a, b) => a + b) / map.length / bound).toBeCloseTo(0.5, 1);
  });
});
