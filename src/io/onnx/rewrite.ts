import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { encodeElements } from '../tensor';
import type { OnnxTensor } from './graph';
import { numberOf } from './tensors';

/** What changes in a model; all else stays byte for byte. */
export interface Edits {
  /** new numbers, perhaps of a new shape, of initializers and of constants' outputs, by name */
  tensors: ReadonlyMap<string, OnnxTensor>;
  /** initializers that are added */
  added: ReadonlyMap<string, OnnxTensor>;
  /** nodes that go, by their place */
  removed: ReadonlySet<number>;
  /** what inputs of nodes are called, by the node's place and the input's */
  inputs: ReadonlyMap<number, ReadonlyMap<number, string>>;
  /** where the number of classes changes: the output, and the values whose descriptions tell the old number */
  classes?: { from: number; to: number; output: string; values: ReadonlySet<string> };
  /** entries of the model's metadata that are set */
  metadata: ReadonlyMap<string, string>;
}

const MODEL = { graph: 7, metadata: 14 } as const;
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, valueInfo: 13 } as const;

/** A field of a message: its number, its bytes with tag and length, and those of its value where it has a length. */
interface Field {
  number: number;
  bytes: Uint8Array;
  value?: Uint8Array;
}

function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  const reader = new BinaryReader(bytes);
  while (reader.pos < bytes.length) {
    const begin = reader.pos;
    const [number, type] = reader.tag();
    const value = type === WireType.LengthDelimited ? reader.bytes() : undefined;
    if (!value) reader.skip(type, number);
    yield { number, bytes: bytes.subarray(begin, reader.pos), value };
  }
}

const lengthOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 0);

/** A message as a field: its tag and length, and then its parts. */
function field(number: number, parts: readonly Uint8Array[]): Uint8Array[] {
  const head = new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(lengthOf(parts)).finish();
  return [head, ...parts];
}

/** A model's bytes with those changes. */
export function rewriteOnnx(bytes: Uint8Array, edits: Edits): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const decoder = new TextDecoder();
  for (const { number, bytes: whole, value } of fieldsOf(bytes)) {
    if (number === MODEL.graph && value) parts.push(...field(number, graphParts(value, edits)));
    else if (number === MODEL.metadata && value && edits.metadata.has(keyOf(value, decoder))) continue;
    else parts.push(whole);
  }
  for (const [key, value] of edits.metadata) {
    const entry = create(StringStringEntryProtoSchema, { key, value });
    parts.push(...field(MODEL.metadata, [toBinary(StringStringEntryProtoSchema, entry)]));
  }
  return joined(parts);
}

/** The first field of an entry of metadata. */
function keyOf(entry: Uint8Array, decoder: TextDecoder): string {
  for (const { number, value } of fieldsOf(entry)) if (number === 1 && value) return decoder.decode(value);
  return '';
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function graphParts(bytes: Uint8Array, edits: Edits): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let node = 0;
  for (const { number, bytes: whole, value } of fieldsOf(bytes)) {
    if (number === GRAPH.node && value) parts.push(...nodeParts(node++, whole, value, edits));
    else if (number === GRAPH.initializer && value) parts.push(...tensorParts(whole, value, edits));
    else if ((number === GRAPH.input || number === GRAPH.output) && value)
      parts.push(...valueParts(number, whole, value, edits));
    else if (number === GRAPH.valueInfo && value) parts.push(...valueInfoParts(whole, value, edits));
    else parts.push(whole);
  }
  for (const [name, tensor] of edits.added) {
    const proto = create(TensorProtoSchema, { name });
    parts.push(...field(GRAPH.initializer, [toBinary(TensorProtoSchema, filled(proto, tensor))]));
  }
  return parts;
}

function nodeParts(index: number, whole: Uint8Array, value: Uint8Array, edits: Edits): Uint8Array[] {
  if (edits.removed.has(index)) return [];
  const renamed = edits.inputs.get(index);
  const proto = renamed || edits.tensors.size > 0 ? fromBinary(NodeProtoSchema, value) : undefined;
  const tensor = proto?.opType === 'Constant' ? edits.tensors.get(proto.output[0]) : undefined;
  if (!proto || (!renamed && !tensor)) return [whole];
  for (const [input, name] of renamed ?? []) proto.input[input] = name;
  const attribute = proto.attribute.find(({ name }) => name === 'value');
  if (tensor && attribute?.t) filled(attribute.t, tensor);
  return field(GRAPH.node, [toBinary(NodeProtoSchema, proto)]);
}

function tensorParts(whole: Uint8Array, value: Uint8Array, { tensors }: Edits): Uint8Array[] {
  if (tensors.size === 0) return [whole];
  const proto = fromBinary(TensorProtoSchema, value);
  const tensor = tensors.get(proto.name);
  return tensor ? field(GRAPH.initializer, [toBinary(TensorProtoSchema, filled(proto, tensor))]) : [whole];
}

/** Gives a tensor other numbers, as raw bytes within the file. */
function filled(proto: TensorProto, { dtype, shape, data }: OnnxTensor): TensorProto {
  proto.dims = shape.map(BigInt);
  proto.dataType = numberOf(dtype);
  proto.rawData = encodeElements(data, dtype);
  proto.floatData = [];
  proto.doubleData = [];
  proto.int32Data = [];
  proto.int64Data = [];
  proto.uint64Data = [];
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    proto.externalData = [];
    proto.dataLocation = TensorProto_DataLocation.DEFAULT;
  }
  return proto;
}

/** Inputs and outputs: older files describe initializers among the inputs. */
function valueParts(
  number: number,
  whole: Uint8Array,
  value: Uint8Array,
  { tensors, classes }: Edits,
): Uint8Array[] {
  if (!classes) return [whole];
  const proto = fromBinary(ValueInfoProtoSchema, value);
  const tensor = tensors.get(proto.name);
  if (tensor) setShape(proto, tensor.shape);
  else if (proto.name === classes.output) setClasses(proto, classes);
  else return [whole];
  return field(number, [toBinary(ValueInfoProtoSchema, proto)]);
}

/** What describes a value with the old number of classes goes: it is no part of the model. */
function valueInfoParts(whole: Uint8Array, value: Uint8Array, { classes }: Edits): Uint8Array[] {
  return classes?.values.has(fromBinary(ValueInfoProtoSchema, value).name) ? [] : [whole];
}

function setShape({ type }: ValueInfoProto, shape: readonly number[]): void {
  if (type?.value.case !== 'tensorType') return;
  type.value.value.shape?.dim.forEach((dim, i) => {
    dim.value = { case: 'dimValue', value: BigInt(shape[i]) };
  });
}

function setClasses({ type }: ValueInfoProto, { from, to }: { from: number; to: number }): void {
  if (type?.value.case !== 'tensorType') return;
  const dims = type.value.value.shape?.dim ?? [];
  const dim = dims.findLast(({ value }) => value.case === 'dimValue' && Number(value.value) === from);
  if (dim) dim.value = { case: 'dimValue', value: BigInt(to) };
}
