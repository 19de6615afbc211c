import type { Plan } from './ir';

/** The plan as text: a line a dispatch, then the buffers and the totals. */
export function printPlan(plan: Plan): string {
  const lines = plan.dispatches.map((d, i) => {
    const where = Object.entries(d.bindings).map(
      ([n, r]) => `${n}=${r.buffer}${r.offset ? `+${r.offset}` : ''}`,
    );
    return `${String(i).padStart(4)} ${d.phase.padEnd(8)} ${d.shader.padEnd(28)} ${d.workgroups.join('x').padEnd(12)} ${si(d.bytes, 'B').padStart(9)} ${si(d.flops, 'FLOP').padStart(11)}  ${d.label}  [${where.join(' ')}]`;
  });
  const buffers = Object.entries(plan.buffers).map(([n, b]) => `     ${n.padEnd(24)} ${si(b, 'B')}`);
  const { dispatches, bytes, flops, peakBytes } = plan.totals;
  return [
    ...lines,
    'buffers',
    ...buffers,
    `${dispatches} dispatches, ${si(bytes, 'B')} moved, ${si(flops, 'FLOP')}, peak memory ${si(peakBytes, 'B')}`,
  ].join('\n');
}

/** A number with an SI prefix and three digits. */
export function si(n: number, unit: string): string {
  const prefixes = ['', 'k', 'M', 'G', 'T'];
  let i = 0;
  while (n >= 999.5 && i < prefixes.length - 1) {
    n /= 1000;
    i++;
  }
  return `${Number(n.toPrecision(3))} ${prefixes[i]}${unit}`;
}
