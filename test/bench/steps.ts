/**
 * `npm run bench:steps -- [--runtime R] [--missing] [ARCHITECTURE...]`: times a training step of each network, fine-tuned and refocused
 * in turns, and writes the table in docs/networks.md: `*` stands for anything, and the rows of networks that are not measured stay.
 * A row is written as soon as it is measured; `--missing` measures those that have none, and so goes on where it was stopped.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { BenchLine } from '../../src/bench';
import { STEP_CASES, STEP_METHODS, selectOurCases } from '../../src/bench/cases';
import { stepImages } from '../../src/bench/steps';
import { architectureNames } from '../../src/model/zoo';

const PAGE = 'docs/networks.md';
const HEAD = ['network', 'images', 'fine-tuning', 'refocusing', 'ratio'];
const TABLE = new RegExp(`^\\| *${HEAD.join(' *\\| *')} *\\|.*\\n(\\|.*\\n)*`, 'm');

/** Measures in one process, in which networks share what is compiled; each row is written as it comes. Gives the exit status. */
export async function main(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: {
      runtime: { type: 'string', default: 'auto' },
      reps: { type: 'string', default: '5' },
      missing: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  const wanted = positionals.length > 0 ? positionals : ['*'];
  const names = selectOurCases(wanted.map((pattern) => `step-${pattern}`)).map(({ name }) => name);
  const has = values.missing ? rowsOf(readFileSync(PAGE, 'utf8')) : new Map();
  const cases = names.filter((name) => !has.has(name.slice('step-'.length)));
  if (cases.length === 0) return 0;
  const args = [
    'src/cli/bin.mjs',
    'bench',
    ...cases.flatMap((name) => ['--case', name]),
    '--json',
    '--runtime',
    values.runtime,
    '--reps',
    values.reps,
  ];
  const bench = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(bench, 'close');
  const lines: BenchLine[] = [];
  for await (const line of createInterface(bench.stdout)) {
    lines.push(JSON.parse(line));
    writeFileSync(PAGE, withSteps(readFileSync(PAGE, 'utf8'), lines));
  }
  const [status] = await ended;
  return status ?? 1;
}

/** The page with those measurements in its table of steps: the fastest step of each method. */
export function withSteps(page: string, lines: readonly BenchLine[]): string {
  const rows = rowsOf(page);
  const times = new Map(lines.map((line) => [line.case, line.minMs]));
  for (const { arch, name } of STEP_CASES) {
    const [tuned, refocused] = STEP_METHODS.map((method) => times.get(`${name}-${method}`));
    if (tuned === undefined || refocused === undefined) continue;
    const { batch, size } = stepImages(arch);
    const ratio = (refocused / tuned).toFixed(2);
    rows.set(arch, [arch, `${batch} of ${size} px`, milliseconds(tuned), milliseconds(refocused), ratio]);
  }
  const known = architectureNames().flatMap((arch) => (rows.has(arch) ? [rows.get(arch)!] : []));
  return page.replace(TABLE, () => aligned([HEAD, ...known]));
}

/** The rows of the table as they are, by network. */
export function rowsOf(page: string): Map<string, string[]> {
  const found = TABLE.exec(page);
  if (!found) throw new Error(`${PAGE} has no table of steps`);
  const cells = found[0]
    .trimEnd()
    .split('\n')
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return new Map(cells.slice(2).map((row) => [row[0], row]));
}

const milliseconds = (ms: number): string => `${ms >= 99.5 ? Math.round(ms) : ms.toPrecision(3)} ms`;

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = HEAD.map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |\n`;
  const rule = widths.map((w, i) => (i === 0 ? '-'.repeat(w) : `${'-'.repeat(w - 1)}:`));
  const [head, ...body] = rows;
  return [line(head), line(rule), ...body.map(line)].join('');
}
