/** A line of a shader's text while it is composed, and where it stands on disk. */
export interface Line {
  text: string;
  /** the file's path in the project */
  file: string;
  /** counted from 1 */
  number: number;
}

export const pathOf = (id: string): string => `shaders/${id}.wgsl`;

/** A file's lines without comments, but with its directives (`//#`) and its indentation. Lines of nothing else go. */
export function linesOf(id: string, text: string): Line[] {
  return text
    .split('\n')
    .map((line, i) => ({ text: line.replace(/\/\/(?!#).*$/, '').trimEnd(), file: pathOf(id), number: i + 1 }))
    .filter((line) => line.text !== '');
}

/** An error that says where the shader that it is about stands. */
export const errorAt = ({ file, number }: Line, message: string): Error =>
  new Error(`${file}:${number}: ${message}`);

/** Where a block ends: the index of the line, and the place in it, of the brace that closes it. */
export interface BlockEnd {
  line: number;
  at: number;
}

/** The end of the block that the first `{` of `lines[start]` opens. */
export function blockEnd(lines: readonly Line[], start: number): BlockEnd {
  let depth = 0;
  for (let line = start; line < lines.length; line++) {
    const { text } = lines[line];
    for (let at = 0; at < text.length; at++) {
      if (text[at] === '{') depth++;
      else if (text[at] === '}' && --depth === 0) return { line, at };
    }
  }
  throw errorAt(lines[start], 'this block has no closing brace');
}

/** The first line that mentions one of the names, not as the member of something and with `behind` after it, and that name. */
export function findMention(
  lines: readonly Line[],
  names: readonly string[],
  behind = '\\b',
): { line: Line; name: string } | undefined {
  if (names.length === 0) return undefined;
  const mention = new RegExp(`(?<![.\\w])(${names.join('|')})${behind}`);
  for (const line of lines) {
    const name = mention.exec(line.text)?.[1];
    if (name !== undefined) return { line, name };
  }
  return undefined;
}
