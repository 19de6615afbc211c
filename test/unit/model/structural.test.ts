import { describe, expect, test } from 'vitest';
import { floats, type StateDict } from '../../../src/io/tensor';
import { branchedLayers, branchPrefix } from '../../../src/model/branch-forms';
import { blocksOf } from '../../../src/model/branches';
import { buildModel } from '../../../src/model/builder';
import { currentKernel } from '../../../src/model/current-kernels';
import { foldBlock, runSteps } from '../../../src/model/fold';
import { initialState } from '../../../src/model/init';
import { mergeState } from '../../../src/model/merge';
import { blockOf } from '../../../src/model/merge-branches';
import {
  BRANCH_FORMS,
  type Branches,
  convolutions,
  type Model,
  parameterCount,
} from '../../../src/model/model';
import { normals, uniforms } from '../../../src/model/random';
import { checkState, loadState, numbersOf } from '../../../src/model/state';
import { branchObstacle, withBranches } from '../../../src/model/structural';
import { createModel } from '../../../src/model/zoo';
import { trainedModel } from '../../../src/train/trained-model';
import { evaluateModel } from '../../reference/model';
import type { Values } from '../../reference/values';
import { runSettings } from '../../settings';

/** Strides, groups, activations in norms and behind them, a bias with and without a norm, a shortcut. */
const plain = buildModel({ name: 'small', classes: 5 }, (net, x) => {
  let y = net.batchNorm('bn1', net.conv('dense', x, 6, 3, { stride: 2 }), 'relu6', { eps: 1e-3 });
  const z = net.batchNorm('bn2', net.conv('depthwise', y, 6, 5, { groups: 6 }));
  y = net.batchNorm('bn3', net.conv('grouped', net.add(y, z), 8, 3, { groups: 2, bias: true }), 'silu');
  y = net.activation(net.conv('biased', y, 8, 3, { stride: 2, bias: true }), 'silu');
  return net.head('fc', net.globalAvgPool(net.batchNorm('bn4', net.conv('pointwise', y, 4, 1))));
});
const NAMES = ['dense', 'depthwise', 'grouped', 'biased'];

/** Random numbers in all of a state, also where it starts from zeros or ones. */
function randomState(model: Model): StateDict {
  return new Map(
    model.state.map(({ name, shape }) => {
      const random = normals(uniforms(4, name));
      const size = shape.reduce((a, b) => a * b, 1);
      const isPositive = /running_var$|scale$|(bn\d?|norm)\.weight$/.test(name);
      const draw = () => (isPositive ? 0.5 + Math.abs(random()) : 0.4 * random());
      return [name, floats(shape, Float32Array.from({ length: size }, draw))];
    }),
  );
}

const images: Values = (() => {
  const random = normals(uniforms(2, 'images'));
  const shape = [2, 3, 11, 9];
  return { shape, data: Float64Array.from({ length: 2 * 3 * 11 * 9 }, random) };
})();

const furthest = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  const largest = Math.max(...Array.from(b, Math.abs));
  return Math.max(...Array.from(b, (v, i) => Math.abs(v - a[i]))) / largest;
};

const branched = (form: Branches['form'], model = plain) => withBranches(model, new Set(NAMES), form);

