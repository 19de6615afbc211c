/**
 * Blocks that train as a sum of branches and are deployed as one convolution: RepVGG (arXiv 2101.03697), MobileOne (2206.04040),
 * RepLKNet (2203.06717), SLaK (2207.03620), ACNet (1908.03930) and diverse branch blocks (2103.13425), by the names of their
 * publishers. A branch is a chain of linear steps, so that it is a convolution itself.
 */
import { UserError } from '../errors';
import type { StateDict, StateTensor } from '../io/tensor';
import type { Block, Kernel, Step } from './fold';
import { numbersOf } from './state';

/** torch.nn.BatchNorm2d's default, which all of these blocks have as published. */
export const BRANCHES_EPS = 1e-5;

/** What a block's tensors are read by. */
class Reader {
  readonly tensors = new Set<string>();

  constructor(
    private readonly state: StateDict,
    private readonly block: string,
    readonly perGroup: number,
    private readonly eps: number,
  ) {}

  has(name: string): boolean {
    return this.state.has(`${this.block}${name}.weight`);
  }

  shape(name: string): readonly number[] {
    return this.tensor(`${name}.weight`).shape;
  }

  conv(name: string): Step {
    const { shape, data } = this.tensor(`${name}.weight`);
    if (shape.length !== 4) throw new UserError(`${this.block}${name}.weight is no kernel of a convolution.`);
    return {
      kernel: { shape: shape as unknown as Kernel['shape'], data: Float64Array.from(data as Float32Array) },
    };
  }

