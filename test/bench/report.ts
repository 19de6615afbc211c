/** The benchmark's tables. */
import { BENCH_CASES } from '../../src/bench/cases';
import { leastTimes } from '../../src/bench/profile';
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

const REACHED = [
  "What ours reaches of the device's own rates: a copy, and multiply-adds on registers, measured after each case in the same page. Bytes",
  'are those that each dispatch must move once. The least time is the longest that these and the dispatches allow.',
  '',
  line([
    'case',
    'MB',
    'GFLOP',
    'GB/s',
    "device's GB/s",
    'GFLOP/s',
    "device's GFLOP/s",
    'least ms',
    'least / taken',
  ]),
  line(['---', ...Array.from({ length: 8 }, () => '--:')]),
];

/** A case's row under `REACHED`, where its bytes and the rates are known. */
function againstDevice(name: string, o: Outcome | undefined): string[] {
  if (!o || 'error' in o || !o.rates || o.bytes === undefined || o.flops === undefined) return [];
  const { bytes, flops, dispatches, ms, rates } = o;
  const least = Math.max(...Object.values(leastTimes({ dispatches, bytes, flops }, rates)));
  const cells = [
    bytes / 1e6,
    flops / 1e9,
    bytes / ms / 1e6,
    rates.gigabytes,
    flops / ms / 1e6,
    rates.gigaflops,
    least,
  ];
  return [line([name, ...cells.map(digits), `${Math.round((100 * least) / ms)} %`])];
}

/** Results that are further apart than this share are not of the same work: sums in another order differ by less. */
const SAME = 0.001;

/** That the results are apart, if they are, by their first numbers that are. */
function differences(
  name: string,
  library: string,
  ours: Outcome | undefined,
  other: Outcome | undefined,
): string[] {
  if (!ours || !other || 'error' in ours || 'error' in other) return [];
  const [a, b] = [[ours.value].flat(), [other.value].flat()];
  // a library that is slow has taken fewer steps, and from the third on what rounding does grows
  const compared = BENCH_CASES.some((c) => c.name === name && c.kind === 'train') ? 2 : a.length;
  const at = a.findIndex(
    (v, i) =>
      i < Math.min(b.length, compared) && Math.abs(v - b[i]) > SAME * Math.max(Math.abs(v), Math.abs(b[i])),
  );
  if (at < 0) return [];
  const number = (v: number) => Number(v.toPrecision(6));
  return [`- ${name}, ${library}: number ${at + 1} is ${number(b[at])}, ours ${number(a[at])}`];
}

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
  const reached = Object.entries(cases).flatMap(([name, { ours }]) => againstDevice(name, ours));
  const differing = Object.entries(cases).flatMap(([name, { ours, ...rest }]) =>
    others.flatMap((l) => differences(name, title(l), ours, rest[l])),
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
    ...(reached.length > 0 ? ['', ...REACHED, ...reached] : []),
    ...(differing.length > 0
      ? ['', `Results that differ from ours by more than ${SAME * 100} %:`, '', ...differing]
      : []),
    ...(failures.length > 0 ? ['', 'Failures:', '', ...failures] : []),
    '',
  ].join('\n');
}
