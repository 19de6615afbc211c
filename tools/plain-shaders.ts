import { readFile } from 'node:fs/promises';
import type { Plugin } from 'vite';

/**
 * A shader's text without its comments, `//#import` and the like being none, line by line; with an indentation of one space, which tells
 * what stands at the top. Statements lose the spaces around `=`, `+`, `*` and `,` too; declarations, heads of loops and lines with
 * directives, which are read by their form, keep them.
 */
export const plain = (wgsl: string): string =>
  wgsl
    .replace(/[ \t]*\/\/(?!#).*$/gm, '')
    .replace(/^[ \t]+/gm, ' ')
    // the star of a pointer behind a division would begin a comment
    .replace(/^ (?!for )(?!.*\/\/#).*$/gm, (line) => line.replace(/(?<=[^\s/]) ?([=+*,]) ?/g, '$1'));

/** Builds carry the shaders without their comments and most of their spaces, nearly half of their size. Lines keep their numbers. */
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
