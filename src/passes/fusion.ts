import { type Graph, isNodeOf } from '../graph/graph';
import type { Node, NodeOf } from '../graph/ir';
import { product, type Tensor } from '../graph/tensor';
import type { Tuning } from '../graph/tuning';
import { activationBackwardOp, activationOp, keepsZero } from '../ops/activation';
import { addOp } from '../ops/add';
import { convFamily, convOps } from '../ops/conv/conv2d';
import { backwardInputTensors, backwardWeightTensors, forwardTensors } from '../ops/conv/family';
import { dropOp } from '../ops/dropout';
import { mulFactorGradient, mulOp } from '../ops/mul';
import { batchNormOps } from '../ops/norm/batch-norm';
import { sumRowsOp } from '../ops/reduce';
import { accumulate, addInPlace, shareStatistics } from './concatenations';
import { moveGates, moveSqueezes } from './gates';
import { moveGradient } from './gradients';
import { fuses, Nodes, readsOnlyAs } from './nodes';
import { readParts } from './parts';
import { moveInputActivations, readingsOf } from './prologues';
import { addToRegrouped, regroupChannels } from './regroup';
import { joinSlices } from './slices';
import { viewConcatenations } from './views';

/** What may be fused; each can be switched off, and both ways give the same numbers. */
export interface Fusions {
  /** a batch norm's statistics into the convolution that writes its input */
  statistics: boolean;
  /** scale, shift and activation into the convolutions that read its output */
  affine: boolean;
  /** an addition into the batch norm, the convolution without one, the product, the dropout or the concatenation that writes one of its terms */
  residual: boolean;
  /** norms whose outputs are added up into one dispatch */
  branches: boolean;
  /** the activation's derivative and the sums of a batch norm's backward pass into the convolution that writes its gradient */
  sums: boolean;
  /** the rest of that backward pass into the convolutions that read its result */
  gradient: boolean;
  /** in inference: batch norms into the convolution that writes their input */
  output: boolean;
  /** an activation into the convolution, or the batch norm with a shortcut, that writes its input */
  activation: boolean;
  /** an activation's derivative into the convolution that writes its gradient */
  derivative: boolean;
  /** an activation without a batch norm into the convolutions and pools that read its output (see prologues.ts) */
  inputActivation: boolean;
  /** what is multiplied by one number a channel and image into the 1x1 convolutions that read it (see gates.ts) */
  gates: boolean;
  /** the gradients of slices that make up a tensor into one (see slices.ts) */
  slices: boolean;
  /** norms of concatenations: their statistics of those of the parts, their gradients added in place (see concatenations.ts) */
  concatenations: boolean;
  /** parts of a concatenation where it has them, in the place of a copy (see views.ts) */
  views: boolean;
  /** the gradients of a concatenation's parts in place, without a copy (see parts.ts) */
  parts: boolean;
  /** concatenations, shuffles and slices in a row into one dispatch (see regroup.ts) */
  regroup: boolean;
  /** a bias's gradient into the weight's gradient of the same convolution, or another sum that reads its gradient */
  biases: boolean;
  /** the last sums of four layers' weight gradients into one dispatch (see merge-sums.ts) */
  weightSums: boolean;
}

export const ALL_FUSIONS: Fusions = {
  statistics: true,
  affine: true,
  residual: true,
  branches: true,
  sums: true,
  gradient: true,
  output: true,
  activation: true,
  derivative: true,
  inputActivation: true,
  gates: true,
  slices: true,
  concatenations: true,
  views: true,
  parts: true,
  regroup: true,
  biases: true,
  weightSums: true,
};

/**
 * Rewrites a differentiated graph so that batch norms and activations happen where the convolutions around them read
 * and write: in the forward pass a raw output is then written once and read once; in the backward pass only the gradient
 * behind each activation is stored. Nodes whose work has moved disappear.
 */
