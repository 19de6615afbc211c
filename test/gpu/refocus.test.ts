import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/graph/autograd';
import { Graph } from '../../src/graph/graph';
import { SOFTWARE_TUNING } from '../../src/graph/tuning';
import { expandMap } from '../../src/model/expand-map';
import { engineShape, mapLayout, pack, unpack, weightLayout } from '../../src/model/layout';
import { gramOf, mapShape, type RefocusGeometry, refocus } from '../../src/model/refocus-math';
import { copy } from '../../src/ops/copy';
import { refocusMap } from '../../src/ops/refocus/dense';
import { refocusFactored } from '../../src/ops/refocus/factored';
import { expectClose, numbers, runCase, sessionOf, source } from './harness';

const geometry = (basis: RefocusGeometry['basis'], groups: number, mapKernel: number): RefocusGeometry => ({
  basis,
  groups,
  mapKernel,
});

const GEOMETRIES: [string, RefocusGeometry][] = [
  ['depthwise, 3x3', geometry([13, 1, 3, 3], 13, 3)],
  ['depthwise, many splits', geometry([70, 1, 3, 3], 70, 3)],
  ['depthwise, 5x5 map', geometry([6, 1, 5, 5], 6, 5)],
  ['depthwise, 1x1 map', geometry([9, 1, 3, 3], 9, 1)],
  ['depthwise, 7x7 in tiles of rows', geometry([18, 1, 7, 7], 18, 3)],
  ['depthwise, 5x9', geometry([5, 1, 5, 9], 5, 3)],
  ['depthwise, 5x21: a large kernel', geometry([6, 1, 5, 21], 6, 3)],
  ['depthwise, 9x9 under a map of 5x5', geometry([5, 1, 9, 9], 5, 5)],
  ['depthwise, 8x8 under a map of 1x1', geometry([9, 1, 8, 8], 9, 1)],
  ['depthwise, multiplier 2', geometry([10, 1, 3, 3], 5, 3)],
  ['group-wise', geometry([12, 2, 5, 5], 6, 3)],
  ['group-wise, odd channels', geometry([9, 5, 3, 3], 3, 3)],
  ['dense', geometry([5, 3, 3, 3], 1, 3)],
  ['one channel', geometry([1, 1, 3, 3], 1, 3)],
];

/** Few threads, so that one makes several taps of a large kernel; by default the small cases here have one a thread. */
const FEW_THREADS = { ...SOFTWARE_TUNING, threads: 1 };

function setUp(g: RefocusGeometry, seed: number) {
  const random = source(seed);
  const shape = mapShape(g);
  return {
    basis: numbers(g.basis, random, 0.5),
    map: numbers(shape, random, 0.5 / Math.sqrt(shape[1] * shape[2] ** 2)),
    dout: numbers(g.basis, random),
  };
}

/** The gradient of the basis: the transformation is linear in it, so it is the response to each unit basis. */
function basisGradient(
  g: RefocusGeometry,
  map: ArrayLike<number>,
  dout: ArrayLike<number>,
  identity: boolean,
) {
  const unit = new Float64Array(dout.length);
  return unit.map((_, j) => {
    unit.fill(0);
    unit[j] = 1;
    return refocus(unit, map, g, identity).reduce((sum, v, i) => sum + v * dout[i], 0);
  });
}

const TUNED = [true, false].flatMap((identity) =>
  [SOFTWARE_TUNING, FEW_THREADS].map((tuning) => ({ identity, tuning, threads: tuning.threads })),
);

describe.each(TUNED)('refocusMap, identity $identity, for $threads threads', ({ identity, tuning }) => {
  it.each(GEOMETRIES)('%s: weight and both gradients', async (_, g) => {
    const { basis, map, dout } = setUp(g, 1);
    const layout = weightLayout(g.basis, g.groups);
    const results = await runCase(
      {
        inputs: { basis, map },
        outputs: { weight: dout },
        douts: { weight: dout },
        wanted: ['basis', 'map'],
        tuning,
      },
      (c) => {
        const b = c.weight('basis', g.groups);
        const m = c.input('map', mapLayout(map.shape, g.basis, g.groups));
        c.output('weight', refocusMap(c.graph, 'wt', b, m, { groups: g.groups, identity }), layout);
      },
    );
    expectClose(results.get('out.weight')!, refocus(basis.data, map.data, g, identity), 1e-5, 'weight');
    expectClose(results.get('grad.map')!, expandMap(dout.data, basis.data, g), 1e-5, 'map gradient');
    expectClose(
      results.get('grad.basis')!,
      basisGradient(g, map.data, dout.data, identity),
      1e-5,
      'basis gradient',
    );
  });
});

describe.each([true, false])('refocusFactored, identity and start %s', (both) => {
  it.each(GEOMETRIES)('%s: weight, and its gradient is M’s', async (_, g) => {
    const { basis, map, dout } = setUp(g, 2);
    const layout = weightLayout(g.basis, g.groups);
    const m = numbers(g.basis, source(3), 0.1);
    const gramData = gramOf(basis.data, g);
    const startData = refocus(basis.data, map.data, g, false);
    const graph = new Graph();
    const weight = (name: string, role: 'constant' | 'parameter' | 'input') =>
      graph.tensor(name, engineShape(layout), { role, padded: layout.padded });
    const taps = g.basis[2] * g.basis[3];
    const gramShape = [gramData.length / taps ** 2, taps, taps];
    const tensors = {
      basis: weight('basis', 'constant'),
      gram: graph.tensor('gram', gramShape, { role: 'constant', padded: gramShape }),
      scale: graph.tensor('scale', [1], { role: 'parameter' }),
      start: both ? weight('start', 'constant') : undefined,
      m: weight('m', 'parameter'),
    };
    const wt = refocusFactored(graph, 'wt', tensors, { groups: g.groups, identity: both });
    copy(graph, 'wt', wt, graph.tensor('wt', wt.shape, { role: 'output', padded: wt.padded }));
    const gradients = differentiate(graph, [tensors.m, tensors.scale], [[wt, weight('dout', 'input')]]);
    expect(gradients.get(tensors.m), 'gradient of m').toBe(gradients.get(wt));
    expect(gradients.has(tensors.scale)).toBe(false);
    const session = await sessionOf(graph);
    session.write('constant:basis', pack(basis.data, layout));
    session.write('constant:gram', Float32Array.from(gramData));
    session.write('parameter:scale', Float32Array.of(0.7));
    if (both) session.write('constant:start', pack(startData, layout));
    session.write('parameter:m', pack(m.data, layout));
    session.run('run');
    const [out] = await session.read('output:wt');
    session.destroy();
    const wr = expandMap(m.data, basis.data, g, both ? map.data : undefined, 0.7);
    expectClose(unpack(out, layout), refocus(basis.data, wr, g, both), 1e-5, 'weight');
    expectClose(out, pack(unpack(out, layout), layout), 0, 'padding');
    expect(dout.shape).toEqual(m.shape);
  });
});
