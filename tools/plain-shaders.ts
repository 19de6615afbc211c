import { readFile } from 'node:fs/promises';
import type { Plugin } from 'vite';

/** A shader's text without its comments and with an indentation of one space, which tells what stands at the top, line by line; `//#import` and the like are no comments. */
export const plain = (wgsl: string): string =>
  wgsl.replace(/[ \t]*\/\/(?!#).*$/gm, '').replace(/^[ \t]+/gm, ' ');

/** Builds carry the shaders without their comments and indentation, nearly half of their size. Lines keep their numbers. */
export const plainShaders = (): Plugin => ({
  name: 'plain-shaders',
  apply: 'build',
  enforce: 'pre',
  async load(id) {
    const [file, query] = id.split('?');
    if (!file.endsWith('.wgsl') || query !== 'raw') return undefined;
    return `export default ${JSON.stringify(plain(await readFile(file, 'utf8')))}`;
  },
});
