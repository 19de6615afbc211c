import { type BindingDeclaration, conditionOf } from './declarations';
import { blockEnd, errorAt, findMention, type Line } from './lines';

/**
 * Leaves out what constants switch off: lines with a `//#if` that does not hold and the block that such a line opens, and
 * blocks `if (FLAG) { ... }` of a constant that is false. So an optional binding of no use is neither declared nor bound. Throws where `gone`, such a
 * binding, is mentioned in what remains: it would need a buffer of zeros.
 */
export function withoutDeadCode(
  lines: readonly Line[],
  holds: (condition: readonly string[]) => boolean,
  gone: readonly BindingDeclaration[],
): Line[] {
  const kept = aliveLines(lines, holds);
  const use = findMention(
    kept,
    gone.map(({ name }) => name),
  );
  if (use) {
    const flags = gone.find(({ name }) => name === use.name)!.condition!.join(' or ');
    throw errorAt(
      use.line,
      `the binding ${use.name} is only there if ${flags}: it may only be used under \`if (...)\` of such a constant`,
    );
  }
  return kept;
}

function aliveLines(lines: readonly Line[], holds: (condition: readonly string[]) => boolean): Line[] {
  const off = new Set(lines.flatMap(({ text }) => /^const (\w+): bool = false;/.exec(text)?.[1] ?? []));
  const kept: Line[] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    const condition = conditionOf(line);
    const flag = /^\s*if \((\w+)\) \{/.exec(line.text)?.[1];
    if (condition ? !holds(condition) : flag !== undefined && off.has(flag) && isAlone(lines, i))
      i = line.text.includes('{') ? blockEnd(lines, i).line : i;
    else kept.push(line);
  }
  return kept;
}

/** Whether the block that opens in a line has no `else`: of one with an `else` the compiler takes the branch. */
function isAlone(lines: readonly Line[], start: number): boolean {
  const end = blockEnd(lines, start);
  return lines[end.line].text.length === end.at + 1 && !/^\s*else\b/.test(lines[end.line + 1]?.text ?? '');
}
