import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../../../src/cli/main';
import { packBundle } from '../../../src/run/bundle';
import { fakeContext } from './fake';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refocus-report-'));
});
afterEach(() => rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);

/** A run by the fake engine, in a folder of that name. */
async function train(name: string, ...options: string[]): Promise<string> {
  const context = fakeContext();
  expect(await run(['train', '--out', at(name), ...options], context), context.stderr.join('\n')).toBe(0);
  return at(name);
}

/** A folder's files in a zip, as its user would pack it. */
async function bundle(path: string): Promise<string> {
  const names = ['report.json', 'metrics.jsonl', 'merged.safetensors'];
  const files = await Promise.all(
    names.map(async (name) => ({
      name: `${basename(path)}/${name}`,
      blob: new Blob([await readFile(join(path, name))]),
    })),
  );
  await writeFile(`${path}.zip`, new Uint8Array(await (await packBundle(files)).arrayBuffer()));
  return `${path}.zip`;
}

test('a run leaves a report that people read', async () => {
  const path = await train('a<b>run');
  const text = await readFile(join(path, 'report.html'), 'utf8');
  expect(text).toContain('<title>a&lt;b&gt;run · Refocus</title>');
  expect(text).toContain('The merge is proven.');
  // the curves are those of the events
  expect(text).toContain('<svg');
});

test('runs, by folder and by bundle, make one report and one table', async () => {
  const [one, two] = [await train('one'), await bundle(await train('two'))];
  const context = fakeContext();
  const [out, csv] = [at('both.html'), at('both.csv')];
  expect(await run(['report', one, two, '--out', out, '--csv', csv, '--title', 'Both'], context)).toBe(0);
  const text = await readFile(out, 'utf8');
  expect(text).toContain('<h1><bdi>Both</bdi></h1>');
  for (const name of ['one', 'two']) expect(text).toContain(`<h2><bdi>${name}</bdi></h2>`);
  expect((await readFile(csv, 'utf8')).split('\r\n').slice(0, 3)).toEqual([
    expect.stringMatching(/^name,method,/),
    expect.stringMatching(/^one,refocus,0,finished,64,0\.5,0\.6,/),
    expect.stringMatching(/^two,refocus,0,finished,64,0\.5,0\.6,/),
  ]);
  expect(context.stdout.join('\n')).toMatch(/one +refocus +0 +50\.00 % +60\.00 % +62\.50 %/);
  const json = fakeContext();
  expect(await run(['report', one, two, '--json'], json)).toBe(0);
  expect(JSON.parse(json.stdout[0]).map(({ name }: { name: string }) => name)).toEqual(['one', 'two']);
});

test('what is no run is named', async () => {
  const failing = async (...argv: string[]) => {
    const context = fakeContext();
    expect(await run(['report', ...argv], context)).toBe(2);
    return context.stderr.join('\n');
  };
  expect(await failing(folder)).toContain(`${folder} holds no run (no report.json)`);
  expect(await failing(at('nothing'))).toContain('does not exist');
  await writeFile(at('x.zip'), 'no zip');
  expect(await failing(at('x.zip'))).toMatch(/x\.zip is no bundle of a run that can be read/);
  const path = await train('old');
  await writeFile(join(path, 'report.json'), '{"version":"0.0.1"}');
  expect(await failing(path)).toMatch(
    /old: report\.json is no report of a run that this version reads, of Refocus 0\.0\.1/,
  );
  const good = await train('good');
  expect(await failing(good, '--out', at('no/such/folder.html'))).toMatch(/cannot be written \(ENOENT\)/);
});

test('a bundle is unpacked beside itself to go on, and never over a folder', async () => {
  const path = await train('gone');
  const zip = await bundle(path);
  const context = fakeContext();
  expect(await run(['train', '--resume', zip], context)).toBe(2);
  expect(context.stderr.join('\n')).toContain(`would be unpacked into ${path}, which is there already`);
  await rm(path, { recursive: true });
  const again = fakeContext();
  // what the bundle holds is a run without its configuration
  expect(await run(['train', '--resume', zip], again)).toBe(2);
  expect(again.stderr.join('\n')).toContain(`${path} holds no run (no config.json)`);
  expect(await readFile(join(path, 'merged.safetensors'))).toEqual(Buffer.from([1, 2, 3]));
});