describe.each(BRANCH_FORMS)('%s', (form) => {
  const model = branched(form);

  test('computes what the loaded network does until a step is taken', () => {
    const loaded = randomState(plain);
    const start: StateDict = new Map([...initialState(model, 1), ...loaded]);
    checkState(model, start, 'the start');
    const [before, after] = [
      evaluateModel(plain, loaded, images).data,
      evaluateModel(model, start, images).data,
    ];
    // as the numbers stand: 0 is added and 1 is a factor
    expect(after).toEqual(before);
  });

  test('merges into the network that it was made of, with its keys, shapes and size', async () => {
    const state = randomState(model);
    const merged = await mergeState(model, state);
    checkState(plain, merged, 'merged');
    expect([...merged.keys()].sort()).toEqual(plain.state.map(({ name }) => name).sort());
    const [sum, one] = [evaluateModel(model, state, images).data, evaluateModel(plain, merged, images).data];
    // weights are rounded to float32
    expect(furthest(one, sum)).toBeLessThan(1e-5);
    // and the branches had a part in it
    const own = new Map(plain.state.map(({ name }) => [name, state.get(name)!]));
    expect(furthest(evaluateModel(plain, own, images).data, sum)).toBeGreaterThan(0.05);
    for (const name of ['bn1.running_mean', 'pointwise.weight', 'fc.bias'])
      expect(merged.get(name)).toEqual(state.get(name));
  });

  test('folds to what its steps do to an image of noise', () => {
    const state = randomState(model);
    for (const conv of branchedLayers(model)) {
      const block = blockOf(conv, (name) => numbersOf(state.get(name)!));
      const channels = conv.shape[1] * conv.groups;
      const random = normals(uniforms(6, conv.name));
      const image = {
        channels,
        height: 6,
        width: 7,
        data: Float64Array.from({ length: channels * 42 }, random),
      };
      const sum = block.branches
        .map((steps) => runSteps(steps, image, conv.groups).data)
        .reduce((total, data) => total.map((v, i) => v + data[i]));
      const { kernel, bias } = foldBlock(block);
      const one = runSteps(
        [{ kernel }, { scale: new Float64Array(bias.length).fill(1), shift: bias }],
        image,
        conv.groups,
      );
      expect(furthest(one.data, sum), conv.name).toBeLessThan(1e-12);
    }
  });

  test('tells the kernel of now as the merge will have it', async () => {
    const start = randomState(model);
    const session = new Map<string, Float32Array<ArrayBuffer>>();
    loadState({ write: (key, data) => void session.set(key, data) }, model, start);
    const merged = await mergeState(model, start);
    for (const name of NAMES) {
      const conv = convolutions(model).find((one) => one.name === name)!;
      const now = currentKernel(model, conv, start);
      const kernel = now.of({ tensor: (key) => session.get(key)! });
      expect(Float32Array.from(kernel)).toEqual(merged.get(`${name}.weight`)!.data);
    }
  });
});

/** A layer's state under the names of the published blocks, by the names of its own convolution and norm there. */
const PUBLISHED: Partial<Record<Branches['form'], [conv: string, norm: string]>> = {
  acnet: ['square_conv', 'square_bn'],
  repvgg: ['rbr_dense.conv', 'rbr_dense.bn'],
  dbb: ['dbb_origin.conv', 'dbb_origin.bn'],
};

test.each(Object.entries(PUBLISHED))(
  '%s has the names of its publishers, and folds as their blocks do',
  (form, own) => {
    const model = branched(form as Branches['form']);
    const state = randomState(model);
    // the published blocks have no bias before the norm, and torch's epsilon
    for (const conv of branchedLayers(model).filter(({ name }) => name === 'depthwise')) {
      const prefix = branchPrefix(conv.name);
      const published: StateDict = new Map(
        [...state].flatMap(([name, tensor]) => {
          if (name.startsWith(prefix)) return [[name.replace(prefix, 'block.'), tensor]];
          if (name === `${conv.name}.weight`) return [[`block.${own[0]}.weight`, tensor]];
          const norm = `${conv.branches.norm!.name}.`;
          return name.startsWith(norm) ? [[name.replace(norm, `block.${own[1]}.`), tensor]] : [];
        }),
      );
      const [theirs] = blocksOf(published).map(foldBlock);
      const ours = foldBlock(blockOf(conv, (name) => numbersOf(state.get(name)!)));
      expect(ours.kernel.shape).toEqual(theirs.kernel.shape);
      expect(furthest(ours.kernel.data, theirs.kernel.data)).toBeLessThan(1e-12);
      expect(furthest(ours.bias, theirs.bias)).toBeLessThan(1e-12);
    }
  },
);

test('a norm whose scale has died takes the sum nevertheless', async () => {
  const model = branched('repvgg');
  const state = randomState(model);
  const weight = state.get('bn1.weight')!.data as Float32Array;
  weight[2] = 0;
  weight[4] = 1e-9;
  const merged = await mergeState(model, state);
  const [sum, one] = [evaluateModel(model, state, images).data, evaluateModel(plain, merged, images).data];
  expect(furthest(one, sum)).toBeLessThan(1e-5);
  expect((merged.get('bn1.weight')!.data as Float32Array)[1]).toBe(weight[1]);
  expect(Math.max(...Array.from(merged.get('dense.weight')!.data as Float32Array, Math.abs))).toBeLessThan(
    1e3,
  );
});

