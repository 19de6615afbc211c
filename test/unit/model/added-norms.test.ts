import { expect, test } from 'vitest';
import { product } from '../../../src/graph/tensor';
import { floats, type StateDict } from '../../../src/io/tensor';
import { addedNorms, bareConvolutions, withAddedNorms, withoutBiases } from '../../../src/model/added-norms';
import { buildModel } from '../../../src/model/builder';
import { mergeState } from '../../../src/model/merge';
import type { Model } from '../../../src/model/model';
import { normals, uniforms } from '../../../src/model/random';
import { createModel } from '../../../src/model/zoo';
import { difference, someImages } from '../../onnx';
import { evaluateModel } from '../../reference/model';

/** A deployed network: biases in the place of norms, squeeze-and-excite, a leaky activation, a sum. */
const deployed = buildModel({ name: 'deployed', classes: 5 }, (net, x) => {
  const biased = { bias: true };
  const stem = net.activation(net.conv('stem', x, 8, 3, { ...biased, stride: 2 }), 'hardswish');
  const wide = net.conv('depthwise', stem, 8, 3, { ...biased, groups: 8 });
  const gate = net.activation(net.conv('squeeze', net.globalAvgPool(wide), 8, 1, biased), 'hardsigmoid');
  const narrow = net.add(stem, net.conv('project', net.mul(wide, gate), 8, 1, biased));
  const leaky = net.add(net.activation(narrow, 'relu'), net.activation(narrow, 'negative'));
  const bent = net.conv('last', leaky, 6, 1, biased);
  const sum = net.add(net.activation(bent, 'relu'), net.activation(bent, 'negative'));
  return net.head('fc', net.globalAvgPool(net.activation(sum, 'sigmoid')));
});

function drawn({ state }: Model): StateDict {
  return new Map(
    state.map(({ name, shape }) => {
      const [normal, uniform] = [normals(uniforms(3, name)), uniforms(3, name)];
      const draw = () => (/running_var$|norm.weight$/.test(name) ? 0.5 + uniform() : 0.5 * normal());
      return [name, floats(shape, Array.from({ length: product(shape) }, draw))];
    }),
  );
}

test('norms stand where they may have been folded: behind convolutions of images, not at gates or the head', () => {
  expect(bareConvolutions(deployed).map(({ name }) => name)).toEqual([
    'stem',
    'depthwise',
    'project',
    'last',
  ]);
  const norms = addedNorms(withAddedNorms(deployed));
  // what reads a convolution twice, or changes the zero of its padding, stays outside
  expect(norms.map(({ activation }) => activation)).toEqual(['hardswish', 'none', 'none', 'none']);
});

test('a network with its norms has none to add, and neither has one that normalises its channels', () => {
  expect(bareConvolutions(createModel('mobilenet_v3_small'))).toEqual([]);
  expect(bareConvolutions(createModel('convnext_tiny')).map(({ name }) => name)).toEqual([]);
});

test('a merge folds added norms into the weights of the deployed network, which is the same function', async () => {
  const model = withAddedNorms(deployed);
  const state = drawn(model);
  const merged = await mergeState(model, state);
  expect([...merged.keys()].sort()).toEqual(deployed.state.map(({ name }) => name).sort());
  const images = someImages([2, 3, 9, 9]);
  const expected = evaluateModel(model, state, images).data;
  expect(difference(evaluateModel(deployed, merged, images).data, expected)).toBeLessThan(1e-6);
});

test('a state loses the biases that norms stand in the place of, and nothing else', () => {
  const state = drawn(deployed);
  const gone = [...state.keys()].filter((name) => !withoutBiases(state, withAddedNorms(deployed)).has(name));
  expect(gone).toEqual(['stem.bias', 'depthwise.bias', 'project.bias', 'last.bias']);
});
