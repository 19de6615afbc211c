import type { Graph } from '../graph/graph';
import type { Node, Op } from '../graph/ir';
import { elements, product, type Tensor } from '../graph/tensor';
import type { Tuning } from '../graph/tuning';
import { activationOp, keepsZero } from '../ops/activation';
import { convFamily, convOps } from '../ops/conv/conv2d';
import {
  backwardInputTensors,
  backwardWeightTensors,
  type ConvTensors,
  forwardTensors,
} from '../ops/conv/geometry';
import { addOp } from '../ops/copy';
import { batchNormOps } from '../ops/norm/batch-norm';

/** What may be fused; each can be switched off, and both ways give the same numbers. */
export interface Fusions {
  /** a batch norm's statistics into the convolution that writes its input */
  statistics: boolean;
  /** scale, shift and activation into the convolutions that read its output */
  affine: boolean;
  /** an addition into the batch norm, or the convolution without one, that writes one of its terms */
  residual: boolean;
  /** the activation's derivative and the sums of a batch norm's backward pass into the convolution that writes its gradient */
  sums: boolean;
  /** the rest of that backward pass into the convolutions that read its result */
  gradient: boolean;
  /** in inference: batch norms and activations into the convolution that writes their input */
  output: boolean;
  /** the last sums of four layers' weight gradients into one dispatch (see merge-sums.ts) */
  weightSums: boolean;
}

export const ALL_FUSIONS: Fusions = {
  statistics: true,
  affine: true,
  residual: true,
  sums: true,
  gradient: true,
  output: true,
  weightSums: true,
};

/** A node that a rule may change. */
interface Draft {
  op: Op;
  name: string;
  inputs: (Tensor | undefined)[];
  outputs: Tensor[];
  phase: Node['phase'];
  // biome-ignore lint/suspicious/noExplicitAny: each op reads the attributes that it wrote itself
  attrs: any;
}

/**
 * Rewrites a differentiated graph so that batch norms and activations happen where the convolutions around them read
 * and write: in the forward pass a raw output is then written once and read once; in the backward pass only the gradient
 * behind each activation is stored. Nodes whose work has moved disappear.
 */
export function fuse(graph: Graph, tuning: Tuning, fusions: Fusions = ALL_FUSIONS): void {
  const drafts = new Drafts(graph, tuning);
  // the order matters: sums clears the way for gradient, which needs to know what affine has done
  if (fusions.statistics) drafts.each(batchNormOps.statistics, (n) => moveStatistics(drafts, n));
  if (fusions.residual) drafts.each(addOp, (n) => moveAddition(drafts, n));
  if (fusions.output) drafts.each(batchNormOps.affineAct, (n) => moveNorm(drafts, n));
  if (fusions.affine) drafts.each(batchNormOps.affineAct, (n) => moveAffine(drafts, n));
  if (fusions.sums) drafts.each(batchNormOps.backwardSums, (n) => moveSums(drafts, n));
  if (fusions.gradient) drafts.each(batchNormOps.backwardApply, (n) => moveGradient(drafts, n));
  if (fusions.output) drafts.each(activationOp, (n) => moveActivation(drafts, n));
  graph.nodes = drafts.nodes;
}

/** The graph's nodes while they change, with who writes and who reads each tensor. */
class Drafts {
  nodes: Draft[];

  constructor(
    readonly graph: Graph,
    readonly tuning: Tuning,
  ) {
    this.nodes = graph.nodes.map((n) => ({
      ...n,
      inputs: [...n.inputs],
      outputs: [...n.outputs],
      attrs: { ...n.attrs },
    }));
  }

  each(op: Op, rule: (node: Draft) => void): void {
    for (const node of this.nodes.filter((n) => n.op === op)) rule(node);
  }

  /** The node of that op that writes `t` first of its outputs. */
  producer(op: Op, t: Tensor): Draft | undefined {
    return this.nodes.find((n) => n.op === op && n.outputs[0] === t);
  }

  readers(t: Tensor): Draft[] {
    return this.nodes.filter((n) => n.inputs.includes(t));
  }

  /** Puts a node in the place of a later one: it may read what is written before that. */
  replace(later: Draft, node: Draft): void {
    this.remove(node);
    this.nodes[this.nodes.indexOf(later)] = node;
  }

  remove(node: Draft): void {
    this.nodes.splice(this.nodes.indexOf(node), 1);
  }
}

/** Whether the convolution's shaders can take batch norms in. */
const fuses = (t: ConvTensors): boolean => convFamily(t).outputBlocks !== undefined;

function moveStatistics(drafts: Drafts, node: Draft): void {
  const [x, ...rest] = node.inputs;
  const conv = drafts.producer(convOps.forward, x!);
  if (!conv) return;
  const { t } = forwardTensors(conv);
  const blocks = convFamily(t).outputBlocks?.(t, drafts.tuning);
  if (!blocks) return;
  const partial = drafts.graph.tensor(`${node.name} partial statistics`, [blocks.count, 2, x!.shape[3]]);
  conv.outputs[1] = partial;
  node.op = batchNormOps.finishStatistics;
  node.inputs = [partial, ...rest];
  Object.assign(node.attrs, { blocks, rows: product(x!.shape.slice(0, 3)) });
}

function moveAddition(drafts: Drafts, node: Draft): void {
  for (const [term, other] of [
    [0, 1],
    [1, 0],
  ]) {
    const t = node.inputs[term]!;
    if (t === node.inputs[other] || drafts.readers(t).length > 1) continue;
    const writer = drafts.producer(batchNormOps.affineAct, t) ?? plainConvolution(drafts, t);
    if (!writer || writer.inputs[4]) continue;
    writer.inputs[4] = node.inputs[other];
    writer.outputs[0] = node.outputs[0];
    drafts.replace(node, writer);
    return;
  }
}

