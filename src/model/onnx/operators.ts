/** What each operator of ONNX is among our layers. */
import type { Pair } from '../model';
import { type Constant, numbers, scalarOf } from './constant';
import { place } from './fold';
import { type Held, type Importer, perChannel, type Shown } from './importer';
import { listOf, numberOf, textOf } from './node';
import { epsilonOf, type Step } from './patterns';
import { resolveShape } from './shape';
import { type Axis, dimensionOf, isWhole, reshaped, shapeOf, transposed, type View } from './view';

export type Operator = (net: Importer, step: Step, inputs: (Held | undefined)[]) => Held | Held[];

const output = (held: Shown, d: number): number => shapeOf(held.view)[d];

/** Extents that convolutions and pools have along rows and columns. */
function pairOf(net: Importer, step: Step, name: string, fallback: Pair): Pair {
  const list = listOf(step, name) ?? fallback;
  if (list.length !== 2) net.refuse(step, 'does not work on images of two dimensions');
  return [list[0], list[1]];
}

type Pads = [top: number, left: number, bottom: number, right: number];

/** Pads of a window, whether they are given or follow from the size. */
function padsOf(step: Step, { extents: { h, w } }: Shown, kernel: Pair, stride: Pair, dilation: Pair): Pads {
  const mode = textOf(step, 'auto_pad', 'NOTSET');
  if (mode === 'VALID') return [0, 0, 0, 0];
  const given = listOf(step, 'pads');
  if (!mode.startsWith('SAME')) return (given?.length === 4 ? given : [0, 0, 0, 0]) as Pads;
  const sides = [h, w].map((size, i) => {
    const reach = (kernel[i] - 1) * dilation[i] + 1;
    const total = Math.max((Math.ceil(size / stride[i]) - 1) * stride[i] + reach - size, 0);
    const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)];
    return mode === 'SAME_UPPER' ? [less, more] : [more, less];
  });
  return [sides[0][0], sides[1][0], sides[0][1], sides[1][1]];
}

const sized = (size: number, before: number, after: number, reach: number, stride: number): number =>
  Math.floor((size + before + after - reach) / stride) + 1;

const conv: Operator = (net, step, [input, w, b]) => {
  const held = input?.kind === 'value' ? input : undefined;
  const laid: Pads = held?.pad ?? [0, 0, 0, 0];
  const x = net.images(step, held?.pad ? { ...held, pad: undefined } : input);
  const weight = net.constant(step, w, 'a weight');
  if (weight.shape.length !== 4)
    net.refuse(
      step,
      `has a weight of ${weight.shape.length} dimensions: convolutions here are two-dimensional`,
    );
  const [out, within, kh, kw] = weight.shape;
  const groups = numberOf(step, 'group', 1);
  if (within * groups !== x.extents.c || out % groups !== 0)
    net.refuse(step, `has a weight for ${within * groups} channels and reads ${x.extents.c}`);
  const stride = pairOf(net, step, 'strides', [1, 1]);
  const dilation = pairOf(net, step, 'dilations', [1, 1]);
  const pads = padsOf(step, x, [kh, kw], stride, dilation).map((pad, i) => pad + laid[i]) as Pads;
  const [top, left, bottom, right] = pads;
  if (top !== bottom || left !== right)
    net.refuse(
      step,
      `pads one side more than the other (${pads.join(', ')}), as TensorFlow's "same" does, which is not read here`,
    );
  const name = net.layerName(step, weight);
  const h = sized(x.extents.h, top, bottom, (kh - 1) * dilation[0] + 1, stride[0]);
  const wide = sized(x.extents.w, left, right, (kw - 1) * dilation[1] + 1, stride[1]);
  const size = { h, w: wide, c: out };
  const own = b?.kind === 'constant' ? { step, input: 2, constant: b } : undefined;
  const after = { ...x, extents: { ...x.extents, ...size } };
  const plain = { ...after, view: [after.view[0], channelsOf(out), after.view[2], after.view[3]] };
  const bias = own ?? (b ? undefined : net.biasAfter(step, plain));
  const value = net.net.conv(name, x.value, out, [kh, kw], {
    stride,
    padding: [top, left],
    dilation,
    groups,
    bias: bias !== undefined,
  });
  net.bind(step, 1, `${name}.weight`, weight, [...weight.shape]);
  if (bias) net.bind(bias.step, bias.input, `${name}.bias`, bias.constant, [out]);
  const result = net.after(x, value, { h, w: wide });
  if (bias && bias !== own) net.absorb(bias.step, result);
  return result;
};

