/** The course of the animation: six pictures, of which the fourth goes over the kernels one by one. */
import type { ShownLayer } from './layers';
import type { Refocusing } from './refocusing';

export interface Frame {
  title: string;
  text: string;
}

const plural = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;

export function framesOf({ layer, perGroup, mapKernel: k }: ShownLayer, step: Refocusing): Frame[] {
  const taps = step.basis.length;
  const gap = Math.max(...step.change.map((value, t) => Math.abs(value - step.short[t])));
  const reads =
    perGroup === 1
      ? 'This convolution is dense: each plane has a map of its own, which reads that plane alone.'
      : `The map reads all ${perGroup} kernels of its group, so it holds ${perGroup} planes of ${k}×${k} numbers for this one kernel.`;
  return [
    {
      title: 'The basis',
      text: 'One trained kernel of the network you have loaded. RefConv keeps it as it is: it is the basis W_b, and it never changes again.',
    },
    {
      title: 'What the loss asks for',
      text: 'In a training step the loss says how each weight should move. Real gradients ask for a bit of everything; here the wish is for one tap only, the one you choose. Fine-tuning would grant just that.',
    },
    {
      title: 'The map',
      text: `RefConv grants it through the map W_r, which starts from zero. ${reads} Each number moves by as much as it can help: the wish times the weight that it would bring to the tap.`,
    },
    {
      title: 'The sum',
      text:
        perGroup === 1
          ? 'The plane is convolved with its map (with zeros around it). That is all there is to add.'
          : `Each of the ${plural(perGroup, 'kernel')} is convolved with its own plane of the map (with zeros around it), and all results are added up.`,
    },
    {
      title: 'The refocused kernel',
      text: 'Basis and sum together are W_t, the kernel that the layer convolves images with. After training only W_t is written to the file: same shape, same cost, other numbers.',
    },
    {
      title: 'The same in one go: the Gram matrix',
      text: `The whole way, map and sum, is one product: the wish times the layer’s Gram matrix BᵀB, ${taps}×${taps} numbers made of the frozen kernels (B has a row for each number of the map). Its outlined row is what the chosen tap becomes. Both ways differ by at most ${gap === 0 ? '0' : gap.toExponential(1)} here. So with plain SGD, RefConv of ${layer.name} is fine-tuning whose every step is multiplied by this matrix.`,
    },
  ];
}

/** A place in the course: a picture, and in the sum how many kernels are in it. */
export interface Place {
  frame: number;
  summed: number;
}

/** Pictures that a layer's sum is drawn in at most: of many kernels some are taken together. */
const SUM_PICTURES = 48;

export const SUM = 3;
export const LAST = 5;

/** The next place while it plays; undefined at the end. */
export function after({ frame, summed }: Place, kernels: number): Place | undefined {
  if (frame === SUM && summed < kernels) {
    const stride = Math.ceil(kernels / SUM_PICTURES);
    return { frame, summed: Math.min(kernels, summed + stride) };
  }
  if (frame === LAST) return undefined;
  return { frame: frame + 1, summed: frame + 1 > SUM ? kernels : 0 };
}

/** Where a click on forward or back leads: from picture to picture, each whole. */
export function stepTo({ frame }: Place, by: 1 | -1, kernels: number): Place {
  const next = Math.max(0, Math.min(LAST, frame + by));
  return { frame: next, summed: next >= SUM ? kernels : 0 };
}

/** How long a place is looked at while it plays. */
export const pauseOf = ({ frame, summed }: Place, kernels: number): number =>
  frame === SUM && summed < kernels ? 120 : 3500;
