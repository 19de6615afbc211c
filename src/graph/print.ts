import type { Plan, PlannedDispatch } from './ir';

/** The plan as text: two lines a dispatch, what it costs and what it is told, then the buffers and the totals. */
export function printPlan(plan: Plan): string {
  const lines = plan.dispatches.flatMap((d, i) => [
    `${String(i).padStart(4)} ${d.phase.padEnd(8)} ${d.shader.padEnd(28)} ${d.workgroups.join('x').padEnd(12)} ${si(d.bytes, 'B').padStart(9)} ${si(d.flops, 'FLOP').padStart(11)}  ${d.label}`,
    `${' '.repeat(14)}${tensors(d)}  ${constants(d)}`.trimEnd(),
  ]);
  const buffers = Object.entries(plan.buffers).map(([n, b]) => `     ${n.padEnd(24)} ${si(b, 'B')}`);
  const { dispatches, bytes, flops, peakBytes } = plan.totals;
  return [
    ...lines,
    'buffers',
    ...buffers,
    `${dispatches} dispatches, ${si(bytes, 'B')} moved, ${si(flops, 'FLOP')}, peak memory ${si(peakBytes, 'B')}`,
  ].join('\n');
}

/** What is read, an arrow, what is written: the shader's name, the buffer and the offset in it. */
function tensors({ bindings, writes, halves }: PlannedDispatch): string {
  const places = (written: boolean) =>
    Object.entries(bindings)
      .filter(([name]) => writes.includes(name) === written)
      .map(([name, { buffer, offset }]) => {
        const half = halves.includes(name) ? ' f16' : '';
        return `${name}=${buffer}${offset ? `+${offset}` : ''}${half}`;
      })
      .join(', ');
  return `${places(false)} -> ${places(true)}`;
}

/** The constants in order of their names; a flag that is set is its name, one that is not set is crossed out by `!`. */
const constants = ({ constants: all }: PlannedDispatch): string =>
  Object.keys(all)
    .sort()
    .map((name) => {
      const value = all[name];
      return typeof value === 'boolean' ? `${value ? '' : '!'}${name}` : `${name}=${value}`;
    })
    .join(' ');

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
