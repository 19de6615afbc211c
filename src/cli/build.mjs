/** Builds page and command line into dist/, only where the sources changed since. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const dist = join(root, 'dist');
const sources = [
  'src',
  'shaders',
  'tools',
  'weights',
  'public',
  'index.html',
  'vite.config.ts',
  'package.json',
  'package-lock.json',
];

/** Changes whenever a source file is added, removed or edited. */
async function fingerprint() {
  const hash = createHash('sha256');
  for (const source of sources) {
    const path = join(root, source);
    if (!existsSync(path)) continue;
    const isFolder = (await stat(path)).isDirectory();
    const names = isFolder ? (await readdir(path, { recursive: true })).sort() : [''];
    for (const name of names) {
      const { size, mtimeMs } = await stat(join(path, name));
      hash.update(`${source}/${name} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest('hex');
}

async function isBuilt(wanted) {
  return wanted === (await readFile(join(dist, 'fingerprint'), 'utf8').catch(() => ''));
}

/**
 * Makes dist/page and dist/cli where they are missing or older than the sources. They are made in a folder of
 * their own and then renamed, so that runs at the same time never see half of them.
 * @returns the path of dist
 */
export async function ensureBuilt(note = () => {}) {
  // the package that npm installs comes built, without the sources
  if (!existsSync(join(root, 'vite.config.ts'))) return dist;
  const wanted = await fingerprint();
  if (await isBuilt(wanted)) return dist;
  note('Building (first run, or the sources changed)');
  const { build } = await import('vite').catch(() => {
    throw new Error('Refocus is not installed: run `npm ci` in its folder first.');
  });
  await mkdir(join(root, '.cache'), { recursive: true });
  const folder = await mkdtemp(join(root, '.cache', 'build-'));
  try {
    for (const mode of ['production', 'cli']) {
      const outDir = join(folder, mode === 'cli' ? 'cli' : 'page');
      await build({
        root,
        configFile: join(root, 'vite.config.ts'),
        mode,
        logLevel: 'error',
        build: { outDir },
      });
    }
    await writeFile(join(folder, 'fingerprint'), wanted);
    // Another run may have finished the same build meanwhile, and may be using it.
    if (!(await isBuilt(wanted))) await replace(dist, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return dist;
}

async function replace(target, folder) {
  const old = `${folder}-old`;
  await rename(target, old).catch(() => {});
  await rename(folder, target);
  await rm(old, { recursive: true, force: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await ensureBuilt();
