/** An ONNX model as plain data, and nothing that a library of protocol buffers has a say in. Types only. */
import type { NamedBlob } from '../blob';
import type { Dtype, StateTensor } from '../tensor';

/** A tensor of a file: an initializer, or an attribute's. */
export type OnnxTensor = StateTensor;

export type OnnxAttribute = number | string | number[] | string[] | OnnxTensor;

export interface OnnxNode {
  /** its place in the file's list of nodes */
  index: number;
  op: string;
  /** '' for ONNX's own operators */
  domain: string;
  /** may be empty */
  name: string;
  /** names of values; '' for one that is left out */
  inputs: string[];
  outputs: string[];
  attributes: Map<string, OnnxAttribute>;
}

/** An input or output of the graph. */
export interface OnnxValue {
  name: string;
  /** undefined where it is no tensor, or of a type that is not read here */
  dtype?: Dtype;
  /** a number, or the name of an extent that each run may choose ('' for one without a name); undefined: not told */
  shape?: (number | string)[];
}

export interface OnnxGraph {
  /** the file's name, for messages */
  file: string;
  /** version of ONNX's own operators */
  opset: number;
  /** what wrote the file, with its version */
  producer: string;
  nodes: OnnxNode[];
  initializers: Map<string, OnnxTensor>;
  /** without the initializers, which older files list among them */
  inputs: OnnxValue[];
  outputs: OnnxValue[];
}

/** A graph and the files that it was read from: what comes out of it is written over these. */
export interface OnnxSource {
  graph: OnnxGraph;
  model: NamedBlob;
}
