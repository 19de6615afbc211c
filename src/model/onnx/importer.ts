import { product } from '../../graph/tensor';
import { quote } from '../../io/format-error';
import type { OnnxGraph } from '../../io/onnx/graph';
import { floats, type StateDict } from '../../io/tensor';
import type { Builder, ConvOptions, Value } from '../builder';
import { blocksIn } from './blocks';
import { type Constant, transpose } from './constant';
import type { Step } from './patterns';
import { UnreadNode } from './unread';
import {
  dimensionOf,
  type Extents,
  isCut,
  isWhole,
  shapeOf,
  shows,
  shuffleIn,
  type View,
  viewOf,
} from './view';

/** An activation of the graph: which value of ours it shows, and how. */
export interface Shown {
  kind: 'value';
  value: Value;
  extents: Extents;
  view: View;
  /** zeros around the image that are not laid yet: above, left, below, right */
  pad?: [number, number, number, number];
  /** steps of rows and columns that are not taken yet, from the first row and column on */
  step?: Step2d;
  /** a softmax of it, which nothing but the graph's end may read */
  isSoftmax?: boolean;
}

/** Every `h`th row from `top` on and every `w`th column from `left` on. */
export interface Step2d {
  h: number;
  w: number;
  top: number;
  left: number;
}

export type Held = Constant | Shown;

/** Where an entry of the model stands in the file: entry = transpose(reshape(the value, view), order). */
export interface Binding {
  /** the model's name */
  entry: string;
  /** the constant value of the graph that a node reads */
  value: string;
  /** the node that reads it, by its place in the file, and which of its inputs it is */
  node: number;
  input: number;
  view: readonly number[];
  order: readonly number[];
  /** of the value itself */
  constant: Constant;
}

/** What is added to what the model reads, and multiplied with, before anything else: one number a channel. */
export interface Normalised {
  scale: number[];
  shift: number[];
}

/** The state of an import, and what its operators have in common. */
export class Importer {
  readonly values = new Map<string, Held>();
  readonly state: StateDict = new Map();
  readonly bindings: Binding[] = [];
  readonly notes: string[] = [];
  /** of the image, where the graph begins with it */
  normalised?: Normalised;
  /** a layer is for images of the graph's own size alone */
  isSized = false;
  /** steps that another took in */
  readonly absorbed = new Set<Step>();
  private readonly readers = new Map<string, Step[]>();
  private readonly taken = new Set<string>();
  /** what was done for the first of several that read a value */
  private readonly done = new WeakMap<Shown, Shown>();
  /** values that are others side by side, by these others */
  private readonly joins = new Map<string, Value>();
  /** values of which others are the last channels, by the others */
  readonly rests = new Map<number, Value>();

  constructor(
    readonly graph: OnnxGraph,
    readonly net: Builder,
    readonly steps: readonly Step[],
    private readonly output: string,
  ) {
    for (const step of steps)
      for (const name of new Set(step.inputs)) {
        const list = this.readers.get(name);
        if (list) list.push(step);
        else this.readers.set(name, [step]);
      }
  }

  /** @throws UnreadNode that names the file and the node */
  refuse(step: Step, reason: string): never {
    throw new UnreadNode(this.graph.file, step, reason);
  }

  /** The one step that reads a value, if only one does. */
  onlyReader(name: string): Step | undefined {
    const readers = this.readers.get(name) ?? [];
    return readers.length === 1 && name !== this.output ? readers[0] : undefined;
  }

  /** An activation that an operator works on: in its channels' order, with nothing left to do before. */
  shown(step: Step, input: Held | undefined): Shown {
    if (input?.kind !== 'value') return this.refuse(step, 'reads a constant where an activation is expected');
    return this.settled(step, input);
  }

  settled(step: Step, held: Shown): Shown {
    const done = this.done.get(held) ?? this.settle(step, held);
    this.done.set(held, done);
    return done;
  }

  private settle(step: Step, held: Shown): Shown {
    if (held.isSoftmax) this.refuse(step, 'reads a softmax, which is possible at the end of a network only');
    if (held.pad) return this.settled(step, this.padded(step, { ...held, pad: held.pad }));
    let shown = held;
    if (held.step) {
      const { h, w, top, left } = held.step;
      if (top > 0 || left > 0) this.refuse(step, 'reads a part of an image, which is not read here');
      if (h !== w) this.refuse(step, `reads every ${h}th row and every ${w}th column, which must be as many`);
      const value = this.net.subsample(held.value, h, held.value.channels);
      shown = { ...held, value, step: undefined };
    }
    const { extents, view } = shown;
    const d = dimensionOf(view, 'c');
    if (d !== undefined ? isWhole(view[d], 'c', extents.c) : extents.c === 1 && !isCut(view, extents))
      return shown;
    const groups = d === undefined ? undefined : shuffleIn(view[d], extents.c);
    if (d === undefined || groups === undefined) return this.blocks(step, shown);
    const settledView = view.map((factors, i) =>
      i === d ? [{ axis: 'c' as const, size: extents.c, stride: 1 }] : factors,
    );
    return { ...shown, value: this.net.shuffle(shown.value, groups), view: settledView };
  }

