import { expect, test } from 'vitest';
import { OverLimit } from '../../src/errors';
import { initialState } from '../../src/model/init';
import type { Model } from '../../src/model/model';
import { loadState } from '../../src/model/state';
import { readyForLimit } from '../../src/passes/limit';
import { Session } from '../../src/runtime/session';
import { planTraining, trainingGraph } from '../../src/train/programs';
import type { RunSettings } from '../../src/train/settings';
import { trainedModel } from '../../src/train/trained-model';
import { runSettings } from '../settings';
import { connected, mixed } from '../step-case';
import { gpu } from './harness';

await readyForLimit({ memory: 1 });

const BATCH = 4;
const SIZE = 16;
const images = {
  name: 'train',
  count: 2 * BATCH,
  height: SIZE,
  width: SIZE,
  mean: [0.5, 0.4, 0.3],
  std: [0.2, 0.3, 0.4],
};

const graphOf = (changes: Partial<RunSettings>, network = mixed) => {
  const settings = runSettings({ batch: BATCH, cropPadding: 1, flip: true, ...changes });
  const model = trainedModel(network, settings);
  return { settings, model, graph: trainingGraph({ model, settings, images, batch: BATCH }) };
};

type Case = ReturnType<typeof graphOf>;

const planned = ({ graph, settings }: Case, memory: number) =>
  planTraining(graph, { ...settings, memory }, {});

/** Megabytes that the step takes at least. */
function leastOf(step: Case): number {
  try {
    planned(step, 1e-6);
  } catch (error) {
    if (error instanceof OverLimit) return error.least / 1e6;
    throw error;
  }
  throw new Error('no step takes so little');
}

/** Parameters, running statistics and momentum after four steps, and their metrics. */
async function trained(step: Case, memory: number) {
  const plan = planned(step, memory);
  const session: Session<'train'> = await Session.create(await gpu(), { train: plan });
  loadState(session, step.model, initialState(step.model, 5));
  const { bytes } = session.range('input:train images');
  session.write(
    'input:train images',
    Uint8Array.from({ length: bytes }, (_, i) => (i * 7919) % 251),
  );
  session.write(
    'input:train labels',
    Uint32Array.from({ length: images.count }, (_, i) => i % 5),
  );
  session.write(
    'input:train order',
    Uint32Array.from({ length: images.count }, (_, i) => i),
  );
  for (let i = 0; i < 4; i++)
    session.run('train', { step: i, seed: 3, batchOffset: (i % 2) * BATCH, rows: BATCH, lr: 0.05 });
  const { buffers } = await session.snapshot('parameters', 'state', 'momentum');
  const [metrics] = await session.read('output:metrics');
  session.destroy();
  return { dispatches: plan.totals.dispatches, arenas: Object.fromEntries(buffers), metrics };
}

test.each<[string, Partial<RunSettings>, Model, number]>([
  // what lies in a concatenation is kept, and what was made of its beginnings is made again when it is whole
  ['fine-tuning layers that write into a concatenation', { method: 'finetune' }, connected, 2],
  ['fine-tuning', { method: 'finetune' }, mixed, 5],
  [
    'refocusing, all that augments',
    { method: 'refocus', path: 'factored', mixup: 0.2, colorJitter: [0.4, 0.3, 0.2, 0.1] },
    mixed,
    6,
  ],
])(
  '%s within the least memory gives the bits that it gives without a limit',
  async (_, changes, network, again) => {
    const step = graphOf(changes, network);
    const whole = await trained(step, 0);
    const within = await trained(step, leastOf(step));
    expect(within.dispatches).toBeGreaterThanOrEqual(whole.dispatches + again);
    expect(within.metrics).toEqual(whole.metrics);
    for (const [name, numbers] of Object.entries(whole.arenas)) {
      expect(
        numbers.some((n) => n !== 0),
        name,
      ).toBe(true);
      expect(within.arenas[name], name).toEqual(numbers);
    }
  },
);
