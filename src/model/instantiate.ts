import { UserError } from '../errors';
import type { Graph } from '../graph/graph';
import { product, type Role, type Tensor } from '../graph/tensor';
import { activation } from '../ops/activation';
import { adaptiveAvgPool2d } from '../ops/adaptive-pool';
import { add } from '../ops/add';
import {
  concat,
  depthToSpace,
  replaceChannels,
  shuffleChannels,
  sliceChannels,
  subsample,
} from '../ops/channels';
import { conv2d } from '../ops/conv/conv2d';
import { linear } from '../ops/conv/linear';
import { dropout, stochasticDepth } from '../ops/dropout';
import { mul } from '../ops/mul';
import { batchNorm } from '../ops/norm/batch-norm';
import { layerNorm } from '../ops/norm/layer-norm';
import { globalResponseNorm } from '../ops/norm/response-norm';
import { avgPool2d, globalAvgPool, maxPool2d } from '../ops/pool';
import { refocusMap } from '../ops/refocus/dense';
import { refocusFactored } from '../ops/refocus/factored';
import { preconditioned } from '../ops/refocus/precondition';
import { engineShape, vectorLayout } from './layout';
import type { ConvLayer, Layer, LinearLayer, Model, StateEntry } from './model';
import { matrixCount, PRECONDITION, type PreconditionedLayer } from './precondition';
import { geometryOf, REFCONV, type RefConvLayer } from './refconv';
import { planesOf } from './refocus-math';

export interface InstanceOptions {
  /** batch statistics, dropout and stochastic depth on; a batch norm of a constant weight and bias goes on by its running ones */
  training: boolean;
  /** in training: all batch norms by their running statistics, no stochastic depth */
  frozenBackbone?: boolean;
  /** dropout and stochastic depth off in training too (for comparison with a reference) */
  deterministic?: boolean;
}

/** A model in a graph, for one size of images. */
export interface Instance {
  /** `[n, h, w, channels of the head]`, of an image's class `[n, 1, 1, classes]` */
  logits: Tensor;
  /** what goes into the head, `[n, h, w, features]` */
  features: Tensor;
  /** every value, by its id; the images too */
  values: ReadonlyMap<number, Tensor>;
  /** of one image, in convolutions and linear layers */
  multiplyAdds: number;
}

/**
 * Adds a model's layers to a graph that holds images x `[n, h, w, channels]`. Tensors of the state dict get their names
 * there and the roles that the model gives them.
 */
export function instantiate(model: Model, graph: Graph, x: Tensor, options: InstanceOptions): Instance {
  const { channels, sides } = model.input;
  const [, h, w] = x.shape;
  if (sides && (h !== sides[0] || w !== sides[1])) {
    throw new UserError(
      `${model.name} has layers for images of ${sides.join(' x ')} pixels alone, not ${h} x ${w}: leave the image size out, or give that.`,
    );
  }
  if (x.shape[3] !== channels) {
    throw new UserError(`${model.name} takes images of ${channels} channels, not ${x.shape[3]}.`);
  }
  const emitter = new Emitter(model, graph, options);
  const values = new Map([[0, x]]);
  for (const layer of model.layers) {
    const inputs = layer.inputs.map((id) => values.get(id)!);
    values.set(layer.id, emitter.emit(layer, inputs));
  }
  const logits = values.get(model.logits)!;
  const [, rows, columns] = logits.shape;
  if (model.task === 'classification' && (rows !== 1 || columns !== 1))
    throw new UserError(
      `${model.name} answers an image of ${h} x ${w} pixels ${rows} x ${columns} times: it is for images of another size (image size).`,
    );
  return {
    logits,
    features: values.get(model.features)!,
    values,
    multiplyAdds: emitter.multiplyAdds,
  };
}

const elementsOfImage = ({ shape }: Tensor): number => product(shape) / shape[0];

class Emitter {
  multiplyAdds = 0;
  private readonly entries: Map<string, StateEntry>;
  private unnamed = 0;

  constructor(
    { state }: Model,
    private readonly graph: Graph,
    private readonly options: InstanceOptions,
  ) {
    this.entries = new Map(state.map((entry) => [entry.name, entry]));
  }

  emit(layer: Layer, inputs: readonly Tensor[]): Tensor {
    const { graph } = this;
    const [x, y] = inputs;
    switch (layer.kind) {
      case 'conv':
        return this.conv(layer, x);
      case 'linear':
        return this.linear(layer, x);
      case 'batch_norm':
        return this.batchNorm(layer, x);
      case 'layer_norm':
        return layerNorm(graph, layer.name, x, this.weight(layer), this.bias(layer), { eps: layer.eps });
      case 'global_response_norm':
        return globalResponseNorm(graph, layer.name, x, this.weight(layer), this.bias(layer), layer);
      case 'activation':
        return activation(graph, this.nameOf(layer, layer.activation), x, layer.activation);
      case 'max_pool':
        return maxPool2d(graph, this.nameOf(layer), x, layer);
      case 'avg_pool':
        return avgPool2d(graph, this.nameOf(layer), x, layer);
      case 'global_avg_pool':
        return globalAvgPool(graph, this.nameOf(layer), x);
      case 'adaptive_avg_pool':
        return adaptiveAvgPool2d(graph, this.nameOf(layer), x, layer.size);
      case 'upsample': {
        const [, h, w] = x.shape;
        // the average over the pixels that a part of the image covers, which is one
        return adaptiveAvgPool2d(graph, this.nameOf(layer), x, [h * layer.scale, w * layer.scale]);
      }
      case 'add':
        return add(graph, this.nameOf(layer), x, y);
      case 'mul':
        return mul(graph, this.nameOf(layer), x, layer.weight ? this.entry(layer.weight) : y, layer.factor);
      case 'concat':
        return concat(graph, this.nameOf(layer), inputs);
      case 'replace':
        return replaceChannels(graph, this.nameOf(layer), x, y);
      case 'slice':
        return sliceChannels(graph, this.nameOf(layer), x, layer.start, layer.end - layer.start);
      case 'shuffle':
        return shuffleChannels(graph, this.nameOf(layer), x, layer.groups);
      case 'subsample':
        return subsample(graph, this.nameOf(layer), x, layer.stride, layer.channels, layer.before);
      case 'depth_to_space':
      case 'space_to_depth':
        return depthToSpace(graph, this.nameOf(layer), x, layer);
      case 'dropout':
        return this.drops ? dropout(graph, this.nameOf(layer), x, layer.p) : x;
      case 'stochastic_depth':
        return this.drops && !this.options.frozenBackbone
          ? stochasticDepth(graph, this.nameOf(layer), x, layer.p)
          : x;
    }
  }

