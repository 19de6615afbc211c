/** A graph of ONNX's operators while it is written. */
import type { OnnxAttribute, OnnxNode, OnnxTensor } from '../../../io/onnx/graph';
import { floats, type StateDict } from '../../../io/tensor';

/** A value of the model in the graph. */
export interface Value {
  name: string;
  shape: [channels: number, height: number, width: number];
  /** it is `[batch, channels]`, of one pixel */
  isRow?: boolean;
}

type Attributes = Record<string, OnnxAttribute>;

/** Nodes and initializers as they are added. A tensor of the state is an initializer under its name there. */
export class GraphWriter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers = new Map<string, OnnxTensor>();
  private readonly names = new Set<string>();

  constructor(private readonly state: StateDict) {}

  /** Adds a node under a name that nothing else has; tells the name of what it makes. */
  node(
    op: string,
    wanted: string,
    inputs: string[],
    attributes: Attributes = {},
    outputs?: string[],
  ): string {
    let name = wanted;
    for (let i = 2; this.names.has(name); i++) name = `${wanted}_${i}`;
    this.names.add(name);
    const made = outputs ?? [`${name}_output`];
    this.nodes.push({
      index: this.nodes.length,
      op,
      domain: '',
      name,
      inputs,
      outputs: made,
      attributes: new Map(Object.entries(attributes)),
    });
    return made[0];
  }

  /** An initializer of the state's tensor of that name, in that shape. */
  tensor(name: string, shape?: readonly number[]): string {
    const { data, shape: own } = this.state.get(name)!;
    this.initializers.set(name, floats(shape ?? own, data as Float32Array<ArrayBuffer>));
    return name;
  }

  numbers(name: string, data: readonly number[], shape: readonly number[] = []): string {
    this.initializers.set(name, floats(shape, data));
    return name;
  }

  integers(name: string, data: readonly number[]): string {
    this.initializers.set(name, {
      dtype: 'I64',
      shape: [data.length],
      data: BigInt64Array.from(data, BigInt),
    });
    return name;
  }

  /** A value of one pixel as `[batch, channels]`. */
  row(x: Value): Value {
    if (x.isRow) return x;
    return { ...x, name: this.node('Flatten', 'flatten', [x.name], { axis: 1 }), isRow: true };
  }

  /** A row as an image of one pixel. */
  image(x: Value): Value {
    if (!x.isRow) return x;
    const shape = this.integers('pixel', [0, -1, 1, 1]);
    return { ...x, name: this.node('Reshape', 'pixel', [x.name, shape]), isRow: false };
  }
}
