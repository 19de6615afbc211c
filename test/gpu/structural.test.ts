import { describe, expect, test } from 'vitest';
import { readSafetensors } from '../../src/io/safetensors';
import { floats, type StateDict } from '../../src/io/tensor';
import { buildModel } from '../../src/model/builder';
import { BRANCH_FORMS, type Branches } from '../../src/model/model';
import { numbersOf } from '../../src/model/state';
import { withBranches } from '../../src/model/structural';
import { runModel } from '../../src/verify/model-run';
import { expectClose, gpu } from './harness';

const urls = import.meta.glob<string>('../fixtures/structural-*.safetensors', {
  query: '?url',
  import: 'default',
  eager: true,
});

/** The network of make_structural.py. */
const plain = buildModel({ name: 'structural', classes: 3 }, (net, x) => {
  let y = net.batchNorm('stem.bn', net.conv('stem.conv', x, 6, 3, { stride: 2 }), 'hardswish');
  y = net.batchNorm('deep.bn', net.conv('deep.conv', y, 6, 5, { groups: 6 }), 'hardswish');
  y = net.batchNorm('grouped.bn', net.conv('grouped.conv', y, 8, 3, { groups: 2 }));
  y = net.activation(net.conv('biased', y, 8, 3, { bias: true }), 'silu');
  return net.head('fc', net.globalAvgPool(y));
});
const NAMES = new Set(['stem.conv', 'deep.conv', 'grouped.conv', 'biased']);

async function load(form: Branches['form']) {
  const url = urls[`../fixtures/structural-${form}.safetensors`];
  const { tensors, metadata } = readSafetensors(new Uint8Array(await (await fetch(url)).arrayBuffer()), form);
  const { lr, momentum, weight_decay } = JSON.parse(metadata.get('optimizer')!);
  const part = (prefix: string): StateDict =>
    new Map(
      [...tensors].flatMap(([key, t]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), t]] : [])),
    );
  const optimizer = { lr, momentum, weightDecay: weight_decay, nesterov: false };
  return { state: part('state.'), gradients: part('grad.'), tensors, optimizer };
}

describe.each(BRANCH_FORMS)('%s', (form) => {
  test('its function, gradients and steps are PyTorch’s, and it merges into the plain network', async () => {
    const { state, gradients, tensors, optimizer } = await load(form);
    const tensor = (name: string) => tensors.get(name)!;
    const common = { path: 'plain', x: tensor('in.x'), target: tensor('in.target') } as const;
    const results = await runModel(await gpu(), {
      ...{ ...common, model: withBranches(plain, NAMES, form), state },
      ...{ optimizer, steps: numbersOf(tensor('out.losses')).length },
    });
    const close = (name: string, rtol: number) =>
      expectClose(results.get(name)!, numbersOf(tensor(name)), rtol, name);
    close('out.logits_eval', 1e-4);
    close('out.losses', 1e-4);
    // some are zero but for rounding: of the sum of what a norm makes the mean zero of
    const largest = Math.max(...[...gradients.values()].flatMap((t) => Array.from(numbersOf(t), Math.abs)));
    for (const [name, expected] of gradients) {
      const got = results.get(`grad.${name}`)!;
      const size = largest * 1e-3 + Math.max(...Array.from(numbersOf(expected), Math.abs));
      const off = Math.max(...Array.from(numbersOf(expected), (v, i) => Math.abs(v - got[i])));
      expect(off / size, name).toBeLessThan(1e-3);
    }
    // what the steps have come to, as the plain network
    const merged: StateDict = new Map(
      plain.state.map(({ name, shape }) => [name, floats(shape, results.get(`out.state.${name}`)!)]),
    );
    const one = await runModel(await gpu(), { ...common, model: plain, state: merged, optimizer, steps: 0 });
    expectClose(one.get('out.logits_eval')!, numbersOf(tensor('out.logits_after')), 1e-4, 'merged');
  });
});
