import { expect, test } from 'vitest';
import { compile } from '../../../src/graph/compile';
import { Graph } from '../../../src/graph/graph';
import { NVIDIA_TUNING } from '../../../src/graph/tuning';
import { convOps, convOutputSize } from '../../../src/ops/conv/conv2d';

/** x, channels of y, kernel, stride and padding of a square convolution. */
type Layer = [x: number[], co: number, kernel: number, stride: number, padding: number];

/** The dispatch that makes the gradient of a convolution's input. */
function gradientOf([[n, h, w, ci], co, kernel, stride, padding]: Layer) {
  const attrs = {
    stride: [stride, stride] as [number, number],
    padding: [padding, padding] as [number, number],
    dilation: [1, 1] as [number, number],
    groups: 1,
  };
  const g = new Graph();
  const [oh, ow] = convOutputSize([h, w], [kernel, kernel], attrs);
  const weight = g.tensor('w', [kernel, kernel, ci, co], { role: 'input' });
  const dy = g.tensor('dy', [n, oh, ow, co], { role: 'input' });
  const dx = g.tensor('dx', [n, h, w, ci], { role: 'output' });
  g.add(convOps.backwardInput, 'dx', { dy, w: weight }, { dx }, attrs);
  return compile(g, { tuning: NVIDIA_TUNING }).dispatches[0];
}

/** vec4 multiply-adds that the workgroups of gemm/backward_input do, what is beyond edges counted in, as its header tells. */
function multiplied(constants: Record<string, number>): number {
  const { KH, KW, SH, SW, CO4, BLOCKS, ROWS_PER_BLOCK, CHANNEL_THREADS, VEC4S_PER_THREAD, STAGE_DEPTH } =
    constants;
  const rows = (BLOCKS / (SH * SW)) * ROWS_PER_BLOCK;
  let depths = 0;
  for (let kh = 0; kh < SH; kh++)
    for (let kw = 0; kw < SW; kw++) {
      const taps = Math.ceil((KH - kh) / SH) * Math.ceil((KW - kw) / SW);
      depths += Math.ceil((taps * CO4) / STAGE_DEPTH) * STAGE_DEPTH;
    }
  return rows * depths * 4 * CHANNEL_THREADS * VEC4S_PER_THREAD;
}

test.each<[string, Layer]>([
  ['ResNet-18, layer2.0.conv1', [[32, 56, 56, 64], 128, 3, 2, 1]],
  ['ResNet-18, layer4.0.conv1', [[32, 14, 14, 256], 512, 3, 2, 1]],
  ['ResNet-18, layer3.0.downsample', [[32, 28, 28, 128], 256, 1, 2, 0]],
  ['ResNet-50, layer4.0.conv2', [[32, 14, 14, 512], 512, 3, 2, 1]],
  ['ConvNeXt tiny, features.2.1', [[32, 56, 56, 96], 192, 2, 2, 0]],
  ['a stem of 7 x 7', [[32, 224, 224, 64], 64, 7, 2, 3]],
  ['a stem of patches', [[32, 224, 224, 64], 96, 4, 4, 0]],
  ['stride 3, sizes that it does not divide', [[32, 61, 59, 64], 64, 5, 3, 2]],
])('the gradient behind a stride multiplies little beyond what counts: %s', (_, layer) => {
  const { shader, constants, flops } = gradientOf(layer);
  expect(shader).toBe('gemm/backward_input');
  // a vec4 multiply-add is eight floating-point operations
  const ratio = (8 * multiplied(constants as Record<string, number>)) / flops;
  expect(ratio).toBeGreaterThanOrEqual(1);
  expect(ratio).toBeLessThan(1.05);
});
