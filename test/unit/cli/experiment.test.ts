import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AnalyseJob, EngineApi, TrainEvent, TrainJob, TrainSettings } from '../../../src/api';
import { experimentOf } from '../../../src/cli/experiment/read';
import { run } from '../../../src/cli/main';
import { UserError } from '../../../src/errors';
import type { ExperimentResults } from '../../../src/experiment/results';
import { writeSafetensors } from '../../../src/io/safetensors';
import { initialState } from '../../../src/model/init';
import { createModel } from '../../../src/model/zoo';
import { KeptImages } from '../../../src/run/kept-images';
import { Memo } from '../../../src/run/memo';
import { runTraining } from '../../../src/run/run';
import { fakeAnalysis } from '../../analysis';
import { pictures } from '../data/helpers';
import { fakeGpu } from '../fake-gpu';
import { type Batch, fakeNetwork, tinyModel, tinyState } from '../fake-network';
import { fakeContext, fakeEngine } from './fake';

let folder: string;
/** the experiment from its start to its end, for all tests that look at it */
let whole: Awaited<ReturnType<typeof experiment>> & ReturnType<typeof engine>;
let tests = 0;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refocus-experiment-'));
  write('train', 'a*8', 'b*8', 'c*8');
  write('test', 'a*3', 'b*3', 'c*3');
  // where nothing takes time every epoch ends with a checkpoint
  vi.spyOn(performance, 'now').mockReturnValue(0);
  const own = engine();
  whole = { ...own, ...(await experiment([file(), '--out', out('whole')], own)) };
});
beforeEach(() => {
  tests++;
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** A folder with so many images of each class. */
function write(name: string, ...classes: string[]): void {
  for (const [path, bytes] of Object.entries(pictures(...classes.map((one) => `${name}/${one}`)))) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
}

/** What a cell's batches were. */
interface Trained {
  job: TrainJob;
  batches: Batch[];
}

/**
 * The real engine on a device that plays a tiny network. Accuracy rises with the rate and the seed; refocusing is better.
 * @param killedAt whether the process ends with that event of the nth cell: nothing comes after it
 * @param diverges whether a run's losses are no numbers
 */
function engine(
  killedAt: (cell: number, type: string) => boolean = () => false,
  diverges: (settings: TrainSettings) => boolean = () => false,
) {
  const cells: Trained[] = [];
  const memo = new Memo();
  const kept = new KeptImages();
  let current: TrainJob;
  const { compute, batches } = fakeNetwork({
    metrics: ({ program, rows, step }) => {
      const { lr, method, seed } = current.settings;
      if (program !== 'evaluate') return [diverges(current.settings) ? Number.NaN : rows / (1 + step), 1];
      const share = 0.4 + (method === 'refocus' ? 0.2 : 0) + Number(lr) + seed * 0.01;
      return [rows * (1 - share), rows * share];
    },
  });
  const gpu = fakeGpu(compute);
  const train: EngineApi['train'] = async (job, emit) => {
    const cell = { job, batches: [] as Batch[] };
    const number = cells.push(cell) - 1;
    const first = batches.length;
    current = job;
    const file = { path: 'tiny.safetensors', blob: new Blob([writeSafetensors(tinyState())]) };
    const own =
      job.model.kind === 'builtin' ? { kind: 'model' as const, model: tinyModel, files: [file] } : job.model;
    let kill = (_: Error) => {};
    let isKilled = false;
    const killed = new Promise<never>((_, reject) => {
      kill = reject;
    });
    const context = {
      gpu: async () => gpu,
      memo,
      kept,
      control: { cancelled: false },
      emit: (event: TrainEvent) => {
        if (isKilled) return;
        emit?.(event);
        isKilled = killedAt(number, event.type);
        if (isKilled) kill(new Error('killed'));
      },
    };
    try {
      return await Promise.race([runTraining({ ...job, model: own }, context), killed]);
    } finally {
      cell.batches = batches.slice(first);
    }
  };
  return { api: fakeEngine({ train }), cells };
}

const FILE = {
  name: 'tiny',
  data: ['train'],
  test: ['test'],
  arms: ['none', 'finetune', 'refocus'],
  seeds: [0, 1],
  lrSearch: { rates: [0.01, 0.03, 0.02], epochs: 3, heldOut: 0.25 },
  settings: { epochs: 3, batch: 6, repeats: 1, layers: 'spatial' },
};

async function experiment(args: string[], { api } = engine()) {
  const context = fakeContext(api);
  writeFileSync(join(folder, 'tiny.json'), JSON.stringify(FILE));
  const status = await run(['experiment', ...args], context);
  return { status, stdout: context.stdout.join('\n'), notes: context.stderr.join('\n') };
}
const file = () => join(folder, 'tiny.json');
/** A folder of the test that runs, or one by its name. */
const out = (name = `out${tests}`) => join(folder, name);
const resultsIn = (name?: string): ExperimentResults =>
  JSON.parse(readFileSync(join(out(name), 'results.json'), 'utf8'));

/** Of a cell's training batches what must be the same in all arms: which images, in what order, augmented by which numbers. */
const orderOf = ({ batches }: Trained): string =>
  JSON.stringify(
    batches
      .filter(({ program }) => program === 'train')
      .map(({ step, seed, epoch, images, labels }) => [step, seed, epoch, images, labels]),
  );

test('an experiment: rates are searched for, arms run over seeds, and its results say what is shown', () => {
  const { status, stdout, notes, cells } = whole;
  expect(notes).not.toContain('failed');
  expect(status).toBe(0);
  const results = resultsIn('whole');
  expect(results).toMatchObject({ complete: true, unequal: [] });
  expect(results.rates.map(({ arm, chosen, isAtEdge }) => [arm, chosen, isAtEdge])).toEqual([
    ['finetune', 0.03, true],
    ['refocus', 0.03, true],
  ]);
  expect(results.comparisons[1]).toMatchObject({
    ...{ arm: 'refocus', against: 'finetune', seeds: [0, 1] },
    // by as many of six images in both seeds, which is no proof
    last: { wins: 2, deviation: 0, shown: 'none' },
  });
  expect(stdout).toMatch(/refocus\s+0\.0300\s.*no difference shown/);
  // a table after each run of an arm, the last of them the end's
  expect(`${notes}\n${stdout}`.match(/^ +rate .*seed 0/gm)).toHaveLength(4);
  const report = readFileSync(join(out('whole'), 'report.html'), 'utf8');
  expect(report).toContain('No difference shown: the interval holds zero.');
  expect(cells.map(({ job }) => job.settings.validate)).toEqual([
    ...Array.from({ length: 6 }, () => true),
    ...Array.from({ length: 4 }, () => false),
  ]);
});

test('an experiment’s networks are analysed by its folder, and its report has what came of it', async () => {
  const own = engine();
  const settings = { ...FILE.settings, lr: 0.02 };
  const short = { ...FILE, lrSearch: undefined, seeds: [3, 4], settings };
  writeFileSync(join(folder, 'short.json'), JSON.stringify(short));
  const done = await experiment([join(folder, 'short.json'), '--out', out()], own);
  expect(done.status, done.notes).toBe(0);
  // networks that are known by their tensors
  const known = writeSafetensors(initialState(createModel('resnet20_cifar'), 1));
  for (const name of readdirSync(join(out(), 'runs')))
    writeFileSync(join(out(), 'runs', name, 'merged.safetensors'), known);
  const jobs: AnalyseJob[] = [];
  const analyse: EngineApi['analyse'] = async (job) => {
    jobs.push(job);
    return fakeAnalysis;
  };
  const context = fakeContext(fakeEngine({ analyse }));
  expect(await run(['analyse', out()], context), context.stderr.join('\n')).toBe(0);
  const [{ networks, test: tested, settings: asked }] = jobs;
  expect(networks.map(({ name }) => name)).toEqual(['base', 'finetune', 'refocus']);
  // of the first seed, on the images that the runs were tested on
  expect(tested).toMatchObject({
    files: expect.arrayContaining([expect.objectContaining({ path: 'test/c/2.ppm' })]),
  });
  expect(asked).toMatchObject({ batch: 6, seed: 3 });
  const report = () => readFileSync(join(out(), 'report.html'), 'utf8');
  expect(report()).toContain('<h2>Loss landscape</h2>');
  // what is written anew keeps it; what is no analysis is named
  const again = fakeContext();
  expect(await run(['report', out()], again)).toBe(0);
  expect(report()).toContain('<h2>Loss landscape</h2>');
  for (const broken of [
    '{}',
    '{"kind":"analysis","networks":[{"name":"a"}],"results":{"sharpness":{"networks":1}}}',
  ]) {
    writeFileSync(join(out(), 'analysis.json'), broken);
    const failing = fakeContext();
    expect(await run(['report', out()], failing)).toBe(2);
    expect(failing.stderr.join()).toContain('analysis.json is no analysis that this version reads');
  }
});

test('its figures are files of their own, and its results tell the work of a step', async () => {
  const context = fakeContext();
  const figures = join(folder, 'figures');
  expect(await run(['report', out('whole'), '--figures', figures], context)).toBe(0);
  expect(readdirSync(figures).sort()).toEqual([
    ...['accuracy.svg', 'differences.svg', 'loss.svg', 'training.svg'],
  ]);
  expect(readFileSync(join(figures, 'accuracy.svg'), 'utf8')).toContain('>Refocused</text>');
  for (const { flopsPerStep } of resultsIn('whole').runs) expect(flopsPerStep).toBeGreaterThan(1000);
  const html = readFileSync(join(out('whole'), 'report.html'), 'utf8');
  expect(html).toMatch(/>Work<.*FLOP</s);
  const run1 = fakeContext();
  expect(await run(['report', join(out('whole'), 'runs', 'refocus-seed0'), '--figures', figures], run1)).toBe(
    2,
  );
  expect(run1.stderr.join()).toContain('--figures is for an experiment');
});

test('an experiment without an ended run has nothing to analyse', async () => {
  const own = engine((_, type) => type === 'steps');
  await experiment([file(), '--out', out()], own);
  const context = fakeContext();
  expect(await run(['analyse', out()], context)).toBe(2);
  expect(context.stderr.join()).toContain('nothing to analyse yet');
});

describe('equal by construction', () => {
  test('the arms of a seed have the same images in the same order, as many steps and the same course of the rate', () => {
    const runs = whole.cells.filter(({ job }) => !job.settings.validate);
    expect(runs).toHaveLength(4);
    const orders = new Map<number, Set<string>>();
    for (const cell of runs) {
      const { seed } = cell.job.settings;
      orders.set(seed, (orders.get(seed) ?? new Set()).add(orderOf(cell)));
    }
    expect([...orders.values()].map(({ size }) => size)).toEqual([1, 1]);
    // and another with another seed
    expect(new Set([...orders.values()].flatMap((set) => [...set])).size).toBe(2);
    const course = ({ job, batches }: Trained) =>
      batches
        .filter(({ program }) => program === 'train')
        .map(({ lr }) => (lr / Number(job.settings.lr)).toFixed(6))
        .join();
    expect(new Set(runs.map(course)).size).toBe(1);
  });

  test('a search takes as many images a batch as the runs that it chooses a rate for', async () => {
    const own = engine();
    const settings = { ...FILE.settings, batch: 'auto', epochs: 1 };
    writeFileSync(file(), JSON.stringify({ ...FILE, settings, lrSearch: { rates: [0.01], heldOut: 0.5 } }));
    const context = fakeContext(own.api);
    expect(await run(['experiment', file(), '--seeds', '1', '--out', out()], context)).toBe(0);
    const batches = ['search/finetune-lr0.01', 'runs/finetune-seed0'].map(
      (cell) => JSON.parse(readFileSync(join(out(), cell, 'report.json'), 'utf8')).settings.batch,
    );
    // 24 images train a run, 12 a search, of which a batch would be 12
    expect(batches).toEqual([16, 16]);
  });

  test('its files are read once, not once a run', () => {
    expect(new Set(whole.cells.map(({ job }) => job.share)).size).toBe(1);
    expect(whole.cells[0].job.share).toBeTypeOf('string');
  });

  test('a search sees no test image: all its images are training images', () => {
    const [search] = whole.cells;
    expect(search.job.settings.validate).toBe(true);
    const tested = new Set(
      search.batches.filter(({ program }) => program === 'evaluate').flatMap(({ images }) => images),
    );
    expect(tested.size).toBe(6);
    const report = JSON.parse(
      readFileSync(join(out('whole'), 'search', 'finetune-lr0.01', 'report.json'), 'utf8'),
    );
    expect(report.held.train.images).toBe(18);
    expect(report.uncertainty.images).toBe(6);
  });
});

/** Every file of the runs, but for times and what only a run that goes on needs. */
function filesOf(name?: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const path of readdirSync(out(name), { recursive: true, encoding: 'utf8' })) {
    if (!/\.(safetensors|jsonl|csv)$/.test(path)) continue;
    found.set(path, readFileSync(join(out(name), path)).toString('base64'));
  }
  return found;
}

/** A claim as a process leaves it that was killed. */
function leaveClaim(id: string): void {
  const owner = { pid: process.pid, host: hostname(), token: 'another process' };
  writeFileSync(join(out(), 'claims', `${id.replace('/', '_')}.1.claim`), JSON.stringify(owner));
}

test.each([
  ['search/finetune-lr0.01', 0],
  ['runs/finetune-seed1', 8],
])('killed in %s, it goes on at that step and comes to the same bits', async (id, done) => {
  let isKept = false;
  const killed = engine((cell, type) => {
    const isKilled = cell === done && isKept && type === 'steps';
    isKept ||= cell === done && type === 'checkpoint';
    return isKilled;
  });
  const begun = await experiment([file(), '--out', out()], killed);
  expect(begun.notes).toContain('killed');
  leaveClaim(id);
  const rest = engine();
  const { status } = await experiment([out(), '--resume'], rest);
  expect(status).toBe(0);
  expect(rest.cells).toHaveLength(10 - done);
  // an epoch is three or four steps
  const [first] = rest.cells[0].batches.filter(({ program }) => program === 'train');
  expect(first?.step).toBeGreaterThanOrEqual(3);
  expect(filesOf()).toEqual(filesOf('whole'));
  const told = (name?: string) => ({ ...resultsIn(name), date: '' });
  expect(told()).toEqual(told('whole'));
});

test('two processes share the cells: each is run once', async () => {
  const [one, other] = [engine(), engine()];
  const begun = experiment([file(), '--out', out()], one);
  await vi.waitFor(() => readFileSync(join(out(), 'results.json')));
  const joined = experiment([out(), '--resume'], other);
  const ends = await Promise.all([begun, joined]);
  for (const { status, notes } of ends) expect([status, notes]).toEqual([0, expect.anything()]);
  const idsOf = ({ cells }: typeof one) =>
    cells.map(({ job: { settings: s } }) => `${s.validate} ${s.method} ${s.lr} ${s.seed}`);
  const all = [...idsOf(one), ...idsOf(other)];
  expect(new Set(all).size).toBe(10);
  expect(all).toHaveLength(10);
  expect(Math.min(one.cells.length, other.cells.length)).toBeGreaterThan(0);
  expect(resultsIn().complete).toBe(true);
}, 20_000);

describe('the command line', () => {
  test('settings override the file’s; more seeds go on with what is there', async () => {
    const args = [
      file(),
      '--out',
      out(),
      '--epochs',
      '1',
      '--seeds',
      '1',
      '--lr',
      '0.02',
      '--arms',
      'finetune,refocus',
    ];
    await experiment(args);
    expect(resultsIn()).toMatchObject({
      experiment: {
        seeds: [0],
        settings: { epochs: 1, lr: 0.02 },
        arms: [{ name: 'finetune' }, { name: 'refocus' }],
      },
      rates: [],
    });
    const more = engine();
    await experiment([out(), '--resume', '--seeds', '2'], more);
    expect(more.cells.map(({ job }) => job.settings.seed)).toEqual([1, 1]);
    expect(resultsIn().comparisons[0].seeds).toEqual([0, 1]);
    const arms = engine();
    const { notes } = await experiment([out(), '--resume', '--arms', 'refocus,refocus-k1'], arms);
    expect(arms.cells.map(({ job }) => [job.settings.mapKernel, job.settings.seed])).toEqual([
      [1, 0],
      [1, 1],
    ]);
    expect(resultsIn().arms.map(({ arm }: { arm: string }) => arm)).toEqual([
      'finetune',
      'refocus',
      'refocus-k1',
    ]);
    expect(notes).toContain(`refocus analyse ${out()} adds`);
    const unknown = await experiment([out(), '--resume', '--arms', 'refocuss']);
    expect(unknown.status).toBe(2);
    expect(unknown.notes).toContain('there is no arm "refocuss"');
    const before = readFileSync(join(out(), 'experiment.json'), 'utf8');
    const fewer = await experiment([out(), '--resume', '--arms', 'retrain', '--seeds', '1']);
    expect(fewer.notes).toContain('--seeds 1 would be fewer');
    // what is refused changes nothing: an arm could not be taken away again
    expect(readFileSync(join(out(), 'experiment.json'), 'utf8')).toBe(before);
  });

  test('a cell that cannot come to an end is named, the others run', async () => {
    const failing = engine();
    const { train } = failing.api;
    failing.api.train = (job, emit) =>
      job.settings.method === 'refocus' ? Promise.reject(new UserError('No such layer.')) : train(job, emit);
    const { status, notes } = await experiment([file(), '--out', out(), '--lr', '0.02'], failing);
    expect(status).toBe(1);
    expect(notes).toContain('runs/refocus-seed0, runs/refocus-seed1 are missing: No such layer.');
    expect(resultsIn()).toMatchObject({
      complete: false,
      missing: ['runs/refocus-seed0', 'runs/refocus-seed1'],
    });
    const { status: again } = await experiment([out(), '--resume']);
    expect(again).toBe(0);
    expect(resultsIn().complete).toBe(true);
  });

  test('a searched rate that diverges in its first epoch has lost, and the best of the others is taken', async () => {
    const own = engine(undefined, ({ lr }) => Number(lr) > 0.025);
    const { status, notes } = await experiment([file(), '--out', out()], own);
    expect(status, notes).toBe(0);
    expect(notes).toMatch(/search\/finetune-lr0.03 diverged, this rate is not taken: The loss was NaN/);
    const { complete, rates, runs } = resultsIn();
    expect(complete).toBe(true);
    expect(rates).toMatchObject([
      {
        ...{ arm: 'finetune', chosen: 0.02, isAtEdge: false },
        tried: [{ lr: 0.01 }, { lr: 0.02 }, { lr: 0.03, accuracy: 0, loss: null, diverged: true }],
      },
      { arm: 'refocus', chosen: 0.02 },
    ]);
    expect(new Set(runs.map(({ lr }) => lr))).toEqual(new Set([0.02]));
    expect(readFileSync(join(out(), 'report.html'), 'utf8')).toContain('>diverged</td>');
    const again = engine();
    expect((await experiment([out(), '--resume'], again)).status).toBe(0);
    expect(again.cells).toEqual([]);
  });

  test('an arm that diverges at every rate says so, the others come to their end', async () => {
    const own = engine(undefined, ({ method }) => method === 'refocus');
    const { status, notes } = await experiment([file(), '--out', out()], own);
    expect(status).toBe(1);
    const said =
      'Refocused is not trained, nor what needs its rate or its network: at every rate that was tried (0.0100, 0.0200, 0.0300) it diverged. Begin another experiment with lower rates.';
    expect(notes).toContain(said);
    expect(notes).not.toContain('--resume');
    expect(resultsIn()).toMatchObject({
      complete: false,
      missing: ['runs/refocus-seed0', 'runs/refocus-seed1'],
    });
    expect(resultsIn().runs.map(({ arm }) => arm)).toEqual(['finetune', 'finetune']);
    expect(readFileSync(join(out(), 'report.html'), 'utf8')).toContain(said);
    const again = engine();
    expect((await experiment([out(), '--resume'], again)).status).toBe(1);
    expect(again.cells).toEqual([]);
    const context = fakeContext();
    expect(await run(['report', out()], context)).toBe(0);
    expect(context.stderr.join()).toContain(said);
    expect(context.stderr.join()).not.toContain('still to come');
  });

  test('where all that is tried fails for one reason, the rest is not tried', async () => {
    const failing = engine();
    let tried = 0;
    failing.api.train = () => {
      tried++;
      return Promise.reject(new UserError('No such class.'));
    };
    const { status, notes } = await experiment([file(), '--out', out()], failing);
    expect(status).toBe(1);
    // three rates of the first arm, one of the second
    expect(tried).toBe(4);
    expect(notes.split('No such class.')).toHaveLength(3);
  });

  test('a mistake in the name of a file leaves no folder behind', async () => {
    for (const option of ['--data', '--test', '--weights', '--labels']) {
      const { status, notes } = await experiment([file(), option, '/nowhere.zip', '--out', out()]);
      expect([option, status]).toEqual([option, 2]);
      expect(notes).toContain(option === '--labels' ? '--labels names the classes' : '/nowhere.zip');
      expect(existsSync(out())).toBe(false);
    }
  });

  test.each<[string, () => string[], string]>([
    ['a folder that is none', () => [folder], 'is a folder that holds no experiment'],
    [
      'no such experiment',
      () => ['reviewer'],
      'reviewer is neither a file nor an experiment that is there by name: reviewers',
    ],
    ['nothing to go on with', () => ['smoke', '--resume', '--out', out('none')], 'holds no experiment'],
    [
      'settings with --resume',
      () => ['smoke', '--resume', '--epochs', '2'],
      '--epochs cannot go with --resume',
    ],
    [
      'rates that are none',
      () => ['smoke', '--rates', '0.1,high', '--out', out()],
      '--rates must be numbers',
    ],
    [
      "another network without weights, where the file's would be lost",
      () => {
        const named = join(folder, 'weights.json');
        writeFileSync(named, JSON.stringify({ ...FILE, base: { weights: 'own.pth' } }));
        return [named, '--arch', 'resnet20_cifar', '--out', out()];
      },
      'own.pth, which --arch alone would leave out',
    ],
    [
      'epochs of a base that is there already',
      () => ['smoke', '--base-epochs', '6', '--out', out()],
      '--base-epochs is for an experiment that trains its base first',
    ],
    [
      'epochs of a base that is brought',
      () => ['segmentation', '--base-epochs', '6', '--weights', 'own.pth', '--out', out()],
      '--base-epochs trains the base, which --weights brings trained',
    ],
    [
      'no epochs of a base',
      () => ['segmentation', '--base-epochs', '0', '--out', out()],
      '--base-epochs must be',
    ],
    ['an arm that there is not', () => ['smoke', '--arms', 'tune', '--out', out()], 'there is no arm "tune"'],
  ])('%s', async (_, args, message) => {
    const { status, notes } = await experiment(args());
    expect(status).toBe(2);
    expect(notes).toContain(message);
  });

  test('another network is trained first as the one of the experiment would be', async () => {
    const args = { positionals: ['segmentation'], values: { arch: 'dw_unet', kwargs: '{"width":8}' } };
    const { base } = await experimentOf(args);
    expect(base.network?.kwargs).toEqual({ width: 8 });
    expect(base.train).toEqual((await experimentOf({ ...args, values: {} })).base.train);
    expect(base.train?.epochs).toBeGreaterThan(1);
  });

  test('a base that is trained first is so for as many epochs as are given', async () => {
    const values = { 'base-epochs': '6' };
    const { base, settings } = await experimentOf({ positionals: ['segmentation'], values });
    const whole = await experimentOf({ positionals: ['segmentation'], values: {} });
    expect(base).toEqual({ ...whole.base, train: { ...whole.base.train, epochs: 6 } });
    expect(settings).toEqual(whole.settings);
  });

  test('a folder that holds an experiment is not begun again', async () => {
    await experiment([file(), '--out', out(), '--lr', '0.02']);
    const { status, notes } = await experiment([file(), '--out', out()]);
    expect(status).toBe(2);
    expect(notes).toContain('holds an experiment already: go on with it by --resume');
  });
});