const channelsOf = (c: number) => (c === 1 ? [] : [{ axis: 'c' as const, size: c, stride: 1 }]);

/** x W + b over the last dimension: a linear layer over channels, or a convolution over all that was flattened. */
function product(
  net: Importer,
  step: Step,
  input: Held | undefined,
  weight: Constant,
  isOutFirst: boolean,
  own?: Constant,
): Held {
  const x = input?.kind === 'value' ? input : net.shown(step, input);
  const last = x.view.length - 1;
  const [inputs, out] = isOutFirst ? [weight.shape[1], weight.shape[0]] : weight.shape;
  if (weight.shape.length !== 2 || inputs !== output(x, last))
    net.refuse(step, `multiplies ${output(x, last)} numbers by a weight of ${weight.shape.join(' x ')}`);
  const { c, h, w } = x.extents;
  const factors = x.view[last];
  const isFlattened = factors.some(({ axis }) => axis === 'h' || axis === 'w');
  const name = net.layerName(step, weight);
  const bias = (result: Shown) => (own ? { step, input: 2, constant: own } : net.biasAfter(step, result));
  const finish = (found: ReturnType<typeof bias>, result: Shown): Held => {
    if (found) net.bind(found.step, found.input, `${name}.bias`, found.constant, [out]);
    if (found && found.step !== step) net.absorb(found.step, result);
    return result;
  };
  if (isFlattened) {
    const settled = net.settled(step, { ...x, view: [[], channelsOf(c)] });
    const order = factors.map(({ axis }) => axis);
    const axes = (['c', 'h', 'w'] as const).filter((axis) => x.extents[axis] > 1);
    if (
      order.length !== axes.length ||
      !axes.every((axis) => isWholeAmong(x.view[last], axis, x.extents[axis]))
    )
      net.refuse(step, 'multiplies pixels and channels in an order that is not read here');
    const sizes = order.map((axis) => x.extents[axis]);
    const view = isOutFirst ? [out, ...sizes] : [...sizes, out];
    const from = (axis: Axis) => order.indexOf(axis) + (isOutFirst ? 1 : 0);
    const places = [isOutFirst ? 0 : sizes.length, ...axes.map(from)];
    const value0 = { ...settled, extents: { ...x.extents, c: out, h: 1, w: 1 }, view: [[], channelsOf(out)] };
    const found = bias({ ...value0, value: settled.value });
    const value = found
      ? net.net.linear(name, settled.value, out, [h, w])
      : net.net.conv(name, settled.value, out, [h, w], { padding: 0 });
    const shape = found ? [out, c * h * w] : [out, c, h, w];
    net.bind(step, 1, `${name}.weight`, weight, shape, { view, order: places });
    return finish(found, { ...value0, value });
  }
  const rows = net.shown(step, x);
  if (!isWhole(rows.view[last], 'c', c))
    net.refuse(step, 'multiplies along pixels, as attention does, which is not read here');
  const shape = { view: weight.shape, order: isOutFirst ? [0, 1] : [1, 0] };
  const found = bias(net.after(rows, { id: -1, channels: out }));
  if (found) {
    const value = net.net.linear(name, rows.value, out);
    net.bind(step, 1, `${name}.weight`, weight, [out, c], shape);
    return finish(found, net.after(rows, value));
  }
  const value = net.net.conv(name, rows.value, out, 1);
  net.bind(step, 1, `${name}.weight`, weight, [out, c, 1, 1], shape);
  return net.after(rows, value);
}

const isWholeAmong = (factors: View[number], axis: Axis, size: number): boolean =>
  factors.some((f) => f.axis === axis && f.size === size && f.stride === 1);

