/** Operators whose inputs are all constant: the arithmetic of shapes that exporters leave, and casts of weights. */
import { product } from '../../graph/tensor';
import type { OnnxNode } from '../../io/onnx/graph';
import { type Constant, numbers, reshapedConstant, transposedConstant } from './constant';
import { listOf, numberOf } from './node';
import { resolveShape } from './shape';

type Fold = (node: OnnxNode, inputs: (Constant | undefined)[], opset: number) => Constant | Constant[];

/** Elements that folding makes at most: shapes have a few, weights are not made but moved. */
const MOST = 2 ** 26;

/** What a node of constants gives, an entry an output; undefined where that is not known here. */
export function fold(
  node: OnnxNode,
  inputs: (Constant | undefined)[],
  opset: number,
): Constant[] | undefined {
  const run = Object.hasOwn(FOLDS, node.op) ? FOLDS[node.op] : undefined;
  if (!run) return undefined;
  const out = run(node, inputs, opset);
  return Array.isArray(out) ? out : [out];
}

const same: Fold = (_, [x]) => x!;

const binary =
  (f: (a: number, b: number) => number, truth = false): Fold =>
  (_, [a, b]) => {
    const shape = broadcastShape(a!.shape, b!.shape);
    const [left, right] = [reader(a!, shape), reader(b!, shape)];
    const data = Array.from({ length: bounded(product(shape)) }, (_, i) => f(left(i), right(i)));
    return numbers(shape, data, !truth && a!.isFloat);
  };

const unary =
  (f: (x: number) => number): Fold =>
  (_, [x]) =>
    numbers(x!.shape, Array.from(x!.data, f), x!.isFloat);

