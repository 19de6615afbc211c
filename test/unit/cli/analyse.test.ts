import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AnalyseJob } from '../../../src/api';
import { run } from '../../../src/cli/main';
import { writeSafetensors } from '../../../src/io/safetensors';
import { initialState } from '../../../src/model/init';
import { createModel } from '../../../src/model/zoo';
import { fakeAnalysis } from '../../analysis';
import { fakeContext, fakeEngine } from './fake';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refocus-analyse-'));
  const weights = writeSafetensors(initialState(createModel('resnet20_cifar'), 1), new Map());
  for (const run of ['one', 'two']) await mkdir(join(folder, run));
  for (const path of ['net.safetensors', 'one/merged.safetensors', 'two/net.safetensors'])
    await writeFile(join(folder, path), weights);
});
afterEach(() => rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);

/** Runs the command; the jobs that the engine was given, and what was printed. */
async function analyse(...argv: string[]) {
  const jobs: AnalyseJob[] = [];
  const context = fakeContext(
    fakeEngine({
      analyse: async (job) => {
        jobs.push(job);
        return { ...fakeAnalysis, stopped: argv.includes('--images') };
      },
    }),
  );
  const status = await run(['analyse', ...argv, '--out', at('out')], context);
  return {
    status,
    jobs,
    out: context.stdout.join('\n'),
    notes: context.stderr.join('\n'),
    ...context.sessions,
  };
}

test('networks by their files, by the folders of runs and built in; report and data are written', async () => {
  const { status, jobs, out, notes, opened, closed } = await analyse(
    ...['builtin', at('one'), at('net.safetensors')],
  );
  expect(status).toBe(0);
  expect(jobs[0].networks.map(({ name }) => name)).toEqual(['builtin', 'one', 'net']);
  expect(jobs[0].networks.map(({ source }) => source.kind)).toEqual(['builtin', 'file', 'file']);
  expect(jobs[0].networks[1].source).toMatchObject({ files: [{ path: 'merged.safetensors' }] });
  // the built-in network brings images
  expect(jobs[0]).toMatchObject({ test: { set: 'builtin' }, transfer: { set: 'builtin-camera' } });
  expect(await readFile(at('out/analysis.html'), 'utf8')).toContain('<h2>Loss landscape</h2>');
  expect(JSON.parse(await readFile(at('out/analysis.json'), 'utf8'))).toMatchObject({
    kind: 'analysis',
    results: { sharpness: { networks: [{ value: 42.5 }, {}] } },
  });
  expect(out).toMatch(/accuracy +ECE +corrupted +probe +PGD +sharpness\nbase .*75\.0.%.* 42\.5\n/);
  // 417 an image and network, and 21 on the way to two networks: docs/analysis.md
  expect(notes).toContain(`At most ${(256 * (3 * 417 + 2 * 21)).toLocaleString('en')} forward passes`);
  expect([opened, closed]).toEqual([1, 1]);
});

test('without images the weights alone; networks of one name are told by the folders before it', async () => {
  const { jobs, notes } = await analyse(at('net.safetensors'), at('two/net.safetensors'));
  expect(jobs[0].test).toBeUndefined();
  expect(notes).toContain('the weights alone');
  const names = ({ networks }: AnalyseJob) => networks.map(({ name }) => name);
  expect(names(jobs[0])).toEqual([`${basename(folder)}/net`, 'two/net']);
  // as many as are needed, and none for another file; a file given twice is called by its name
  await mkdir(at('b/two'), { recursive: true });
  await copyFile(at('net.safetensors'), at('b/two/net.safetensors'));
  const again = await analyse(at('two/net.safetensors'), at('b/two/net.safetensors'), at('one'), at('one'));
  expect(names(again.jobs[0])).toEqual([`${basename(folder)}/two/net`, 'b/two/net', 'one', 'one']);
});

test('what is asked for, and what came of it before it was stopped', async () => {
  const { status, jobs, notes } = await analyse(
    ...['builtin', '--only', 'landscape, weights', '--grid', '5', '--seed', '7', '--images', '32'],
  );
  expect(jobs[0].only).toEqual(['weights', 'landscape']);
  expect(jobs[0].numbers).toMatchObject({ grid: 5, line: 21, analysisSeed: 7, images: 32 });
  expect(status).toBe(130);
  expect(notes).toContain('Stopped');
});

test.each([
  [[], 'NETWORK is missing'],
  [['builtin', '--only', 'weight'], 'There is no analysis "weight"; there are weights, calibration'],
  [['builtin', '--grid', '-1'], '--grid must be a whole number from 0 to 101, not "-1"'],
  [['builtin', '--seed', 'x'], '--seed must be'],
  [['nothing.pt'], 'nothing.pt does not exist'],
  [['builtin', '--transfer', 'nothing'], '--transfer nothing does not exist'],
  [['net.safetensors', '--only', 'attacks'], '--test is missing: attacks need images'],
])('%j is refused before an engine starts', async (argv, message) => {
  const named = argv.map((arg) => (arg === 'net.safetensors' ? at(arg) : arg));
  const { status, notes, opened } = await analyse(...named);
  expect(status).toBe(2);
  expect(notes).toContain(message);
  expect(notes, 'no option is named that was not given').not.toContain('--weights');
  expect(opened).toBe(0);
});