/** The convolution that writes `t`, if it writes nothing else and its shaders can do more to it. */
function plainConvolution(drafts: Drafts, t: Tensor): Draft | undefined {
  const conv = drafts.producer(convOps.forward, t);
  return conv && !conv.outputs[1] && fuses(forwardTensors(conv).t) ? conv : undefined;
}

function moveNorm(drafts: Drafts, node: Draft): void {
  const [x, coef, , , residual] = node.inputs;
  const { activation } = node.attrs;
  const conv = plainConvolution(drafts, x!);
  // what a batch makes its statistics of is known after the convolution only; gradients read x as well
  if (!conv || !drafts.producer(batchNormOps.running, coef!) || drafts.readers(x!).length > 1) return;
  if (conv.inputs[2] || conv.inputs[4] || !keepsZero(activation)) return;
  conv.inputs[2] = coef;
  conv.inputs[4] = residual;
  conv.outputs[0] = node.outputs[0];
  conv.attrs.outputNorm = true;
  if (activation !== 'none') conv.attrs.outputActivation = activation;
  drafts.replace(node, conv);
}

function moveAffine(drafts: Drafts, node: Draft): void {
  const [x, coef, , , residual] = node.inputs;
  const [y] = node.outputs;
  if (residual) return;
  const readers = drafts.readers(y);
  const forward = (n: Draft) =>
    n.op === convOps.forward &&
    n.inputs.indexOf(y) === 0 &&
    !n.inputs.includes(y, 1) &&
    !n.attrs.outputActivation &&
    fuses(forwardTensors(n).t);
  const weight = (n: Draft) =>
    n.op === convOps.backwardWeight && n.inputs.indexOf(y) === 0 && fuses(backwardWeightTensors(n).t);
  if (readers.length === 0 || !readers.every((n) => forward(n) || weight(n))) return;
  for (const n of readers) {
    n.inputs[0] = x;
    n.inputs[forward(n) || n.op === convOps.forward ? 3 : 2] = coef;
    n.attrs.activation = node.attrs.activation;
  }
  drafts.remove(node);
}

function moveActivation(drafts: Drafts, node: Draft): void {
  const x = node.inputs[0]!;
  const conv = plainConvolution(drafts, x);
  // in training the activation's derivative reads x as well
  if (!conv || drafts.readers(x).length > 1 || !keepsZero(node.attrs.kind)) return;
  const { activation, outputActivation } = conv.attrs;
  // one activation a kernel, and the shortcut comes after it
  if (activation || outputActivation || conv.inputs[4]) return;
  conv.attrs.outputActivation = node.attrs.kind;
  conv.outputs[0] = node.outputs[0];
  drafts.remove(node);
}

function moveSums(drafts: Drafts, node: Draft): void {
  const [dy, x, coef] = node.inputs;
  const { activation } = node.attrs;
  const conv = drafts.producer(convOps.backwardInput, dy!);
  if (!conv || conv.outputs[1]) return;
  const { t } = backwardInputTensors(conv);
  const blocks = convFamily(t).inputBlocks?.(t, drafts.tuning);
  if (blocks === undefined) return;
  const others = drafts.readers(dy!).filter((n) => n !== node);
  const apply = others.find((n) => n.op === batchNormOps.backwardApply && n.inputs[1] === x);
  // without an activation the gradient behind it is the gradient itself, whoever reads it
  if (activation !== 'none' && others.some((n) => n !== apply)) return;
  const partial = drafts.graph.tensor(`${node.name} partial sums`, [blocks, 2, x!.shape[3]]);
  conv.inputs[3] = coef;
  conv.inputs[5] = x;
  conv.outputs[1] = partial;
  conv.attrs.activation = activation;
  node.op = batchNormOps.finishSums;
  node.inputs = [partial, x, coef];
  if (apply) apply.attrs.activation = 'none';
}

function moveGradient(drafts: Drafts, node: Draft): void {
  const [g, yRaw, , bcoef, addend] = node.inputs;
  const [dy] = node.outputs;
  if (node.attrs.activation !== 'none' || addend || !bcoef) return;
  const readers = drafts.readers(dy);
  const input = readers.find((n) => n.op === convOps.backwardInput && n.inputs.indexOf(dy) === 0);
  const weight = readers.find((n) => n.op === convOps.backwardWeight && n.inputs.indexOf(dy) === 1);
  const convs = [input, weight].filter((n) => n !== undefined);
  if (convs.length === 0 || convs.length < readers.length) return;
  if (input && !fuses(backwardInputTensors(input).t)) return;
  if (weight && !fuses(backwardWeightTensors(weight).t)) return;
  // the coefficients of the convolution's input come first where either pass reads them
  const prefix = input?.inputs[3] ?? weight?.inputs[2];
  const sums = drafts.nodes.find((n) => n.outputs[0] === bcoef)!;
  const coef = prefix
    ? drafts.graph.tensor(`${bcoef.name} and ${prefix.name}`, [elements(prefix) + elements(bcoef)])
    : bcoef;
  if (prefix) {
    sums.inputs[3] = prefix;
    sums.outputs[0] = coef;
  }
  const gradientCoef = prefix ? elements(prefix) / 4 : 0;
  if (input) {
    [input.inputs[0], input.inputs[3], input.inputs[4]] = [g, coef, yRaw];
    input.attrs.gradientCoef = gradientCoef;
  }
  if (weight) {
    [weight.inputs[1], weight.inputs[2], weight.inputs[3]] = [g, coef, yRaw];
    weight.attrs.gradientCoef = gradientCoef;
  }
  drafts.remove(node);
}
