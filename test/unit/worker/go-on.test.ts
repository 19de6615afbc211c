import { expect, test } from 'vitest';
import type { EngineApi, TrainEvent, TrainJob, TrainResult } from '../../../src/api';
import { outliving } from '../../../src/cli/hosts/browser';
import { DeviceLost, NoWebGpu, UserError } from '../../../src/errors';
import { EngineFailure, trainOn } from '../../../src/worker/go-on';

/** What an engine does with a run: the steps that it takes, a checkpoint after some, and how it ends. */
interface Course {
  steps: number[];
  checkpoint?: number;
  end: TrainResult['report']['ended'] | Error;
}

const JOB = { settings: {} } as TrainJob;
const point = (step: number) => ({ step, epoch: step, loss: 1, accuracy: 1, lr: 1 });

/** Engines one after the other, by what each does. */
function engines(...courses: Course[]) {
  const jobs: TrainJob[] = [];
  let replaced = 0;
  const train: EngineApi['train'] = async (job, onEvent = () => {}) => {
    const { steps, checkpoint, end } = courses[jobs.length];
    jobs.push(job);
    for (const step of steps) onEvent({ type: 'steps', points: [point(step)] } as unknown as TrainEvent);
    if (checkpoint !== undefined)
      onEvent({
        type: 'checkpoint',
        file: `${checkpoint}`,
        step: checkpoint,
        bytes: Uint8Array.of(checkpoint),
      });
    if (end instanceof Error) throw end;
    return { report: { ended: end } } as TrainResult;
  };
  return { train, jobs, replace: () => void replaced++, replaced: () => replaced };
}

async function run(courses: Course[], goesOn = true, job = JOB) {
  const { train, jobs, replace, replaced } = engines(...courses);
  const warnings: string[] = [];
  const last: number[] = [];
  const waits: number[] = [];
  const done = await trainOn(job, {
    wait: async (seconds) => void waits.push(seconds),
    engine: () => ({ train }),
    replace,
    onEvent: (event) => {
      if (event.type === 'warning') warnings.push(event.message);
    },
    goesOn: () => goesOn,
    lastWay: async (step) => void last.push(step),
  }).catch((error: Error) => ({ error }));
  const from = jobs.map(({ resume }) => resume?.checkpoints.map(({ path }) => path).join());
  return { done, from, warnings, last, waits, replaced: replaced() };
}

const lost = new DeviceLost('lost');

test('a run goes on from its newest checkpoint in another engine', async () => {
  const { done, from, warnings, replaced } = await run([
    { steps: [1, 2, 3], checkpoint: 2, end: lost },
    { steps: [3, 4], checkpoint: 4, end: 'failed' },
    { steps: [5], end: 'finished' },
  ]);
  expect(done).toMatchObject({ result: { report: { ended: 'finished' } }, checkpoint: { path: '4' } });
  expect(from).toEqual([undefined, '2', '4']);
  expect(replaced).toBe(2);
  expect(warnings).toEqual([
    'The engine was lost at step 3: training goes on from step 2, in a new one.',
    'The engine was lost at step 4: training goes on from step 4, in a new one.',
  ]);
});

test('without a checkpoint it begins again, once, and then the last way is tried', async () => {
  const { done, from, last } = await run([
    { steps: [1], end: new EngineFailure('crashed') },
    { steps: [1, 2], end: new UserError('No GPU was found.') },
  ]);
  expect(done).toEqual({ error: new UserError('No GPU was found.') });
  expect(from).toEqual([undefined, undefined]);
  expect(last).toEqual([0]);
});

test('where no engine brings it further, what the last has merged is the result', async () => {
  const failed: Course = { steps: [5], end: 'failed' };
  const { done, last } = await run([{ ...failed, checkpoint: 4 }, failed, failed]);
  expect(done).toMatchObject({ result: { report: { ended: 'failed' } }, checkpoint: { path: '4' } });
  expect(last).toEqual([4]);
});

test('mistakes of the job, and a run that is to stop, start no other engine', async () => {
  const mistake = new UserError('Choose a smaller batch.');
  expect(await run([{ steps: [], end: mistake }])).toMatchObject({ done: { error: mistake }, replaced: 0 });
  const stopping = await run([{ steps: [1], checkpoint: 1, end: lost }], false);
  expect(stopping).toMatchObject({ done: { error: lost }, replaced: 0 });
});

test('where there is no GPU any more it waits for one, longer each time', async () => {
  const away: Course = { steps: [], end: new NoWebGpu('No GPU.') };
  const back = await run([
    { steps: [1, 2], checkpoint: 2, end: lost },
    away,
    away,
    { steps: [3], end: 'finished' },
  ]);
  expect(back).toMatchObject({ done: { result: { report: { ended: 'finished' } } }, waits: [1, 4] });
  expect(back.from).toEqual([undefined, '2', '2', '2']);
  // a page that was reloaded for it waits too, and not forever
  const resumed = { ...JOB, resume: { checkpoints: [] } };
  const gone = await run(new Array(7).fill(away), true, resumed);
  expect(gone).toMatchObject({ done: { error: away.end }, waits: [1, 4, 10, 30, 60, 60] });
  expect(await run([away])).toMatchObject({ done: { error: away.end }, waits: [] });
});

test('a browser that crashes is started again; what cannot go on is a mistake in words', async () => {
  const crash = new EngineFailure('The browser ended during train');
  const fine = engines({ steps: [2], checkpoint: 1, end: crash }, { steps: [2], end: 'finished' });
  const browser = outliving({ train: fine.train } as EngineApi, async () => fine.replace());
  expect(await browser.train(JOB)).toEqual({ report: { ended: 'finished' } });
  expect(fine.jobs[1].resume?.checkpoints).toHaveLength(1);
  const broken = engines({ steps: [], end: crash }, { steps: [], end: crash });
  const error = await outliving({ train: broken.train } as EngineApi, async () => {})
    .train(JOB)
    .catch((e: Error) => e);
  expect(error).toBeInstanceOf(UserError);
  expect((error as Error).message).toBe('The browser ended during train');
});
