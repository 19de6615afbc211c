import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/graph/autograd';
import { Graph } from '../../src/graph/graph';
import type { Role, Tensor } from '../../src/graph/tensor';
import { expandMap } from '../../src/model/expand-map';
import {
  activationLayout,
  engineShape,
  type Layout,
  mapLayout,
  pack,
  unpack,
  weightLayout,
} from '../../src/model/layout';
import { gramOf, mapShape, planesOf, type RefocusGeometry, refocus } from '../../src/model/refocus-math';
import { activation } from '../../src/ops/activation';
import { add } from '../../src/ops/add';
import { conv2d } from '../../src/ops/conv/conv2d';
import { copy } from '../../src/ops/copy';
import { groupTables } from '../../src/ops/optim/groups';
import { type SgdOptions, sgd } from '../../src/ops/optim/sgd';
import { refocusMap } from '../../src/ops/refocus/dense';
import { refocusFactored } from '../../src/ops/refocus/factored';
import type { Numbers } from '../../src/verify/case';
import { expectClose, numbers, sessionOf, source } from './harness';

const STEPS = 50;

interface Setting extends SgdOptions {
  geometry: RefocusGeometry;
  zeroStart: boolean;
  /** below what the layer's curvature bears: a run that oscillates would multiply rounding, not test the forms */
  lr: number;
}

/** Of the layer's map, whatever its form, where a setting has groups. */
const FACTORS = { lr: 3, decay: 0.5 };

/** A graph under construction with the numbers of its persistent tensors. */
class Layer {
  readonly graph = new Graph();
  readonly writes = new Map<string, Float32Array<ArrayBuffer>>();
  readonly layout: Layout;
  readonly basis: Numbers;
  readonly start: ArrayLike<number>;

  constructor(
    readonly setting: Setting,
    private readonly random: () => number,
  ) {
    const { geometry: g, zeroStart } = setting;
    const map = mapShape(g);
    this.layout = weightLayout(g.basis, g.groups);
    this.basis = numbers(g.basis, random, 0.5);
    this.start = numbers(map, random, zeroStart ? 0 : 0.3 / Math.sqrt(map[1] * map[2] ** 2)).data;
  }

  tensor(role: Role, name: string, layout = this.layout, data?: ArrayLike<number>): Tensor {
    if (data) this.writes.set(`${role}:${name}`, pack(data, layout));
    return this.graph.tensor(name, engineShape(layout), { role, padded: layout.padded });
  }

  get mapLayout(): Layout {
    const { basis, groups } = this.setting.geometry;
    return mapLayout(mapShape(this.setting.geometry), basis, groups);
  }

  /** W_t by a map of its own. */
  dense(): Tensor {
    const { groups } = this.setting.geometry;
    const basis = this.tensor('constant', 'basis', this.layout, this.basis.data);
    const map = this.tensor('parameter', 'map', this.mapLayout, this.start);
    return refocusMap(this.graph, 'wt', basis, map, { groups, identity: true });
  }

  /** W_t by the factored form. */
  factored(): Tensor {
    const { geometry: g, zeroStart } = this.setting;
    const { planes, perGroup, taps } = planesOf(g);
    const gramShape = [planes / perGroup, taps, taps];
    this.writes.set('constant:gram', Float32Array.from(gramOf(this.basis.data, g)));
    this.writes.set('parameter:scale', Float32Array.of(1));
    const startTerm = refocus(this.basis.data, this.start, g, false);
    const tensors = {
      basis: this.tensor('constant', 'basis', this.layout, this.basis.data),
      gram: this.graph.tensor('gram', gramShape, { role: 'constant', padded: gramShape }),
      scale: this.graph.tensor('scale', [1], { role: 'parameter' }),
      start: zeroStart ? undefined : this.tensor('constant', 'start', this.layout, startTerm),
      m: this.tensor('parameter', 'm'),
    };
    return refocusFactored(this.graph, 'wt', tensors, { groups: g.groups, identity: true });
  }