  /** Channels that have become blocks of pixels, or blocks that have become channels. */
  private blocks(step: Step, { value, view, extents: { n, c, h, w } }: Shown): Shown {
    const found = blocksIn(view, { n, c, h, w });
    if (!found)
      return this.refuse(
        step,
        'reads channels in an order that is neither a shuffle of groups nor one of blocks of pixels',
      );
    const { axes, blocks } = found;
    const made = this.net.depthToSpace(value, blocks);
    const times = blocks.kind === 'depth_to_space' ? blocks.block : 1 / blocks.block;
    const extents = { n, c: made.channels, h: h * times, w: w * times };
    return { kind: 'value', value: made, extents, view: viewOf(axes, extents) };
  }

  /** Zeros laid around an image: before a convolution these are its own padding. */
  private padded(step: Step, { pad, ...held }: Shown & Required<Pick<Shown, 'pad'>>): Shown {
    const x = this.images(step, held);
    const [top, left, bottom, right] = pad;
    const ones = new Float32Array(x.value.channels).fill(1);
    const sides = { padding: [top, left], paddingEnd: [bottom, right] } satisfies ConvOptions;
    const { value } = this.pixelwise(step, x.value, ones, sides);
    return this.after(x, value, { h: x.extents.h + top + bottom, w: x.extents.w + left + right });
  }

  /**
   * Each channel times a number that is in no file and never trains, and the image's sides as options say: a convolution of one
   * pixel.
   */
  pixelwise(
    step: Step,
    x: Value,
    factors: ArrayLike<number>,
    options: Pick<ConvOptions, 'bias' | 'padding' | 'paddingEnd'> = {},
  ): { name: string; value: Value } {
    const { channels } = x;
    const name = this.unique(`${step.op.toLowerCase()}_${step.index}`);
    const value = this.net.conv(name, x, channels, 1, { ...options, groups: channels });
    this.hold(`${name}.weight`, [channels, 1, 1, 1], factors);
    return { name, value };
  }

  /** Values side by side over channels; those that were joined before, as a dense block does again and again, stay joined. */
  joined(values: readonly Value[]): Value {
    const [first, second] = values;
    const whole = values.length === 2 ? this.rests.get(second.id) : undefined;
    // the rest of a value passes as it is: a partial convolution
    if (whole && whole.channels === first.channels + second.channels) return this.net.replace(whole, first);
    const keyOf = (parts: readonly Value[]) => parts.map(({ id }) => id).join();
    let parts = [...values];
    for (let n = values.length - 1; n > 1; n--) {
      const before = this.joins.get(keyOf(values.slice(0, n)));
      if (!before) continue;
      parts = [before, ...values.slice(n)];
      break;
    }
    const value = this.joins.get(keyOf(values)) ?? (parts.length > 1 ? this.net.concat(parts) : parts[0]);
    this.joins.set(keyOf(values), value);
    return value;
  }

  /** Images `[n, c, h, w]`. */
  images(step: Step, input: Held | undefined): Shown {
    const shown = this.shown(step, input);
    if (!shows(shown.view, ['n', 'c', 'h', 'w'], shown.extents))
      this.refuse(
        step,
        `reads a tensor of ${shapeOf(shown.view).join(' x ')}, which is no image of channels`,
      );
    return shown;
  }

  constant(step: Step, input: Held | undefined, what: string): Constant {
    if (input?.kind !== 'constant')
      return this.refuse(step, `has ${what} that ${input ? 'is computed of the image' : 'is missing'}`);
    return input;
  }

  /** What comes out where a layer gives images of other channels or sizes in the same layout. */
  after(shown: Shown, value: Value, size: Partial<Extents> = {}): Shown {
    const extents = { ...shown.extents, ...size, c: value.channels };
    const view = shown.view.map((factors, d) => {
      const axis = factors[0]?.axis ?? this.axisOfOne(shown, d);
      // rows and columns that stay as many stay as they lie, which may be in pieces
      if (axis !== 'c' && size.h === undefined && size.w === undefined) return factors;
      return axis && extents[axis] > 1 ? [{ axis, size: extents[axis], stride: 1 }] : [];
    });
    return { kind: 'value', value, extents, view };
  }

