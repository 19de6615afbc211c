/** Convolutions and pools: windows over images. */
import { poolOutputSize } from '../../../ops/pool';
import type { Pair } from '../../model';
import type { Importer, Shown } from '../importer';
import { listOf, numberOf, textOf } from '../node';
import type { Step } from '../patterns';
import { channelsOf, type Operator, type Pads } from './common';

/** Rows or columns at most; a file's numbers may be anything. */
const MOST_PIXELS = 65_536;

/** The size of what comes out. */
function checkSize(net: Importer, step: Step, { h, w }: { h: number; w: number }): void {
  if (![h, w].every((n) => n >= 1 && n <= MOST_PIXELS))
    net.refuse(step, `would make an image of ${h} x ${w} pixels: what it reads does not suit it`);
}

/** Extents that convolutions and pools have along rows and columns. */
function pairOf(net: Importer, step: Step, name: string, fallback: Pair): Pair {
  const list = listOf(step, name) ?? fallback;
  if (list.length !== 2) net.refuse(step, 'does not work on images of two dimensions');
  if (list.some((n) => !(n >= 1 && n <= MOST_PIXELS)))
    net.refuse(step, `has ${name} of ${list.join(' x ')}, which must be 1 or more`);
  return [list[0], list[1]];
}

/** Pads of a window, whether they are given or follow from the size. */
function padsOf(
  net: Importer,
  step: Step,
  { extents: { h, w } }: Shown,
  kernel: Pair,
  stride: Pair,
  dilation: Pair,
): Pads {
  const mode = textOf(step, 'auto_pad', 'NOTSET');
  if (mode === 'VALID') return [0, 0, 0, 0];
  const given = listOf(step, 'pads');
  if (!mode.startsWith('SAME')) return (given?.length === 4 ? given : [0, 0, 0, 0]) as Pads;
  if (stride.some((n) => n > 1)) net.isSized = true;
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

export const conv: Operator = (net, step, [input, w, b]) => {
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
  const pads = padsOf(net, step, x, [kh, kw], stride, dilation).map((pad, i) => pad + laid[i]) as Pads;
  const [top, left, bottom, right] = pads;
  if (pads.some((pad) => pad < 0)) net.refuse(step, 'cuts the image at its edges, which is not read here');
  const name = net.layerName(step, weight);
  const h = sized(x.extents.h, top, bottom, (kh - 1) * dilation[0] + 1, stride[0]);
  const wide = sized(x.extents.w, left, right, (kw - 1) * dilation[1] + 1, stride[1]);
  const size = { h, w: wide, c: out };
  checkSize(net, step, size);
  const own = b?.kind === 'constant' ? { step, input: 2, constant: b } : undefined;
  const after = { ...x, extents: { ...x.extents, ...size } };
  const plain = { ...after, view: [after.view[0], channelsOf(out), after.view[2], after.view[3]] };
  const bias = own ?? (b ? undefined : net.biasAfter(step, plain));
  const value = net.net.conv(name, x.value, out, [kh, kw], {
    stride,
    ...paddingOf(pads),
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

/** Pads as layers have them: those of the other sides only where they differ. */
function paddingOf([top, left, bottom, right]: Pads): { padding: Pair; paddingEnd?: Pair } {
  const isEven = top === bottom && left === right;
  return { padding: [top, left], ...(!isEven && { paddingEnd: [bottom, right] }) };
}

/**
 * Windows of a pool: PyTorch's padding and ceil_mode. `isCounted`: an average counts what of a window lies in the padding, so
 * that this must be as the file has it; else it may be as long as gives as many windows.
 */
function poolOf(net: Importer, step: Step, x: Shown, isCounted: boolean) {
  const kernel = pairOf(net, step, 'kernel_shape', [1, 1]);
  const stride = pairOf(net, step, 'strides', [1, 1]);
  if ((listOf(step, 'dilations') ?? []).some((d) => d !== 1)) net.refuse(step, 'has holes in its window');
  const pads = padsOf(net, step, x, kernel, stride, [1, 1]);
  const ceil = numberOf(step, 'ceil_mode', 0) === 1;
  const rounding = ceil ? Math.ceil : Math.floor;
  const sides = [x.extents.h, x.extents.w];
  const size = sides.map((side, i) => rounding((side + pads[i] + pads[i + 2] - kernel[i]) / stride[i]) + 1);
  const window = { kernel, stride, ...paddingOf(pads) };
  const sizeBy = (ceilMode: boolean) => poolOutputSize(sides as Pair, { ...window, ceilMode });
  const ceilMode = [ceil, !ceil].find((mode) => sizeBy(mode).join() === size.join());
  const [h, w] = size;
  checkSize(net, step, { h, w });
  if (ceilMode !== undefined) return { ...window, ceilMode, h, w };
  if (isCounted) return net.refuse(step, 'has windows that begin beyond the padding, which is not read here');
  const reach = size.map((n, i) => Math.max((n - 1) * stride[i] + kernel[i] - sides[i] - pads[i], 0));
  return { ...window, paddingEnd: reach as Pair, ceilMode: false, h, w };
}

export const maxPool: Operator = (net, step, [input]) => {
  const x = net.images(step, input);
  // beyond the edge there is nothing to be the largest: windows may reach over it in any way
  const { h, w, ...window } = poolOf(net, step, x, false);
  return net.after(x, net.net.pool(x.value, { kind: 'max_pool', ...window }), { h, w });
};

export const averagePool: Operator = (net, step, [input]) => {
  const x = net.images(step, input);
  const isCounted = numberOf(step, 'count_include_pad', 0) === 1;
  const { h, w, ...window } = poolOf(net, step, x, isCounted);
  const { kernel, padding, paddingEnd = padding, ceilMode } = window;
  const isInside = [...padding, ...paddingEnd].every((n) => n === 0);
  const isAll = kernel[0] === x.extents.h && kernel[1] === x.extents.w && h === 1 && w === 1;
  if (isAll && isInside) return globalPool(net, step, [input]);
  const countIncludePad = (isInside && !ceilMode) || isCounted;
  return net.after(x, net.net.pool(x.value, { kind: 'avg_pool', ...window, countIncludePad }), { h, w });
};

export const globalPool: Operator = (net, step, [input]) => {
  const x = net.images(step, input);
  return net.after(x, net.net.globalAvgPool(x.value), { h: 1, w: 1 });
};

/** The largest of all pixels. */
export const globalMaxPool: Operator = (net, step, [input]) => {
  const x = net.images(step, input);
  const kernel: Pair = [x.extents.h, x.extents.w];
  net.isSized = true;
  const window = { kernel, stride: [1, 1] as Pair, padding: [0, 0] as Pair, ceilMode: false };
  return net.after(x, net.net.pool(x.value, { kind: 'max_pool', ...window }), { h: 1, w: 1 });
};
