import { UserError } from '../../errors';
import { quote } from '../../io/format-error';
import type { OnnxGraph, OnnxNode, OnnxTensor, OnnxValue } from '../../io/onnx/graph';
import type { StateDict } from '../../io/tensor';
import { Builder, IMAGENET, type Value } from '../builder';
import type { Model, ModelInput } from '../model';
import { type Constant, constantOf } from './constant';
import { fold, isUnfolded } from './fold';
import { type Binding, type Held, Importer, type Normalised, type Shown } from './importer';
import { called } from './node';
import { OPERATORS } from './operators/index';
import { joinLayerNorms, joinPointwise, joinResponseNorms, type Step } from './patterns';
import { type Axis, type Extents, viewOf } from './view';

/** A network that was read from an ONNX graph. */
export interface Imported {
  model: Model;
  state: StateDict;
  /** where the entries of the state stand in the file */
  bindings: Binding[];
  /** the graph's output that has the logits */
  output: string;
  /** a sentence each */
  notes: string[];
  /** side of the images that the graph takes, pixels, where it takes no others */
  size?: number;
}

/** What such models are called in messages and metadata. */
export const ONNX_MODEL = 'onnx';
/** Images of a graph that takes any, pixels. */
const ANY_SIZE = IMAGENET.size;
const MOST_OUTPUTS = 8;

/**
 * The model of an ONNX graph: one that tells classes apart by the first of its outputs that can.
 * @throws UserError with every operator that is not read here, or the first node whose attributes or shapes are not
 */
export function importOnnx(graph: OnnxGraph): Imported {
  const { inputs, outputs, file } = graph;
  if (inputs.length !== 1)
    throw new UserError(
      `${file} has ${inputs.length} inputs (${inputs
        .slice(0, 4)
        .map(({ name }) => quote(name))
        .join(', ')}), and a network here has one, images: export the part of it that classifies them.`,
    );
  let refusal: unknown = new UserError(`${file} has no output: export it again.`);
  for (const { name } of outputs.slice(0, MOST_OUTPUTS)) {
    try {
      return importOutput(graph, inputs[0], name);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (name === outputs[0].name) refusal = error;
    }
  }
  throw refusal;
}

function importOutput(graph: OnnxGraph, input: OnnxValue, output: string): Imported {
  const constants = new Map<string, Constant>();
  for (const [name, tensor] of graph.initializers) constants.set(name, constantOf(name, tensor));
  const needed = neededFor(graph.nodes, output);
  const steps = foldConstants(needed, constants, graph.opset);
  let count = 0;
  const fresh = (constant: Constant): string => {
    const name = `refocus constant ${count++}`;
    constants.set(name, constant);
    return name;
  };
  const ofShapes = shapeValues(steps, constants);
  const wiring = { constant: (name: string) => constants.get(name), ofShapes, outputs: new Set([output]) };
  const normed = joinResponseNorms({ ...wiring, steps: joinLayerNorms({ ...wiring, steps }, fresh) });
  const joined = joinPointwise({ ...wiring, steps: normed });
  checkOperators(graph.file, joined, new Set([...constants.keys(), ...ofShapes]));
  const { extents, axes, size } = imagesOf(graph, input);
  const net = new Builder(extents.c, 0);
  const importer = new Importer(graph, net, joined, output);
  for (const [name, constant] of constants) importer.values.set(name, constant);
  const image: Shown = { kind: 'value', value: net.image, extents, view: viewOf(axes, extents) };
  importer.values.set(input.name, image);
  for (const step of joined) run(importer, step);
  const end = importer.values.get(output);
  const logits = logitsOf(graph, output, end);
  const head = headOf(net, logits);
  if (!head || !net.headIs(head))
    throw new UserError(
      `${graph.file}: its output ${quote(output)} is no classifier's: no linear layer or convolution makes it, and no more than pooling and activations may come behind that.`,
    );
  const modelInput = inputOf(extents.c, size, importer.normalised);
  const model = withoutUnread(
    net.finish({ name: ONNX_MODEL, args: {}, input: modelInput, logits: logits.id }),
  );
  return {
    model,
    state: importer.state,
    bindings: importer.bindings,
    output,
    size: isOpen(input) && !importer.isSized ? undefined : modelInput.size,
    notes: notesOn(graph, importer, output, needed),
  };
}

/** The nodes that an output takes, in the file's order. */
function neededFor(nodes: readonly OnnxNode[], output: string): OnnxNode[] {
  const wanted = new Set([output]);
  const needed: OnnxNode[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((name) => name !== '' && wanted.has(name))) continue;
    needed.push(node);
    for (const name of node.inputs) wanted.add(name);
  }
  return needed.reverse();
}

/** Puts what depends on constants alone among them; the rest of the nodes is left. */
function foldConstants(nodes: readonly OnnxNode[], constants: Map<string, Constant>, opset: number): Step[] {
  return nodes.filter((node) => {
    if (node.op === 'Constant' && node.domain === '') {
      const constant = constantFrom(node);
      if (constant) constants.set(node.outputs[0], constant);
      return !constant;
    }
    return !foldInto(node, constants, opset);
  });
}