const gemm: Operator = (net, step, [x, w, b]) => {
  if (numberOf(step, 'transA', 0) !== 0) net.refuse(step, 'transposes its input, which is not read here');
  if (numberOf(step, 'alpha', 1) !== 1 || (b && numberOf(step, 'beta', 1) !== 1))
    net.refuse(step, 'has a factor alpha or beta, which is not read here');
  const bias = b && net.constant(step, b, 'a bias');
  return product(net, step, x, net.constant(step, w, 'a weight'), numberOf(step, 'transB', 0) === 1, bias);
};

const matmul: Operator = (net, step, [x, w]) =>
  product(net, step, x, net.constant(step, w, 'a weight'), false);

const batchNorm: Operator = (net, step, [input, ...rest]) => {
  const x = net.shown(step, input);
  if (numberOf(step, 'training_mode', 0) !== 0 && step.outputs.filter((name) => name !== '').length > 3)
    net.refuse(step, 'trains, which an exported network does not: export it in evaluation');
  const [weight, bias, mean, variance] = rest.map((held) => net.constant(step, held, 'a parameter'));
  const name = net.layerName(step, weight);
  const momentum = 1 - Number(numberOf(step, 'momentum', 0.9).toPrecision(7));
  const value = net.net.batchNorm(name, x.value, 'none', {
    // doubles as PyTorch's constructor had them
    eps: rounded(epsilonOf(step)),
    momentum: rounded(momentum),
  });
  const leaves = ['weight', 'bias', 'running_mean', 'running_var'];
  for (const [i, constant] of [weight, bias, mean, variance].entries())
    net.bind(step, i + 1, `${name}.${leaves[i]}`, constant, [x.extents.c]);
  return net.after(x, value);
};

/** The short decimal that a number of single precision was written as. */
const rounded = (x: number): number => Number(x.toPrecision(6));

/** Layer norm over dimensions that must be those of the channels. */
function layerNorm(
  net: Importer,
  step: Step,
  input: Held | undefined,
  axes: readonly number[],
  affine: [index: number, held: Held | undefined][],
): Held {
  const x = net.shown(step, input);
  const c = dimensionOf(x.view, 'c');
  const over = axes.map((axis) => place(axis, x.view.length)).filter((d) => x.view[d].length > 0);
  if (x.extents.c === 1 || over.length !== 1 || over[0] !== c)
    net.refuse(step, 'normalises over more than the channels, which is not read here');
  const [[weightAt, w], [biasAt, b]] = affine;
  const weight = w?.kind === 'constant' ? w : undefined;
  const name = weight ? net.layerName(step, weight, weightAt) : net.unique(`norm_${step.index}`);
  const value = net.net.layerNorm(name, x.value, rounded(epsilonOf(step)));
  const size = [x.extents.c];
  if (weight) net.bind(step, weightAt, `${name}.weight`, weight, size);
  else net.hold(`${name}.weight`, size, new Float32Array(x.extents.c).fill(1));
  if (b?.kind === 'constant') net.bind(step, biasAt, `${name}.bias`, b, size);
  else net.hold(`${name}.bias`, size, new Float32Array(x.extents.c));
  return net.after(x, value);
}

/** ConvNeXtV2's global response norm, which patterns put together. */
const responseNorm: Operator = (net, step, [input, w, b]) => {
  const x = net.shown(step, input);
  const [weight, bias] = [w, b].map((held) => net.constant(step, held, 'a parameter'));
  const name = net.layerName(step, weight);
  const value = net.net.globalResponseNorm(name, x.value, rounded(epsilonOf(step)));
  net.bind(step, 1, `${name}.weight`, weight, [x.extents.c]);
  net.bind(step, 2, `${name}.bias`, bias, [x.extents.c]);
  return net.after(x, value);
};

