/** Normalisations. */
import { place } from '../fold';
import type { Held, Importer } from '../importer';
import { numberOf } from '../node';
import { epsilonOf, type Step } from '../patterns';
import { dimensionOf } from '../view';
import { type Operator, rounded } from './common';

/** Layer norm over dimensions that must be those of the channels. */
export function layerNorm(
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
export const responseNorm: Operator = (net, step, [input, w, b]) => {
  const x = net.shown(step, input);
  const [weight, bias] = [w, b].map((held) => net.constant(step, held, 'a parameter'));
  const name = net.layerName(step, weight);
  const value = net.net.globalResponseNorm(name, x.value, rounded(epsilonOf(step)));
  net.bind(step, 1, `${name}.weight`, weight, [x.extents.c]);
  net.bind(step, 2, `${name}.bias`, bias, [x.extents.c]);
  return net.after(x, value);
};

export const batchNorm: Operator = (net, step, [input, ...rest]) => {
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