test('branches stand where their sum can be one convolution of the same tensors', () => {
  const odd = buildModel({ name: 'odd', classes: 3 }, (net, x) => {
    let y = net.conv('even', x, 4, 4, { stride: 4, padding: 0, bias: true });
    y = net.conv('bare', y, 4, 3);
    y = net.conv('row', y, 4, [1, 3], { bias: true });
    y = net.conv('valid', y, 4, 3, { padding: 0, bias: true });
    y = net.conv('dilated', y, 4, 3, { padding: 1, dilation: 2, bias: true });
    return net.head('fc', net.globalAvgPool(net.conv('point', y, 4, 1, { bias: true })));
  });
  const why = (form: Branches['form']) =>
    Object.fromEntries(convolutions(odd).map((conv) => [conv.name, branchObstacle(odd, conv, form)]));
  expect(why('repvgg')).toEqual({
    even: 'its kernel of 4 x 4 has no middle',
    bare: 'it has neither a bias nor a batch norm behind it',
    row: undefined,
    valid: 'its padding is not half its kernel',
    dilated: 'it is dilated',
    point: 'its kernel has one tap',
  });
  expect(why('acnet').row).toBe('its kernel of 1 x 3 is a row or a column already');
  expect(why('dbb').row).toBe('its kernel of 1 x 3 is no square');
  expect(why('orepa').bare).toBeUndefined();

  const settings = runSettings({ method: 'branches', branches: 'repvgg', layers: 'spatial' });
  expect(branchedLayers(trainedModel(odd, settings)).map(({ name }) => name)).toEqual(['row']);
  expect(() => trainedModel(odd, { ...settings, layers: ['row', 'bare'] })).toThrow(
    'No branches can stand beside bare of odd: it has neither a bias nor a batch norm behind it.',
  );
  expect(() => trainedModel(odd, { ...settings, layers: ['bare'] })).toThrow('bare of odd');
});

test('frozen parts stay constants, and what is frozen by itself gets no branches', () => {
  const settings = { ...runSettings({ method: 'branches', branches: 'acnet', layers: 'spatial' }) };
  const roles = (changes: object) =>
    new Map(trainedModel(plain, { ...settings, ...changes }).state.map(({ name, role }) => [name, role]));
  const norms = roles({ freeze: 'norms' });
  expect(norms.get('bn1.weight')).toBe('constant');
  expect(norms.get('dense.branches.ver_bn.weight')).toBe('parameter');
  const alone = roles({ freeze: 'all-but-maps' });
  expect(alone.get('dense.weight')).toBe('constant');
  expect(alone.get('dense.branches.hor_conv.weight')).toBe('parameter');
  expect([...roles({ freeze: ['dense'] }).keys()].some((name) => name.startsWith('dense.branches'))).toBe(
    false,
  );
  expect(() => roles({ freeze: 'backbone' })).toThrow('is frozen');
});

test('of MobileNetV2 each depthwise convolution gets branches, and parameters are counted without them', () => {
  const net = createModel('mobilenet_v2', { classes: 10 });
  const model = trainedModel(net, runSettings({ method: 'branches', branches: 'dbb' }));
  expect(branchedLayers(model)).toHaveLength(17);
  expect(new Set(model.layers.map(({ id }) => id)).size).toBe(model.layers.length);
  expect(parameterCount(net)).toBe(2_236_682);
});

test.each(BRANCH_FORMS)(
  '%s beside convolutions that get fresh batch norms too: both are folded away',
  async (form) => {
    const bare = buildModel({ name: 'bare', classes: 3 }, (net, x) => {
      const y = net.activation(net.conv('a', x, 4, 3, { bias: true }), 'relu');
      return net.head('fc', net.globalAvgPool(net.conv('b', y, 4, 3, { groups: 4, bias: true })));
    });
    const settings = runSettings({ method: 'branches', branches: form, layers: 'spatial', norms: true });
    const model = trainedModel(bare, settings);
    expect(branchedLayers(model).map(({ name }) => name)).toEqual(['a', 'b']);
    const state = randomState(model);
    const merged = await mergeState(model, state);
    checkState(bare, merged, 'merged');
    const [sum, one] = [evaluateModel(model, state, images).data, evaluateModel(bare, merged, images).data];
    expect(furthest(one, sum)).toBeLessThan(1e-5);
  },
);