const pointwise: Operator = (net, step, [input]) => {
  const { activation, inner, outer, shift } = step.pointwise!;
  if (input?.kind === 'value' && !activation && outer === 1 && shift === 0) return input;
  const x = net.shown(step, input);
  const isAlone = net.onlyReader(step.inputs[0]) === step;
  const product = !activation && shift === 0 && isAlone && net.net.multiplied(x.value, outer);
  if (product) return net.after(x, product);
  if (!activation) return affine(net, step, x, all(outer), shift === 0 ? undefined : all(shift));
  const scaled = inner === 1 ? x : affine(net, step, x, all(inner), undefined);
  const value = net.net.activated(scaled.value, activation, isAlone && scaled === x);
  const done = net.after(x, value);
  return outer === 1 ? done : affine(net, step, done, all(outer), undefined);
};

/** A number for each channel, or the same for all. */
type PerChannel = { all: number } | { input: number; constant: Constant; from?: (x: number) => number };
const all = (value: number): PerChannel => ({ all: value });

const at = (by: PerChannel, c: number): number =>
  'all' in by ? by.all : (by.from ?? ((x) => x))(by.constant.data[by.constant.data.length > 1 ? c : 0]);

/** x times a number a channel, plus another. At the image it belongs to the normalisation. */
function affine(
  net: Importer,
  step: Step,
  x: Shown,
  scale: PerChannel | undefined,
  shift: PerChannel | undefined,
): Shown {
  const { c } = x.extents;
  const list = (by: PerChannel | undefined, absent: number) =>
    Float32Array.from({ length: c }, (_, i) => (by ? at(by, i) : absent));
  if (x.value.id === 0) {
    const before = net.normalised ?? { scale: Array(c).fill(1), shift: Array(c).fill(0) };
    net.normalised = {
      scale: before.scale.map((a, i) => a * (scale ? at(scale, i) : 1)),
      shift: before.shift.map((b, i) => b * (scale ? at(scale, i) : 1) + (shift ? at(shift, i) : 0)),
    };
    return x;
  }
  if (scale && 'input' in scale && !scale.from && !shift) {
    const name = net.unique(scale.constant.origin ? step.inputs[scale.input] : `scale_${step.index}`);
    const shape = [...scale.constant.shape];
    net.net.vector(name, shape, 'ones');
    net.bind(step, scale.input, name, scale.constant, shape);
    return net.after(x, net.net.scale(x.value, name));
  }
  const name = net.unique(`${step.op.toLowerCase()}_${step.index}`);
  const value = net.net.conv(name, x.value, c, 1, { groups: c, bias: shift !== undefined });
  net.hold(`${name}.weight`, [c, 1, 1, 1], list(scale, 1));
  if (shift && 'input' in shift && !shift.from)
    net.bind(step, shift.input, `${name}.bias`, shift.constant, [c]);
  else if (shift) net.hold(`${name}.bias`, [c], list(shift, 0));
  return net.after(x, value);
}

/** Arithmetic of an activation and a constant of one number, or one a channel. */
const withConstant =
  (
    by: (input: number, constant: Constant, isFirst: boolean) => [PerChannel?, PerChannel?] | undefined,
    both: Operator,
  ): Operator =>
  (net, step, inputs) => {
    const index = inputs.findIndex((held) => held?.kind === 'constant');
    if (index < 0) return both(net, step, inputs);
    const constant = inputs[index] as Constant;
    const x = net.shown(step, inputs[1 - index]);
    if (scalarOf(constant) === undefined && !perChannel(constant, x))
      net.refuse(
        step,
        `meets a constant of ${constant.shape.join(' x ')}, which is not one number a channel`,
      );
    const found = by(index, constant, index === 0);
    if (!found) return net.refuse(step, 'divides a constant by an activation, which is not read here');
    return affine(net, step, x, ...found);
  };

/** A channel's number; a single one is no parameter. */
const given = (input: number, constant: Constant, from?: (x: number) => number): PerChannel => {
  const value = scalarOf(constant);
  return value === undefined ? { input, constant, from } : all((from ?? ((x) => x))(value));
};

