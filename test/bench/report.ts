/** The benchmark's tables. */
import { LIBRARIES, type LibraryName } from './libraries/library';
import type { Outcome } from './measure-case';

export interface BenchReport {
  /** what ran the work */
  where: string;
  /** ISO date */
  date: string;
  /** outcomes by case, then by library */
  cases: Record<string, Partial<Record<LibraryName, Outcome>>>;
}

/** Three digits. */
const digits = (v: number): string => (v >= 100 ? String(Math.round(v)) : v.toPrecision(3));

const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;

/** The report in Markdown: times with ratios to ours, then what each library asks of the API. */
export function markdown({ where, date, cases }: BenchReport): string {
  const used = (Object.keys(LIBRARIES) as LibraryName[]).filter((l) =>
    Object.values(cases).some((c) => c[l] !== undefined),
  );
  const title = (l: LibraryName) => LIBRARIES[l].title;
  const others = used.filter((l) => l !== 'ours');
  const ratio = (c: BenchReport['cases'][string], l: LibraryName): string => {
    const [a, b] = [c[l], c.ours];
    return a && b && 'ms' in a && 'ms' in b ? `${digits(a.ms / b.ms)} x` : '';
  };
  const time = (o: Outcome | undefined): string => {
    if (!o) return '';
    if ('error' in o) return 'fails';
    return o.reps === 0 ? `${digits(o.ms)} (first call)` : digits(o.ms);
  };
  const times = [
    line(['case', ...used.map((l) => `${title(l)}, ms`), ...others.map((l) => `${title(l)} / Refocus`)]),
    line(['---', ...used.map(() => '--:'), ...others.map(() => '--:')]),
    ...Object.entries(cases).map(([name, c]) =>
      line([name, ...used.map((l) => time(c[l])), ...others.map((l) => ratio(c, l))]),
    ),
  ];
  const figures = Object.entries(cases).flatMap(([name, c]) =>
    used.flatMap((l) => {
      const o = c[l];
      if (!o || 'error' in o) return [];
      const counts = [o.dispatches, o.submits, o.bindGroups, o.newBuffers].map((v) => String(Math.round(v)));
      const value = [o.value].flat().map((v) => Number(v.toPrecision(6)));
      const memory = (o.peakBytes / 1e6).toFixed(1);
      return [line([name, title(l), ...counts, digits(o.jsMs), memory, digits(o.firstMs), value.join(', ')])];
    }),
  );
  const head = ['case', 'library', 'dispatches', 'submits', 'bind groups', 'new buffers'];
  const failures = Object.entries(cases).flatMap(([name, c]) =>
    used.flatMap((l) => {
      const o = c[l];
      return o && 'error' in o ? [`- ${name}, ${title(l)}: ${o.error}`] : [];
    }),
  );
  return [
    '# Benchmark',
    '',
    `${where}, ${date}. Medians of one call to its completion on the GPU; a training step until its loss is read.`,
    'Work that takes over 20 s at first is measured by its second call, over 120 s by its first, compilation included.',
    'Written by `npm run bench -- --write`.',
    '',
    ...times,
    '',
    'What each call asks of WebGPU. The last column is a checksum: the sum of absolute values, the first losses or',
    'the first logits.',
    '',
    line([...head, 'JS ms', 'peak MB', 'first result ms', 'value']),
    line(['---', '---', ...Array.from({ length: 7 }, () => '--:'), '---']),
    ...figures,
    ...(failures.length > 0 ? ['', 'Failures:', '', ...failures] : []),
    '',
  ].join('\n');
}
