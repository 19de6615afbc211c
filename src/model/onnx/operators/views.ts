/** Other views of the same value, and what leaves it as it is. */
import type { BlockAttributes } from '../../../ops/channels';
import { regrouped, regroupingOf } from '../blocks';
import { numbers } from '../constant';
import { place } from '../fold';
import type { Held, Importer } from '../importer';
import { listOf, numberOf, textOf } from '../node';
import type { Step } from '../patterns';
import { resolveShape } from '../shape';
import { reshaped, shapeOf, transposed, type View } from '../view';
import type { Operator } from './common';

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

export const reshape: Operator = (net, step, [x, wanted]) => {
  const shape = net.constant(step, wanted, 'a shape');
  const allowZero = numberOf(step, 'allowzero', 0) === 1;
  return seen(net, step, x, (view) =>
    reshaped(view, resolveShape(shapeOf(view), Array.from(shape.data), allowZero)),
  );
};

export const flatten: Operator = (net, step, [x]) =>
  seen(net, step, x, (view) => {
    const axis = place(numberOf(step, 'axis', 1), view.length);
    return [view.slice(0, axis).flat(), view.slice(axis).flat()];
  });

const axesOf = (step: Step, given: Held | undefined): number[] | undefined =>
  listOf(step, 'axes') ?? (given?.kind === 'constant' ? Array.from(given.data) : undefined);

export const squeeze: Operator = (net, step, [x, given]) =>
  seen(net, step, x, (view) => {
    const axes = axesOf(step, given)?.map((axis) => place(axis, view.length));
    return view.filter((factors, d) => (axes ? !axes.includes(d) : factors.length > 0));
  });

export const unsqueeze: Operator = (net, step, [x, given]) =>
  seen(net, step, x, (view) => {
    const axes = axesOf(step, given) ?? [];
    const rank = view.length + axes.length;
    const places = new Set(axes.map((axis) => place(axis, rank)));
    const rest = [...view];
    return Array.from({ length: rank }, (_, d) => (places.has(d) ? [] : rest.shift()!));
  });

export const transposeView: Operator = (net, step, [x]) =>
  seen(net, step, x, (view) => transposed(view, listOf(step, 'perm') ?? [...view.keys()].reverse()));

/** Channels as blocks of pixels, or these as channels, as another view. */
const moveBlocks =
  (kind: BlockAttributes['kind']): Operator =>
  (net, step, [input]) => {
    const x = net.images(step, input);
    const block = numberOf(step, 'blocksize', 0);
    const isCrd = kind === 'depth_to_space' && textOf(step, 'mode', 'DCR') === 'CRD';
    const regrouping = regroupingOf(x.extents, { kind, block, order: isCrd ? 'chw' : 'hwc' });
    if (!(block >= 1) || !regrouping.apart.every(Number.isInteger))
      net.refuse(step, `has blocks of ${block} x ${block} pixels, which do not fit what it reads`);
    return seen(net, step, x, (view) => regrouped(view, regrouping));
  };

export const depthToSpace = moveBlocks('depth_to_space');
export const spaceToDepth = moveBlocks('space_to_depth');

export const alias: Operator = (net, step, [x]) => x ?? net.refuse(step, 'reads nothing');

export const softmax: Operator = (net, step, [input]) => {
  const x = net.shown(step, input);
  if (x.extents.h !== 1 || x.extents.w !== 1)
    net.refuse(step, 'is a softmax over more than classes, as attention has it, which is not read here');
  return { ...x, isSoftmax: true };
};

/** Of a softmax at the end, as some write a log-softmax: it changes no order of the classes. */
export const logarithm: Operator = (net, step, [x]) =>
  x?.kind === 'value' && x.isSoftmax ? x : net.refuse(step, 'is no logarithm of a softmax');

export const shapeValue: Operator = (_net, step, [input]) => {
  const shape = input?.kind === 'value' ? shapeOf(input.view) : [...(input?.shape ?? [])];
  const part = shape.slice(
    numberOf(step, 'start', 0),
    step.attributes.has('end') ? numberOf(step, 'end', 0) : undefined,
  );
  return numbers([part.length], part, false);
};
