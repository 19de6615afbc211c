import { readFile } from 'node:fs/promises';
import type { Plugin } from 'vite';

/**
 * Spaces around what parts words by itself. Two signs in a row, a sign behind a division, which would begin a comment, and one behind the
 * end of a type's arguments keep theirs.
 */
const LOOSE = /(?<=[^\s/>-]) ?([=+*,:;&|<]|>(?! ?=)|-(?! ?-)|\/(?! ?[*/])) ?/g;

/**
 * A shader's text without its comments, `//#import` and the like being none, line by line; with an indentation of one space, which tells
 * what stands at the top. Statements lose their loose spaces, in the line of a loop's head too; declarations, heads of loops and lines with
 * directives, which are read by their form, keep them.
 */
export const plain = (wgsl: string): string =>
  wgsl
    .replace(/[ \t]*\/\/(?!#).*$/gm, '')
    .replace(/^[ \t]+/gm, ' ')
    .replace(/^ (?<!\/\/#(?:unroll|turns)\n )(?!\w+: [ui]32,$)(?!.*\/\/#).*$/gm, (line) =>
      line.replace(LOOSE, '$1'),
    )
    .replace(/^( for \([^{]*\{ )(.+)$/gm, (_, head, body) => head + body.replace(LOOSE, '$1'));

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
