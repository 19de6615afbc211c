import { UserError } from '../../errors';
import { Graph } from '../../graph/graph';
import type { Tensor } from '../../graph/tensor';
import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor } from '../../io/onnx/graph';
import { floats, type StateDict } from '../../io/tensor';
import type { Activation } from '../../ops/activation';
import { foldNorms } from '../fold-norms';
import { instantiate } from '../instantiate';
import type { ConvLayer, Layer, LinearLayer, Model, ModelInput } from '../model';

export interface ExportOptions {
  /** side of the images, pixels */
  size: number;
  /** the graph takes bytes as numbers from 0 to 255 and normalises them itself */
  preprocessing: boolean;
  /** probabilities instead of logits */
  softmax: boolean;
  /** batch norms folded into the convolutions before them */
  fold: boolean;
}

const OPSET = 17;
/** The extent that each run may choose. */
const BATCH = 'batch';

/** A plain model as a graph of ONNX's operators: `input` `[batch, c, h, w]` to `logits` `[batch, classes]`, or `probabilities`. */
export function exportOnnx(model: Model, state: StateDict, options: ExportOptions): OnnxGraph {
  const plain = options.fold ? foldNorms(model, state) : { model, state };
  return new Exporter(plain.model, plain.state, options).graph();
}

/** A value of the model in the graph. */
interface Value {
  name: string;
  shape: [channels: number, height: number, width: number];
  /** it is `[batch, channels]`, of one pixel */
  isRow?: boolean;
}

type Attributes = Record<string, OnnxAttribute>;

class Exporter {
  private readonly nodes: OnnxNode[] = [];
  private readonly initializers = new Map<string, OnnxTensor>();
  private readonly names = new Set<string>();
  /** each value, `[n, h, w, c]` */
  private readonly values: ReadonlyMap<number, Tensor>;

  constructor(
    private readonly model: Model,
    private readonly state: StateDict,
    private readonly options: ExportOptions,
  ) {
    const graph = new Graph();
    const { size } = options;
    const x = graph.tensor('x', [1, size, size, model.input.channels], { role: 'input' });
    this.values = instantiate(model, graph, x, { training: false }).values;
  }

  private shapeOf({ id }: Layer): Value['shape'] {
    const [, h, w, c] = this.values.get(id)!.shape;
    return [c, h, w];
  }

  graph(): OnnxGraph {
    const { model, options } = this;
    const { channels } = model.input;
    const image = { name: 'input', shape: [channels, options.size, options.size] as Value['shape'] };
    const values = new Map([[0, options.preprocessing ? this.normalise(image, model.input) : image]]);
    for (const layer of model.layers) {
      const inputs = layer.inputs.map((id) => values.get(id)!);
      values.set(layer.id, this.layer(layer, inputs));
    }
    const output = this.finish(values.get(model.logits)!);
    return {
      file: model.name,
      opset: OPSET,
      producer: 'refocus',
      nodes: this.nodes,
      initializers: this.initializers,
      inputs: [{ name: image.name, dtype: 'F32', shape: [BATCH, ...image.shape] }],
      outputs: [{ name: output, dtype: 'F32', shape: [BATCH, model.head.classes] }],
    };
  }

