import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { encodeElements } from '../tensor';
import type { OnnxAttribute, OnnxGraph, OnnxTensor, OnnxValue } from './graph';
import { numberOf } from './tensors';

/** The version of the format that goes with opset 17. */
const IR_VERSION = 8n;

/** An ONNX file of a graph that was made here. Numbers of attributes are integers, but those of `FLOATS`. */
export function encodeOnnx(graph: OnnxGraph, metadata: ReadonlyMap<string, string>): Uint8Array<ArrayBuffer> {
  const proto = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: graph.producer,
    opsetImport: [create(OperatorSetIdProtoSchema, { domain: '', version: BigInt(graph.opset) })],
    metadataProps: [...metadata].map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
    graph: create(GraphProtoSchema, {
      name: graph.file,
      node: graph.nodes.map(({ op, name, inputs, outputs, attributes }) =>
        create(NodeProtoSchema, {
          opType: op,
          name,
          input: inputs,
          output: outputs,
          attribute: [...attributes].map(([key, value]) => attributeOf(key, value)),
        }),
      ),
      initializer: [...graph.initializers].map(([name, tensor]) => tensorOf(name, tensor)),
      input: graph.inputs.map(valueInfo),
      output: graph.outputs.map(valueInfo),
    }),
  });
  return toBinary(ModelProtoSchema, proto);
}

const tensorOf = (name: string, { dtype, shape, data }: OnnxTensor) =>
  create(TensorProtoSchema, {
    name,
    dims: shape.map(BigInt),
    dataType: numberOf(dtype),
    rawData: encodeElements(data, dtype),
  });

const FLOATS = new Set(['alpha', 'beta', 'epsilon', 'momentum']);

function attributeOf(name: string, value: OnnxAttribute) {
  if (typeof value === 'number')
    return FLOATS.has(name)
      ? create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.FLOAT, f: value })
      : create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) });
  if (typeof value === 'string')
    return create(AttributeProtoSchema, {
      name,
      type: AttributeProto_AttributeType.STRING,
      s: new TextEncoder().encode(value),
    });
  if (Array.isArray(value) && value.every((v) => typeof v === 'number'))
    return create(AttributeProtoSchema, {
      name,
      type: AttributeProto_AttributeType.INTS,
      ints: value.map((v) => BigInt(v)),
    });
  throw new Error(`the attribute ${name} is of a kind that no operator here has`);
}

const valueInfo = ({ name, dtype = 'F32', shape = [] }: OnnxValue) =>
  create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, {
      value: {
        case: 'tensorType',
        value: create(TypeProto_TensorSchema, {
          elemType: numberOf(dtype),
          shape: create(TensorShapeProtoSchema, {
            dim: shape.map((extent) =>
              create(TensorShapeProto_DimensionSchema, {
                value:
                  typeof extent === 'number'
                    ? { case: 'dimValue', value: BigInt(extent) }
                    : { case: 'dimParam', value: extent },
              }),
            ),
          }),
        }),
      },
    }),
  });
