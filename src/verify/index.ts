import { UserError } from '../errors';
import type { Gpu } from '../gpu/device';
import { readSafetensors } from '../io/safetensors';
import type { StateDict } from '../io/tensor';
import { numbersOf } from '../model/state';
import { type Case, CaseGraph } from './case';
import { relativeError } from './error';
import type { Finding, Verdict } from './judgement';
import { verifyModel } from './models';
import { OPS } from './ops';
import { SERIES } from './series';

export interface VerifyLine {
  case: string;
  op: string;
  /** `excused`: PyTorch's numbers are missed by no more than float32 itself spreads (see judgement.ts) */
  verdict: Verdict;
  /** the worst tensor's error; of a whole network, the worst ratio of an error to its own tolerance */
  error: number;
  tolerance: number;
  /** the tensor of the worst error, what is excused, or why the case failed */
  message?: string;
}

/** Runs one golden case (a safetensors file, format in test/fixtures/README.md) on the GPU and compares. */
export async function verifyCase(gpu: Gpu, name: string, bytes: Uint8Array): Promise<VerifyLine> {
  const { tensors, metadata } = readSafetensors(bytes, name);
  const op = metadata.get('op') ?? '';
  try {
    const attrs = attributesIn(metadata);
    const result =
      op === 'model'
        ? summary(await verifyModel(gpu, attrs, tensors, metadata))
        : await verifyOp(gpu, caseOf(op, attrs, tensors), Number(metadata.get('rtol')));
    return { case: name, op, ...result };
  } catch (e) {
    return {
      case: name,
      op,
      verdict: 'fail',
      error: Number.NaN,
      tolerance: 0,
      message: (e as Error).message,
    };
  }
}

type Result = Omit<VerifyLine, 'case' | 'op'>;

function attributesIn(metadata: ReadonlyMap<string, string>): Record<string, unknown> {
  try {
    return JSON.parse(metadata.get('attrs') ?? '{}');
  } catch {
    throw new UserError('the metadata "attrs" is not JSON');
  }
}

async function verifyOp(gpu: Gpu, c: Case, tolerance: number): Promise<Result> {
  if (!(tolerance > 0)) throw new UserError('the metadata "rtol" is missing');
  const { error, message } = compare(await resultsOf(gpu, c), c);
  return { verdict: error <= tolerance ? 'pass' : 'fail', error, tolerance, ...(message && { message }) };
}

/** Tensors that a message names at most. */
const NAMED = 5;

/** A network's findings in one line: the worst of those that decide the verdict. */
function summary(findings: readonly Finding[]): Result {
  const verdicts = new Set(findings.map((f) => f.verdict));
  const verdict = (['fail', 'excused', 'pass'] as const).find((v) => verdicts.has(v))!;
  // NaN is worse than any number
  const severity = ({ error, tolerance }: Finding) => (Number.isNaN(error) ? Infinity : error / tolerance);
  const deciding = findings.filter((f) => f.verdict === verdict).sort((a, b) => severity(b) - severity(a));
  const shown = deciding.slice(0, verdict === 'pass' ? 1 : NAMED);
  const texts = shown.map((f) => `${f.label}: error ${f.error.toExponential(2)}, tolerance ${f.tolerance}`);
  if (verdict !== 'pass' && deciding.length > NAMED) texts.push(`and ${deciding.length - NAMED} more`);
  const message = `${verdict === 'excused' ? "within float32's own spread: " : ''}${texts.join('; ')}`;
  const [{ error, tolerance }] = deciding;
  return { verdict, error: error / tolerance, tolerance: 1, message };
}

function caseOf(op: string, attrs: Record<string, unknown>, tensors: StateDict): Case {
  const c: Case = { op, attrs, inputs: {}, outputs: {}, douts: {}, gradients: {} };
  const kinds = { in: c.inputs, out: c.outputs, dout: c.douts, grad: c.gradients };
  for (const [key, tensor] of tensors) {
    const dot = key.indexOf('.');
    const kind = kinds[key.slice(0, dot) as keyof typeof kinds];
    if (!kind) throw new UserError(`tensor ${key} is none of in, out, dout, grad`);
    kind[key.slice(dot + 1)] = { shape: tensor.shape, data: numbersOf(tensor) };
  }
  return c;
}

async function resultsOf(gpu: Gpu, c: Case): Promise<Map<string, ArrayLike<number>>> {
  if (Object.hasOwn(SERIES, c.op)) return SERIES[c.op](gpu, c);
  if (!Object.hasOwn(OPS, c.op)) throw new UserError(`unknown operation "${c.op}"`);
  const graph = new CaseGraph(c);
  OPS[c.op](graph);
  return graph.run(gpu);
}

/** The worst max|a - b| / max(1e-6, max|b|) over the expected tensors. */
function compare(results: Map<string, ArrayLike<number>>, c: Case): { error: number; message?: string } {
  let error = 0;
  let message: string | undefined;
  const expected = [
    ...Object.entries(c.outputs).map(([k, v]) => [`out.${k}`, v] as const),
    ...Object.entries(c.gradients).map(([k, v]) => [`grad.${k}`, v] as const),
  ];
  if (expected.length === 0) return { error: Number.NaN, message: 'the case expects nothing' };
  for (const [name, { data }] of expected) {
    const got = results.get(name);
    if (!got || got.length !== data.length)
      return { error: Number.NaN, message: `${name} is missing or has another size` };
    const e = relativeError(got, data);
    if (Number.isNaN(e)) return { error: e, message: `${name} is not a number somewhere` };
    if (e > error) [error, message] = [e, `worst is ${name}`];
  }
  return { error, message };
}