  private get drops(): boolean {
    return this.options.training && !this.options.deterministic;
  }

  private conv(layer: ConvLayer, x: Tensor): Tensor {
    const { stride, padding, paddingEnd, dilation, groups } = layer;
    const weight = this.kernel(layer);
    const bias = layer.bias ? this.bias(layer) : undefined;
    const y = conv2d(this.graph, layer.name, x, weight, bias, {
      stride,
      padding,
      ...(paddingEnd && { paddingEnd }),
      dilation,
      groups,
    });
    this.multiplyAdds += elementsOfImage(y) * product(layer.shape.slice(1));
    return y;
  }

  private linear(layer: LinearLayer, x: Tensor): Tensor {
    const y = linear(this.graph, layer.name, x, this.weight(layer), this.bias(layer));
    this.multiplyAdds += elementsOfImage(y) * layer.shape[1];
    return y;
  }

  private batchNorm(layer: Extract<Layer, { kind: 'batch_norm' }>, x: Tensor): Tensor {
    const { name, eps, momentum } = layer;
    const parameters = {
      weight: this.weight(layer),
      bias: this.bias(layer),
      runningMean: this.entry(`${name}.running_mean`),
      runningVar: this.entry(`${name}.running_var`),
    };
    const isFrozen = [parameters.weight, parameters.bias].every(({ role }) => role === 'constant');
    return batchNorm(this.graph, name, x, parameters, {
      training: this.options.training && !this.options.frozenBackbone && !isFrozen,
      momentum,
      eps,
      activation: layer.activation,
    });
  }

  /** The refocused weight W_t of a RefConv. */
  private refocused(layer: RefConvLayer): Tensor {
    const { graph } = this;
    const { name, groups, refconv } = layer;
    const basis = this.weight(layer);
    const attributes = { groups, identity: refconv.identity };
    if (refconv.path === 'dense') {
      return refocusMap(graph, `${name} refocus`, basis, this.entry(REFCONV.map(name)), attributes);
    }
    const { mapGroups, taps } = planesOf(geometryOf(layer));
    const like = (what: string, role: Role) =>
      graph.tensor(what, basis.shape, { role, padded: basis.padded });
    const gram = graph.tensor(REFCONV.gram(name), [mapGroups, taps, taps], { role: basis.role });
    const start = refconv.startsNonZero ? like(REFCONV.start(name), basis.role) : undefined;
    const m = like(REFCONV.factor(name), 'parameter');
    const scale =
      graph.find('parameter', REFCONV.scale) ??
      graph.tensor(REFCONV.scale, [1], { role: 'parameter', padded: vectorLayout([1]).padded });
    return refocusFactored(graph, `${name} refocus`, { basis, gram, scale, start, m }, attributes);
  }

  /** The weight that a convolution convolves with. */
  private kernel(layer: ConvLayer): Tensor {
    if (isRefocused(layer)) return this.refocused(layer);
    return isPreconditioned(layer) ? this.preconditioned(layer) : this.weight(layer);
  }

  private preconditioned(layer: PreconditionedLayer): Tensor {
    const { name, shape } = layer;
    const taps = shape[2] * shape[3];
    const of = { role: 'constant' } as const;
    const matrix = this.graph.tensor(PRECONDITION.matrix(name), [matrixCount(layer), taps, taps], of);
    const change = this.entry(PRECONDITION.change(name));
    return preconditioned(this.graph, `${name} kernel`, { base: this.weight(layer), matrix, change });
  }

  private weight = ({ name }: { name: string }): Tensor => this.entry(`${name}.weight`);
  private bias = ({ name }: { name: string }): Tensor => this.entry(`${name}.bias`);

  private entry(name: string): Tensor {
    const entry = this.entries.get(name);
    if (!entry) throw new Error(`the model has no tensor ${name}`);
    const { layout, role } = entry;
    return this.graph.tensor(name, engineShape(layout), { role, padded: layout.padded });
  }

  /** Layers without a name are counted in the order in which they run. */
  private nameOf(layer: Layer, kind: string = layer.kind): string {
    return layer.name ?? `${kind}.${this.unnamed++}`;
  }
}

const isPreconditioned = (layer: ConvLayer): layer is PreconditionedLayer => layer.precondition !== undefined;

const isRefocused = (layer: ConvLayer): layer is RefConvLayer => layer.refconv !== undefined;