function foldInto(node: OnnxNode, constants: Map<string, Constant>, opset: number): boolean {
  const isFree = node.inputs.every((name) => name === '' || constants.has(name));
  if (!isFree || node.domain !== '') return false;
  const folded = attempt(() =>
    fold(
      node,
      node.inputs.map((name) => constants.get(name)),
      opset,
    ),
  );
  folded?.forEach((constant, i) => {
    if (node.outputs[i]) constants.set(node.outputs[i], constant);
  });
  return folded !== undefined;
}

/** What is folded, or nothing: files whose constants do not fit each other are none to fold. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isUnfolded(error) || error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function constantFrom({ outputs, attributes }: OnnxNode): Constant | undefined {
  const [[key, value] = ['', undefined]] = attributes;
  const [name] = outputs;
  if (value === undefined) return undefined;
  if (typeof value === 'object' && 'dtype' in value) return constantOf(name, value as OnnxTensor);
  const list = Array.isArray(value) ? value : [value];
  if (!list.every((v) => typeof v === 'number')) return undefined;
  return {
    kind: 'constant',
    shape: Array.isArray(value) ? [list.length] : [],
    data: list as number[],
    isFloat: key.startsWith('value_float'),
  };
}

/** Names of values that follow from the shapes of others alone. */
function shapeValues(steps: readonly Step[], constants: ReadonlyMap<string, Constant>): Set<string> {
  const names = new Set<string>();
  for (const { op, inputs, outputs } of steps) {
    const isFree =
      inputs.length > 0 && inputs.every((name) => name === '' || constants.has(name) || names.has(name));
    if (op === 'Shape' || op === 'Size' || isFree) for (const name of outputs) names.add(name);
  }
  return names;
}

/** @throws UserError with every operator that is not read here, and where each first stands */
function checkOperators(file: string, steps: readonly Step[], free: ReadonlySet<string>): void {
  const unknown = new Map<string, Step[]>();
  for (const step of steps) {
    const isKnown = Object.hasOwn(OPERATORS, step.op) && (step.domain === '' || step.pointwise !== undefined);
    if (isKnown || step.inputs.every((name) => name === '' || free.has(name))) continue;
    const key = step.domain ? `${step.domain}.${step.op}` : step.op;
    unknown.set(key, [...(unknown.get(key) ?? []), step]);
  }
  if (unknown.size === 0) return;
  const words = [...unknown.values()].map(
    (found) => `${called(found[0])}${found.length > 1 ? ` and ${found.length - 1} more` : ''}`,
  );
  throw new UserError(
    `${file} has operators that no layer here stands for: ${words.slice(0, 20).join('; ')}${words.length > 20 ? '; ...' : ''}. docs/onnx.md lists those that are read.`,
  );
}

function run(importer: Importer, step: Step): void {
  const { values, graph } = importer;
  if (importer.absorbed.has(step)) return;
  const inputs = step.inputs.map((name) => {
    if (name === '') return undefined;
    const held = values.get(name);
    if (!held) importer.refuse(step, `reads ${quote(name)}, which nothing before it makes`);
    return held;
  });
  const isFree = inputs.every((held) => held === undefined || held.kind === 'constant');
  const folded = isFree && attempt(() => fold(step, inputs as (Constant | undefined)[], graph.opset));
  if (isFree && !folded) importer.refuse(step, 'makes a constant in a way that is not read here');
  const made: Held | Held[] = folded || apply(importer, step, inputs);
  const results = Array.isArray(made) ? made : [made];
  results.forEach((held, i) => {
    if (step.outputs[i]) values.set(step.outputs[i], held);
  });
}

/** Attributes of an untrusted file may be anything: what an operator makes no sense of is the file's fault. */
function apply(importer: Importer, step: Step, inputs: (Held | undefined)[]): Held | Held[] {
  try {
    return OPERATORS[step.op](importer, step, inputs);
  } catch (error) {
    if (error instanceof UserError) throw error;
    return importer.refuse(step, `does not fit what it reads (${(error as Error).message})`);
  }
}