export function fuse(graph: Graph, tuning: Tuning, fusions: Fusions = ALL_FUSIONS): void {
  const nodes = new Nodes(graph, tuning);
  // the order matters: sums clears the way for gradient, which needs to know what affine has done
  if (fusions.concatenations) shareStatistics(nodes);
  if (fusions.statistics) nodes.each(batchNormOps.statistics, (n) => moveStatistics(nodes, n));
  if (fusions.residual) nodes.each(addOp, (n) => moveAddition(nodes, n));
  if (fusions.output) nodes.each(batchNormOps.affineAct, (n) => moveNorm(nodes, n));
  if (fusions.gates) moveGates(nodes);
  if (fusions.affine) nodes.each(batchNormOps.affineAct, (n) => moveAffine(nodes, n));
  if (fusions.biases) nodes.each(sumRowsOp, (n) => moveBias(nodes, n));
  if (fusions.derivative) nodes.each(activationBackwardOp, (n) => moveDerivative(nodes, n));
  if (fusions.sums) nodes.each(batchNormOps.backwardSums, (n) => moveSums(nodes, n));
  if (fusions.parts) readParts(nodes);
  if (fusions.gradient) nodes.each(batchNormOps.backwardApply, (n) => moveGradient(nodes, n));
  if (fusions.gates) moveSqueezes(nodes);
  if (fusions.activation) nodes.each(activationOp, (n) => moveActivation(nodes, n));
  if (fusions.branches) nodes.each(batchNormOps.affineAct, (n) => addBranches(nodes, n));
  if (fusions.inputActivation) moveInputActivations(nodes);
  if (fusions.concatenations) {
    addInPlace(nodes);
    accumulate(nodes);
  }
  if (fusions.slices) joinSlices(graph);
  if (fusions.regroup) regroupChannels(graph, fusions.affine);
  if (fusions.residual) nodes.each(addOp, (n) => addToRegrouped(nodes, n));
  if (fusions.views) viewConcatenations(nodes);
}

type Forward = NodeOf<typeof convOps.forward>;
type BackwardWeight = NodeOf<typeof convOps.backwardWeight>;

function moveStatistics(nodes: Nodes, node: NodeOf<typeof batchNormOps.statistics>): void {
  const { x, ...parameters } = node.inputs;
  const conv = nodes.producer(convOps.forward, 'y', x);
  if (!conv) return;
  const t = forwardTensors(conv);
  const blocks = convFamily(t, nodes.tuning).outputBlocks?.(t, nodes.tuning);
  if (!blocks) return;
  const partial = nodes.graph.tensor(`${node.name} partial statistics`, [blocks.count, 2, x.shape[3]]);
  conv.outputs.partial = partial;
  const attrs = { ...node.attrs, blocks, rows: product(x.shape.slice(0, 3)) };
  nodes.become(node, batchNormOps.finishStatistics, { partial, ...parameters }, attrs);
}

function moveAddition(nodes: Nodes, node: NodeOf<typeof addOp>): void {
  const { a, b } = node.inputs;
  for (const [term, other] of [
    [a, b],
    [b, a],
  ]) {
    if (term === other || nodes.readers(term).length > 1) continue;
    const writer = addWhereWritten(nodes, term, other);
    if (!writer) continue;
    writer.outputs.y = node.outputs.y;
    nodes.replace(node, writer);
    return;
  }
}

/** Has the node that writes `term` add `other`, where it can. */
function addWhereWritten(nodes: Nodes, term: Tensor, other: Tensor): Node | undefined {
  const shortcut = nodes.producer(batchNormOps.affineAct, 'y', term) ?? plainConvolution(nodes, term);
  if (shortcut && !shortcut.inputs.residual) {
    shortcut.inputs.residual = other;
    return shortcut;
  }
  const plain = nodes.producer(mulOp, 'y', term) ?? nodes.producer(dropOp, 'y', term);
  if (!plain || plain.inputs.addend) return undefined;
  plain.inputs.addend = other;
  return plain;
}

/** The convolution that writes `t`, if it writes nothing else and its shaders can do more to it. */
function plainConvolution(nodes: Nodes, t: Tensor): Forward | undefined {
  const conv = nodes.producer(convOps.forward, 'y', t);
  return conv && !conv.outputs.partial && fuses(forwardTensors(conv), nodes) ? conv : undefined;
}

function moveNorm(nodes: Nodes, node: NodeOf<typeof batchNormOps.affineAct>): void {
  const { x, coef, residual } = node.inputs;
  const { activation } = node.attrs;
  const conv = plainConvolution(nodes, x);
  // what a batch makes its statistics of is known after the convolution only; gradients read x as well
  if (!conv || !nodes.producer(batchNormOps.running, 'coef', coef) || nodes.readers(x).length > 1) return;
  if (conv.inputs.bias || conv.inputs.residual || !keepsZero(activation)) return;
  conv.inputs.bias = coef;
  conv.inputs.residual = residual;
  conv.outputs.y = node.outputs.y;
  conv.attrs.outputNorm = true;
  if (activation !== 'none') conv.attrs.outputActivation = activation;
  nodes.replace(node, conv);
}

