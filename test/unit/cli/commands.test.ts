import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { classFigures } from '../../../src/analysis/class-figures';
import type { ImageSetReport, RateSearch } from '../../../src/api';
import { commands, run } from '../../../src/cli/main';
import { kebab } from '../../../src/cli/options';
import { EXAMPLE_SET } from '../../../src/data/builtin/builtin';
import { decodeImage } from '../../../src/data/images/decode';
import { Stopped, UserError } from '../../../src/errors';
import { readSafetensors, writeSafetensors } from '../../../src/io/safetensors';
import { initialState } from '../../../src/model/init';
import { withRefConv } from '../../../src/model/refconv';
import { createModel } from '../../../src/model/zoo';
import { networkFields } from '../../../src/run/network-options';
import { VERSION } from '../../../src/run/version';
import { presets } from '../../../src/train/presets';
import { defaultSettings, settingFields, settingGroups } from '../../../src/train/settings';
import { onnxFixture } from '../../onnx';
import { fakeContext, fakeEngine, fakeEvaluation, fakeExport, fakeProfile, fakeReport } from './fake';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refocus-cli-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const out = () => join(folder, 'out');
const json = async (name: string) => JSON.parse(await readFile(join(out(), name), 'utf8'));

test.each([
  [[], /^Name a command/],
  [['toString'], /^Unknown command "toString"/],
  [['train', '--epoch', '3'], /^Unknown option --epoch: is it --epochs\?$/],
  [['train', '--size', '64'], /^Unknown option --size: is it --image-size\?$/],
  [['export', '--image-size', '64'], /^Unknown option --image-size: is it --size\?$/],
  [['train', '--foo'], /^Unknown option --foo; see `refocus train --help`\.$/],
  [['train', '-x'], /^Unknown option -x/],
  [
    ['train', 'photos.zip'],
    /^Unexpected argument "photos.zip": files are named by --weights, --data, --test;/,
  ],
  [['inspect', 'a', 'extra'], /^Unexpected argument "extra"; see/],
  [['train', '--lr'], /^--lr needs a value/],
  [['train', '--out', ''], /^--out needs a value; see `refocus train --help`\.$/],
  [['train', '--data', ''], /^--data needs a value/],
  [['train', '--lr', '-1'], /^--lr must be a number above 0/],
  [['train', '--lr', 'nan'], /^--lr must be/],
  [['lr', '--steps', '5'], /^--steps must be a whole number from 10/],
  [['lr', '--from', '0'], /^--from must be a number above 0/],
  [['train', '--nesterov=1'], /^--nesterov takes no value/],
  [['train', '--weight-decay', 'x'], /^--weight-decay must be/],
  [['train', '--no-lr'], /--no-lr/],
  [['train', '--weights', 'x.pt'], /^--weights x\.pt does not exist/],
  [['train', '--arch', 'resnet20_cifar'], /^--weights is missing/],
  [['train', '--preset', 'x'], /^--preset must be one of quick, fair, small, reference, not "x"/],
  [['train', '--epochs', '0'], /^--epochs must be a whole number from 1/],
  [['train', '--epochs', '-1'], /^--epochs must be .* not "-1"/],
  [['train', '--batch', '1e9'], /^--batch must be/],
  [['train', '--arch', 'a', '--weights', '/no/such/file'], /^--weights \/no\/such\/file does not exist/],
  [['train', '--arch', 'a', '--kwargs', '{'], /^--kwargs must be a JSON object/],
  [['train', '--data', '/no/such/place'], /^--data \/no\/such\/place does not exist; check the path\.$/],
  [['eval', '--test', '/no/such/place'], /^--test \/no\/such\/place does not exist/],
  [['train', '--weights', 'package.json', '--labels', 'src'], /^--labels src is a folder/],
  [['train', '--config', '/no/such/file'], /^\/no\/such\/file is no config file/],
  [['eval', '--weights', 'weights/builtin-mobilenet_v2.safetensors'], /^--test is missing/],
  [['train', '--weights', 'package.json'], /^package\.json is a JSON file/],
  [
    ['predict', '--arch', 'resnet18', '--weights', 'weights', 'README.md'],
    /is not ResNet-18 but MobileNetV2/,
  ],
  [['eval', '--mean', '1,2'], /^--mean must be three numbers/],
  [['predict'], /^IMAGE is missing: `refocus predict/],
  [['predict', '/no/such/image.jpg'], /^\/no\/such\/image\.jpg does not exist/],
  [['predict', '--top', '0', 'a.jpg'], /^--top must be/],
  [['export'], /^--to is missing/],
  [['export', '--to', 'net.pth'], /^--to net\.pth is no \.onnx file/],
  [['export', '--to', 'a.onnx', '--size', '0'], /^--size must be/],
  [['verify'], /^DIR is missing/],
  [['verify', 'package.json'], /is a file/],
  [['data', '/no/such/place'], /^\/no\/such\/place does not exist/],
  [['inspect', '/no/such/file'], /does not exist/],
  [['inspect', 'docs'], /no weights|text file/],
  [['plan'], /^--arch is missing/],
  [['plan', '--arch', 'a', '--size', '0'], /^--size must be/],
  [['networks', '--size', '0'], /^--size must be/],
  [['networks', '--batch', 'x'], /^--batch must be/],
  [['networks', '--batch', '1', '--size', '32'], /^mobilenet_v1: .*use a larger batch or larger images/],
  [['start', '--port', '1.5'], /^--port must be/],
  [['profile', '--runs', '0'], /^--runs must be/],
  [['profile', '--case', 'x', '--arch', 'y'], /^--case and --arch exclude each other/],
  [['bench', '--case', 'dw3*', '--reps', '0'], /^--reps must be/],
  [
    ['bench', '--case', 'nothing'],
    /^There is no benchmark case "nothing": choose one of dw3s1-16x16x192-fwd, /,
  ],
])('refocus %j: one sentence, exit 2', async (argv, message) => {
  const context = fakeContext();
  expect(await run(argv, context)).toBe(2);
  expect(context.stderr).toEqual([expect.stringMatching(message)]);
  expect(context.stdout).toEqual([]);
  expect(context.sessions.opened, 'an engine is not needed to see this').toBe(0);
});

test('every command has help, with exit 0', async () => {
  for (const name of Object.keys(commands)) {
    const context = fakeContext();
    expect(await run([name, '--help'], context)).toBe(0);
    expect(context.stdout[0]).toContain(`refocus ${name}`);
  }
});

test('the help of train names every setting and network option, with what it takes and its default', async () => {
  const context = fakeContext();
  await run(['train', '--help'], context);
  const help = context.stdout[0].replace(/\s+/g, ' ');
  const fields = { ...settingFields, ...networkFields };
  for (const [name, { help: words, placeholder }] of Object.entries(fields)) {
    const isFlag = placeholder.startsWith('true|false');
    const head = isFlag ? `--[no-]${kebab(name)}` : `--${kebab(name)} ${placeholder}`;
    expect(help, name).toContain(` ${head} ${words} (`);
  }
  for (const group of Object.values(settingGroups)) expect(context.stdout[0]).toContain(`\n${group}:\n`);
  for (const line of context.stdout[0].split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  expect(help).toMatch(/--mean R,G,B\|auto +mean .* \(auto\)/);
  expect(help).toMatch(/--stem-stride 1\|2 .* \(as published\)/);
});

test('train writes its files and prints the report', async () => {
  const engine = fakeEngine();
  const context = fakeContext(engine);
  const argv = ['train', '--out', out(), '--method', 'finetune', '--no-flip', '--layers', 'a,b', '--limit=7'];
  expect(await run(argv, context)).toBe(0);
  expect((await readdir(out())).sort()).toEqual([
    'best.safetensors',
    'config.json',
    'labels.txt',
    'merged.safetensors',
    'metrics.jsonl',
    'report.html',
    'report.json',
  ]);
  expect(await json('report.json')).toEqual(fakeReport(true));
  const { evaluation: _, ...printed } = fakeReport(true);
  expect(JSON.parse(context.stdout[0])).toEqual(printed);
  expect([...(await readFile(join(out(), 'merged.safetensors')))]).toEqual([1, 2, 3]);
  const lines = (await readFile(join(out(), 'metrics.jsonl'), 'utf8')).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { step: 1, epoch: 1, loss: 2, accuracy: 0.5, lr: 0.05 },
    { eval: 'last', step: 2, epoch: 1, accuracy: 0.6, loss: 1 },
  ]);
  expect(engine.jobs[0]).toMatchObject({
    model: { kind: 'builtin' },
    train: { kind: 'builtin', set: 'builtin-camera', split: 'train' },
    test: { kind: 'builtin', set: 'builtin-camera', split: 'test' },
    settings: { method: 'finetune', flip: false, layers: ['a', 'b'], limit: 7 },
  });
  expect(context.sessions).toEqual({ opened: 1, closed: 1 });
});

test('--data builtin: what the network was trained on, and its test images', async () => {
  const engine = fakeEngine();
  expect(await run(['train', '--out', out(), '--data', 'builtin'], fakeContext(engine))).toBe(0);
  expect(engine.jobs[0]).toMatchObject({
    train: { kind: 'builtin', set: 'builtin', split: 'train' },
    test: { kind: 'builtin', set: 'builtin', split: 'test' },
  });
});

test('--preset names settings that other options override, over those of a config', async () => {
  await run(['train', '--out', out(), '--seed', '3', '--optimizer', 'adamw'], fakeContext());
  const engine = fakeEngine();
  const config = join(out(), 'config.json');
  const argv = ['train', '--config', config, '--preset', 'reference', '--epochs', '9'];
  expect(await run([...argv, '--out', join(folder, 'again')], fakeContext(engine))).toBe(0);
  expect(engine.jobs[0].settings).toMatchObject({
    ...presets.reference.settings,
    epochs: 9,
    seed: 3,
  });
});

test('--format pth: the weights as torch.save writes them, and nothing else', async () => {
  const engine = fakeEngine();
  const file = (name: string, byte: number) => ({ name, bytes: new Uint8Array([byte]) });
  const { train } = engine;
  engine.train = async (job, emit) => ({
    ...(await train(job, emit)),
    files: [file('labels.txt', 4), file('merged.pth', 5), file('best.pth', 6)],
  });
  expect(await run(['train', '--out', out(), '--format', 'pth'], fakeContext(engine))).toBe(0);
  const weights = (await readdir(out())).filter((name) => /^(merged|best)/.test(name));
  expect(weights.sort()).toEqual(['best.pth', 'merged.pth']);
  expect([...(await readFile(join(out(), 'merged.pth')))]).toEqual([5]);
});

test('--config repeats a run; other options override it', async () => {
  const first = fakeEngine();
  await run(['train', '--out', out(), '--lr', '0.5', '--seed', '3'], fakeContext(first));
  const second = fakeEngine();
  const argv = [
    'train',
    '--config',
    join(out(), 'config.json'),
    '--seed',
    '4',
    '--out',
    join(folder, 'again'),
  ];
  expect(await run(argv, fakeContext(second))).toBe(0);
  expect(second.jobs[0].settings).toEqual({ ...first.jobs[0].settings, seed: 4 });
});

test('a config that lies is refused', async () => {
  for (const content of [
    '{',
    '[]',
    'null',
    '{"data":"builtin"}',
    '{"data":["builtin"],"settings":{"lr":"x"}}',
  ]) {
    const file = join(folder, 'config.json');
    await writeFile(file, content);
    const context = fakeContext();
    expect(await run(['train', '--config', file, '--out', out()], context)).toBe(2);
    expect(context.stderr[0]).not.toContain('    at ');
  }
});

test('an unproven merge leaves no weights and exits 1, unless they are asked for', async () => {
  const engine = fakeEngine({}, false);
  await mkdir(out());
  await writeFile(join(out(), 'merged.safetensors'), 'of an earlier run');
  const context = fakeContext(engine);
  expect(await run(['train', '--out', out(), '--overwrite'], context)).toBe(1);
  expect(context.stderr.at(-1)).toMatch(/^The merged network differs.*--accept-unproven/);
  expect(await readdir(out())).not.toContain('merged.safetensors');
  expect((await json('report.json')).proof.ok).toBe(false);
  expect(await run(['train', '--out', out(), '--overwrite', '--accept-unproven'], fakeContext(engine))).toBe(
    0,
  );
  expect(await readdir(out())).toContain('merged.safetensors');
});

test('weights that no device was left to prove are kept under names that say so; exit 1', async () => {
  const engine = fakeEngine();
  const { train } = engine;
  engine.train = async (...args) => {
    const result = await train(...args);
    Object.assign(result.report.proof, { ok: false, images: 0, maxRelLogitDiff: Number.NaN });
    return result;
  };
  const context = fakeContext(engine);
  expect(await run(['train', '--out', out()], context)).toBe(1);
  expect(context.stderr.at(-1)).toMatch(/^The merged network could not be compared.*merged\.unproven/);
  const files = await readdir(out());
  expect(files).toContain('merged.unproven.safetensors');
  expect(files).toContain('best.unproven.safetensors');
  expect(files).not.toContain('merged.safetensors');
  expect(await run(['train', '--out', out(), '--overwrite'], fakeContext())).toBe(0);
  expect(await readdir(out())).not.toContain('merged.unproven.safetensors');
});

test("an engine's UserError is one sentence; the metrics so far stay", async () => {
  const engine = fakeEngine({
    async train(_job, onEvent) {
      const point = { step: 1, epoch: 1, loss: 2, accuracy: 0.5, lr: 0.05 };
      onEvent?.({ type: 'steps', points: [point], imagesPerSecond: 1, etaSeconds: 1, stepMs: 15 });
      throw new UserError('The GPU was lost; start again.');
    },
  });
  const context = fakeContext(engine);
  expect(await run(['train', '--out', out()], context)).toBe(2);
  expect(context.stderr.at(-1)).toBe('The GPU was lost; start again.');
  expect(await readFile(join(out(), 'metrics.jsonl'), 'utf8')).toContain('"step":1');
  expect(context.sessions.closed).toBe(1);
});

test('a run that its input ends leaves no folder, and an earlier run as it was', async () => {
  const engine = fakeEngine({
    async train(_job, onEvent) {
      onEvent?.({ type: 'eval', which: 'base', point: { step: 0, epoch: 0, accuracy: 0.5, loss: 1 } });
      throw new UserError('cat/1.jpg is broken.');
    },
  });
  const fresh = join(out(), 'deep', 'er');
  expect(await run(['train', '--out', fresh], fakeContext(engine))).toBe(2);
  expect(await readdir(folder)).toEqual([]);
  expect(await run(['train', '--out', out()], fakeContext())).toBe(0);
  const before = await readFile(join(out(), 'metrics.jsonl'), 'utf8');
  expect(await run(['train', '--out', out(), '--overwrite', '--epochs', '7'], fakeContext(engine))).toBe(2);
  expect(await readFile(join(out(), 'metrics.jsonl'), 'utf8')).toBe(before);
  expect((await json('config.json')).settings.epochs).toBe(3);
  expect(await readdir(out())).toContain('merged.safetensors');
});

test('a run that is killed before its first step can be begun again by its folder', async () => {
  const left = join(folder, 'killed');
  const engine = fakeEngine({
    async train() {
      // as it lies there while the images are read
      await cp(out(), left, { recursive: true });
      throw new UserError('the rest is of no interest');
    },
  });
  await run(['train', '--out', out(), '--epochs', '7'], fakeContext(engine));
  const context = fakeContext();
  expect(await run(['train', '--resume', left], context)).toBe(0);
  expect(context.stderr[0]).toBe(`${left} has no checkpoint yet: the run begins again.`);
  expect(JSON.parse(await readFile(join(left, 'config.json'), 'utf8')).settings.epochs).toBe(7);
});

test('an --out that holds something already: a fresh name beside it, or --overwrite', async () => {
  await mkdir(out());
  expect(await run(['train', '--out', out()], fakeContext())).toBe(0);
  const first = await readFile(join(out(), 'config.json'), 'utf8');
  const context = fakeContext();
  expect(await run(['train', '--out', out(), '--epochs', '7'], context)).toBe(0);
  expect(context.stderr[0]).toContain(`${out()} holds something already: results go to ${out()}-2`);
  expect(await readFile(join(out(), 'config.json'), 'utf8')).toBe(first);
  expect(await readdir(`${out()}-2`)).toContain('merged.safetensors');
  expect(await run(['train', '--out', `${out()}/`, '--epochs', '8'], fakeContext())).toBe(0);
  expect(await readdir(`${out()}-3`)).toContain('merged.safetensors');
  expect(await run(['train', '--out', out(), '--overwrite', '--epochs', '9'], fakeContext())).toBe(0);
  expect((await json('config.json')).settings.epochs).toBe(9);
});

test('weights that the folder does not take go to the temporary folder, and a sentence says where', async () => {
  await mkdir(join(out(), 'merged.safetensors', 'in the way'), { recursive: true });
  const context = fakeContext();
  expect(await run(['train', '--out', out(), '--overwrite'], context)).toBe(0);
  const warning = context.stderr.find((line) => line.includes('could not be written'));
  const [, saved] = /it is in (\S+merged\.safetensors) instead/.exec(warning ?? '') ?? [];
  expect(context.stderr.at(-1)).toBe(`The merged weights are ${saved}, metrics and report are in ${out()}`);
  expect([...(await readFile(saved))]).toEqual([1, 2, 3]);
  expect(await readdir(out())).not.toContain('merged.safetensors.part');
  await rm(dirname(saved), { recursive: true });
});

test('a place that cannot be a folder is named', async () => {
  await writeFile(join(folder, 'file'), '');
  // mkdir's `recursive` never ends in the last one
  for (const path of [join(folder, 'file'), join(folder, 'file', 'below'), '/proc/no-such-folder']) {
    const context = fakeContext();
    expect(await run(['train', '--out', path], context)).toBe(2);
    expect(context.stderr).toEqual([
      expect.stringMatching(/cannot be written \((E\w+|it is a file)\); name another --out\.$/),
    ]);
    expect(context.stderr[0]).toContain(path);
    expect(context.stderr[0].includes('it is a file')).toBe(path === join(folder, 'file'));
  }
});

test('an interrupt asks the engine to stop', async () => {
  let cancelled = 0;
  const engine = fakeEngine({
    cancel: async () => {
      cancelled++;
    },
  });
  const context = fakeContext(engine);
  context.onInterrupt = (callback) => {
    callback();
    return () => {};
  };
  expect(await run(['train', '--out', out()], context)).toBe(0);
  expect(cancelled).toBe(1);
});

test('report.json has the figures of each class, a line of the confusion matrix a class', async () => {
  const engine = fakeEngine();
  const { train } = engine;
  const images = classFigures([Float32Array.of(2, 1), Float32Array.of(3, 1)], {
    labels: [0, 1],
    classes: ['a', '[\n 1,\n 2\n]'],
  });
  engine.train = async (job, onEvent) => {
    const result = await train(job, onEvent);
    const flips = { gained: 5, lost: 1, p: 0.21875 };
    const uncertainty = { ...result.report.uncertainty, flips: { last: flips, best: flips } };
    return { ...result, report: { ...result.report, evaluation: { last: images.figures }, uncertainty } };
  };
  const context = fakeContext(engine);
  expect(await run(['train', '--out', out()], context)).toBe(0);
  const text = await readFile(join(out(), 'report.json'), 'utf8');
  expect(JSON.parse(text).evaluation.last).toEqual(images.figures);
  expect(text).toMatch(/"confusion": \[\n +\[1, 0\],\n +\[1, 0\]\n/);
  expect(context.stderr.at(-3)).toMatch(/^1 test images are told wrong, mean F1 of the classes 0\.333/);
  expect(context.stderr.at(-2)).toMatch(/^Of 64 test images 5 are gained and 1 lost .* p = 0\.22\)\.$/);
  expect(JSON.parse(context.stdout[0]).evaluation).toBeUndefined();
});

test('a run with a new classifier names what to compare it with', async () => {
  const engine = fakeEngine();
  const { train } = engine;
  engine.train = async (job, onEvent) => {
    const { report, ...result } = await train(job, onEvent);
    const { method } = job.settings;
    const settings = { ...report.settings, method };
    return { ...result, report: { ...report, settings, network: { ...report.network, newHead: true } } };
  };
  const said = async (method: string, name: string) => {
    const context = fakeContext(engine);
    await run(['train', '--method', method, '--out', join(folder, 'runs', name)], context);
    return context.stderr.some((line) => /fine-tuning as long .* is the comparison/.test(line));
  };
  expect([await said('refocus', 'maps'), await said('finetune', 'all')]).toEqual([true, false]);
});

test('a run that is stopped before it has trained leaves nothing, with the status of an interrupt', async () => {
  const engine = fakeEngine({ train: () => Promise.reject(new Stopped()) });
  const context = fakeContext(engine);
  const path = join(folder, 'runs', 'stopped');
  expect(await run(['train', '--out', path], context)).toBe(130);
  expect(context.stderr).toEqual(['Stopped before anything was trained.']);
  expect(existsSync(join(folder, 'runs'))).toBe(false);
});

test('an interrupt is answered by what the run has to lose', async () => {
  const engine = fakeEngine();
  const { train } = engine;
  const context = fakeContext(engine);
  let interrupt = () => {};
  context.onInterrupt = (callback) => {
    interrupt = callback;
    return () => {};
  };
  engine.train = async (job, onEvent) => {
    interrupt();
    const result = await train(job, onEvent);
    interrupt();
    onEvent?.({ type: 'phase', phase: 'merge', message: 'Merging' });
    interrupt();
    return { ...result, report: { ...result.report, ended: 'stopped' } };
  };
  expect(await run(['train', '--out', out()], context), 'what follows a && is not begun').toBe(130);
  const notes = context.stderr.filter((line) => !/^(last|fake)/.test(line));
  expect(notes).toEqual([
    'Stopping before the first step; interrupt again to quit at once.',
    'Stopping: the work so far is merged and saved; interrupt again to quit at once.',
    'The training is over and its work is being saved; interrupt again to quit at once.',
    expect.stringMatching(/^Stopped early\. Merged weights/),
  ]);
});

test('the version, and help by a word of its own', async () => {
  const said = async (...argv: string[]) => {
    const context = fakeContext();
    expect(await run(argv, context)).toBe(0);
    return context.stdout;
  };
  expect(await said('--version')).toEqual([VERSION]);
  expect(await said('help', 'merge')).toEqual(await said('merge', '--help'));
});

test('folders keep their paths; the order is sorted', async () => {
  for (const path of ['train/dog/2.jpg', 'train/cat/1.jpg']) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), path);
  }
  const engine = fakeEngine();
  expect(await run(['train', '--data', join(folder, 'train'), '--out', out()], fakeContext(engine))).toBe(0);
  const { train, test: held } = engine.jobs[0];
  if (train.kind !== 'files') throw new Error('no files');
  expect(train.files.map(({ path }) => path)).toEqual(['train/cat/1.jpg', 'train/dog/2.jpg']);
  expect(await train.files[0].blob.text()).toBe('train/cat/1.jpg');
  expect(held).toBeUndefined();
});

test('an empty folder is refused', async () => {
  const context = fakeContext();
  expect(await run(['train', '--data', folder, '--out', out()], context)).toBe(2);
  expect(context.stderr[0]).toMatch(/^--data .* holds no file/);
  const survey = fakeContext();
  expect(await run(['data', folder], survey)).toBe(2);
  expect(survey.stderr[0], 'the option was not given').toBe(
    `${folder} holds no file; name a zip or folder of images.`,
  );
});

test('training tells what was found in the images and lists what was skipped', async () => {
  const skipped = [{ path: 'cat/1.jpg', reason: 'it is cut off' }];
  const report = { notes: ['set: 2 classes'], warnings: [], skipped } as unknown as ImageSetReport;
  const engine = fakeEngine();
  const { train } = engine;
  engine.train = async (job, onEvent) => {
    onEvent?.({ type: 'data', reports: [report] });
    return train(job, onEvent);
  };
  const context = fakeContext(engine);
  expect(await run(['train', '--out', out()], context)).toBe(0);
  expect(context.stderr[0]).toBe('set: 2 classes');
  expect(await readFile(join(out(), 'skipped.csv'), 'utf8')).toBe(
    'path,reason\r\ncat/1.jpg,it is cut off\r\n',
  );
});

test('the order of the classes may be a file of lines', async () => {
  const list = join(folder, 'classes.txt');
  await writeFile(list, 'tench, Tinca tinca\r\ngoldfish\n\n');
  const engine = fakeEngine();
  expect(await run(['train', '--class-order', list, '--out', out()], fakeContext(engine))).toBe(0);
  expect(engine.jobs[0].settings.classOrder).toEqual(['tench, Tinca tinca', 'goldfish']);
  const context = fakeContext();
  expect(await run(['train', '--class-order', join(folder, 'none.txt')], context)).toBe(2);
  expect(context.stderr[0]).toMatch(/none\.txt cannot be read \(ENOENT\)/);
});

test('eval prints one line', async () => {
  const context = fakeContext();
  expect(await run(['eval'], context)).toBe(0);
  expect(context.stdout).toEqual([EVALUATION]);
});

test('a search for a rate that is stopped before it tells one ends as after an interrupt, any other as failed', async () => {
  await mkdir(out(), { recursive: true });
  const statusOf = (ended: RateSearch['ended']) => {
    const search: RateSearch = { points: [], reason: 'Too few.', ended };
    const engine = { ...fakeEngine(), findRate: async () => search };
    return run(['lr', '--csv', join(out(), 'lr.csv')], fakeContext(engine));
  };
  expect(await statusOf('stopped')).toBe(130);
  expect(await statusOf('diverged')).toBe(1);
});

test('lr writes the curve, draws it and suggests a rate', async () => {
  const engine = fakeEngine();
  const context = fakeContext(engine);
  await mkdir(out(), { recursive: true });
  const file = join(out(), 'lr.csv');
  expect(await run(['lr', '--csv', file, '--method', 'joint', '--steps', '10', '--json'], context)).toBe(0);
  expect(engine.jobs[0]).toMatchObject({ train: { kind: 'builtin' }, settings: { method: 'joint' } });
  expect(await readFile(file, 'utf8')).toBe('lr,loss,smoothed\r\n0.001,3,3\r\n0.01,2,2\r\n0.1,1,1\r\n');
  expect(context.stdout).toEqual([
    '{"lr":0.001,"loss":3,"smoothed":3}',
    '{"lr":0.01,"loss":2,"smoothed":2}',
    '{"lr":0.1,"loss":1,"smoothed":1}',
    '{"lr":0.01,"reason":"The loss falls fastest there.","steps":3,"ended":"finished"}',
  ]);
  expect(context.stderr.at(-1)).toBe(`Use --lr 0.01: The loss falls fastest there. The curve is in ${file}.`);
  // what train takes, lr takes
  expect(await run(['lr', '--csv', file, '--preset', 'reference', '--lr', '2'], fakeContext(engine))).toBe(0);
  expect(engine.jobs[1].settings).toMatchObject({ ...presets.reference.settings, lr: 2 });
  const chart = context.stderr.slice(0, -1);
  expect(chart).toHaveLength(13);
  expect(chart[0]).toMatch(/^3\.00 \* +\|$/);
  expect(chart[11]).toMatch(/^1\.00 +\| +\*$/);
  expect(chart[12]).toMatch(/^ +0\.0010 +0\.10$/);
});

/** The line of the fake network's evaluation, and its classes. */
const EVALUATION =
  '{"accuracy":0.75,"loss":0.5,"images":4,"macro":{"precision":0.8333333333333333,"recall":0.75,"f1":0.7333333333333334,"auc":1}}';
const CLASSES = [
  [
    'class  images  precision  recall  F1     AUC',
    'a      2       0.667      1.000   0.800  1.000',
    'b      2       1.000      0.500   0.667  1.000',
  ].join('\n'),
  'taken most often: b for a (1)',
];

test('eval writes all figures and what the network says of each image where it is told to', async () => {
  const context = fakeContext();
  await mkdir(out(), { recursive: true });
  const [report, predictions] = [join(out(), 'report.json'), join(out(), 'predictions.csv')];
  expect(await run(['eval', '--report', report, '--predictions', predictions], context)).toBe(0);
  expect(context.stderr).toEqual(CLASSES);
  expect(JSON.parse(await readFile(report, 'utf8'))).toMatchObject({
    accuracy: 0.75,
    confusion: [
      [2, 0],
      [1, 1],
    ],
    classes: [{ class: 'a' }, { class: 'b', recall: 0.5 }],
    wrong: [{ image: '3.png', label: 'b', predicted: 'a' }],
  });
  const rows = (await readFile(predictions, 'utf8')).split('\r\n');
  expect(rows[0]).toBe('image,label,predicted,probability,correct');
  expect(rows[3]).toBe('3.png,b,a,0.731059,false');
});

test('eval says on stderr what it found and left out, and writes the list of it', async () => {
  const skipped = [
    { path: 'cat/1.jpg', reason: 'it is cut off' },
    { path: 'cat/2.jpg', reason: 'it is empty' },
  ];
  const report = { notes: ['set: 2 classes'], warnings: ['2 files were skipped'], skipped } as ImageSetReport;
  const engine = fakeEngine({
    evaluate: async () => ({ ...fakeEvaluation, notes: ['It is a ResNet-20.'], report }),
  });
  const context = fakeContext(engine);
  const list = join(out(), 'skipped.csv');
  await mkdir(dirname(list), { recursive: true });
  expect(await run(['eval', '--skipped', list], context)).toBe(0);
  expect(context.stderr).toEqual([
    'It is a ResNet-20.',
    'set: 2 classes',
    'warning: 2 files were skipped',
    'skipped cat/1.jpg: it is cut off',
    'skipped cat/2.jpg: it is empty',
    ...CLASSES,
  ]);
  expect(context.stdout).toEqual([EVALUATION]);
  expect(await readFile(list, 'utf8')).toBe(
    'path,reason\r\ncat/1.jpg,it is cut off\r\ncat/2.jpg,it is empty\r\n',
  );
});

test('verify: a line a case, the counts last, exit 1 where one fails or throws', async () => {
  const empty = fakeContext();
  expect(await run(['verify', folder], empty)).toBe(2);
  expect(empty.stderr[0]).toMatch(/holds no \.safetensors file/);
  await mkdir(join(folder, 'ops'));
  for (const name of ['a', 'ops/b', 'ops/c']) await writeFile(join(folder, `${name}.safetensors`), name);
  const good = fakeContext();
  expect(await run(['verify', folder], good)).toBe(0);
  expect(good.stdout.map((line) => JSON.parse(line).case)).toEqual(['a', 'ops/b', 'ops/c', undefined]);
  expect(good.stdout.at(-1)).toBe('{"cases":3,"passed":3,"excused":0,"failed":0}');
  const bad = fakeContext(
    fakeEngine({
      async verify(name, golden) {
        expect(new TextDecoder().decode(golden)).toBe(name);
        if (name === 'a') throw new UserError('a: unknown operation "x".');
        return {
          case: name,
          op: 'relu',
          verdict: name === 'ops/b' ? 'fail' : 'excused',
          error: 1,
          tolerance: 0.5,
        };
      },
    }),
  );
  expect(await run(['verify', folder], bad)).toBe(1);
  expect(JSON.parse(bad.stdout[0])).toMatchObject({
    case: 'a',
    verdict: 'fail',
    message: 'a: unknown operation "x".',
  });
  expect(bad.stdout.at(-1)).toBe('{"cases":3,"passed":0,"excused":1,"failed":2}');
  expect(bad.stderr.at(-1)).toBe("0 passed, 1 within float32's own spread, 2 failed");
  const excused = () =>
    fakeContext(
      fakeEngine({
        verify: async (name) => ({ case: name, op: 'model', verdict: 'excused', error: 2, tolerance: 1 }),
      }),
    );
  expect(await run(['verify', folder], excused())).toBe(0);
  expect(await run(['verify', folder, '--strict'], excused())).toBe(1);
});

test('inspect: a table, or one JSON line', async () => {
  const file = join(folder, 'net.safetensors');
  const ramp = Float32Array.from({ length: 18 }, (_, i) => i % 9);
  await writeFile(
    file,
    writeSafetensors(
      new Map([
        ['conv.weight', { shape: [2, 1, 3, 3], data: ramp }],
        ['fc.weight', { shape: [3, 2], data: new Float32Array(6) }],
      ]),
    ),
  );
  const context = fakeContext();
  expect(await run(['inspect', file, '--json'], context)).toBe(0);
  expect(JSON.parse(context.stdout[0]).layers).toEqual([
    // equal kernels: no divergence
    {
      name: 'conv.weight',
      kind: 'depthwise convolution',
      shape: [2, 1, 3, 3],
      parameters: 18,
      redundancy: { divergence: 0, cosine: expect.closeTo(1, 9), effectiveRank: expect.closeTo(1, 6) },
    },
    { name: 'fc.weight', kind: 'linear', shape: [3, 2], parameters: 6 },
  ]);
  const table = fakeContext();
  await run(['inspect', file], table);
  expect(table.stdout[0]).toMatch(
    /^layer +kind.*\nconv\.weight +depthwise convolution +2x1x3x3 +18 +0\.0000 +1\.0000 +1\.00\n/,
  );
  expect(table.stderr).toEqual([
    expect.stringMatching(
      /^net\.safetensors is none of the networks that are known here \(its tensors: conv\.weight/,
    ),
  ]);
  await writeFile(file, writeSafetensors(initialState(createModel('resnet20_cifar'), 1)));
  const known = fakeContext();
  await run(['inspect', file], known);
  expect(known.stderr).toEqual(['net.safetensors is ResNet-20 for CIFAR of akamaster, 10 classes.']);
  expect(context.sessions.opened).toBe(0);
});

test('data tells what a set holds without an engine, and writes a batch as the network sees it', async () => {
  const set = join(folder, 'set');
  for (const [path, image] of Object.entries({ 'cat/1': 'rgb', 'cat/2': 'palette8', 'dog/1': 'rgb' })) {
    await mkdir(dirname(join(set, path)), { recursive: true });
    await copyFile(`test/fixtures/images/${image}.png`, join(set, `${path}.png`));
  }
  const context = fakeContext();
  expect(await run(['data', set, '--val', '0.5'], context)).toBe(0);
  expect(context.stdout[0]).toMatch(/^class +train +test \(held out\)\ncat +1 +1\ndog +0 +1\nall +1 +2$/);
  expect(context.stderr.at(-1)).toBe(
    'the same file: set/cat/1.png, set/dog/1.png (classes cat, dog: one at most is right)',
  );
  expect(context.sessions.opened).toBe(0);
  const picture = join(folder, 'batch.png');
  const shown = fakeContext();
  expect(await run(['data', set, '--preview', picture, '--count', '4', '--augment', 'photos'], shown)).toBe(
    0,
  );
  const { width, height } = await decodeImage(new Uint8Array(await readFile(picture)));
  expect([width, height]).toEqual([7, 5]);
  expect(shown.stderr.at(-1)).toContain('4 images of 3x2, by rows: cat, cat, cat, cat');
  expect(shown.sessions.opened).toBe(1);
  const wrong = fakeContext();
  expect(await run(['data', set, '--preview', 'batch.jpg'], wrong)).toBe(2);
  expect(wrong.stderr.at(-1)).toContain('end it in .png');
});

test('data names the part that tests, and the one that is not used', async () => {
  const set = join(folder, 'parts');
  for (const path of ['train/a', 'train/b', 'valid/a', 'valid/b', 'test/a']) {
    await mkdir(join(set, path), { recursive: true });
    await copyFile('test/fixtures/images/rgb.png', join(set, path, '1.png'));
  }
  const context = fakeContext();
  expect(await run(['data', set], context)).toBe(0);
  expect(context.stdout[0]).toMatch(/^class +train +test \(part val\)\na +1 +1\nb +1 +1\nall +2 +2$/);
  expect(context.stderr).toContain(
    'images of part test: 1, not used in training, which is tested on part val; eval takes them',
  );
});

test('demo trains both ways alike and prints the table', async () => {
  const engine = fakeEngine();
  const context = fakeContext(engine);
  expect(await run(['demo', '--out', out(), '--epochs', '2'], context)).toBe(0);
  const [finetune, refocus] = engine.jobs.map(({ settings }) => settings);
  expect(finetune.method).toBe('finetune');
  expect(refocus).toEqual({ ...finetune, method: 'refocus' });
  // the job of `train` without files and of the page, whatever was given beside
  expect(engine.jobs[0]).toMatchObject({ train: { set: EXAMPLE_SET }, test: { set: EXAMPLE_SET } });
  expect(finetune).toEqual({ ...defaultSettings(), method: 'finetune', epochs: 2 });
  expect(context.stdout[0]).toMatch(/base +50\.00 % +50\.00 %\nfine-tuned +60\.00 % +62\.50 % +yes/);
  expect(context.stdout.at(-1)).toContain(join(out(), 'refocus'));
  expect(await run(['demo', '--out', out()], fakeContext(fakeEngine({}, false)))).toBe(1);
});

test('a mistake of ours shows its stack and exits 2', async () => {
  const context = fakeContext(
    fakeEngine({
      evaluate: async () => {
        throw new TypeError('oops');
      },
    }),
  );
  expect(await run(['eval'], context)).toBe(2);
  expect(context.stderr[0]).toMatch(/TypeError: oops\n +at /);
});

test('predict prints a JSON line an image, called as it was named, and names what it cannot read', async () => {
  await mkdir(join(folder, 'photos', 'more'), { recursive: true });
  for (const name of ['a.jpg', 'photos/b.jpg', 'photos/more/c.jpg', 'photos/.DS_Store'])
    await writeFile(join(folder, name), name);
  const asked: unknown[] = [];
  const engine = fakeEngine({
    predict: async (model, images, options) => {
      asked.push(model, options);
      const [first, ...rest] = images.map(({ path }) => path);
      const top = [{ class: 'cat', probability: 0.75 }];
      return {
        predictions: [{ image: first, error: 'it is empty' }, ...rest.map((image) => ({ image, top }))],
        notes: ['It is a ResNet-20.'],
      };
    },
  });
  const context = fakeContext(engine);
  const argv = ['predict', '--top', '1', '--image-size', '48', join(folder, 'a.jpg'), join(folder, 'photos')];
  expect(await run(argv, context)).toBe(1);
  expect(asked).toEqual([
    { kind: 'builtin' },
    { top: 1, batch: undefined, mean: undefined, std: undefined, imageSize: 48, exif: 'ignore' },
  ]);
  const line = (path: string) =>
    JSON.stringify({ image: join(folder, path), top: [{ class: 'cat', probability: 0.75 }] });
  expect(context.stdout).toEqual([line('photos/b.jpg'), line('photos/more/c.jpg')]);
  expect(context.stderr).toEqual(['It is a ResNet-20.', `skipped ${join(folder, 'a.jpg')}: it is empty`]);
  expect(await run(['predict', join(folder, 'a.jpg')], fakeContext())).toBe(0);
});

test('export writes the file that the engine makes, over nothing that is there', async () => {
  const asked: unknown[] = [];
  const engine = fakeEngine({
    exportOnnx: async (...args) => {
      asked.push(args);
      return fakeExport;
    },
  });
  const to = join(folder, 'net.onnx');
  const context = fakeContext(engine);
  expect(await run(['export', '--to', to, '--size', '64', '--softmax'], context)).toBe(0);
  expect(asked).toEqual([
    [{ kind: 'builtin' }, { size: 64, preprocessing: false, softmax: true, fold: false }],
  ]);
  expect([...(await readFile(to))]).toEqual([...fakeExport.bytes]);
  expect(context.stderr).toEqual(fakeExport.notes);
  expect(JSON.parse(context.stdout[0])).toEqual({ to, bytes: 2, proof: fakeExport.proof });
  const again = fakeContext(engine);
  expect(await run(['export', '--to', to], again)).toBe(2);
  expect(again.stderr[0]).toMatch(/is there already: name another --to, or say --overwrite\.$/);
});

test('plan takes the network, its classes and the side of its images from a file, fresh norms too', async () => {
  const path = join(folder, 'net.onnx');
  await writeFile(path, onnxFixture('squeezenet1_1-opset13-folded'));
  const totals = async (...more: string[]) => {
    const context = fakeContext();
    expect(await run(['plan', '--weights', path, '--batch', '4', '--json', ...more], context)).toBe(0);
    expect(context.stderr[0]).toContain('net.onnx is an ONNX model of opset 13');
    return JSON.parse(context.stdout[0]);
  };
  const [own, named] = [await totals(), fakeContext()];
  const zoo = [
    'plan',
    '--arch',
    'squeezenet1_1',
    '--classes',
    '10',
    '--batch',
    '4',
    '--size',
    '32',
    '--json',
  ];
  expect(await run(zoo, named)).toBe(0);
  // an exported network has no dropout
  const { parameters, minBytesPerStep } = JSON.parse(named.stdout[0]);
  expect(own).toMatchObject({ parameters, minBytesPerStep });
  expect((await totals('--size', '64')).bytesPerStep).toBeGreaterThan(own.bytesPerStep);
  expect((await totals('--norms')).dispatches).toBeGreaterThan(own.dispatches);
});

test('cost tells what a map takes by channels and kernels, and draws it', async () => {
  const out = join(folder, 'cost');
  const small = ['--channels', '8,16', '--kernels', '3,5', '--batch', '4', '--size', '8'];
  const told = fakeContext();
  expect(await run(['cost', ...small, '--out', out], told)).toBe(0);
  const rows = told.stdout.join('\n').split('\n');
  expect(rows).toHaveLength(1 + 4);
  expect(rows[4]).toMatch(/^16\s+5 x 5\s+2,304\s/);
  expect((await readdir(out)).sort()).toEqual([
    ...['bytes.svg', 'cost.html', 'cost.json', 'flops.svg', 'memory.svg'],
  ]);
  const json = fakeContext();
  expect(await run(['cost', ...small, '--map-kernel', '1', '--json'], json)).toBe(0);
  expect(JSON.parse(json.stdout[0])[1]).toMatchObject({
    ...{ channels: 16, kernel: 3, mapKernel: 1, batch: 4, size: 8 },
    dense: { trained: 256 },
  });
  for (const [wrong, why] of [
    [['--kernels', '4'], '--kernels must be odd, not 4'],
    [['--channels', '8,x'], '--channels must be'],
    [['--size', '0'], '--size must be'],
  ] as const) {
    const failing = fakeContext();
    expect(await run(['cost', ...wrong], failing)).toBe(2);
    expect(failing.stderr.join()).toContain(why);
  }
});

test('plan --memory keeps a step within a limit and says what that costs, or which limit would do', async () => {
  const step = ['plan', '--arch', 'resnet20_cifar', '--batch', '64', '--method', 'finetune'];
  const context = fakeContext();
  expect(await run([...step, '--memory', '0.05GB'], context)).toBe(0);
  expect(context.stdout.at(-1)).toMatch(
    /^A step takes [\d.]+ MB of the 50 MB allowed, and [\d.]+ MB without a limit: \d+ dispatches run twice/,
  );
  const fits = fakeContext();
  expect(await run([...step, '--memory', '2000'], fits)).toBe(0);
  expect(fits.stdout.join(' ')).not.toContain('run twice');
  const refused = fakeContext();
  expect(await run([...step, '--memory', '5'], refused)).toBe(2);
  expect(refused.stderr.join(' ')).toMatch(
    /takes at least (\d+) MB.* the memory limit is 5 MB: raise it \(--memory \1\)/,
  );
});

test('merge writes beside the file, over nothing that is there', async () => {
  const model = createModel('resnet20_cifar');
  const maps = withRefConv(model, {
    layers: ['conv1'],
    mapKernel: 3,
    identity: true,
    trainBasis: false,
    path: 'dense',
    startsNonZero: true,
  });
  const plain = initialState(model, 1);
  const file = join(folder, 'net.safetensors');
  await writeFile(file, writeSafetensors(new Map([...plain, ...initialState(maps, 1, 'kaiming')])));
  const context = fakeContext();
  expect(await run(['merge', file], context)).toBe(0);
  const written = join(folder, 'net.merged.safetensors');
  expect(JSON.parse(context.stdout[0])).toMatchObject({ out: written, maps: 1 });
  expect(context.stderr.at(-1)).toBe('Proven by the weights in float64, without a GPU.');
  const { tensors } = readSafetensors(await readFile(written), 'merged');
  expect([...tensors.keys()]).toEqual([...plain.keys()]);
  expect(tensors.get('conv1.weight')).not.toEqual(plain.get('conv1.weight'));
  expect(tensors.get('layer1.0.conv1.weight')).toEqual(plain.get('layer1.0.conv1.weight'));
  for (const [argv, message] of [
    [['merge', file], /net\.merged\.safetensors is there already: name another --out/],
    [
      ['merge', file, '--overwrite', '--bn-eps', '1e-3x'],
      /--bn-eps must be a number from 0 to 1, not "1e-3x"/,
    ],
    [
      ['merge', written, '--out', join(folder, 'x')],
      /has no refocusing maps, and no blocks of branches.*nothing to merge/,
    ],
  ] as const) {
    const refused = fakeContext();
    expect(await run([...argv], refused)).toBe(2);
    expect(refused.stderr).toEqual([expect.stringMatching(message)]);
  }
  expect(await run(['merge', file, '--overwrite'], fakeContext())).toBe(0);
});

test('bench prints a JSON line a case', async () => {
  const context = fakeContext();
  const argv = ['bench', '--case', 'mbv2-infer*', '--case', 'bn-16x16x192-fwd', '--json'];
  expect(await run(argv, context)).toBe(0);
  const lines = context.stdout.map((line) => JSON.parse(line));
  expect(lines.map((l) => l.case)).toEqual(['bn-16x16x192-fwd', 'mbv2-infer-b128', 'mbv2-infer-folded-b128']);
  for (const line of lines) expect(line).toMatchObject({ ms: 2, dispatches: 4, submits: 1, peakBytes: 6 });
  expect(context.sessions).toEqual({ opened: 1, closed: 1 });
});

test('profile shows shaders against the device, or everything as JSON', async () => {
  const context = fakeContext();
  expect(await run(['profile', '--case', 'bn-16x16x192-fwd'], context)).toBe(0);
  expect(context.stdout[0]).toContain(
    'fake: copies 4.00 GB/s, multiply-adds 12.0 GFLOP/s, a dispatch that does nothing takes 50.0 us',
  );
  expect(context.stdout[0]).toContain(
    'at least 0.0500 ms for 1 dispatches, 1.00 ms for 4 MB, 0.500 ms for 6 MFLOP',
  );
  expect(context.stdout[0]).toMatch(/^2\.000 +100\.0 +1 +4 MB +2\.00 +6 MFLOP +3\.00 +50 +conv\/forward$/m);
  // of kernels that the device had already nothing is told
  expect(context.stdout[0]).toContain('compiling 1 kernels one after the other took 1.23 s:');
  expect(context.stdout[0]).toMatch(/^1234 +1 +conv\/forward +BIAS, SUMS 8$/m);
  expect(await run(['profile', '--json'], context)).toBe(0);
  expect(JSON.parse(context.stdout[1])).toEqual(fakeProfile);
});
