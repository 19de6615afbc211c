import { readFile } from 'node:fs/promises';
import type { Plugin } from 'vite';

/** A shader's text without its comments, line by line; `//#import` and the like are no comments. */
export const withoutComments = (wgsl: string): string => wgsl.replace(/[ \t]*\/\/(?!#).*$/gm, '');

/** Builds carry the shaders without their comments, a third of their size. Lines keep their numbers. */
export const plainShaders = (): Plugin => ({
  name: 'plain-shaders',
  apply: 'build',
  enforce: 'pre',
  async load(id) {
    const [file, query] = id.split('?');
    if (!file.endsWith('.wgsl') || query !== 'raw') return undefined;
    return `export default ${JSON.stringify(withoutComments(await readFile(file, 'utf8')))}`;
  },
});