const sameShape = (net: Importer, step: Step, inputs: (Held | undefined)[]): [Shown, Shown] => {
  const [a, b] = inputs.map((held) => net.shown(step, held));
  if (JSON.stringify([a.view, a.extents]) !== JSON.stringify([b.view, b.extents]))
    net.refuse(
      step,
      `meets ${shapeOf(a.view).join(' x ')} and ${shapeOf(b.view).join(' x ')}, which are not of one shape`,
    );
  return [a, b];
};

const add = withConstant(
  (input, constant) => [undefined, given(input, constant)],
  (net, step, inputs) => {
    const [a, b] = sameShape(net, step, inputs);
    return net.after(a, net.net.add(a.value, b.value));
  },
);

const multiply = withConstant(
  (input, constant) => [given(input, constant)],
  (net, step, inputs) => {
    const [a, b] = inputs.map((held) => net.shown(step, held));
    const isGate = (x: Shown) => x.extents.h === 1 && x.extents.w === 1;
    const [image, gate] = isGate(b) || !isGate(a) ? [a, b] : [b, a];
    const isAlike = JSON.stringify([a.view, a.extents]) === JSON.stringify([b.view, b.extents]);
    const isGated =
      isGate(gate) && gate.extents.c === image.extents.c && image.view.length === gate.view.length;
    if (!isAlike && !isGated)
      net.refuse(
        step,
        'multiplies activations that are neither of one shape, nor an image and a number for each of its channels',
      );
    return net.after(image, net.net.mul(image.value, gate.value));
  },
);

const subtract = withConstant(
  (input, constant, isFirst) =>
    isFirst ? [all(-1), given(input, constant)] : [undefined, given(input, constant, (x) => -x)],
  (net, step) => net.refuse(step, 'subtracts activations from each other, which is not read here'),
);

const divide = withConstant(
  (input, constant, isFirst) => (isFirst ? undefined : [given(input, constant, (x) => 1 / x)]),
  (net, step) => net.refuse(step, 'divides activations by each other, which is not read here'),
);

/** Windows of a pool: PyTorch's padding and ceil_mode. */
function poolOf(net: Importer, step: Step, x: Shown) {
  const kernel = pairOf(net, step, 'kernel_shape', [1, 1]);
  const stride = pairOf(net, step, 'strides', [1, 1]);
  if ((listOf(step, 'dilations') ?? []).some((d) => d !== 1)) net.refuse(step, 'has holes in its window');
  const pads = padsOf(step, x, kernel, stride, [1, 1]);
  const ceil = numberOf(step, 'ceil_mode', 0) === 1;
  const rounding = ceil ? Math.ceil : Math.floor;
  const size = ([x.extents.h, x.extents.w] as const).map(
    (side, i) => rounding((side + pads[i] + pads[i + 2] - kernel[i]) / stride[i]) + 1,
  );
  const padding: Pair = [pads[0], pads[1]];
  const sizeBy = (ceilMode: boolean) =>
    [x.extents.h, x.extents.w].map((side, i) => {
      const steps = (side + 2 * padding[i] - kernel[i]) / stride[i];
      if (!ceilMode) return Math.floor(steps) + 1;
      const out = Math.ceil(steps) + 1;
      return (out - 1) * stride[i] >= side + padding[i] ? out - 1 : out;
    });
  const ceilMode = [ceil, !ceil].find((mode) => sizeBy(mode).every((side, i) => side === size[i]));
  const isEven = pads[0] === pads[2] && pads[1] === pads[3];
  return { kernel, stride, padding, ceilMode, isEven, h: size[0], w: size[1] };
}

const maxPool: Operator = (net, step, [input]) => {
  const x = net.images(step, input);
  // beyond the edge there is nothing to be the largest: windows may reach over it by padding or by ceil_mode
  const { kernel, stride, padding, ceilMode, h, w } = poolOf(net, step, x);
  if (ceilMode === undefined) return net.refuse(step, 'pads one side more than the other');
  return net.after(x, net.net.pool(x.value, { kind: 'max_pool', kernel, stride, padding, ceilMode }), {
    h,
    w,
  });
};

