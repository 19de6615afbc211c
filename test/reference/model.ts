import { product } from '../../src/graph/tensor';
import type { StateDict } from '../../src/io/tensor';
import type { ConvLayer, Layer, LayerKind, Model, Pair } from '../../src/model/model';
import { numbersOf } from '../../src/model/state';
import { activation } from './activation';
import type { Values } from './values';

/** A model in evaluation on images `[n, c, h, w]`, plain loops in float64: `[n, classes]`. */
export function evaluateModel(model: Model, state: StateDict, images: Values): Values {
  const values = new Map<number, Values>([[0, images]]);
  const tensor = (name: string): ArrayLike<number> => numbersOf(state.get(name)!);
  for (const layer of model.layers) {
    const inputs = layer.inputs.map((id) => values.get(id)!);
    values.set(layer.id, layerOf(layer, inputs, tensor));
  }
  const { shape, data } = values.get(model.logits)!;
  return { shape: [shape[0], product(shape.slice(1))], data };
}

type Read = (name: string) => ArrayLike<number>;

function layerOf(layer: Layer, inputs: Values[], tensor: Read): Values {
  const [x, y] = inputs;
  const [n, c, h, w] = x.shape;
  const area = h * w;
  /** each number with its channel */
  const mapped = (f: (v: number, channel: number, i: number) => number): Values => ({
    shape: x.shape,
    data: x.data.map((v, i) => f(v, Math.floor(i / area) % c, i)),
  });
  switch (layer.kind) {
    case 'conv':
      return conv(
        layer,
        x,
        tensor(`${layer.name}.weight`),
        layer.bias ? tensor(`${layer.name}.bias`) : undefined,
      );
    case 'linear': {
      const [o, i] = layer.shape;
      const [rows, columns] = layer.pixels ?? [1, 1];
      const as = {
        shape: [o, i / rows / columns, rows, columns] as ConvLayer['shape'],
        stride: ONE,
        padding: ZERO,
        dilation: ONE,
        groups: 1,
      };
      return conv(as, x, tensor(`${layer.name}.weight`), tensor(`${layer.name}.bias`));
    }
    case 'batch_norm': {
      const [weight, bias, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((leaf) =>
        tensor(`${layer.name}.${leaf}`),
      );
      const out = mapped(
        (v, k) => ((v - mean[k]) / Math.sqrt(variance[k] + layer.eps)) * weight[k] + bias[k],
      );
      return activation(layer.activation, out);
    }
    case 'layer_norm': {
      const [weight, bias] = ['weight', 'bias'].map((leaf) => tensor(`${layer.name}.${leaf}`));
      const out = { shape: x.shape, data: new Float64Array(x.data.length) };
      for (let b = 0; b < n; b++)
        for (let p = 0; p < area; p++) {
          const at = (k: number) => (b * c + k) * area + p;
          let [sum, squares] = [0, 0];
          for (let k = 0; k < c; k++) sum += x.data[at(k)];
          for (let k = 0; k < c; k++) squares += (x.data[at(k)] - sum / c) ** 2;
          const scale = 1 / Math.sqrt(squares / c + layer.eps);
          for (let k = 0; k < c; k++)
            out.data[at(k)] = (x.data[at(k)] - sum / c) * scale * weight[k] + bias[k];
        }
      return out;
    }
    case 'activation':
      return activation(layer.activation, x);
    case 'max_pool':
    case 'avg_pool':
      return pool(layer, x);
    case 'global_avg_pool': {
      const data = new Float64Array(n * c);
      x.data.forEach((v, i) => {
        data[Math.floor(i / area)] += v / area;
      });
      return { shape: [n, c, 1, 1], data };
    }
    case 'add':
      return mapped((v, _, i) => v + y.data[i]);
    case 'mul': {
      if (layer.weight) {
        const weight = tensor(layer.weight);
        return mapped((v, k) => v * weight[k]);
      }
      const factor = layer.factor ?? 1;
      return y.data.length === x.data.length
        ? mapped((v, _, i) => factor * v * y.data[i])
        : mapped((v, _, i) => factor * v * y.data[Math.floor(i / area)]);
    }
    case 'concat':
      return gather(
        inputs[0],
        inputs.reduce((sum, v) => sum + v.shape[1], 0),
        1,
        (b, k, p) => {
          let channel = k;
          for (const v of inputs) {
            if (channel < v.shape[1]) return v.data[(b * v.shape[1] + channel) * area + p];
            channel -= v.shape[1];
          }
          return 0;
        },
      );
    case 'replace':
      return gather(x, c, 1, (b, k, p) => {
        const from = y.shape[1];
        return k < from ? y.data[(b * from + k) * area + p] : x.data[(b * c + k) * area + p];
      });
    case 'global_response_norm': {
      const [weight, bias] = ['weight', 'bias'].map((leaf) => tensor(`${layer.name}.${leaf}`));
      const norms = new Float64Array(n * c);
      x.data.forEach((v, i) => {
        norms[Math.floor(i / area)] += v * v;
      });
      const lengths = norms.map(Math.sqrt);
      const meanOf = (b: number) => lengths.slice(b * c, (b + 1) * c).reduce((s, v) => s + v) / c;
      const means = Array.from({ length: n }, (_, b) => meanOf(b));
      return mapped((v, k, i) => {
        const plane = Math.floor(i / area);
        return v + weight[k] * v * (lengths[plane] / (means[Math.floor(plane / c)] + layer.eps)) + bias[k];
      });
    }
    case 'upsample': {
      const { scale } = layer;
      const shape = [n, c, h * scale, w * scale];
      const data = Float64Array.from({ length: n * c * h * w * scale ** 2 }, (_, i) => {
        const [row, column] = [Math.floor(i / (w * scale)) % (h * scale), i % (w * scale)];
        const plane = Math.floor(i / (h * w * scale ** 2));
        return x.data[(plane * h + Math.floor(row / scale)) * w + Math.floor(column / scale)];
      });
      return { shape, data };
    }
    case 'adaptive_avg_pool': {
      const [rows, columns] = layer.size;
      const shape = [n, c, rows, columns];
      const data = Float64Array.from({ length: n * c * rows * columns }, (_, i) => {
        const [row, column, plane] = [
          Math.floor(i / columns) % rows,
          i % columns,
          Math.floor(i / columns / rows),
        ];
        const [top, bottom] = [Math.floor((row * h) / rows), Math.ceil(((row + 1) * h) / rows)];
        const [left, right] = [Math.floor((column * w) / columns), Math.ceil(((column + 1) * w) / columns)];
        let sum = 0;
        for (let a = top; a < bottom; a++)
          for (let b = left; b < right; b++) sum += x.data[(plane * h + a) * w + b];
        return sum / (bottom - top) / (right - left);
      });
      return { shape, data };
    }
    case 'slice':
      return gather(x, layer.end - layer.start, 1, (b, k, p) => x.data[(b * c + k + layer.start) * area + p]);
    case 'shuffle':
      return gather(x, c, 1, (b, k, p) => {
        const [group, step] = [k % layer.groups, Math.floor(k / layer.groups)];
        return x.data[(b * c + group * (c / layer.groups) + step) * area + p];
      });
    case 'depth_to_space': {
      const { block } = layer;
      return blocks(x, [n, c / block ** 2, h * block, w * block], (b, k, y, z) => [
        b,
        channelOf(layer, c / block ** 2, k, y % block, z % block),
        Math.floor(y / block),
        Math.floor(z / block),
      ]);
    }
    case 'space_to_depth': {
      const { block } = layer;
      const places = new Map<number, number[]>();
      for (let k = 0; k < c; k++)
        for (let dy = 0; dy < block; dy++)
          for (let dx = 0; dx < block; dx++) places.set(channelOf(layer, c, k, dy, dx), [k, dy, dx]);
      return blocks(x, [n, c * block ** 2, h / block, w / block], (b, channel, y, z) => {
        const [k, dy, dx] = places.get(channel)!;
        return [b, k, y * block + dy, z * block + dx];
      });
    }
    case 'subsample': {
      const wide = Math.ceil(w / layer.stride);
      return gather(x, layer.channels, layer.stride, (b, k, p) => {
        const from = k - layer.before;
        if (from < 0 || from >= c) return 0;
        const [row, column] = [Math.floor(p / wide) * layer.stride, (p % wide) * layer.stride];
        return x.data[((b * c + from) * h + row) * w + column];
      });
    }
    default:
      return x;
  }
}

type Blocks = Extract<LayerKind, { kind: 'depth_to_space' | 'space_to_depth' }>;

/** The place of a channel and of a pixel in a block among the channels that they become. */
function channelOf({ block, order }: Blocks, channels: number, c: number, dy: number, dx: number): number {
  const digits = { c: [c, channels], h: [dy, block], w: [dx, block] };
  return [...order].reduce((sum, letter) => {
    const [digit, base] = digits[letter as keyof typeof digits];
    return sum * base + digit;
  }, 0);
}

function blocks(
  { shape: [, c, h, w], data }: Values,
  shape: number[],
  source: (b: number, k: number, y: number, x: number) => number[],
): Values {
  const [, channels, rows, columns] = shape;
  const read = (i: number) => {
    const pixel = Math.floor(i / columns);
    const plane = Math.floor(pixel / rows);
    const [b, k, y, x] = source(Math.floor(plane / channels), plane % channels, pixel % rows, i % columns);
    return data[((b * c + k) * h + y) * w + x];
  };
  return { shape, data: Float64Array.from({ length: product(shape) }, (_, i) => read(i)) };
}

const ONE: Pair = [1, 1];
const ZERO: Pair = [0, 0];

function gather(
  { shape: [n, , h, w] }: Values,
  channels: number,
  stride: number,
  read: (b: number, channel: number, pixel: number) => number,
): Values {
  const shape = [n, channels, Math.ceil(h / stride), Math.ceil(w / stride)];
  const area = shape[2] * shape[3];
  const data = new Float64Array(product(shape));
  for (let i = 0; i < data.length; i++)
    data[i] = read(Math.floor(i / area / channels), Math.floor(i / area) % channels, i % area);
  return { shape, data };
}

type Geometry = Pick<ConvLayer, 'shape' | 'stride' | 'padding' | 'paddingEnd' | 'dilation' | 'groups'>;

function conv(
  { shape: [out, within, kh, kw], stride, padding, paddingEnd = padding, dilation, groups }: Geometry,
  x: Values,
  weight: ArrayLike<number>,
  bias?: ArrayLike<number>,
): Values {
  const [n, c, h, w] = x.shape;
  const size = (side: number, k: number, i: 0 | 1) =>
    Math.floor((side + padding[i] + paddingEnd[i] - dilation[i] * (k - 1) - 1) / stride[i]) + 1;
  const [oh, ow] = [size(h, kh, 0), size(w, kw, 1)];
  const data = new Float64Array(n * out * oh * ow);
  for (let b = 0; b < n; b++)
    for (let o = 0; o < out; o++) {
      const first = Math.floor(o / (out / groups)) * within;
      const y = data.subarray((b * out + o) * oh * ow, (b * out + o + 1) * oh * ow);
      if (bias) y.fill(bias[o]);
      for (let i = 0; i < within; i++) {
        const from = (b * c + first + i) * h * w;
        for (let u = 0; u < kh; u++)
          for (let v = 0; v < kw; v++) {
            const factor = weight[((o * within + i) * kh + u) * kw + v];
            for (let row = 0; row < oh; row++) {
              const inRow = row * stride[0] + u * dilation[0] - padding[0];
              if (inRow < 0 || inRow >= h) continue;
              for (let column = 0; column < ow; column++) {
                const inColumn = column * stride[1] + v * dilation[1] - padding[1];
                if (inColumn < 0 || inColumn >= w) continue;
                y[row * ow + column] += factor * x.data[from + inRow * w + inColumn];
              }
            }
          }
      }
    }
  return { shape: [n, out, oh, ow], data };
}

function pool(layer: Extract<Layer, { kind: 'max_pool' | 'avg_pool' }>, x: Values): Values {
  const [n, c, h, w] = x.shape;
  const { kernel, stride, padding, paddingEnd = padding, ceilMode } = layer;
  const size = (side: number, i: 0 | 1) => {
    const steps = (side + padding[i] + paddingEnd[i] - kernel[i]) / stride[i];
    if (!ceilMode) return Math.floor(steps) + 1;
    const out = Math.ceil(steps) + 1;
    return (out - 1) * stride[i] >= side + padding[i] ? out - 1 : out;
  };
  const shape = [n, c, size(h, 0), size(w, 1)];
  const data = new Float64Array(product(shape));
  for (let i = 0; i < data.length; i++) {
    const plane = Math.floor(i / (shape[2] * shape[3]));
    const [row, column] = [Math.floor(i / shape[3]) % shape[2], i % shape[3]];
    let [sum, largest, inside, padded] = [0, Number.NEGATIVE_INFINITY, 0, 0];
    for (let u = 0; u < kernel[0]; u++)
      for (let v = 0; v < kernel[1]; v++) {
        const [a, b] = [row * stride[0] + u - padding[0], column * stride[1] + v - padding[1]];
        if (a < h + paddingEnd[0] && b < w + paddingEnd[1]) padded++;
        if (a < 0 || b < 0 || a >= h || b >= w) continue;
        const value = x.data[(plane * h + a) * w + b];
        inside++;
        sum += value;
        largest = Math.max(largest, value);
      }
    const count = layer.kind === 'avg_pool' && layer.countIncludePad ? padded : inside;
    data[i] = layer.kind === 'max_pool' ? largest : sum / count;
  }
  return { shape, data };
}
