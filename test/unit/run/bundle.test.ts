import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { writeSafetensors } from '../../../src/io/safetensors';
import { openWeights } from '../../../src/io/weights-file';
import { openBundle, packBundle } from '../../../src/run/bundle';
import { bundleFolder } from '../../../src/run/bundle-folder';
import { predictionsCsv } from '../../../src/run/predictions-csv';
import { metricsLines, readMetrics, readRun, redundancyFile } from '../../../src/run/run-files';
import { endedRun } from '../report/runs';

const text = (content: string) => new TextEncoder().encode(content);
const zipped = (files: Record<string, Uint8Array>) => ({
  path: 'run.zip',
  blob: new Blob([zipSync(files) as Uint8Array<ArrayBuffer>]),
});

/** The files of a run, as a folder has them. */
function filesOf(run = endedRun()): Record<string, Uint8Array<ArrayBuffer>> {
  const lines = [
    ...metricsLines({ type: 'steps', points: run.metrics, imagesPerSecond: 1, etaSeconds: 1, stepMs: 1 }),
    ...run.evals.flatMap(({ which, point }) => metricsLines({ type: 'eval', which, point })),
  ];
  return {
    'report.json': text(JSON.stringify(run.report)),
    'metrics.jsonl': text(lines.join('')),
    'predictions.csv': text(predictionsCsv(run.predictions.last!)),
    'base-predictions.csv': text(predictionsCsv(run.predictions.base!)),
    'redundancy.safetensors': redundancyFile(run.redundancy),
    'merged.safetensors': Uint8Array.of(1, 2, 3),
  };
}

const bundleOf = async (files: Record<string, Uint8Array<ArrayBuffer>>) => ({
  path: 'run.zip',
  blob: await packBundle(Object.entries(files).map(([name, bytes]) => ({ name, blob: new Blob([bytes]) }))),
});

describe('a bundle', () => {
  test('gives the run back as it was', async () => {
    const run = endedRun({ wrong: [4, 7] });
    const { names, open } = await openBundle(await bundleOf(filesOf(run)));
    expect(names).toContain('merged.safetensors');
    expect(new Uint8Array(await (await open('merged.safetensors'))!.arrayBuffer())).toEqual(
      Uint8Array.of(1, 2, 3),
    );
    const { name: _, redundancy, ...wanted } = run;
    const read = await readRun(open);
    expect(read).toMatchObject(wanted);
    const [before] = read.redundancy.before;
    expect(before).toMatchObject({
      name: 'features.1',
      planes: 4,
      divergence: redundancy.before[0].divergence,
    });
    expect([...before.drawn]).toEqual([0, 1, 2, 3]);
    expect(before.skeleton).toEqual(redundancy.before[0].skeleton);
    for (const [i, value] of before.kernels.entries())
      expect(value).toBeCloseTo(redundancy.before[0].kernels[i], 2);
  });

  test('may be a folder that anybody packed, among other things', async () => {
    const inside = Object.fromEntries(
      Object.entries(filesOf()).map(([name, bytes]) => [`runs/a/${name}`, bytes]),
    );
    const { names, open } = await openBundle(
      zipped({ ...inside, '__MACOSX/runs/a/report.json': text('x'), 'runs/a/../../evil.json': text('x') }),
    );
    expect(names).not.toContain('evil.json');
    expect((await readRun(open)).report?.steps).toBe(2);
    expect(await open('../evil.json')).toBeUndefined();
    expect(await open('labels.txt')).toBeUndefined();
  });

  test('without a run is refused, and so is what is no archive', async () => {
    await expect(openBundle(zipped({ 'a.txt': text('x') }))).rejects.toThrow(
      /^run\.zip holds no run: a bundle has/,
    );
    await expect(openBundle({ path: 'x.zip', blob: new Blob(['PK']) })).rejects.toThrow(UserError);
  });

  test('that claims more than it could hold is refused before it is unpacked', async () => {
    const bytes = zipSync(filesOf());
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    // the directory's entry of the report, and the size that it claims
    for (let at = 0; at + 46 < bytes.length; at++)
      if (view.getUint32(at, true) === 0x02014b50) {
        view.setUint32(at + 24, 2 ** 28 + 1, true);
        break;
      }
    const bundle = await openBundle({ path: 'run.zip', blob: new Blob([bytes as Uint8Array<ArrayBuffer>]) });
    await expect(readRun(bundle.open)).rejects.toThrow(
      /^run\.zip is no bundle of a run that can be read: it unpacks to more/,
    );
  });

  test.each([
    [
      'report.json',
      '{"version":"9.0"}',
      /^report\.json is no report of a run that this version reads, of Refocus 9\.0/,
    ],
    ['report.json', '{', /^report\.json is no report of a run \(/],
    ['metrics.jsonl', '{"step":1}\n', /^Line 1 of metrics\.jsonl is no step/],
    ['predictions.csv', 'a,b\n', /^predictions\.csv is no table/],
    ['redundancy.safetensors', 'xxxxxxxxxx', /^redundancy\.safetensors is not a valid safetensors file/],
  ])('whose %s is "%s" says so', async (name, content, message) => {
    const { open } = await openBundle(await bundleOf({ ...filesOf(), [name]: text(content) }));
    await expect(readRun(open)).rejects.toThrow(message);
  });
});

test('the weights of a bundle are its merged network', async () => {
  const tensors = (value: number) =>
    writeSafetensors(new Map([['a.weight', { shape: [1], data: Float32Array.of(value) }]]));
  const bundle = await bundleOf({
    ...filesOf(),
    'best.safetensors': tensors(1),
    'merged.safetensors': tensors(2),
  });
  const { copies } = await openWeights(bundle);
  expect([...(await copies[0].read()).get('a.weight')!.data]).toEqual([2]);
});

test('metrics whose last line was cut off end before it', () => {
  const [first, second] = metricsLines({
    type: 'steps',
    points: endedRun().metrics.slice(0, 2),
    imagesPerSecond: 1,
    etaSeconds: 1,
    stepMs: 1,
  });
  expect(readMetrics(first + second.slice(0, 20), 'metrics.jsonl').metrics).toHaveLength(1);
  expect(readMetrics(first + second, 'metrics.jsonl').metrics).toHaveLength(2);
  const [told] = readMetrics('{"step":1,"epoch":0.5,"loss":null,"accuracy":0.5,"lr":0.1}\n', 'm').metrics;
  expect(told.loss).toBeNaN();
});

test.each([
  [['report.json', 'merged.pth'], ''],
  [['x/report.json', 'x/metrics.jsonl'], 'x/'],
  [['config.json', 'checkpoint.0.safetensors'], ''],
  [['config.json', 'model.safetensors'], undefined],
  [['report.json', 'x/merged.pth'], undefined],
  [['a/b/config.json', 'a/b/metrics.jsonl', 'a/config.json'], 'a/b/'],
])('the run of an archive with %j is in %j', (names, folder) => {
  expect(bundleFolder(names)).toBe(folder);
});
