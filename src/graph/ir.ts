/**
 * The engine's intermediate representations: a graph of nodes, each an op over tensors; the dispatches that ops lower
 * to; and the plan, dispatches with every tensor placed in memory. Types only, so that no file of the graph needs another's.
 */
import type { Role, Shape, Tensor, TensorOptions } from './tensor';
import type { Tuning } from './tuning';

export type Phase = 'forward' | 'backward' | 'update';

/** Tensors by the names that an op, and mostly its WGSL, gives them. */
export type Tensors = Record<string, Tensor | undefined>;

/** What a kind of node reads, writes and is told, by name. */
export interface Signature {
  inputs: Tensors;
  outputs: Tensors;
  attrs: object;
}

/** The attributes of an op that is told nothing. */
export type NoAttributes = Record<string, never>;

/**
 * An application of an op. Every tensor is written by exactly one node (or by none: parameters, inputs). Passes change
 * the nodes of a graph in place.
 */
export interface Node<S extends Signature = Signature> {
  op: Op<S>;
  /** the layer's name, as in the state dict where there is one */
  name: string;
  inputs: S['inputs'];
  outputs: S['outputs'];
  phase: Phase;
  attrs: S['attrs'];
}

/** What an op knows: its dispatches, and the nodes of its gradient. */
export interface Op<S extends Signature = Signature> {
  readonly name: string;
  lower(node: Node<S>, context: LowerContext): Dispatch[];
  /** adds the nodes that carry the gradient of `node.outputs` to `node.inputs`; absent: not differentiable */
  backward?(node: Node<S>, tape: Tape): void;
}

/** A node of an op. */
export type NodeOf<O> = O extends Op<infer S> ? Node<S> : never;

/** What an op is given when it lowers: how the device wants work cut, and memory for what passes between its dispatches. */
export interface LowerContext {
  readonly tuning: Tuning;
  /** a new activation, which lives from the dispatch that writes it to the last that reads it */
  temporary(name: string, shape: Shape, padded?: Shape): Tensor;
}

/** What adds tensors and nodes to a graph: `Graph` of graph.ts. */
export interface GraphBuilder {
  /** A new tensor; parameters, state, constants, inputs and outputs are unique by name. */
  tensor(name: string, shape: Shape, options?: TensorOptions): Tensor;
  /** The persistent tensor of that role and name, if the graph has it; of an arena a part. */
  find(role: Role, name: string, part?: number): Tensor | undefined;
  /** The gradient of a parameter: same shape, same offset in the arena of gradients. */
  gradientOf(parameter: Tensor): Tensor;
  add<S extends Signature>(
    op: Op<S>,
    name: string,
    inputs: NoInfer<S>['inputs'],
    outputs: NoInfer<S>['outputs'],
    attrs: NoInfer<S>['attrs'],
  ): void;
}

/** Where a contribution to a gradient goes: written to `out`, with `addend` (an earlier contribution) added. */
export interface GradientTarget {
  out: Tensor;
  addend?: Tensor;
}

/** What an op's backward pass sees of the reverse-mode differentiation: `GradientTape` of autograd.ts. */
export interface Tape {
  readonly graph: GraphBuilder;
  needs(t: Tensor | undefined): t is Tensor;
  gradient(t: Tensor): Tensor | undefined;
  contribute(t: Tensor, emit: (target: GradientTarget) => void): void;
  pass(t: Tensor, dy: Tensor, add: (a: Tensor, b: Tensor, out: Tensor) => void): void;
}

export type Constants = Record<string, number | boolean>;

/** What an op asks for: one dispatch of a shader over tensors, bound by the names that the WGSL declares. */
export interface Dispatch {
  /** the shader's path under shaders/, without .wgsl */
  shader: string;
  /** values for the shader's top-level `const`s */
  constants: Constants;
  /** tensors the shader reads */
  reads: Tensors;
  /** tensors the shader writes */
  writes: Tensors;
  workgroups: [number, number, number];
  /** floating-point operations, a multiply-add counted as two */
  flops: number;
  /** bytes moved, where not every bound tensor is moved whole once */
  bytes?: number;
}

/** A dispatch and the node that it belongs to. */
export interface Lowered {
  node: Node;
  dispatch: Dispatch;
}

/** A range of a buffer. */
export interface BufferRange {
  buffer: string;
  offset: number;
  bytes: number;
}

/** Offsets that several plans share: `role:name` to a range, grown by each plan. Start with an empty object. */
export type ArenaLayout = Record<string, BufferRange>;

/** A dispatch with its tensors placed: plain data, cloneable. */
export interface PlannedDispatch {
  shader: string;
  constants: Constants;
  bindings: Record<string, BufferRange>;
  /** the bindings that the shader writes; it only reads the others */
  writes: string[];
  /** the bindings whose tensors are f16 */
  halves: string[];
  workgroups: [number, number, number];
  label: string;
  phase: Phase;
  flops: number;
  bytes: number;
}

/** A program for the GPU as data: dispatches in order over named buffers. */
export interface Plan {
  dispatches: PlannedDispatch[];
  /** every buffer the plan touches, by name, with its size in bytes */
  buffers: Record<string, number>;
  /** where each persistent tensor (all but activations) lives, by `role:name` */
  tensors: Record<string, BufferRange & { shape: number[]; padded: number[] }>;
  totals: {
    dispatches: number;
    /** bytes moved */
    bytes: number;
    flops: number;
    /** bytes of all buffers, inputs (the data set) apart */
    peakBytes: number;
  };
}