  norm(name: string): Step {
    const of = (part: string) => numbersOf(this.tensor(`${name}.${part}`));
    const [weight, bias, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(of);
    this.tensors.add(`${this.block}${name}.num_batches_tracked`);
    const scale = Float64Array.from(weight, (w, i) => w / Math.sqrt(variance[i] + this.eps));
    return { scale, shift: scale.map((s, i) => bias[i] - mean[i] * s) };
  }

  /** A convolution `<name>.conv` and its batch norm `<name>.bn`, where they are there. */
  convNorm(name: string): Step[][] {
    return this.has(`${name}.conv`) ? [[this.conv(`${name}.conv`), this.norm(`${name}.bn`)]] : [];
  }

  /** The image itself behind a batch norm, where there is one. */
  identity(name: string): Step[][] {
    if (!this.has(name)) return [];
    const [channels] = this.shape(name);
    return [[{ kernel: eachItsOwn(channels, this.perGroup) }, this.norm(name)]];
  }

  private tensor(name: string): StateTensor {
    const tensor = this.state.get(this.block + name);
    if (!tensor) throw new UserError(`The block ${this.block} lacks ${name}: it cannot be folded.`);
    this.tensors.add(this.block + name);
    return tensor;
  }
}

/** A kernel that gives each channel its own. */
function eachItsOwn(channels: number, perGroup: number): Kernel {
  const data = new Float64Array(channels * perGroup);
  for (let o = 0; o < channels; o++) data[o * perGroup + (o % perGroup)] = 1;
  return { shape: [channels, perGroup, 1, 1], data };
}

interface Form {
  /** the main kernel's name; what it captures stands before the block's names */
  sign: RegExp;
  deployed: string;
  branches(r: Reader): Step[][];
}

const numbered = (r: Reader, name: string): Step[][] => {
  const all: Step[][] = [];
  while (r.has(`${name}.${all.length}.conv`)) all.push(...r.convNorm(`${name}.${all.length}`));
  return all;
};

const FORMS: readonly Form[] = [
  {
    sign: /^(.*\.)?rbr_dense\.conv\.weight$/,
    deployed: 'rbr_reparam',
    branches: (r) => [...r.convNorm('rbr_dense'), ...r.convNorm('rbr_1x1'), ...r.identity('rbr_identity')],
  },
  {
    sign: /^(.*\.)?rbr_conv\.0\.conv\.weight$/,
    deployed: 'reparam_conv',
    branches: (r) => [...numbered(r, 'rbr_conv'), ...r.convNorm('rbr_scale'), ...r.identity('rbr_skip')],
  },
  // timm's RepVGG and MobileOne
  {
    sign: /^(.*\.)?conv_kxk\.(?:0\.)?conv\.weight$/,
    deployed: 'reparam_conv',
    branches: (r) => [
      ...r.convNorm('conv_kxk'),
      ...numbered(r, 'conv_kxk'),
      ...['conv_1x1', 'conv_scale'].flatMap((name) => r.convNorm(name)),
      ...r.identity('identity'),
    ],
  },
  {
    sign: /^(.*\.)?lkb_origin\.conv\.weight$/,
    deployed: 'lkb_reparam',
    branches: (r) => [...r.convNorm('lkb_origin'), ...r.convNorm('small_conv')],
  },
  {
    sign: /^(.*\.)?(?:Decom|LoRA)1\.conv\.weight$/,
    deployed: 'lkb_reparam',
    branches: (r) => ['Decom1', 'Decom2', 'LoRA1', 'LoRA2', 'small_conv'].flatMap((name) => r.convNorm(name)),
  },
  {
    sign: /^(.*\.)?square_conv\.weight$/,
    deployed: 'fused_conv',
    branches: (r) => ['square', 'ver', 'hor'].map((name) => [r.conv(`${name}_conv`), r.norm(`${name}_bn`)]),
  },
  { sign: /^(.*\.)?dbb_origin\.conv\.weight$/, deployed: 'dbb_reparam', branches: diverseBranches },
];

/** Its own kernel, one of 1 x 1, one of 1 x 1 before an average, and one of 1 x 1 before a kernel. */
function diverseBranches(r: Reader): Step[][] {
  const [channels, , side] = r.shape('dbb_origin.conv');
  const own: Step = { kernel: eachItsOwn(channels, r.perGroup) };
  const averaged = r.has('dbb_avg.conv') ? [r.conv('dbb_avg.conv'), r.norm('dbb_avg.bn.bn')] : [own];
  // the first of the two is kept as what it differs from the identity by
  const first = r.has('dbb_1x1_kxk.idconv1') ? 'dbb_1x1_kxk.idconv1' : 'dbb_1x1_kxk.conv1';
  const pointwise = r.conv(first);
  if (first.endsWith('idconv1') && 'kernel' in pointwise) {
    const [o, i] = pointwise.kernel.shape;
    eachItsOwn(o, i).data.forEach((one, at) => {
      pointwise.kernel.data[at] += one;
    });
  }
  return [
    ...r.convNorm('dbb_origin'),
    ...r.convNorm('dbb_1x1'),
    [...averaged, { average: side }, r.norm('dbb_avg.avgbn')],
    [pointwise, r.norm('dbb_1x1_kxk.bn1.bn'), r.conv('dbb_1x1_kxk.conv2'), r.norm('dbb_1x1_kxk.bn2')],
  ];
}

/** Whether a tensor's name is that of a block's main kernel. */
export const isMainKernel = (name: string): boolean => FORMS.some(({ sign }) => sign.test(name));

/**
 * The blocks of branches in a state dict, in its order.
 * @param eps of their batch norms, which no state dict tells
 * @throws UserError that names a block which lacks a part
 */
export function blocksOf(state: StateDict, eps = BRANCHES_EPS): Block[] {
  return [...state].flatMap(([key, { shape }]) => {
    for (const { sign, deployed, branches } of FORMS) {
      const match = sign.exec(key);
      if (!match || shape.length !== 4) continue;
      const [, name = ''] = match;
      const r = new Reader(state, name, shape[1], eps);
      const all = branches(r);
      return [{ name, deployed, branches: all, groups: groupsOf(all, shape), tensors: [...r.tensors] }];
    }
    return [];
  });
}

/** A kernel over another, and a batch norm of the image itself, tell the channels that go in. */
function groupsOf(branches: readonly Step[][], [o, perGroup]: readonly number[]): number {
  for (const steps of branches) {
    const [first, second] = steps.flatMap((step) => ('kernel' in step ? [step.kernel] : []));
    if (second) return first.shape[0] / second.shape[1];
  }
  const kernels = branches.flatMap(([first]) => ('kernel' in first ? [first.kernel] : []));
  const own = kernels.find(isOwn);
  if (own) return own.shape[0] / perGroup;
  return perGroup === 1 ? o : 1;
}

const isOwn = ({ shape: [o, i, kh, kw], data }: Kernel): boolean =>
  kh * kw === 1 && data.every((v, at) => v === (at % i === Math.floor(at / i) % i ? 1 : 0)) && o >= i;