  /** Gradient and update of half the squared distance of silu(conv2d(x, wt)) from a goal. */
  learn(wt: Tensor): void {
    const { graph, setting, random } = this;
    const { basis, groups } = setting.geometry;
    const [o, i, kh, kw] = basis;
    const batch = (name: string, channels: number) => {
      const { shape, data } = numbers([2, channels, 6, 5], random);
      return this.tensor('input', name, activationLayout(shape), data);
    };
    const x = batch('x', i * groups);
    const y = conv2d(graph, 'y', x, wt, undefined, {
      stride: [1, 1],
      padding: [kh >> 1, kw >> 1],
      dilation: [1, 1],
      groups,
    });
    const difference = add(graph, 'difference', activation(graph, 'silu', y, 'silu'), batch('minus goal', o));
    const parameters = graph.tensors.filter((t) => t.role === 'parameter');
    differentiate(graph, parameters, [[difference, difference]]);
    sgd(graph, setting);
  }
}

/** Trains a RefConv layer in one of the two forms; its last weight, the map learnt and the map's start. */
async function train(form: 'dense' | 'factored', setting: Setting) {
  const layer = new Layer(setting, source(7));
  const wt = layer[form]();
  copy(layer.graph, 'wt', wt, layer.graph.tensor('wt', wt.shape, { role: 'output', padded: wt.padded }));
  layer.learn(wt);
  const session = await sessionOf(layer.graph);
  for (const [key, data] of layer.writes) session.write(key, data);
  if (setting.groups) {
    const names = form === 'dense' ? ['map'] : ['m', 'scale'];
    const ranges = new Map(names.map((name) => [name, session.range(`parameter:${name}`)]));
    for (const [key, table] of groupTables(ranges, () => FACTORS)) session.write(key, table);
  }
  for (let step = 0; step < STEPS; step++) session.run('run', { lr: setting.lr });
  const weight = unpack((await session.read('output:wt'))[0], layer.layout);
  let learned: ArrayLike<number>;
  if (form === 'dense') learned = unpack((await session.read('parameter:map'))[0], layer.mapLayout);
  else {
    const [m, scale] = await session.read('parameter:m', 'parameter:scale');
    learned = expandMap(unpack(m, layer.layout), layer.basis.data, setting.geometry, layer.start, scale[0]);
  }
  session.destroy();
  return { weight, learned, start: layer.start };
}

const depthwise: RefocusGeometry = { basis: [24, 1, 5, 5], groups: 24, mapKernel: 3 };
const groupWise: RefocusGeometry = { basis: [8, 3, 3, 3], groups: 4, mapKernel: 3 };
const common = { momentum: 0.9, nesterov: false, weightDecay: 1e-3, clipNorm: 0, zeroStart: true, lr: 1e-4 };

describe('dense and factored forms of a RefConv layer train alike', () => {
  it.each<[string, Setting]>([
    ['depthwise, zero start', { ...common, geometry: depthwise }],
    [
      'depthwise, non-zero start, Nesterov',
      { ...common, geometry: depthwise, zeroStart: false, nesterov: true },
    ],
    ['depthwise, clipped', { ...common, geometry: depthwise, clipNorm: 5, lr: 2e-3 }],
    [
      'depthwise, non-zero start, Nesterov, clipped, strong decay',
      {
        ...common,
        geometry: depthwise,
        zeroStart: false,
        nesterov: true,
        clipNorm: 1,
        lr: 2e-3,
        weightDecay: 1,
      },
    ],
    ['group-wise, non-zero start', { ...common, geometry: groupWise, zeroStart: false }],
    [
      'depthwise, non-zero start, in a group of its own',
      { ...common, geometry: depthwise, zeroStart: false, weightDecay: 1, groups: true },
    ],
    [
      'group-wise, Nesterov, clipped',
      { ...common, geometry: groupWise, nesterov: true, clipNorm: 5, lr: 2e-3 },
    ],
  ])('%s', async (_, setting) => {
    const dense = await train('dense', setting);
    const factored = await train('factored', setting);
    expectClose(factored.weight, dense.weight, 1e-5, 'weight');
    expectClose(factored.learned, dense.learned, 1e-5, 'map');
    const moved = Math.max(...Array.from(dense.learned, (v, i) => Math.abs(v - dense.start[i])));
    expect(moved, 'the map has moved').toBeGreaterThan(0.01);
  });
});
