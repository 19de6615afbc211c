import type { KernelProfile, Profile, ProfileTarget } from '../../api';
import { UserError } from '../../errors';
import { si } from '../../graph/print';
import { BUILTIN_NETWORK } from '../../model/builtin';
import { namedNetwork } from '../../run/network-options';
import { parseSetting } from '../../train/settings';
import { type Args, type Command, text } from '../command';
import { networkFrom, networkOptions, optionLabel, runtimeOptions, settingOptions } from '../options';
import { table } from '../table';

export const profile: Command = {
  usage: 'profile [--arch A | --case C]',
  summary: 'Times each dispatch of a training step (or of a benchmark case) against what the device can do.',
  positionals: [],
  options: {
    case: { type: 'string', value: 'NAME', help: 'a benchmark case in the place of a network' },
    ...networkOptions,
    ...settingOptions(['batch', 'method', 'storage']),
    size: { type: 'string', value: 'N', help: 'side of the input in pixels', fallback: '32' },
    runs: { type: 'string', value: 'N', help: 'runs to take the mean of', fallback: '5' },
    json: { type: 'boolean', help: 'everything, one JSON line' },
    ...runtimeOptions,
  },
  async run(args, context) {
    const runs = Number(text(args, 'runs') ?? '5');
    if (!Number.isInteger(runs) || runs < 1 || runs > 1000)
      throw new UserError(`--runs must be a whole number from 1 to 1000, not "${text(args, 'runs')}".`);
    const target = targetOf(args);
    const engine = await context.openEngine({ host: text(args, 'runtime') ?? 'auto' });
    try {
      context.progress('profiling');
      const result = await engine.api.profile(target, runs);
      context.progress('');
      context.out(args.values.json ? JSON.stringify(result) : show(result));
    } finally {
      await engine.close();
    }
    return 0;
  },
};

function targetOf(args: Args): ProfileTarget {
  const name = text(args, 'case');
  const given = networkFrom(args);
  const network = given && namedNetwork(given, optionLabel);
  if (name !== undefined && network) throw new UserError('--case and --arch exclude each other: name one.');
  if (name !== undefined) return { kind: 'case', name };
  const size = parseSetting('imageSize', text(args, 'size') ?? '32', '--size');
  if (size === 0) throw new UserError('--size must be a whole number from 1 to 1024, not "0".');
  const batch = parseSetting('batch', text(args, 'batch') ?? '128', '--batch');
  const method = parseSetting('method', text(args, 'method') ?? 'refocus', '--method');
  const storage = parseSetting('storage', text(args, 'storage') ?? 'f32', '--storage');
  return { kind: 'network', options: { network: network ?? BUILTIN_NETWORK, batch, size, method, storage } };
}

const HEAD = ['ms', '%', 'dispatches', 'moved', 'GB/s', 'work', 'GFLOP/s', '% of device', 'shader'];

/** Kernels whose times to compile are shown; the JSON has them all. */
const SHOWN_KERNELS = 8;

/** The kernels that are dearest to compile. */
function compiling(kernels: readonly KernelProfile[]): string[] {
  const timed = kernels.flatMap(({ compileMs, ...rest }) =>
    compileMs === undefined ? [] : [{ ...rest, compileMs }],
  );
  if (timed.length === 0) return [];
  const total = timed.reduce((sum, { compileMs }) => sum + compileMs, 0);
  const rows = timed.slice(0, SHOWN_KERNELS).map(({ compileMs, dispatches, shader, constants }) => [
    compileMs.toFixed(0),
    String(dispatches),
    shader,
    Object.entries(constants)
      .filter(([, value]) => value !== false)
      .map(([constant, value]) => (value === true ? constant : `${constant} ${value}`))
      .join(', '),
  ]);
  const dearest = timed.length > rows.length ? `; the ${rows.length} dearest` : '';
  return [
    '',
    `compiling ${timed.length} kernels one after the other took ${(total / 1000).toFixed(2)} s${dearest}:`,
    '',
    table([['ms', 'dispatches', 'shader', 'constants'], ...rows]),
  ];
}

function show(profile: Profile): string {
  const { name, adapter, method, rates, least, totals, runMs, dispatchMs, shaders, kernels } = profile;
  const rows = shaders.map((s) => [
    s.ms.toFixed(3),
    (100 * s.share).toFixed(1),
    String(s.dispatches),
    si(s.bytes, 'B'),
    s.gigabytes.toPrecision(3),
    si(s.flops, 'FLOP'),
    s.gigaflops.toPrecision(3),
    (100 * s.efficiency).toFixed(0),
    s.shader,
  ]);
  return [
    name,
    `${adapter}: copies ${rates.gigabytes.toPrecision(3)} GB/s, multiply-adds ${rates.gigaflops.toPrecision(3)} GFLOP/s, a dispatch that does nothing takes ${(1000 * rates.dispatchMs).toPrecision(3)} us`,
    `one run ${runMs.toFixed(2)} ms; its dispatches one by one ${dispatchMs.toFixed(2)} ms (${method})`,
    `at these rates at least ${least.dispatches.toPrecision(3)} ms for ${totals.dispatches} dispatches, ${least.bytes.toPrecision(3)} ms for ${si(totals.bytes, 'B')}, ${least.flops.toPrecision(3)} ms for ${si(totals.flops, 'FLOP')}`,
    '',
    table([HEAD, ...rows]),
    ...compiling(kernels),
  ].join('\n');
}