  /** The axis of a dimension of one, by the axes around it. */
  private axisOfOne({ view }: Shown, d: number) {
    if (view.length === 4) {
      const isChannelsLast =
        view[3].some(({ axis }) => axis === 'c') && view[1].every(({ axis }) => axis !== 'c');
      return (isChannelsLast ? (['n', 'h', 'w', 'c'] as const) : (['n', 'c', 'h', 'w'] as const))[d];
    }
    return view.length === 2 ? (['n', 'c'] as const)[d] : undefined;
  }

  /**
   * A name for a layer: that of its weight, an input of the step, without its last word, else where its node stands in the
   * network: a folded weight has a number for a name.
   */
  layerName(step: Step, weight: Constant, input = 1): string {
    // several layers of equal weights may share a tensor, each by a name of its own
    const stem = stemOf(step.inputs[input]) ?? stemOf(weight.origin?.tensor ?? '');
    return this.unique(stem ?? (moduleOf(step) || `${step.op}_${step.index}`));
  }

  unique(wanted: string): string {
    let name = wanted;
    for (let i = 2; this.taken.has(name); i++) name = `${wanted}_${i}`;
    this.taken.add(name);
    return name;
  }

  /** Gives an entry of the model a constant's numbers. */
  bind(
    step: Step,
    input: number,
    entry: string,
    constant: Constant,
    shape: readonly number[],
    { view = constant.shape, order = view.map((_, d) => d) }: Partial<Pick<Binding, 'view' | 'order'>> = {},
  ): void {
    if (product(view) !== constant.data.length || product(shape) !== constant.data.length)
      this.refuse(
        step,
        `has a tensor ${quote(step.inputs[input])} of ${constant.shape.join(' x ') || 'one number'}, and ${shape.join(' x ')} are needed`,
      );
    const isPlain = order.every((d, i) => d === i);
    const data = isPlain ? constant.data : transpose(constant.data, view, order);
    this.state.set(entry, floats(shape, data));
    const { inputs, index: node } = this.graph.nodes[step.index];
    // a step of several nodes reads what one of them does
    const value = step.inputs[input];
    const reader = inputs.includes(value)
      ? node
      : this.graph.nodes.findIndex((other) => other.inputs.includes(value));
    const at = this.graph.nodes[reader].inputs.indexOf(value, inputs[input] === value ? input : 0);
    this.bindings.push({ entry, value, node: reader, input: at, view, order, constant });
  }

  /** Gives an entry numbers that are not in the file and never train. */
  hold(entry: string, shape: readonly number[], data: ArrayLike<number>): void {
    this.net.hold(entry);
    this.state.set(entry, floats(shape, data));
  }

  /** The bias that the next step adds, where it does nothing else: a constant of one number a channel. */
  biasAfter(step: Step, out: Shown): { step: Step; input: number; constant: Constant } | undefined {
    const next = this.onlyReader(step.outputs[0]);
    if (next?.op !== 'Add') return undefined;
    const input = next.inputs[0] === step.outputs[0] ? 1 : 0;
    const constant = this.values.get(next.inputs[input]);
    if (constant?.kind !== 'constant' || !perChannel(constant, out)) return undefined;
    return { step: next, input, constant };
  }

  /** Says that a step's work is done by the one before it. */
  absorb(step: Step, result: Held): void {
    this.absorbed.add(step);
    this.values.set(step.outputs[0], result);
  }
}

/** A tensor's name without the word that says what it is of its layer. */
const stemOf = (tensor: string): string | undefined =>
  /^(.+)\.(weight|gamma|scale|kernel)$/.exec(tensor)?.[1];

/**
 * The module that a node is of, as state dicts name it: PyTorch's exporter writes its scopes, `/layer1/layer1.0/conv1/Conv`,
 * in which what a list holds begins with the list's name.
 */
function moduleOf({ name, op }: Step): string {
  const scopes = name.split('/').filter((part) => part !== '');
  if (scopes.length > 1 && scopes.at(-1)!.startsWith(op)) scopes.pop();
  return scopes.filter((scope, i) => !scopes[i + 1]?.startsWith(`${scope}.`)).join('.');
}

/** Whether a constant has one number a channel when it is broadcast to what it meets, or is given as such a list. */
export function perChannel({ shape, data }: Constant, { view, extents }: Shown): boolean {
  const d = extents.c === 1 ? undefined : dimensionOf(view, 'c');
  if (data.length !== extents.c || d === undefined) return false;
  const at = d - (view.length - shape.length);
  return at >= 0 && shape[at] === extents.c;
}
