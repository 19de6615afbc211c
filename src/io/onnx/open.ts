import { fromBinary } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  TensorProto_DataLocation,
  type ValueInfoProto,
} from 'onnx-buf';
import { bytesOf, type NamedBlob } from '../blob';
import { explainAsync, FormatError, quote, Refusal } from '../format-error';
import { type OpenedWeights, stateCopy } from '../state-copy';
import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor, OnnxValue } from './graph';
import { storedTensors } from './stored';
import { DTYPES, externalFile, readTensor } from './tensors';

/** A protocol buffer is at most this long, bytes. */
const MAX_BYTES = 2 ** 31 - 1;
/** No convolutional network has so many; time grows with them. */
const MAX_NODES = 50_000;

/**
 * Opens an ONNX model: its graph, and its initializers of floats as a state dict.
 * @param beside files that came with it, of which external data is read
 */
export async function openOnnx(model: NamedBlob, beside: readonly NamedBlob[]): Promise<OpenedWeights> {
  const { path } = model;
  return explainAsync(path, 'export it again', async () => {
    const proto = await decode(model);
    const graph = await graphOf(path, proto, beside);
    const floats = new Map([...storedTensors(graph)].filter(([, { data }]) => data instanceof Float32Array));
    return {
      file: path,
      format: 'onnx',
      metadata: new Map(proto.metadataProps.map(({ key, value }) => [key, value])),
      copies: [stateCopy(path, '', floats, async (name) => floats.get(name)!)],
      onnx: { graph, model },
    };
  });
}

/** Names of the files of external data that a model wants beside it; none where it cannot be read. */
export async function externalFiles(model: NamedBlob): Promise<string[]> {
  try {
    const { graph } = await decode(model);
    const kept = graph?.initializer.filter((t) => t.dataLocation === TensorProto_DataLocation.EXTERNAL) ?? [];
    return [...new Set(kept.map(externalFile))];
  } catch (error) {
    // whoever opens it says why
    if (error instanceof FormatError || error instanceof Refusal) return [];
    throw error;
  }
}

async function decode({ blob }: NamedBlob): Promise<ModelProto> {
  if (blob.size > MAX_BYTES) throw new Refusal('is an ONNX model of over 2 GiB; choose a smaller network');
  const bytes = await bytesOf(blob);
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    throw new FormatError(
      `it is no ONNX model, or a damaged one (${(error as Error).message.slice(0, 100)})`,
    );
  }
}

async function graphOf(file: string, proto: ModelProto, beside: readonly NamedBlob[]): Promise<OnnxGraph> {
  const { graph } = proto;
  if (!graph || graph.node.length === 0) throw new FormatError('it has no graph of operators');
  if (graph.node.length > MAX_NODES)
    throw new FormatError(`it has ${graph.node.length.toLocaleString('en')} operators`);
  if (graph.sparseInitializer.length > 0) throw new FormatError('it has sparse tensors');
  const initializers = new Map<string, OnnxTensor>();
  for (const tensor of graph.initializer) {
    if (initializers.has(tensor.name)) throw new FormatError(`it has two tensors ${quote(tensor.name)}`);
    initializers.set(tensor.name, await readTensor(tensor, beside));
  }
  const nodes: OnnxNode[] = [];
  for (const [index, node] of graph.node.entries()) nodes.push(await nodeOf(node, index, beside));
  const own = proto.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx');
  return {
    file,
    opset: Number(own?.version ?? 1n),
    producer: `${proto.producerName} ${proto.producerVersion}`.trim(),
    nodes,
    initializers,
    inputs: valuesOf(graph, 'input').filter(({ name }) => !initializers.has(name)),
    outputs: valuesOf(graph, 'output'),
  };
}

async function nodeOf(node: NodeProto, index: number, beside: readonly NamedBlob[]): Promise<OnnxNode> {
  const attributes = new Map<string, OnnxAttribute>();
  for (const attribute of node.attribute) {
    const value = await attributeOf(attribute, beside);
    if (value !== undefined) attributes.set(attribute.name, value);
  }
  const domain = node.domain === 'ai.onnx' ? '' : node.domain;
  const { opType: op, name, input: inputs, output: outputs } = node;
  return { index, op, domain, name, inputs, outputs, attributes };
}

/** An attribute's value; undefined for kinds that no operator of a network has. */
async function attributeOf(
  a: AttributeProto,
  beside: readonly NamedBlob[],
): Promise<OnnxAttribute | undefined> {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  switch (a.type) {
    case AttributeProto_AttributeType.FLOAT:
      return a.f;
    case AttributeProto_AttributeType.INT:
      return Number(a.i);
    case AttributeProto_AttributeType.STRING:
      return text(a.s);
    case AttributeProto_AttributeType.FLOATS:
      return a.floats;
    case AttributeProto_AttributeType.INTS:
      return a.ints.map(Number);
    case AttributeProto_AttributeType.STRINGS:
      return a.strings.map(text);
    case AttributeProto_AttributeType.TENSOR:
      return a.t && readTensor(a.t, beside);
    default:
      return undefined;
  }
}

const valuesOf = (graph: GraphProto, which: 'input' | 'output'): OnnxValue[] => graph[which].map(valueInfo);

function valueInfo({ name, type }: ValueInfoProto): OnnxValue {
  if (type?.value.case !== 'tensorType') return { name };
  const { elemType, shape } = type.value.value;
  return {
    name,
    dtype: DTYPES[elemType],
    shape: shape?.dim.map(({ value }) =>
      value.case === 'dimValue' ? Number(value.value) : (value.value ?? ''),
    ),
  };
}
