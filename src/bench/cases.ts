/** The benchmark's cases: work that several libraries do on the same numbers. No GPU here. */
import { UserError } from '../errors';
import { architectureNames } from '../model/zoo';
import type { Method } from '../train/settings';
import type { BenchNetwork } from './network';

interface Square {
  /** images */
  n: number;
  /** height and width */
  h: number;
}

/** One piece of work; `fwd` computes the result, `bwdx` and `bwdw` one gradient, `bwd` both, `fwdbwd` result and all gradients. */
export type BenchCase = { name: string } & (
  | ({ kind: 'depthwise'; pass: 'fwd' | 'bwdx' | 'bwdw'; c: number; k: number; stride: number } & Square)
  | ({ kind: 'pointwise'; pass: 'fwd' | 'bwd'; ci: number; co: number } & Square)
  | ({ kind: 'norm'; pass: 'fwd' | 'fwdbwd'; c: number } & Square)
  | { kind: 'refocus'; pass: 'fwd' | 'bwdw'; c: number; k: number }
  | ({ kind: 'convnext'; pass: 'fwdbwd'; c: number } & Square)
  | { kind: 'train'; network: BenchNetwork; batch: number; refconv: boolean }
  | { kind: 'infer'; batch: number; folded: boolean }
);

const BATCH = 32;

const DEPTHWISE = [
  { k: 3, stride: 1, h: 16, c: 192 },
  { k: 3, stride: 2, h: 16, c: 192 },
  { k: 3, stride: 1, h: 32, c: 96 },
  { k: 3, stride: 2, h: 32, c: 96 },
  { k: 5, stride: 1, h: 8, c: 384 },
];

/** Every case, in the order of the report. */
export const BENCH_CASES: readonly BenchCase[] = [
  ...DEPTHWISE.flatMap((d) =>
    (['fwd', 'bwdx', 'bwdw'] as const).map((pass): BenchCase => {
      const name = `dw${d.k}s${d.stride}-${d.h}x${d.h}x${d.c}-${pass}`;
      return { name, kind: 'depthwise', pass, n: BATCH, ...d };
    }),
  ),
  ...[
    [192, 32],
    [32, 192],
  ].flatMap(([ci, co]) =>
    (['fwd', 'bwd'] as const).map((pass): BenchCase => {
      return { name: `pw-16x16-${ci}to${co}-${pass}`, kind: 'pointwise', pass, n: BATCH, h: 16, ci, co };
    }),
  ),
  ...[
    [16, 192],
    [32, 96],
  ].flatMap(([h, c]) =>
    (['fwd', 'fwdbwd'] as const).map((pass): BenchCase => {
      return { name: `bn-${h}x${h}x${c}-${pass}`, kind: 'norm', pass, n: BATCH, h, c };
    }),
  ),
  ...[3, 5].flatMap((k) =>
    [192, 960].flatMap((c) =>
      (['fwd', 'bwdw'] as const).map((pass): BenchCase => {
        return { name: `refocus-c${c}-k${k}-${pass}`, kind: 'refocus', pass, c, k };
      }),
    ),
  ),
  { name: 'convnext-14x14x96-fwdbwd', kind: 'convnext', pass: 'fwdbwd', n: BATCH, h: 14, c: 96 },
  ...[32, 128].flatMap((batch) =>
    [false, true].map((refconv): BenchCase => {
      const name = `mbv2-train-b${batch}${refconv ? '-refconv' : ''}`;
      return { name, kind: 'train', network: 'mobilenet_v2', batch, refconv };
    }),
  ),
  { name: 'resnet20-train-b128', kind: 'train', network: 'resnet20', batch: 128, refconv: false },
  { name: 'mbv2-infer-b128', kind: 'infer', batch: 128, folded: false },
  { name: 'mbv2-infer-folded-b128', kind: 'infer', batch: 128, folded: true },
];

/**
 * Training steps of a network of the zoo, as a run takes them, fine-tuned and refocused in turns: what no other library is asked for.
 */
export interface StepCase {
  name: string;
  kind: 'step';
  arch: string;
}

/** The methods whose steps a `StepCase` measures. */
export const STEP_METHODS = ['finetune', 'refocus'] as const satisfies readonly Method[];

/** `step-<architecture>`. */
export const STEP_CASES: readonly StepCase[] = architectureNames().map((arch) => ({
  name: `step-${arch}`,
  kind: 'step',
  arch,
}));

/**
 * The cases whose names fit one of the patterns, in which `*` stands for anything.
 * @throws UserError with all names where there is none
 */
export const selectCases = (patterns: readonly string[]): BenchCase[] => select(patterns, BENCH_CASES);

/** The same among steps of networks too. */
export const selectOurCases = (patterns: readonly string[]): (BenchCase | StepCase)[] =>
  select(patterns, [...BENCH_CASES, ...STEP_CASES]);

function select<T extends BenchCase | StepCase>(patterns: readonly string[], among: readonly T[]): T[] {
  const literal = (s: string) => s.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  const tests = patterns.map((p) => new RegExp(`^${p.split('*').map(literal).join('.*')}$`));
  const cases = among.filter(({ name }) => tests.some((t) => t.test(name)));
  if (cases.length > 0) return cases;
  const names = among.filter(({ kind }) => kind !== 'step').map(({ name }) => name);
  if (names.length < among.length) names.push('step-ARCHITECTURE');
  throw new UserError(
    `There is no benchmark case "${patterns.join(' ')}": choose one of ${names.join(', ')}.`,
  );
}
