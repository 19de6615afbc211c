/** Arithmetic of activations with each other and with constants, and functions of each number. */
import { type Constant, scalarOf } from '../constant';
import { type Held, type Importer, perChannel, type Shown } from '../importer';
import type { Step } from '../patterns';
import type { Recognised } from '../pointwise';
import { shapeOf } from '../view';
import type { Operator } from './common';

export const pointwise: Operator = (net, step, [input]) => {
  const { activation, share, inner, offset = 0, outer, shift } = step.pointwise!;
  if (share !== undefined) return bent(net, step, net.shown(step, input), step.pointwise!, all(share));
  if (input?.kind === 'value' && !activation && outer === 1 && shift === 0) return input;
  const x = net.shown(step, input);
  const isAlone = net.onlyReader(step.inputs[0]) === step;
  const product = !activation && shift === 0 && isAlone && net.net.multiplied(x.value, outer);
  if (product) return net.after(x, product);
  const plus = (number: number) => (number === 0 ? undefined : all(number));
  if (!activation) return affine(net, step, x, all(outer), plus(shift));
  const scaled = inner === 1 && offset === 0 ? x : affine(net, step, x, all(inner), plus(offset));
  const value = net.net.activated(scaled.value, activation, isAlone && scaled === x);
  const done = net.after(x, value);
  return outer === 1 && shift === 0 ? done : affine(net, step, done, all(outer), plus(shift));
};

/** relu(x) and a share of what is below zero, times a number. */
function bent(
  net: Importer,
  step: Step,
  x: Shown,
  { activation, outer }: Pick<Recognised, 'activation' | 'outer'>,
  share: PerChannel,
): Shown {
  const negative = net.net.activation(x.value, 'negative');
  const below = net.after(x, activation ? net.net.activation(negative, activation) : negative);
  const part = affine(net, step, below, share, undefined);
  const sum = net.after(x, net.net.add(net.net.activation(x.value, 'relu'), part.value));
  return outer === 1 ? sum : affine(net, step, sum, all(outer), undefined);
}

/** With a slope a channel, which trains as any other parameter. */
export const prelu: Operator = (net, step, [input, slope]) => {
  const x = net.shown(step, input);
  const constant = net.constant(step, slope, 'a slope');
  if (!perChannel(constant, x))
    net.refuse(step, `has slopes of ${constant.shape.join(' x ')}, which are not one number a channel`);
  return bent(net, step, x, { outer: 1 }, given(1, constant));
};

/** A number for each channel, or the same for all. */
type PerChannel = { all: number } | { input: number; constant: Constant; from?: (x: number) => number };
const all = (value: number): PerChannel => ({ all: value });

const at = (by: PerChannel, c: number): number =>
  'all' in by ? by.all : (by.from ?? ((x) => x))(by.constant.data[by.constant.data.length > 1 ? c : 0]);

/** x times a number a channel, plus another. At the image it belongs to the normalisation. */
export function affine(
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
  const { name, value } = net.pixelwise(step, x.value, list(scale, 1), { bias: shift !== undefined });
  if (shift && 'input' in shift && !shift.from)
    net.bind(step, shift.input, `${name}.bias`, shift.constant, [c]);
  else if (shift) net.hold(`${name}.bias`, [c], list(shift, 0));
  return net.after(x, value);
}

/** -x, of the image too. */
const negated = (net: Importer, step: Step, { value }: Shown) =>
  net.pixelwise(step, value, new Float32Array(value.channels).fill(-1)).value;

/** a - b. */
const difference = (net: Importer, step: Step, a: Shown, b: Shown) =>
  net.net.add(a.value, negated(net, step, b));

/** The larger of two activations, b + relu(a - b), or the smaller one, a - relu(a - b); of one and a constant a function of one. */
const extreme =
  (isLarger: boolean): Operator =>
  (net, step, inputs) => {
    if (inputs.length !== 2) net.refuse(step, `compares ${inputs.length} values, and two are read here`);
    const [a, b] = sameShape(net, step, inputs);
    const excess = net.after(a, net.net.activation(difference(net, step, a, b), 'relu'));
    const value = isLarger ? net.net.add(b.value, excess.value) : difference(net, step, a, excess);
    return net.after(a, value);
  };

export const maximum = extreme(true);
export const minimum = extreme(false);

/** x^2; other powers are functions that there is no layer for. */
export const power: Operator = (net, step, [input, exponent]) => {
  const x = net.shown(step, input);
  const n = scalarOf(net.constant(step, exponent, 'an exponent'));
  if (n !== 2)
    net.refuse(step, `takes a power of ${n ?? 'several numbers'}, and squares alone are read here`);
  return net.after(x, net.net.mul(x.value, x.value));
};

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
export const given = (input: number, constant: Constant, from?: (x: number) => number): PerChannel => {
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

export const add = withConstant(
  (input, constant) => [undefined, given(input, constant)],
  (net, step, inputs) => {
    const [a, b] = sameShape(net, step, inputs);
    return net.after(a, net.net.add(a.value, b.value));
  },
);

/** Of any number of activations of one shape. */
export const sum: Operator = (net, step, inputs) =>
  inputs
    .map((held) => net.shown(step, held))
    .reduce((a, b) => {
      sameShape(net, step, [a, b]);
      return net.after(a, net.net.add(a.value, b.value));
    });

export const multiply = withConstant(
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

export const subtract = withConstant(
  (input, constant, isFirst) =>
    isFirst ? [all(-1), given(input, constant)] : [undefined, given(input, constant, (x) => -x)],
  (net, step, inputs) => {
    const [a, b] = sameShape(net, step, inputs);
    return net.after(a, difference(net, step, a, b));
  },
);

export const divide = withConstant(
  (input, constant, isFirst) => (isFirst ? undefined : [given(input, constant, (x) => 1 / x)]),
  (net, step) => net.refuse(step, 'divides activations by each other, which is not read here'),
);
