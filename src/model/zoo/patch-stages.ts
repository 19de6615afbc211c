import type { Builder, Value } from '../builder';

export const EPS = 1e-6;

/** A stage's block: its name, its place in its stage, and how likely training leaves it out. */
export type Block = (name: string, x: Value, stage: number, drop: number) => Value;

interface Stages {
  /** blocks and channels of each stage */
  depths: readonly number[];
  dims: readonly number[];
  /** of the last block; the first is never left out */
  drop_path_rate: number;
}

/**
 * Four stages behind a stem of patches, with layer norms between, and the classifier: what ConvNeXt's first publication
 * (github.com/facebookresearch/ConvNeXt) has around its blocks, and others built upon, under its names.
 */
export function patchStages(
  net: Builder,
  x: Value,
  { depths, dims, drop_path_rate }: Stages,
  block: Block,
): Value {
  const total = depths.reduce((a, b) => a + b, 0);
  let index = 0;
  const features = net.ordered(['downsample_layers', 'stages'], () => {
    let y = net.conv('downsample_layers.0.0', x, dims[0], 4, { stride: 4, padding: 0, bias: true });
    y = net.layerNorm('downsample_layers.0.1', y, EPS);
    depths.forEach((blocks, stage) => {
      if (stage > 0) {
        const name = `downsample_layers.${stage}`;
        y = net.layerNorm(`${name}.0`, y, EPS);
        y = net.conv(`${name}.1`, y, dims[stage], 2, { stride: 2, padding: 0, bias: true });
      }
      for (let i = 0; i < blocks; i++) {
        const drop = (drop_path_rate * index++) / Math.max(1, total - 1);
        y = block(`stages.${stage}.${i}`, y, stage, drop);
      }
    });
    return y;
  });
  return net.head('head', net.layerNorm('norm', net.globalAvgPool(features), EPS));
}

/** ConvNeXt's two pointwise layers behind a norm, and the layer scale `gamma`, which is declared already. */
export function pointwiseHalf(net: Builder, name: string, x: Value, norm: string, gamma: string): Value {
  const y = net.linear(`${name}.pwconv1`, net.layerNorm(`${name}.${norm}`, x, EPS), 4 * x.channels);
  const scaled = net.linear(`${name}.pwconv2`, net.activation(y, 'gelu'), x.channels);
  return net.scale(scaled, `${name}.${gamma}`);
}
