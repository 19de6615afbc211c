import { blockEnd, errorAt, type Line } from './lines';

const HEAD = /^\s*for \(var (\w+) = 0(u?); \1 < (\w+); \1\+\+\) \{/;

/**
 * Repeats the body of each loop that stands under `//#unroll`, its variable a constant in each copy; of one under `//#turns`, which
 * stays a loop where it has more turns than one, the body stands alone where it has one. Such a loop reads
 * `for (var i = 0u; i < BOUND; i++) {` with a literal or a constant of a literal value as its bound. Register arrays are registers
 * only where their indices are constants, and not every WebGPU implementation unrolls by itself.
 */
export function unroll(lines: readonly Line[]): Line[] {
  const bounds = new Map<string, number>();
  for (const { text } of lines) {
    const constant = /^const (\w+): [ui]32 = (\d+)[ui]?;/.exec(text);
    if (constant) bounds.set(constant[1], Number(constant[2]));
  }
  return expand(lines, bounds);
}

function expand(lines: readonly Line[], bounds: ReadonlyMap<string, number>): Line[] {
  const out: Line[] = [];
  for (let i = 0; i < lines.length; i++) {
    const directive = /^\s*\/\/#(unroll|turns)$/.exec(lines[i].text)?.[1];
    if (!directive) {
      out.push(lines[i]);
      continue;
    }
    const head = lines[i + 1];
    const match = HEAD.exec(head?.text ?? '');
    if (!match) throw errorAt(lines[i], `//#${directive} stands before no loop that it knows`);
    const [opening, name, unsigned, bound] = match;
    const count = bounds.get(bound) ?? Number(/^\d+/.exec(bound)?.[0] ?? Number.NaN);
    if (Number.isNaN(count)) throw errorAt(head, `the bound ${bound} of an unrolled loop is no literal`);
    const end = blockEnd(lines, i + 1);
    const body = expand(bodyOf(lines, i + 1, opening.length, end), bounds);
    if (directive === 'turns' && count > 1)
      out.push({ ...head, text: opening }, ...body, { ...lines[end.line], text: '}' });
    else
      for (let k = 0; k < count; k++)
        out.push(...copyOf(body, `const ${name} = ${k}${unsigned ? 'u' : 'i'};`, head));
    i = end.line;
  }
  return out;
}

/** What stands between a loop's head, which is `opening` characters long, and the end of its block. */
function bodyOf(
  lines: readonly Line[],
  start: number,
  opening: number,
  end: ReturnType<typeof blockEnd>,
): Line[] {
  const last = lines[end.line];
  if (last.text.length > end.at + 1)
    throw errorAt(last, 'nothing may stand behind an unrolled loop in its last line');
  if (end.line === start) return [{ ...last, text: last.text.slice(opening, end.at).trim() }];
  const parts = [
    { ...lines[start], text: lines[start].text.slice(opening) },
    ...lines.slice(start + 1, end.line),
    { ...last, text: last.text.slice(0, end.at) },
  ];
  return parts.filter(({ text }) => text.trim() !== '');
}

function copyOf(body: readonly Line[], constant: string, head: Line): Line[] {
  if (body.length === 1) return [{ ...body[0], text: `{ ${constant} ${body[0].text.trim()} }` }];
  return [{ ...head, text: `{ ${constant}` }, ...body, { ...head, text: '}' }];
}