/** The images that a graph takes: their axes, and extents where the file leaves them open. */
function imagesOf(
  { file }: OnnxGraph,
  { name, shape = ['', 3, '', ''] }: OnnxValue,
): { extents: Extents; axes: Axis[]; size?: number } {
  if (shape.length !== 4)
    throw new UserError(
      `${file}: its input ${quote(name)} has ${shape.length} dimensions, and images have four (batch, channels, height, width).`,
    );
  const isChannels = (extent: number | string) => typeof extent === 'number' && extent >= 1 && extent <= 4;
  const isLast = isChannels(shape[3]) && !isChannels(shape[1]);
  const axes: Axis[] = isLast ? ['n', 'h', 'w', 'c'] : ['n', 'c', 'h', 'w'];
  const extent = (axis: Axis, fallback: number): number => {
    const given = shape[axes.indexOf(axis)];
    if (typeof given !== 'number' || given === 0) return fallback;
    if (given < 0 || given > 65_536)
      throw new UserError(`${file}: its input ${quote(name)} has an extent of ${given}.`);
    return given;
  };
  const [h, w] = [extent('h', 0), extent('w', 0)];
  const side = h || w || ANY_SIZE;
  const extents = { n: extent('n', 1), c: extent('c', 3), h: h || side, w: w || side };
  return { extents, axes, size: h || w ? Math.max(h, w) : undefined };
}

/** Whether a graph leaves height or width of its images open. */
const isOpen = ({ shape }: OnnxValue): boolean =>
  (shape?.filter((extent) => typeof extent === 'number' && extent > 4) ?? []).length < 2;

function logitsOf({ file }: OnnxGraph, output: string, end: Held | undefined): Value {
  const isRow = end?.kind === 'value' && end.extents.h === 1 && end.extents.w === 1 && !end.pad && !end.step;
  if (!isRow)
    throw new UserError(
      `${file}: its output ${quote(output)} is no row of one number a class, so that it is no classifier: export one.`,
    );
  return end.value;
}

/** A model without layers that lead nowhere, as those of a split of which one part is taken up otherwise. */
function withoutUnread(model: Model): Model {
  const read = new Set([model.logits]);
  const layers = [...model.layers].reverse().filter(({ id, inputs }) => {
    if (read.has(id)) for (const input of inputs) read.add(input);
    return read.has(id);
  });
  return { ...model, layers: layers.reverse() };
}

/** The layer that makes the logits: nothing but pooling, activations and dropout comes behind it. */
function headOf(net: Builder, logits: Value): string | undefined {
  let value = logits;
  for (let layer = net.maker(value); layer; layer = net.maker(value)) {
    if (layer.kind === 'conv' || layer.kind === 'linear') return layer.name;
    const isPassed =
      layer.kind === 'global_avg_pool' ||
      layer.kind === 'avg_pool' ||
      layer.kind === 'dropout' ||
      (layer.kind === 'activation' && layer.activation === 'relu');
    if (!isPassed) return undefined;
    value = { id: layer.inputs[0], channels: logits.channels };
  }
  return undefined;
}

/**
 * How images become what the graph takes. One that normalises them itself takes numbers from 0 to 1, or bytes where its
 * deviations are those of bytes.
 */
function inputOf(channels: number, size = ANY_SIZE, normalised?: Normalised): ModelInput {
  if (channels !== 1 && channels !== 3)
    throw new UserError(
      `The network takes images of ${channels} channels: it can be trained here on one (gray) or three.`,
    );
  if (!normalised) {
    const plain =
      channels === 3 ? IMAGENET : { mean: Array(channels).fill(0.5), std: Array(channels).fill(0.5) };
    return { channels, size, mean: [...plain.mean], std: [...plain.std] };
  }
  const { scale, shift } = normalised;
  const range = scale.every((a) => Math.abs(a) < 1 / 3) ? 255 : 1;
  return {
    channels,
    size,
    mean: scale.map((a, i) => -shift[i] / (a * range)),
    std: scale.map((a) => 1 / (a * range)),
  };
}

function notesOn(
  { file, producer, opset, outputs, inputs }: OnnxGraph,
  { normalised, net }: Importer,
  output: string,
  nodes: readonly OnnxNode[],
): string[] {
  const made = producer ? `, made by ${producer.slice(0, 60)}` : '';
  const notes = [
    `${file} is an ONNX model of opset ${opset}${made}: ${nodes.length} operators, ${nodes.filter(({ op }) => op === 'Conv').length} convolutions.`,
  ];
  if (outputs.length > 1)
    notes.push(
      `Of its ${outputs.length} outputs ${quote(output)} tells the classes; what only the others take is left as it is.`,
    );
  if (nodes.some(({ op }) => op === 'QuantizeLinear' || op === 'DequantizeLinear'))
    notes.push('Its weights are quantised: they are trained and written as floats.');
  if (normalised)
    notes.push(
      'It normalises its images itself: mean and deviation are taken from it, and need not be given.',
    );
  else if (inputs[0].shape?.[1] === 3 || inputs[0].shape === undefined)
    notes.push(
      "It does not say how its images are normalised: ImageNet's mean and deviation are taken (mean, std).",
    );
  if (net.count('batch_norm') === 0 && net.count('conv') > 0 && net.count('layer_norm') === 0)
    notes.push(
      'It has no batch norms: it trains without, which takes a smaller learning rate, or with fresh ones (norms), which are folded back at the end. If it had some, they were folded into its convolutions when it was exported; exported with training=TrainingMode.PRESERVE it would keep them.',
    );
  return notes;
}
