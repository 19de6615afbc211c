/** A convolution with branches beside it (see structural.ts) as the one convolution that it is, in float64. */
import { type BranchedLayer, branchesOf, branchPrefix, NORM, OWN_SCALE } from './branch-forms';
import { type Block, foldBlock, type Kernel, type Step } from './fold';

/** A tensor of the state dict by its name, in PyTorch's order. */
type Read = (name: string) => ArrayLike<number>;

/** What a convolution with its branches is, as a sum of linear steps on the image. */
export function blockOf(conv: BranchedLayer, read: Read): Block {
  const { name, shape, groups, bias, branches } = conv;
  const prefix = branchPrefix(name);
  const scale = (of: string): Step => affine(Float64Array.from(read(of)), (_) => 0);
  const norm = (of: string, eps: number): Step => {
    const [weight, shift, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
      read(`${of}.${part}`),
    );
    const scales = Float64Array.from(weight, (w, c) => w / Math.sqrt(variance[c] + eps));
    return affine(scales, (c) => shift[c] - mean[c] * scales[c]);
  };
  const kernel = (of: string, size: Kernel['shape']): Step => ({
    kernel: { shape: size, data: Float64Array.from(read(`${of}.weight`)) },
  });
  const own: Step[] = [kernel(name, shape)];
  if (bias) {
    const shift = read(`${name}.bias`);
    own.push(affine(new Float64Array(shape[0]).fill(1), (c) => shift[c]));
  }
  if (branches.norm) own.push(norm(branches.norm.name, branches.norm.eps));
  if (branches.form === 'orepa') own.push(scale(prefix + OWN_SCALE));
  const eps = branches.norm?.eps ?? NORM.eps;
  const others = branchesOf(conv).map((parts): Step[] => {
    const steps = parts.map((part): Step => {
      if ('conv' in part) return kernel(prefix + part.conv, part.shape);
      if ('average' in part) return part;
      return 'scale' in part ? scale(prefix + part.scale) : norm(prefix + part.norm, eps);
    });
    return 'conv' in parts[0] ? steps : [{ kernel: identity(shape[0], shape[1]) }, ...steps];
  });
  return { name: `${name}.`, deployed: name, groups, branches: [own, ...others], tensors: [] };
}

const affine = (scale: Float64Array, shift: (channel: number) => number): Step => ({
  scale,
  shift: Float64Array.from(scale, (_, c) => shift(c)),
});

/** A kernel that gives each channel its own. */
function identity(channels: number, perGroup: number): Kernel {
  const data = new Float64Array(channels * perGroup);
  for (let o = 0; o < channels; o++) data[o * perGroup + (o % perGroup)] = 1;
  return { shape: [channels, perGroup, 1, 1], data };
}

/** A scale of a batch norm below this share of its largest takes no kernel's place: dividing by it would only lift rounding. */
const DEAD = 1e-3;

/**
 * What the plain network's tensors are, by their names: the kernel, and what takes up the shifts. Behind a batch norm the kernel is
 * the sum's over that norm's scale, so that norm and statistics stay as they were trained; where that scale is next to nothing
 * the norm becomes the identity and a shift.
 */
export function mergedBranches(conv: BranchedLayer, read: Read): Map<string, Float64Array> {
  const { name, bias, branches } = conv;
  const folded = foldBlock(blockOf(conv, read));
  const { data } = folded.kernel;
  const merged = new Map([[`${name}.weight`, data]]);
  if (!branches.norm) {
    if (bias) merged.set(`${name}.bias`, folded.bias);
    return merged;
  }
  const { name: norm, eps } = branches.norm;
  const weight = Float64Array.from(read(`${norm}.weight`));
  const [mean, variance] = [read(`${norm}.running_mean`), read(`${norm}.running_var`)];
  const scales = weight.map((w, c) => w / Math.sqrt(variance[c] + eps));
  const least = DEAD * scales.reduce((most, s) => Math.max(most, Math.abs(s)), 0);
  scales.forEach((scale, c) => {
    if (Math.abs(scale) > least) return;
    scales[c] = 1;
    weight[c] = Math.sqrt(variance[c] + eps);
  });
  const taps = data.length / scales.length;
  merged.set(
    `${name}.weight`,
    data.map((v, at) => v / scales[Math.floor(at / taps)]),
  );
  // a bias of the convolution before the norm stays; the rest goes behind it
  const before = bias ? read(`${name}.bias`) : undefined;
  merged.set(`${norm}.weight`, weight);
  merged.set(
    `${norm}.bias`,
    folded.bias.map((b, c) => b + (mean[c] - (before?.[c] ?? 0)) * scales[c]),
  );
  return merged;
}