const FOLDS: Record<string, Fold> = {
  Identity: same,
  Dropout: same,
  Cast(node, [x]) {
    const to = numberOf(node, 'to', 1);
    const isFloat = [1, 10, 11, 16].includes(to);
    return isFloat === x!.isFloat ? x! : { ...numbers(x!.shape, Array.from(x!.data, Math.trunc), isFloat) };
  },
  Reshape: (node, [x, shape]) =>
    reshapedConstant(
      x!,
      resolveShape(x!.shape, Array.from(shape!.data), numberOf(node, 'allowzero', 0) === 1),
    ),
  Flatten(node, [x]) {
    const axis = place(numberOf(node, 'axis', 1), x!.shape.length + 1);
    return reshapedConstant(x!, [product(x!.shape.slice(0, axis)), product(x!.shape.slice(axis))]);
  },
  Transpose(node, [x]) {
    const reversed = x!.shape.map((_, d) => x!.shape.length - 1 - d);
    return transposedConstant(x!, listOf(node, 'perm') ?? reversed);
  },
  Unsqueeze(node, [x, axes]) {
    const at = listOf(node, 'axes') ?? Array.from(axes!.data);
    const rank = x!.shape.length + at.length;
    const places = new Set(at.map((axis) => place(axis, rank)));
    const rest = [...x!.shape];
    return reshapedConstant(
      x!,
      Array.from({ length: rank }, (_, d) => (places.has(d) ? 1 : rest.shift()!)),
    );
  },
  Squeeze(node, [x, axes]) {
    const at = listOf(node, 'axes') ?? (axes && Array.from(axes.data));
    const places = at?.map((axis) => place(axis, x!.shape.length));
    return reshapedConstant(
      x!,
      x!.shape.filter((size, d) => (places ? !places.includes(d) : size !== 1)),
    );
  },
  Gather(node, [x, indices]) {
    const axis = place(numberOf(node, 'axis', 0), x!.shape.length);
    const [outer, size, inner] = [
      product(x!.shape.slice(0, axis)),
      x!.shape[axis],
      product(x!.shape.slice(axis + 1)),
    ];
    const picked = Array.from(indices!.data, (i) => place(i, size));
    const data: number[] = [];
    bounded(outer * picked.length * inner);
    for (let o = 0; o < outer; o++)
      for (const i of picked) for (let k = 0; k < inner; k++) data.push(x!.data[(o * size + i) * inner + k]);
    return numbers(
      [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)],
      data,
      x!.isFloat,
    );
  },
  Concat(node, inputs) {
    const [first] = inputs as Constant[];
    const axis = place(numberOf(node, 'axis', 0), first.shape.length);
    const shape = [...first.shape];
    shape[axis] = inputs.reduce((sum, x) => sum + x!.shape[axis], 0);
    const data: number[] = [];
    bounded(product(shape));
    for (let o = 0; o < product(shape.slice(0, axis)); o++)
      for (const x of inputs) {
        const size = product(x!.shape.slice(axis));
        for (let k = 0; k < size; k++) data.push(x!.data[o * size + k]);
      }
    return numbers(shape, data, first.isFloat);
  },
  Split(node, [x, sizes]) {
    const axis = place(numberOf(node, 'axis', 0), x!.shape.length);
    const part = Math.ceil(x!.shape[axis] / node.outputs.length);
    const given = listOf(node, 'split') ?? (sizes && Array.from(sizes.data));
    const parts = given ?? node.outputs.map((_, i) => Math.min(part, x!.shape[axis] - i * part));
    const total = parts.reduce((sum, size) => sum + size, 0);
    if (total !== x!.shape[axis] || !parts.every((size) => size >= 0)) throw new Unfolded();
    const [outer, inner] = [product(x!.shape.slice(0, axis)), product(x!.shape.slice(axis + 1))];
    let start = 0;
    return parts.map((size) => {
      const [from, width] = [start * inner, size * inner];
      start += size;
      // a file may have any number of parts: each looks at its own numbers alone
      const at = (i: number) => Math.floor(i / width) * total * inner + from + (i % width);
      return numbers(
        x!.shape.map((extent, d) => (d === axis ? size : extent)),
        Array.from({ length: outer * width }, (_, i) => x!.data[at(i)]),
        x!.isFloat,
      );
    });
  },
  /** of lists alone */
  Slice(node, [x, starts, ends, axes, steps]) {
    const at = (name: string, given?: Constant) => listOf(node, name)?.[0] ?? given?.data[0];
    const step = steps?.data[0] ?? 1;
    const [length, ...rest] = x!.shape;
    const isReversed = step === -1 && at('starts', starts) === -1 && at('ends', ends)! < -length;
    const axis = at('axes', axes) ?? 0;
    if (
      length === undefined ||
      (axis !== 0 && axis !== -x!.shape.length) ||
      (listOf(node, 'starts') ?? starts?.data ?? [0]).length !== 1
    )
      throw new Unfolded();
    if (step !== 1 && !isReversed) throw new Unfolded();
    // rows of the first axis; PyTorch's pads come in pairs, the last axis first, and are turned round
    const size = product(rest);
    const data = Array.from(x!.data);
    const rows = Array.from({ length }, (_, i) => data.slice(i * size, (i + 1) * size));
    const taken = isReversed ? rows.reverse() : rows.slice(at('starts', starts) ?? 0, at('ends', ends));
    return numbers([taken.length, ...rest], taken.flat(), x!.isFloat);
  },
  Shape: (_, [x]) => numbers([x!.shape.length], x!.shape, false),
  Size: (_, [x]) => numbers([], [product(x!.shape)], false),
  ConstantOfShape(node, [shape]) {
    const size = bounded(product(Array.from(shape!.data)));
    const value = node.attributes.get('value');
    const tensor = typeof value === 'object' && 'dtype' in value ? value : undefined;
    const number = tensor ? Number(tensor.data[0]) : 0;
    const isFloat = tensor === undefined || tensor.data instanceof Float32Array;
    // weights may be made so, of which there are millions
    const data = isFloat ? new Float32Array(size) : Array<number>(size);
    return numbers(Array.from(shape!.data), data.fill(number), isFloat);
  },
  Expand(_, [x, wanted]) {
    const shape = broadcastShape(x!.shape, Array.from(wanted!.data));
    const read = reader(x!, shape);
    return numbers(
      shape,
      Array.from({ length: bounded(product(shape)) }, (_, i) => read(i)),
      x!.isFloat,
    );
  },
  Range(_, [start, limit, delta]) {
    const [from, to, by] = [start!.data[0], limit!.data[0], delta!.data[0]];
    const length = bounded(Math.max(0, Math.ceil((to - from) / by)));
    return numbers(
      [length],
      Array.from({ length }, (_, i) => from + i * by),
      start!.isFloat,
    );
  },
  Where(_, [condition, a, b]) {
    const shape = broadcastShape(condition!.shape, broadcastShape(a!.shape, b!.shape));
    const [test, yes, no] = [condition!, a!, b!].map((x) => reader(x, shape));
    return numbers(
      shape,
      Array.from({ length: bounded(product(shape)) }, (_, i) => (test(i) ? yes(i) : no(i))),
      a!.isFloat,
    );
  },
  /** dequantised: (q - zero point) * scale, the scale one for all or one a channel */
  DequantizeLinear(node, [x, scale, zero]) {
    const axis = scale!.data.length > 1 ? place(numberOf(node, 'axis', 1), x!.shape.length) : 0;
    const inner = product(x!.shape.slice(axis + 1));
    const channels = scale!.data.length;
    const data = new Float32Array(x!.data.length);
    for (let i = 0; i < data.length; i++) {
      const channel = channels > 1 ? Math.floor(i / inner) % channels : 0;
      data[i] = (x!.data[i] - (zero?.data[channels > 1 ? channel : 0] ?? 0)) * scale!.data[channel];
    }
    return numbers(x!.shape, data);
  },
  ReduceProd: (_, [x]) => numbers([], [product(Array.from(x!.data))], x!.isFloat),
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: (node, inputs, opset) =>
    binary((a, b) => (inputs[0]!.isFloat ? a / b : Math.trunc(a / b)))(node, inputs, opset),
  Mod: binary((a, b) => a - b * Math.floor(a / b)),
  Pow: binary((a, b) => a ** b),
  Max: binary(Math.max),
  Min: binary(Math.min),
  Equal: binary((a, b) => Number(a === b), true),
  Greater: binary((a, b) => Number(a > b), true),
  Less: binary((a, b) => Number(a < b), true),
  And: binary((a, b) => Number(a && b), true),
  Or: binary((a, b) => Number(a || b), true),
  Not: (_, [x]) =>
    numbers(
      x!.shape,
      Array.from(x!.data, (v) => Number(!v)),
      false,
    ),
  Neg: unary((x) => -x),
  Abs: unary(Math.abs),
  Sqrt: unary(Math.sqrt),
  Reciprocal: unary((x) => 1 / x),
  Floor: unary(Math.floor),
  Ceil: unary(Math.ceil),
  Exp: unary(Math.exp),
  Relu: unary((x) => Math.max(x, 0)),
};

/** A kind of folding that is not known here. */
class Unfolded extends Error {}
export const isUnfolded = (error: unknown): boolean => error instanceof Unfolded;

function bounded(count: number): number {
  if (!(count <= MOST)) throw new Unfolded();
  return count;
}

/** A place that may be counted from the end. */
export const place = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** NumPy's shape of two together. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const [left, right] = [a, b].map((shape) => [...Array(rank - shape.length).fill(1), ...shape]);
  return left.map((size, d) => (size === 1 ? right[d] : size));
}

/** Reads a constant at places of a shape that it is broadcast to. */
function reader({ shape, data }: Constant, to: readonly number[]): (i: number) => number {
  if (data.length === 1) return () => data[0];
  if (data.length === product(to)) return (i) => data[i];
  const own = [...Array(to.length - shape.length).fill(1), ...shape];
  return (i) => {
    let [at, rest, stride] = [0, i, 1];
    for (let d = to.length - 1; d >= 0; d--) {
      if (own[d] > 1) at += (rest % to[d]) * stride;
      rest = Math.floor(rest / to[d]);
      stride *= own[d];
    }
    return data[at];
  };
}
