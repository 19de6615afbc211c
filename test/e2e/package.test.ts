/** The package as npm packs it, installed in an empty folder: what docs/library.md promises, and its examples. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chromiumArgs, findChromium } from '../../src/cli/hosts/chromium';
import { serve } from '../../src/cli/hosts/server';
import { readSafetensors } from '../../src/io/safetensors';

const root = resolve('.');
/** milliseconds at most, on a machine that draws by software and has other work */
const TRAINING = 240_000;

let folder: string;

/** Runs a program in the folder; what it prints. */
async function run(program: string, ...args: string[]): Promise<string> {
  const running = promisify(execFile)(program, args, { cwd: folder, timeout: TRAINING });
  const { stdout } = await running.catch((error) => {
    throw new Error(`${error.message}\n${error.stdout}`);
  });
  return stdout;
}

const node = (...args: string[]) => run(process.execPath, ...args);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refocus-package-'));
  await promisify(execFile)('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root });
  const [tarball] = await readdir(folder);
  const { dependencies } = JSON.parse(await readFile('package.json', 'utf8'));
  // What the package names as its dependencies, and Dawn, come from here: no registry is asked, and nothing else is found.
  const local = [...Object.keys(dependencies), 'webgpu'].map((name) => [
    name,
    `file:${join(root, 'node_modules', name)}`,
  ]);
  const manifest = {
    type: 'module',
    dependencies: { ...Object.fromEntries(local), refocus: `file:${tarball}` },
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  await run('npm', 'install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund');
  await cp('docs/examples', join(folder, 'examples'), { recursive: true });
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

test(
  'trains ten steps in Node and writes the merged network',
  async () => {
    const out = await node('examples/node.mjs', 'merged.safetensors');
    expect(out).toMatch(/^10: \d/m);
    expect(out).toMatch(/^\d+ steps, proven: true/m);
    const { tensors } = readSafetensors(await readFile(join(folder, 'merged.safetensors')), 'merged');
    expect(tensors.get('features.0.0.weight')!.shape).toEqual([16, 3, 3, 3]);
  },
  TRAINING,
);

test(
  'trains an architecture of its own',
  async () => {
    const out = await node('examples/architecture.mjs');
    expect(out).toMatch(/^10: \d/m);
    expect(out).toMatch(/^27 tensors \(stem\.0\.weight, .*proven: true$/m);
  },
  TRAINING,
);

test('reads images in Node, where wasm decodes them', async () => {
  const script = `
    import { readFile } from 'node:fs/promises';
    import { basename } from 'node:path';
    import { createEngine } from 'refocus/engine';
    const classes = ['checks', 'crescent', 'cross'];
    const image = async (file, i) => ({
      path: classes[i] + '/' + basename(file),
      blob: new Blob([await readFile(file)]),
    });
    const files = await Promise.all(process.argv.slice(2).map(image));
    await createEngine()
      .evaluate({ kind: 'builtin' }, { kind: 'files', files }, { imageSize: 32 })
      .catch((error) => console.log(error.message));`;
  await writeFile(join(folder, 'images.mjs'), script);
  const files = ['gray.jpg', 'lossy.webp', 'gray.png'].map((name) =>
    join(root, 'test/fixtures/images', name),
  );
  // a GPU, which plain Node has not, is asked for once every image is decoded
  expect(await node('images.mjs', ...files)).toContain('WebGPU');
});

test(
  'is built into a page by Vite as it is, and trains there in its worker',
  async () => {
    const outDir = join(folder, 'site');
    await build({
      root: join(folder, 'examples/page'),
      configFile: false,
      logLevel: 'warn',
      build: { outDir },
    });
    const assets = await readdir(join(outDir, 'assets'));
    const [page] = assets.filter((name) => /^index-.*\.js$/.test(name));
    const text = await readFile(join(outDir, 'assets', page), 'utf8');
    expect(text, "the page's own script does not carry the engine").not.toContain('createComputePipeline');
    expect(text.length).toBeLessThan(60_000);

    const site = await serve(outDir);
    const browser = await chromium.launch({ executablePath: findChromium(), args: chromiumArgs('software') });
    try {
      const tab = await browser.newPage();
      await tab.goto(site.url);
      await tab.getByRole('button', { name: 'Train' }).click();
      // the worker, the built-in weights and the images are there, and the GPU has evaluated
      await tab.getByText('Compiling the training step').waitFor({ timeout: TRAINING });
    } finally {
      await browser.close();
      await site.close();
    }
  },
  TRAINING,
);

test('has declarations that TypeScript reads, for bundlers and for Node', async () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const script = `
    import { defaultSettings, type TrainJob } from 'refocus';
    import { createEngine } from 'refocus/engine';
    import { createNodeEngine } from 'refocus/node';
    export const job: TrainJob = { model: { kind: 'builtin' }, train: { kind: 'builtin', split: 'train' }, settings: defaultSettings() };
    export const engines = [createEngine(), await createNodeEngine()];
    // @ts-expect-error a method that is none
    job.settings.method = 'train';`;
  await writeFile(join(folder, 'types.ts'), script);
  const strict = ['--noEmit', '--strict', '--target', 'es2023', '--lib', 'es2023,dom'];
  await node(tsc, ...strict, '--module', 'nodenext', 'types.ts');
  const bundler = ['--module', 'esnext', '--moduleResolution', 'bundler'];
  await node(tsc, ...strict, ...bundler, 'examples/page/main.ts');
  // the code in docs/library.md, a file each; Node's own modules have no types here
  const guide = await readFile('docs/library.md', 'utf8');
  const blocks = [...guide.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code);
  const files = blocks.map((_, i) => `guide${i}.ts`);
  const nodeTypes =
    "declare module 'node:fs/promises' { export function writeFile(path: string, data: Uint8Array): Promise<void>; }";
  await writeFile(join(folder, 'node.d.ts'), nodeTypes);
  await Promise.all(files.map((file, i) => writeFile(join(folder, file), blocks[i])));
  await node(tsc, ...strict, ...bundler, 'node.d.ts', ...files);
  expect(files).toHaveLength(3);
});

test('brings the command line, which needs no sources', async () => {
  const command = join(folder, 'node_modules/.bin/refocus');
  const totals = JSON.parse(await run(command, 'plan', '--arch', 'resnet20_cifar', '--json'));
  expect(totals.parameters).toBe(269_722);
  await expect(run(command, 'train', '--runtime', 'browser')).rejects.toThrow(/npm install playwright-core/);
});
