/**
 * Builds the library into lib: browser/ and node/ as bundles, types/ as declarations. `npm pack` runs it; then the
 * package works in a Vite project and in Node without this repository's sources.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const types = join(root, 'lib/types');
const faces = ['index', 'engine', 'node'].map((face) => join(types, `${face}.d.ts`));

await rm(join(root, 'lib'), { recursive: true, force: true });
for (const mode of ['browser', 'node']) {
  await build({ root, mode, logLevel: 'warn', configFile: join(root, 'tools/library.config.ts') });
}
execFileSync(process.execPath, [tsc(), '--project', join(root, 'tools/library.tsconfig.json')], {
  stdio: 'inherit',
});
await keep(await linkDeclarations());

function tsc() {
  return join(root, 'node_modules/typescript/bin/tsc');
}

/**
 * Gives the declarations' imports their endings, which Node's resolution asks for.
 * @returns the declarations that the faces need
 */
async function linkDeclarations() {
  const needed = new Set(faces);
  for (const file of needed) {
    const text = await readFile(file, 'utf8');
    const linked = text.replace(/(from |import\(|import )(['"])(\.[^'"]+)\2/g, (_, before, quote, path) => {
      const target = [`${path}.d.ts`, `${path}/index.d.ts`].find((name) =>
        existsSync(join(dirname(file), name)),
      );
      if (!target) throw new Error(`${file} imports ${path}, of which there is no declaration`);
      needed.add(join(dirname(file), target));
      return `${before}${quote}${target.replace(/\.d\.ts$/, '.js')}${quote}`;
    });
    await writeFile(file, linked);
  }
  return needed;
}

/** Removes the declarations that nothing needs: of what the faces use inside and do not show. */
async function keep(needed) {
  const files = await readdir(types, { recursive: true, withFileTypes: true });
  for (const file of files) {
    const path = join(file.parentPath, file.name);
    if (file.isFile() && !needed.has(path)) await rm(path);
  }
}
