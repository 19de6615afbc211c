/** What of a graph is constant: the nodes that an output takes, without those that depend on constants alone. */
import type { OnnxNode, OnnxTensor } from '../../io/onnx/graph';
import { type Constant, constantOf } from './constant';
import { fold, isUnfolded } from './fold';
import type { Step } from './patterns';

/** The nodes that an output takes, in the file's order. */
export function neededFor(nodes: readonly OnnxNode[], output: string): OnnxNode[] {
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
export function foldConstants(
  nodes: readonly OnnxNode[],
  constants: Map<string, Constant>,
  opset: number,
): Step[] {
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
export function attempt<T>(work: () => T): T | undefined {
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
export function shapeValues(steps: readonly Step[], constants: ReadonlyMap<string, Constant>): Set<string> {
  const names = new Set<string>();
  for (const { op, inputs, outputs } of steps) {
    const isFree =
      inputs.length > 0 && inputs.every((name) => name === '' || constants.has(name) || names.has(name));
    if (op === 'Shape' || op === 'Size' || isFree) for (const name of outputs) names.add(name);
  }
  return names;
}
