import { UserError } from '../../errors';
import { quote } from '../../io/format-error';
import type { OnnxGraph, OnnxValue } from '../../io/onnx/graph';
import type { StateDict } from '../../io/tensor';
import { Builder } from '../builder';
import type { Model, Pair } from '../model';
import { headOf, logitsOf, withoutUnread } from './classifier';
import { type Constant, constantOf } from './constant';
import { fold } from './fold';
import { attempt, foldConstants, neededFor, shapeValues } from './fold-graph';
import { imagesOf, inputOf, isOpen } from './images';
import { type Binding, type Held, Importer, type Shown } from './importer';
import { notesOn } from './notes';
import { OPERATORS } from './operators/index';
import { joinLayerNorms, joinPointwise, joinResponseNorms, type Step } from './patterns';
import { UnreadNode, unreadError } from './unread';
import { viewOf } from './view';

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
  /** height and width of the images that the file takes, 0 where it takes any */
  given: Pair;
}

/** What such models are called in messages and metadata. */
export const ONNX_MODEL = 'onnx';
const MOST_OUTPUTS = 8;

/**
 * The model of an ONNX graph: one that tells classes apart by the first of its outputs that can.
 * @throws UserError with all that is not read here: unknown operators, and nodes whose attributes or shapes are
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
  const unknown = unknownSteps(joined, new Set([...constants.keys(), ...ofShapes]));
  const { extents, axes, given, size } = imagesOf(graph, input);
  const net = new Builder(extents.c, 0);
  const importer = new Importer(graph, net, joined, output);
  for (const [name, constant] of constants) importer.values.set(name, constant);
  const image: Shown = { kind: 'value', value: net.image, extents, view: viewOf(axes, extents) };
  importer.values.set(input.name, image);
  runAll(importer, joined, unknown);
  const end = importer.values.get(output);
  const logits = logitsOf(graph, output, end);
  const head = headOf(net, logits);
  const last = net.maker(logits);
  if (last?.kind === 'activation' && last.activation === 'sigmoid')
    throw new UserError(
      `${graph.file}: its output ${quote(output)} is a sigmoid of each class by itself, as where several are true at once. Training here tells one class of several: export the network without the sigmoid.`,
    );
  if (!head || !net.headIs(head))
    throw new UserError(
      `${graph.file}: its output ${quote(output)} is no classifier's: no linear layer or convolution makes it, and no more than pooling and activations may come behind that.`,
    );
  const sides: Pair = [extents.h, extents.w];
  if (importer.isSized && extents.h !== extents.w)
    throw new UserError(
      `${graph.file} has layers for images of ${sides.join(' x ')} pixels alone, and images are square here: export it for square ones.`,
    );
  const modelInput = {
    ...inputOf(extents.c, size, importer.normalised),
    ...(importer.isSized && { sides }),
  };
  const model = withoutUnread(
    net.finish({ name: ONNX_MODEL, args: {}, input: modelInput, logits: logits.id }),
  );
  return {
    model,
    state: importer.state,
    bindings: importer.bindings,
    output,
    given,
    size: isOpen(input) && !importer.isSized ? undefined : modelInput.size,
    notes: notesOn(graph, importer, output, needed, model, sides),
  };
}

/** The steps whose operators are not read here; constants of any operator may be computed of constants. */
const unknownSteps = (steps: readonly Step[], free: ReadonlySet<string>): Step[] =>
  steps.filter(({ op, domain, pointwise, inputs }) => {
    const isKnown = Object.hasOwn(OPERATORS, op) && (domain === '' || pointwise !== undefined);
    return !isKnown && !inputs.every((name) => name === '' || free.has(name));
  });

/**
 * Runs all steps but those that an unread one comes before.
 * @throws UserError with all that are not read
 */
function runAll(importer: Importer, steps: readonly Step[], unknown: readonly Step[]): void {
  const unread: UnreadNode[] = [];
  const lost = new Set(unknown.flatMap(({ outputs }) => outputs));
  const isUnknown = new Set(unknown);
  for (const step of steps) {
    if (isUnknown.has(step)) continue;
    try {
      if (!step.inputs.some((name) => lost.has(name))) {
        run(importer, step);
        continue;
      }
    } catch (error) {
      if (!(error instanceof UnreadNode)) throw error;
      unread.push(error);
    }
    for (const name of step.outputs) lost.add(name);
  }
  if (unknown.length + unread.length > 0) throw unreadError(importer.graph.file, unknown, unread);
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
  if (isFree && !folded)
    importer.refuse(step, 'makes a constant in a way or of a size that is not read here');
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