function moveAffine(nodes: Nodes, node: NodeOf<typeof batchNormOps.affineAct>): void {
  const { x, coef, residual } = node.inputs;
  const { activation } = node.attrs;
  if (residual) return;
  const readings = readingsOf(nodes, node.outputs.y, activation);
  if (!readings?.every(({ takesNorm }) => takesNorm)) return;
  for (const { read } of readings) read(x, { activation, coef });
  nodes.remove(node);
}

/** Has a norm with a shortcut that is another norm's output add that as well, and what that adds: three norms at most. */
function addBranches(nodes: Nodes, node: NodeOf<typeof batchNormOps.affineAct>): void {
  const { inputs } = node;
  const before = inputs.residual && nodes.producer(batchNormOps.affineAct, 'y', inputs.residual);
  if (!before || inputs.x1 || before.inputs.x2 || before.attrs.activation !== 'none') return;
  if (nodes.readers(before.outputs.y).length > 1) return;
  const { x: x1, coef: coef1, x1: x2, coef1: coef2, residual } = before.inputs;
  Object.assign(inputs, { x1, coef1, x2, coef2, residual });
  nodes.remove(before);
}

function moveActivation(nodes: Nodes, node: NodeOf<typeof activationOp>): void {
  const { x } = node.inputs;
  const { kind } = node.attrs;
  // in training the derivative may read x as well
  if (nodes.readers(x).length > 1) return;
  const norm = nodes.producer(batchNormOps.affineAct, 'y', x);
  const conv = plainConvolution(nodes, x);
  // one activation a kernel
  if (norm?.attrs.activation === 'none') {
    norm.attrs.activation = kind;
    norm.attrs.activateLast = true;
    norm.outputs.y = node.outputs.y;
  } else if (conv && keepsZero(kind) && !conv.attrs.activation && !conv.attrs.outputActivation) {
    conv.attrs.outputActivation = kind;
    conv.attrs.activateLast = conv.inputs.residual !== undefined;
    conv.outputs.y = node.outputs.y;
  } else return;
  nodes.remove(node);
}

function moveBias(nodes: Nodes, node: NodeOf<typeof sumRowsOp>): void {
  const { dy } = node.inputs;
  const { db } = node.outputs;
  for (const reader of nodes.readers(dy)) {
    if (isNodeOf(reader, convOps.backwardWeight) && sumsBias(nodes, reader, dy)) reader.outputs.db = db;
    else if (isNodeOf(reader, mulFactorGradient) && readsOnlyAs('dy', reader, dy) && !reader.outputs.sum)
      reader.outputs.sum = db;
    else continue;
    nodes.remove(node);
    return;
  }
}

function sumsBias({ tuning }: Nodes, node: BackwardWeight, dy: Tensor): boolean {
  const t = backwardWeightTensors(node);
  return (
    readsOnlyAs('dy', node, dy) && !node.outputs.db && (convFamily(t, tuning).sumsBias?.(t, tuning) ?? false)
  );
}

function moveDerivative(nodes: Nodes, node: NodeOf<typeof activationBackwardOp>): void {
  const { x, dy, addend } = node.inputs;
  const conv = nodes.producer(convOps.backwardInput, 'dx', dy);
  if (!conv || addend || nodes.readers(dy).length > 1 || !fuses(backwardInputTensors(conv), nodes)) return;
  conv.inputs.xRaw = x;
  conv.attrs.derivative = node.attrs.kind;
  conv.outputs.dx = node.outputs.dx;
  nodes.remove(node);
}

function moveSums(nodes: Nodes, node: NodeOf<typeof batchNormOps.backwardSums>): void {
  const { dy, x, coef } = node.inputs;
  const { activation } = node.attrs;
  const conv = nodes.producer(convOps.backwardInput, 'dx', dy);
  if (!conv || conv.outputs.partial || conv.attrs.derivative) return;
  const t = backwardInputTensors(conv);
  const blocks = convFamily(t, nodes.tuning).inputBlocks?.(t, nodes.tuning);
  if (blocks === undefined) return;
  const others = nodes.readers(dy).filter((n) => n !== node);
  const apply = others.filter((n) => isNodeOf(n, batchNormOps.backwardApply)).find((n) => n.inputs.x === x);
  // without an activation the gradient behind it is the gradient itself, whoever reads it
  if (activation !== 'none' && others.some((n) => n !== apply)) return;
  const partial = nodes.graph.tensor(`${node.name} partial sums`, [blocks, 2, x.shape[3]]);
  conv.inputs.coef = coef;
  conv.inputs.xRaw = x;
  conv.outputs.partial = partial;
  conv.attrs.activation = activation;
  nodes.become(node, batchNormOps.finishSums, { partial, x, coef }, node.attrs);
  if (apply) apply.attrs.activation = 'none';
}
