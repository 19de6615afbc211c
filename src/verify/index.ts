import { UserError } from '../errors';
import type { Gpu } from '../gpu/device';
import { readSafetensors } from '../io/safetensors';
import type { StateDict } from '../io/tensor';
import { numbersOf } from '../model/state';
import { type Case, CaseGraph } from './case';
import { relativeError } from './error';
import { verifyModel } from './models';
import { OPS } from './ops';
import { SERIES } from './series';

export interface VerifyLine {
  case: string;
  op: string;
  ok: boolean;
  /** the worst tensor's error; of a whole network, the worst ratio of an error to its own tolerance */
  error: number;
  tolerance: number;
  /** why it failed, where it did */
  message?: string;
}

/** Runs one golden case (a safetensors file, format in test/fixtures/README.md) on the GPU and compares. */
export async function verifyCase(gpu: Gpu, name: string, bytes: Uint8Array): Promise<VerifyLine> {
  const { tensors, metadata } = readSafetensors(bytes, name);
  const op = metadata.get('op') ?? '';
  const fail = (message: string): VerifyLine => ({
    case: name,
    op,
    ok: false,
    error: Number.NaN,
    tolerance: 0,
    message,
  });
  let attrs: Record<string, unknown>;
  try {
    attrs = JSON.parse(metadata.get('attrs') ?? '{}');
  } catch {
    return fail(`${name}: the metadata "attrs" is not JSON`);
  }
  try {
    if (op === 'model') {
      const { error, message } = await verifyModel(gpu, attrs, tensors, metadata);
      return { case: name, op, ok: error <= 1, error, tolerance: 1, ...(message && { message }) };
    }
    const c = caseOf(op, attrs, tensors);
    const tolerance = Number(metadata.get('rtol'));
    const { error, message } = compare(await resultsOf(gpu, c), c);
    return { case: name, op, ok: error <= tolerance, error, tolerance, ...(message && { message }) };
  } catch (e) {
    return fail((e as Error).message);
  }
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
  OPS[c.op](graph, c);
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