const averagePool: Operator = (net, step, [input]) => {
  const x = net.images(step, input);
  const { kernel, stride, padding, ceilMode, isEven, h, w } = poolOf(net, step, x);
  const isAll = kernel[0] === x.extents.h && kernel[1] === x.extents.w && h === 1 && w === 1;
  if (isAll && padding[0] === 0 && padding[1] === 0) return globalPool(net, step, [input]);
  if (ceilMode === undefined || !isEven) return net.refuse(step, 'pads one side more than the other');
  const isPadded = padding.some((n) => n > 0) || ceilMode;
  const countIncludePad = !isPadded || numberOf(step, 'count_include_pad', 0) === 1;
  const value = net.net.pool(x.value, {
    kind: 'avg_pool',
    kernel,
    stride,
    padding,
    ceilMode,
    countIncludePad,
  });
  return net.after(x, value, { h, w });
};

const globalPool: Operator = (net, step, [input]) => {
  const x = net.images(step, input);
  return net.after(x, net.net.globalAvgPool(x.value), { h: 1, w: 1 });
};

const reduceMean: Operator = (net, step, [input, given]) => {
  const x = net.shown(step, input);
  const listed = listOf(step, 'axes') ?? (given?.kind === 'constant' ? Array.from(given.data) : undefined);
  const axes = (listed ?? [...x.view.keys()]).map((axis) => place(axis, x.view.length));
  const isPixels = (['h', 'w'] as const).every(
    (axis) => x.extents[axis] === 1 || axes.some((d) => isWholeAmong(x.view[d], axis, x.extents[axis])),
  );
  if (!isPixels || axes.some((d) => x.view[d].some(({ axis }) => axis === 'c' || axis === 'n')))
    net.refuse(step, 'takes a mean over more or less than all pixels, which is not read here');
  const value = net.net.globalAvgPool(x.value);
  const kept = x.view.map((factors, d) => (axes.includes(d) ? [] : factors));
  const view = numberOf(step, 'keepdims', 1) === 1 ? kept : kept.filter((_, d) => !axes.includes(d));
  return { kind: 'value', value, extents: { ...x.extents, h: 1, w: 1 }, view };
};

const concat: Operator = (net, step, inputs) => {
  const parts = inputs.map((held) => net.shown(step, held));
  const [first] = parts;
  const axis = place(numberOf(step, 'axis', 1), first.view.length);
  const like = (x: Shown) =>
    JSON.stringify([x.view.map((f, d) => (d === axis ? [] : f)), { ...x.extents, c: 0 }]);
  const isChannels = parts.every((x) => x.extents.c === 1 || dimensionOf(x.view, 'c') === axis);
  if (!isChannels || parts.some((x) => like(x) !== like(first)))
    net.refuse(step, 'joins activations otherwise than by their channels, which is not read here');
  const value = net.joined(parts.map((x) => x.value));
  const view = first.view.map((factors, d) => (d === axis ? channelsOf(value.channels) : factors));
  return { kind: 'value', value, extents: { ...first.extents, c: value.channels }, view };
};

/** Channels from `start` up to but not including `end`, by the dimension that has them. */
function channelSlice(net: Importer, x: Shown, axis: number, start: number, end: number): Shown {
  const value = start === 0 && end === x.extents.c ? x.value : net.net.slice(x.value, start, end);
  if (start > 0 && end === x.extents.c) net.rests.set(value.id, x.value);
  const view = x.view.map((factors, d) => (d === axis ? channelsOf(end - start) : factors));
  return { ...x, value, view, extents: { ...x.extents, c: end - start } };
}

const split: Operator = (net, step, [input, sizes]) => {
  const x = net.shown(step, input);
  const axis = place(numberOf(step, 'axis', 0), x.view.length);
  if (dimensionOf(x.view, 'c') !== axis) net.refuse(step, 'splits along pixels, which is not read here');
  const given = listOf(step, 'split') ?? (sizes?.kind === 'constant' ? Array.from(sizes.data) : undefined);
  const part = Math.ceil(x.extents.c / step.outputs.length);
  const parts = given ?? step.outputs.map((_, i) => Math.min(part, x.extents.c - i * part));
  let start = 0;
  return parts.map((size) => {
    start += size;
    return channelSlice(net, x, axis, start - size, start);
  });
};