  /** Adds a node under a name that nothing else has; tells the name of what it makes. */
  private node(
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
  private tensor(name: string, shape?: readonly number[]): string {
    const { data, shape: own } = this.state.get(name)!;
    this.initializers.set(name, floats(shape ?? own, data as Float32Array<ArrayBuffer>));
    return name;
  }

  private numbers(name: string, data: readonly number[], shape: readonly number[] = []): string {
    this.initializers.set(name, floats(shape, data));
    return name;
  }

  private integers(name: string, data: readonly number[]): string {
    this.initializers.set(name, {
      dtype: 'I64',
      shape: [data.length],
      data: BigInt64Array.from(data, BigInt),
    });
    return name;
  }

  private normalise(image: Value, { mean, std }: ModelInput): Value {
    const shape = [1, mean.length, 1, 1];
    const bytes = (values: readonly number[]) => values.map((v) => v * 255);
    const centred = this.node('Sub', 'centre', [image.name, this.numbers('mean', bytes(mean), shape)]);
    const name = this.node('Div', 'normalise', [centred, this.numbers('std', bytes(std), shape)]);
    return { ...image, name };
  }

  /** The logits as rows, under their name. */
  private finish(logits: Value): string {
    const name = this.options.softmax ? 'probabilities' : 'logits';
    const row = this.row(logits).name;
    if (this.options.softmax) return this.node('Softmax', 'softmax', [row], { axis: 1 }, [name]);
    this.nodes.at(-1)!.outputs[0] = name;
    return name;
  }

  /** A value of one pixel as `[batch, channels]`. */
  private row(x: Value): Value {
    if (x.isRow) return x;
    return { ...x, name: this.node('Flatten', 'flatten', [x.name], { axis: 1 }), isRow: true };
  }

  private image(x: Value): Value {
    if (!x.isRow) return x;
    const shape = this.integers('pixel', [0, -1, 1, 1]);
    return { ...x, name: this.node('Reshape', 'pixel', [x.name, shape]), isRow: false };
  }

  private layer(layer: Layer, given: Value[]): Value {
    // what works on each number, or on the channels of a pixel, takes rows as they are
    const takesRows = ['linear', 'activation', 'layer_norm', 'dropout'].includes(layer.kind);
    const inputs = takesRows ? given : given.map((value) => this.image(value));
    const [x, y] = inputs;
    const [c, h, w] = x.shape;
    const name = layer.name ?? `${layer.kind}_${layer.id}`;
    const like = (made: string, shape: Partial<Record<0 | 1 | 2, number>> = {}): Value => ({
      ...x,
      name: made,
      shape: [shape[0] ?? c, shape[1] ?? h, shape[2] ?? w],
    });
    switch (layer.kind) {
      case 'conv':
        return this.conv(layer, x);
      case 'linear':
        return this.linear(layer, x);
      case 'batch_norm': {
        const leaves = ['weight', 'bias', 'running_mean', 'running_var'];
        const parameters = leaves.map((leaf) => this.tensor(`${name}.${leaf}`));
        const attributes = { epsilon: layer.eps, momentum: 1 - layer.momentum };
        const made = this.node('BatchNormalization', name, [x.name, ...parameters], attributes);
        return like(this.activation(layer.activation, `${name}.act`, made));
      }
      case 'layer_norm': {
        const parameters = ['weight', 'bias'].map((leaf) => this.tensor(`${name}.${leaf}`));
        const attributes = { axis: -1, epsilon: layer.eps };
        if (h === 1 && w === 1) {
          const row = this.row(x);
          return {
            ...row,
            name: this.node('LayerNormalization', name, [row.name, ...parameters], attributes),
          };
        }
        const last = this.node('Transpose', `${name}.channels_last`, [x.name], { perm: [0, 2, 3, 1] });
        const made = this.node('LayerNormalization', name, [last, ...parameters], attributes);
        return like(this.node('Transpose', `${name}.channels_first`, [made], { perm: [0, 3, 1, 2] }));
      }
      case 'activation':
        return like(this.activation(layer.activation, name, x.name));
      case 'max_pool':
      case 'avg_pool':
        return this.pool(layer, name, x);
      case 'global_avg_pool':
        return like(this.node('GlobalAveragePool', name, [x.name]), { 1: 1, 2: 1 });
      case 'add':
        return like(this.node('Add', name, [x.name, y.name]));
      case 'mul': {
        const by = layer.weight ? this.tensor(layer.weight, [c, 1, 1]) : y.name;
        const made = this.node('Mul', name, [x.name, by]);
        if (layer.factor === undefined) return like(made);
        const factor = this.numbers(`${name}.factor`, [layer.factor]);
        return like(this.node('Mul', `${name}.scaled`, [made, factor]));
      }
      case 'replace': {
        const bounds = [y.shape[0], c, 1].map((at, i) =>
          this.integers(`${name}.${['start', 'end', 'axis'][i]}`, [at]),
        );
        const rest = this.node('Slice', `${name}.rest`, [x.name, ...bounds]);
        return like(this.node('Concat', name, [y.name, rest], { axis: 1 }));
      }
      case 'adaptive_avg_pool':
        return this.adaptivePool(layer, name, x);
      case 'global_response_norm': {
        const [weight, bias] = ['weight', 'bias'].map((leaf) => this.tensor(`${name}.${leaf}`, [c, 1, 1]));
        const norm = this.node('ReduceL2', `${name}.norm`, [x.name], { axes: [2, 3], keepdims: 1 });
        const mean = this.node('ReduceMean', `${name}.mean`, [norm], { axes: [1], keepdims: 1 });
        const eps = this.numbers(`${name}.eps`, [layer.eps]);
        const ratio = this.node('Div', `${name}.ratio`, [
          norm,
          this.node('Add', `${name}.divisor`, [mean, eps]),
        ]);
        const scaled = this.node('Mul', `${name}.scaled`, [x.name, ratio]);
        const weighted = this.node('Mul', `${name}.weighted`, [scaled, weight]);
        const shifted = this.node('Add', `${name}.shifted`, [weighted, bias]);
        return like(this.node('Add', name, [x.name, shifted]));
      }
      case 'concat': {
        const channels = inputs.reduce((sum, { shape }) => sum + shape[0], 0);
        const parts = inputs.map((input) => input.name);
        return like(this.node('Concat', name, parts, { axis: 1 }), { 0: channels });
      }
      case 'slice': {
        const bounds = [layer.start, layer.end, 1].map((at, i) =>
          this.integers(`${name}.${['start', 'end', 'axis'][i]}`, [at]),
        );
        return like(this.node('Slice', name, [x.name, ...bounds]), { 0: layer.end - layer.start });
      }
      case 'shuffle': {
        const { groups } = layer;
        const apart = this.integers(`${name}.groups`, [0, groups, c / groups, h, w]);
        const together = this.integers(`${name}.channels`, [0, c, h, w]);
        const grouped = this.node('Reshape', `${name}.apart`, [x.name, apart]);
        const crossed = this.node('Transpose', `${name}.crossed`, [grouped], { perm: [0, 2, 1, 3, 4] });
        return like(this.node('Reshape', name, [crossed, together]));
      }
      case 'subsample':
        return this.subsample(layer, name, x);
      case 'dropout':
      case 'stochastic_depth':
        return x;
    }
  }

  private conv(layer: ConvLayer & Layer, x: Value): Value {
    const { name, shape, stride, padding, paddingEnd = padding, dilation, groups, bias } = layer;
    const parameters = [this.tensor(`${name}.weight`), ...(bias ? [this.tensor(`${name}.bias`)] : [])];
    const kernel = shape.slice(2);
    const made = this.node('Conv', name, [x.name, ...parameters], {
      dilations: dilation,
      group: groups,
      kernel_shape: kernel,
      pads: [...padding, ...paddingEnd],
      strides: stride,
    });
    return { name: made, shape: this.shapeOf(layer) };
  }

  /** To so many rows and columns, which ONNX has for sizes alone that they divide. */
  private adaptivePool(layer: Extract<Layer, { kind: 'adaptive_avg_pool' }>, name: string, x: Value): Value {
    const [c, h, w] = x.shape;
    const [rows, columns] = layer.size;
    if (h === rows && w === columns) return x;
    if (h % rows !== 0 || w % columns !== 0)
      throw new UserError(
        `${this.model.name} pools ${h} x ${w} to ${rows} x ${columns}, which an ONNX file cannot say: choose a size that is a multiple (--size).`,
      );
    const kernel = [h / rows, w / columns];
    const made = this.node('AveragePool', name, [x.name], { kernel_shape: kernel, strides: kernel });
    return { name: made, shape: [c, rows, columns] };
  }

  /** Of single pixels and of flattened images as PyTorch's Linear, of each pixel of an image as a convolution of 1 x 1. */
  private linear({ name, shape, pixels }: LinearLayer, x: Value): Value {
    const [out, c] = shape;
    const size: Value['shape'] = pixels ? [out, 1, 1] : [out, x.shape[1], x.shape[2]];
    const bias = this.tensor(`${name}.bias`);
    if (pixels || (x.shape[1] === 1 && x.shape[2] === 1)) {
      const inputs = [this.row(x).name, this.tensor(`${name}.weight`), bias];
      return { name: this.node('Gemm', name, inputs, { transB: 1 }), shape: size, isRow: true };
    }
    const inputs = [x.name, this.tensor(`${name}.weight`, [out, c, 1, 1]), bias];
    return { name: this.node('Conv', name, inputs, { kernel_shape: [1, 1] }), shape: size };
  }

  private activation(kind: Activation, name: string, x: string): string {
    const constant = (value: number) => this.numbers(String(value), [value]);
    switch (kind) {
      case 'none':
        return x;
      case 'relu':
        return this.node('Relu', name, [x]);
      case 'relu6':
        return this.node('Clip', name, [x, constant(0), constant(6)]);
      case 'hardswish':
        return this.node('HardSwish', name, [x]);
      case 'hardsigmoid':
        return this.node('HardSigmoid', name, [x], { alpha: 1 / 6, beta: 0.5 });
      case 'silu':
        return this.node('Mul', name, [x, this.node('Sigmoid', `${name}.sigmoid`, [x])]);
      case 'sigmoid':
        return this.node('Sigmoid', name, [x]);
      case 'gelu': {
        const scaled = this.node('Div', `${name}.scaled`, [x, constant(Math.SQRT2)]);
        const erf = this.node('Erf', `${name}.erf`, [scaled]);
        const gate = this.node('Add', `${name}.gate`, [erf, constant(1)]);
        const doubled = this.node('Mul', `${name}.doubled`, [x, gate]);
        return this.node('Mul', name, [doubled, constant(0.5)]);
      }
      case 'gelu_tanh': {
        const cube = this.node('Pow', `${name}.cube`, [x, constant(3)]);
        const part = this.node('Mul', `${name}.part`, [cube, constant(0.044715)]);
        const sum = this.node('Add', `${name}.sum`, [x, part]);
        const inner = this.node('Mul', `${name}.inner`, [sum, constant(Math.sqrt(2 / Math.PI))]);
        const gate = this.node('Add', `${name}.gate`, [
          this.node('Tanh', `${name}.tanh`, [inner]),
          constant(1),
        ]);
        const doubled = this.node('Mul', `${name}.doubled`, [x, gate]);
        return this.node('Mul', name, [doubled, constant(0.5)]);
      }
      case 'elu':
        return this.node('Elu', name, [x]);
      case 'tanh':
        return this.node('Tanh', name, [x]);
      case 'softplus':
        return this.node('Softplus', name, [x]);
      case 'mish': {
        const gate = this.node('Tanh', `${name}.tanh`, [this.node('Softplus', `${name}.softplus`, [x])]);
        return this.node('Mul', name, [x, gate]);
      }
      case 'negative':
        return this.node('Min', name, [x, constant(0)]);
    }
  }

  private pool(layer: Extract<Layer, { kind: 'max_pool' | 'avg_pool' }>, name: string, x: Value): Value {
    const { kernel, stride, padding, paddingEnd = padding, ceilMode } = layer;
    const attributes = {
      kernel_shape: kernel,
      strides: stride,
      pads: [...padding, ...paddingEnd],
      ceil_mode: Number(ceilMode),
    };
    const made =
      layer.kind === 'max_pool'
        ? this.node('MaxPool', name, [x.name], attributes)
        : this.node('AveragePool', name, [x.name], {
            ...attributes,
            count_include_pad: Number(layer.countIncludePad),
          });
    return { name: made, shape: this.shapeOf(layer) };
  }

  private subsample(layer: Extract<Layer, { kind: 'subsample' }>, name: string, x: Value): Value {
    const { stride, channels, before } = layer;
    const [c] = x.shape;
    const end = 2 ** 31 - 1;
    const slices = [
      this.integers(`${name}.starts`, [0, 0]),
      this.integers(`${name}.ends`, [end, end]),
      this.integers(`${name}.axes`, [2, 3]),
      this.integers(`${name}.steps`, [stride, stride]),
    ];
    const taken = this.node('Slice', `${name}.slice`, [x.name, ...slices]);
    const pads = this.integers(`${name}.pads`, [0, before, 0, 0, 0, channels - c - before, 0, 0]);
    const made = this.node('Pad', name, [taken, pads]);
    return { name: made, shape: this.shapeOf(layer) };
  }
}
