/** Linear layers, over the channels of pixels or over all that was flattened. */
import type { Constant } from '../constant';
import type { Held, Importer, Shown } from '../importer';
import { numberOf } from '../node';
import type { Step } from '../patterns';
import { type Axis, isWhole } from '../view';
import { channelsOf, isWholeAmong, type Operator, output } from './common';

/** x W + b over the last dimension: a linear layer over channels, or a convolution over all that was flattened. */
export function product(
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
    // a number of the weight for each pixel
    net.isSized = true;
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

export const matmul: Operator = (net, step, [x, w]) =>
  product(net, step, x, net.constant(step, w, 'a weight'), false);

export const gemm: Operator = (net, step, [x, w, b]) => {
  if (numberOf(step, 'transA', 0) !== 0) net.refuse(step, 'transposes its input, which is not read here');
  if (numberOf(step, 'alpha', 1) !== 1 || (b && numberOf(step, 'beta', 1) !== 1))
    net.refuse(step, 'has a factor alpha or beta, which is not read here');
  const bias = b && net.constant(step, b, 'a bias');
  return product(net, step, x, net.constant(step, w, 'a weight'), numberOf(step, 'transB', 0) === 1, bias);
};