const slice: Operator = (net, step, [input, ...rest]) => {
  const list = (name: string, i: number) => {
    const held = rest[i];
    return listOf(step, name) ?? (held?.kind === 'constant' ? Array.from(held.data) : undefined);
  };
  const [starts, ends] = [list('starts', 0) ?? [], list('ends', 1) ?? []];
  const axes = list('axes', 2) ?? starts.map((_, i) => i);
  const steps = list('steps', 3) ?? starts.map(() => 1);
  const pending = input?.kind === 'value' ? input.step : undefined;
  let x = net.shown(step, input?.kind === 'value' && pending ? { ...input, step: undefined } : input);
  let taken = pending;
  for (const [i, given] of axes.entries()) {
    const d = place(given, x.view.length);
    const size = output(x, d);
    const clip = (at: number) => Math.min(Math.max(place(at, size), 0), size);
    const [start, end, by] = [clip(starts[i]), clip(ends[i]), steps[i]];
    if (by === 1 && start === 0 && end === size) continue;
    if (by === 1 && dimensionOf(x.view, 'c') === d) {
      x = channelSlice(net, x, d, start, end);
      continue;
    }
    const axis = x.view[d][0]?.axis;
    if (by < 2 || start !== 0 || end < size || (axis !== 'h' && axis !== 'w'))
      return net.refuse(step, 'cuts out a part of the image, which is not read here');
    taken = { h: 1, w: 1, ...taken, [axis]: by };
    const extents = { ...x.extents, [axis]: Math.ceil(size / by) };
    const view = x.view.map((f, e) => (e === d ? [{ axis, size: extents[axis], stride: 1 }] : f));
    x = { ...x, extents, view: view.map((f) => f.filter((factor) => factor.size > 1)) };
  }
  return { ...x, step: taken };
};

const pad: Operator = (net, step, [input, given, value, axes]) => {
  if (textOf(step, 'mode', 'constant') !== 'constant')
    net.refuse(step, 'repeats pixels at the edge, which is not read here');
  const fill = value?.kind === 'constant' ? (scalarOf(value) ?? 0) : numberOf(step, 'value', 0);
  if (fill !== 0) net.refuse(step, `pads with ${fill}, which is not read here`);
  const list = listOf(step, 'pads') ?? (given?.kind === 'constant' ? Array.from(given.data) : []);
  if (input?.kind !== 'value') return net.shown(step, input);
  const rank = input.view.length;
  const places =
    axes?.kind === 'constant' ? Array.from(axes.data, (a) => place(a, rank)) : [...Array(rank).keys()];
  const before = Array(rank).fill(0);
  const after = Array(rank).fill(0);
  places.forEach((d, i) => {
    before[d] = list[i];
    after[d] = list[places.length + i];
  });
  const isZero = (d: number) => before[d] === 0 && after[d] === 0;
  const c = dimensionOf(input.view, 'c') ?? 1;
  if (rank === 4 && isZero(0) && isZero(2) && isZero(3) && !isZero(c)) {
    const { h, w } = input.step ?? { h: 1, w: 1 };
    const x = net.shown(step, { ...input, step: undefined });
    if (h !== w) net.refuse(step, 'reads rows and columns in different steps');
    const channels = x.extents.c + before[c] + after[c];
    return net.after(x, net.net.subsample(x.value, h, channels, before[c]));
  }
  if (rank !== 4 || !isZero(0) || !isZero(1)) net.refuse(step, 'pads more than rows and columns');
  const old = input.pad ?? [0, 0, 0, 0];
  const laid = [before[2], before[3], after[2], after[3]].map((n, i) => n + old[i]);
  return laid.every((n) => n === 0) ? input : { ...input, pad: laid as Pads };
};

/** Another view of the same value. */
const seen = (
  net: Importer,
  step: Step,
  held: Held | undefined,
  change: (view: View) => View | undefined,
): Held => {
  if (held?.kind !== 'value') return net.shown(step, held);
  if (held.pad || held.step) return seen(net, step, net.shown(step, held), change);
  const view = change(held.view);
  if (!view)
    return net.refuse(step, 'cuts the image or its channels into pieces in a way that is not read here');
  return { ...held, view };
};

