import { product } from '../../graph/tensor';
import type { OnnxGraph, OnnxTensor } from '../../io/onnx/graph';
import type { Edits } from '../../io/onnx/rewrite';
import { storedTensors } from '../../io/onnx/stored';
import {
  type Dtype,
  decodeElements,
  encodeElements,
  type StateDict,
  type StateTensor,
} from '../../io/tensor';
import { inverse, transpose } from './constant';
import type { Imported } from './import';
import type { Binding } from './importer';

/** A network's new numbers, and what else changes with them. */
export interface NewNumbers {
  /** under the model's names; what it lacks stays as it was */
  state: StateDict;
  /** of the head, where it is new */
  classes: number;
  /** entries of the file's metadata that are set */
  metadata?: ReadonlyMap<string, string>;
}

/** Initializers that have types with a place for such numbers. */
const FLOATS: readonly Dtype[] = ['F32', 'F64', 'F16', 'BF16'];

/**
 * What has to change in an ONNX file for a network's new numbers: those of its initializers alone, in their types. Where one
 * initializer stood for several layers that have come apart, or was quantised, the layer gets one of its own; a new head
 * changes the shapes of its tensors and of the output.
 */
export function editsFor(
  graph: OnnxGraph,
  { model, bindings, output }: Pick<Imported, 'model' | 'bindings' | 'output'>,
  { state, classes, metadata = new Map() }: NewNumbers,
): Edits {
  const tensors = new Map<string, OnnxTensor>();
  const added = new Map<string, OnnxTensor>();
  const removed = new Set<number>();
  const inputs = new Map<number, Map<number, string>>();
  const isNewHead = classes !== model.head.classes;
  const stored = storedTensors(graph);
  for (const [name, sharing] of byTensor(bindings)) {
    const old = name === undefined ? undefined : stored.get(name);
    for (const [i, binding] of sharing.entries()) {
      const fresh = state.get(binding.entry);
      if (!fresh) continue;
      const isFirst = i === 0;
      const written = name !== undefined && tensors.has(name) ? tensors.get(name)! : old;
      const tensor = old && FLOATS.includes(old.dtype) ? inFile(binding, fresh, old) : undefined;
      if (tensor && written && sameNumbers(tensor, written)) continue;
      if (tensor && isFirst && name !== undefined) tensors.set(name, tensor);
      else ownTensor(graph, binding, fresh, { added, removed, inputs });
    }
  }
  return {
    tensors,
    added,
    removed,
    inputs,
    classes: isNewHead
      ? {
          from: model.head.classes,
          to: classes,
          output,
          values: behind(graph, headNode(bindings, model.head.name)),
        }
      : undefined,
    metadata,
  };
}

/** Bindings by the tensor that their numbers come from; those that were computed of several stand alone. */
function byTensor(bindings: readonly Binding[]): [string | undefined, Binding[]][] {
  const groups = new Map<string, Binding[]>();
  const alone: [undefined, Binding[]][] = [];
  for (const binding of bindings) {
    const { origin } = binding.constant;
    if (!origin) alone.push([undefined, [binding]]);
    else groups.set(origin.tensor, [...(groups.get(origin.tensor) ?? []), binding]);
  }
  return [...groups, ...alone];
}

/** An entry's numbers as the node reads them, in the shape of its input. A new head has other rows. */
function atNode({ view, order, constant }: Binding, { data, shape }: StateTensor): Numbers {
  const isSame = product(shape) === product(view);
  /** where the rows are among the dimensions of the node's input, and of its view */
  const [row, viewRow] =
    shape.length === 1
      ? [constant.shape.indexOf(product(view)), view.indexOf(product(view))]
      : [order[0] === 0 ? 0 : constant.shape.length - 1, order[0]];
  const withRows = (dims: readonly number[], at: number) =>
    dims.map((n, d) => (d === at && !isSame ? shape[0] : n));
  const viewed = withRows(view, viewRow);
  const from = order.map((d) => viewed[d]);
  return {
    shape: withRows(constant.shape, row),
    data: transpose(data as Float32Array<ArrayBuffer>, from, inverse(order)),
  };
}

interface Numbers {
  shape: number[];
  data: Float32Array<ArrayBuffer>;
}

/** The same as the tensor of the file has them. */
function inFile(binding: Binding, fresh: StateTensor, { dtype, shape: old }: OnnxTensor): OnnxTensor {
  const { origin } = binding.constant;
  const { shape, data } = atNode(binding, fresh);
  const { order, view } = origin!;
  const isWhole = product(shape) === product(old);
  const plain = order.every((d, i) => d === i);
  const from = isWhole ? order.map((d) => view[d]) : shape;
  const numbers = plain ? data : transpose(data, from, inverse(order));
  const fits = decodeElements(encodeElements(numbers, dtype), dtype) as Float32Array;
  return {
    dtype: fits.every(Number.isFinite) ? dtype : 'F32',
    shape: isWhole ? old : inverse(order).map((d) => from[d]),
    data: numbers,
  };
}

/** Whether two tensors are the same once they are written. */
function sameNumbers(a: OnnxTensor, b: OnnxTensor): boolean {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false;
  const round = ({ data, dtype }: OnnxTensor) =>
    dtype === 'F32' || dtype === 'F64' ? data : decodeElements(encodeElements(data, dtype), dtype);
  const [left, right] = [round(a), round(b)];
  for (let i = 0; i < left.length; i++) if (!Object.is(left[i], right[i])) return false;
  return true;
}

type Own = {
  added: Map<string, OnnxTensor>;
  removed: Set<number>;
  inputs: Map<number, Map<number, string>>;
};

/** Gives a layer an initializer of its own: in the place of the node that computed it, or under a new name. */
function ownTensor(graph: OnnxGraph, binding: Binding, fresh: StateTensor, own: Own): void {
  const { shape, data } = atNode(binding, fresh);
  const tensor: OnnxTensor = { dtype: 'F32', shape, data };
  const readers = graph.nodes.filter(({ inputs }) => inputs.includes(binding.value));
  const maker = graph.nodes.find(({ outputs }) => outputs[0] === binding.value && outputs.length === 1);
  if (maker && readers.length === 1) {
    own.removed.add(maker.index);
    own.added.set(binding.value, tensor);
    return;
  }
  let name = binding.entry;
  while (isTaken(graph, name) || own.added.has(name)) name = `${name}_own`;
  own.added.set(name, tensor);
  const renamed = own.inputs.get(binding.node) ?? new Map<number, string>();
  own.inputs.set(binding.node, renamed.set(binding.input, name));
}

const isTaken = ({ initializers, nodes }: OnnxGraph, name: string): boolean =>
  initializers.has(name) ||
  nodes.some(({ inputs, outputs }) => inputs.includes(name) || outputs.includes(name));

const headNode = (bindings: readonly Binding[], head: string): number =>
  bindings.find(({ entry }) => entry === `${head}.weight`)?.node ?? -1;

/** Values that a node and all that follow from it make. */
function behind({ nodes }: OnnxGraph, from: number): Set<string> {
  const values = new Set<string>(nodes[from]?.outputs);
  for (const { inputs, outputs, index } of nodes)
    if (index > from && inputs.some((name) => values.has(name))) for (const name of outputs) values.add(name);
  return values;
}