const reshape: Operator = (net, step, [x, wanted]) => {
  const shape = net.constant(step, wanted, 'a shape');
  const allowZero = numberOf(step, 'allowzero', 0) === 1;
  return seen(net, step, x, (view) =>
    reshaped(view, resolveShape(shapeOf(view), Array.from(shape.data), allowZero)),
  );
};

const flatten: Operator = (net, step, [x]) =>
  seen(net, step, x, (view) => {
    const axis = place(numberOf(step, 'axis', 1), view.length);
    return [view.slice(0, axis).flat(), view.slice(axis).flat()];
  });

const axesOf = (step: Step, given: Held | undefined): number[] | undefined =>
  listOf(step, 'axes') ?? (given?.kind === 'constant' ? Array.from(given.data) : undefined);

const squeeze: Operator = (net, step, [x, given]) =>
  seen(net, step, x, (view) => {
    const axes = axesOf(step, given)?.map((axis) => place(axis, view.length));
    return view.filter((factors, d) => (axes ? !axes.includes(d) : factors.length > 0));
  });

const unsqueeze: Operator = (net, step, [x, given]) =>
  seen(net, step, x, (view) => {
    const axes = axesOf(step, given) ?? [];
    const rank = view.length + axes.length;
    const places = new Set(axes.map((axis) => place(axis, rank)));
    const rest = [...view];
    return Array.from({ length: rank }, (_, d) => (places.has(d) ? [] : rest.shift()!));
  });

const transposeView: Operator = (net, step, [x]) =>
  seen(net, step, x, (view) => transposed(view, listOf(step, 'perm') ?? [...view.keys()].reverse()));

const alias: Operator = (net, step, [x]) => x ?? net.refuse(step, 'reads nothing');

const softmax: Operator = (net, step, [input]) => {
  const x = net.shown(step, input);
  if (x.extents.h !== 1 || x.extents.w !== 1)
    net.refuse(step, 'is a softmax over more than classes, as attention has it, which is not read here');
  return { ...x, isSoftmax: true };
};

const shapeValue: Operator = (_net, step, [input]) => {
  const shape = input?.kind === 'value' ? shapeOf(input.view) : [...(input?.shape ?? [])];
  const part = shape.slice(
    numberOf(step, 'start', 0),
    step.attributes.has('end') ? numberOf(step, 'end', 0) : undefined,
  );
  return numbers([part.length], part, false);
};

export const OPERATORS: Record<string, Operator> = {
  Conv: conv,
  Gemm: gemm,
  MatMul: matmul,
  BatchNormalization: batchNorm,
  LayerNormalization: (net, step, [x, w, b]) => {
    const rank = x?.kind === 'value' ? x.view.length : 4;
    const first = place(numberOf(step, 'axis', -1), rank);
    const axes = Array.from({ length: rank - first }, (_, i) => first + i);
    return layerNorm(net, step, x, axes, [
      [1, w],
      [2, b],
    ]);
  },
  NormOverAxes: (net, step, [x, axes, w, b]) =>
    layerNorm(net, step, x, Array.from(net.constant(step, axes, 'axes').data), [
      [2, w],
      [3, b],
    ]),
  ResponseNorm: responseNorm,
  Pointwise: pointwise,
  Add: add,
  Sub: subtract,
  Mul: multiply,
  Div: divide,
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalPool,
  ReduceMean: reduceMean,
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transposeView,
  Identity: alias,
  Dropout: alias,
  Cast: alias,
  // fake quantisation of activations: what trains is the network behind it
  QuantizeLinear: alias,
  DequantizeLinear: alias,
  Softmax: softmax,
  LogSoftmax: softmax,
  Shape: shapeValue,
  Size: (_, __, [x]) =>
    numbers([], [x?.kind === 'value' ? shapeOf(x.view).reduce((a, b) => a * b, 1) : 1], false),
};
