/** Linear steps over images of float64: chains of them, sums of chains, and the one convolution that such a sum is. */

/** A convolution's kernel in PyTorch's order, OIHW. */
export interface Kernel {
  shape: readonly [o: number, i: number, kh: number, kw: number];
  data: Float64Array;
}

/** A step of a branch: a convolution without bias, the mean of so many pixels squared, or a batch norm by its running statistics. */
export type Step = { kernel: Kernel } | { average: number } | { scale: Float64Array; shift: Float64Array };

export interface Block {
  /** what stands before its modules' names, with its dot */
  name: string;
  /** the deployed convolution's name behind that */
  deployed: string;
  /** groups of all of its convolutions; where nothing tells, each plane is a group of its own, or all are one */
  groups: number;
  /** each from the image, padded with as many zeros as its largest kernel takes away, through steps without padding */
  branches: Step[][];
  /** the tensors that it was, counters too */
  tensors: string[];
}

/** One convolution with bias that is the sum of the branches. */
export function foldBlock({ branches, groups }: Block): { kernel: Kernel; bias: Float64Array } {
  const folded = branches.map((steps) => foldSteps(steps, groups));
  const [o, i] = folded[0].kernel.shape;
  const [kh, kw] = [2, 3].map((d) => Math.max(...folded.map(({ kernel }) => kernel.shape[d])));
  const data = new Float64Array(o * i * kh * kw);
  const bias = new Float64Array(o);
  for (const { kernel, bias: b } of folded) {
    const [, , h, w] = kernel.shape;
    const [top, left] = [(kh - h) >> 1, (kw - w) >> 1];
    kernel.data.forEach((v, at) => {
      const [plane, row, column] = [Math.floor(at / (h * w)), Math.floor(at / w) % h, at % w];
      data[(plane * kh + top + row) * kw + left + column] += v;
    });
    b.forEach((v, at) => {
      bias[at] += v;
    });
  }
  return { kernel: { shape: [o, i, kh, kw], data }, bias };
}

/** The convolution that a chain of steps is: only its last kernel may be larger than 1 x 1. */
function foldSteps(steps: readonly Step[], groups: number): { kernel: Kernel; bias: Float64Array } {
  const [first, ...rest] = steps;
  if (!('kernel' in first)) throw new Error('a branch begins with a convolution');
  let kernel: Kernel = { shape: first.kernel.shape, data: Float64Array.from(first.kernel.data) };
  let bias = new Float64Array(kernel.shape[0]);
  for (const step of rest) {
    if ('kernel' in step) [kernel, bias] = convolved(step.kernel, kernel, bias, groups);
    else if ('average' in step) kernel = averagedOver(step.average, kernel);
    else {
      const plane = kernel.data.length / kernel.shape[0];
      kernel.data.forEach((v, at) => {
        kernel.data[at] = v * step.scale[Math.floor(at / plane)];
      });
      bias = bias.map((b, o) => b * step.scale[o] + step.shift[o]);
    }
  }
  return { kernel, bias };
}

/** The mean of so many pixels squared of what a 1 x 1 kernel gives. */
function averagedOver(side: number, { shape: [o, i], data }: Kernel): Kernel {
  const taps = side * side;
  const spread = Float64Array.from({ length: o * i * taps }, (_, at) => data[Math.floor(at / taps)] / taps);
  return { shape: [o, i, side, side], data: spread };
}

/** A kernel over the result of a 1 x 1 kernel with bias. */
function convolved(
  second: Kernel,
  first: Kernel,
  bias: Float64Array,
  groups: number,
): [Kernel, Float64Array<ArrayBuffer>] {
  const [o, middle, kh, kw] = second.shape;
  const [, i, ...size] = first.shape;
  if (Math.max(...size) > 1)
    throw new Error('a kernel over another than one of 1 x 1 is no kernel of its size');
  const taps = kh * kw;
  const data = new Float64Array(o * i * taps);
  const shift = new Float64Array(o);
  for (let out = 0; out < o; out++) {
    const group = Math.floor((out * groups) / o);
    for (let m = 0; m < middle; m++) {
      const channel = group * middle + m;
      for (let t = 0; t < taps; t++) {
        const w = second.data[(out * middle + m) * taps + t];
        shift[out] += w * bias[channel];
        for (let c = 0; c < i; c++) data[(out * i + c) * taps + t] += w * first.data[channel * i + c];
      }
    }
  }
  return [{ shape: [o, i, kh, kw], data }, shift];
}

/** An image in float64, channels first. */
export interface Plane {
  channels: number;
  height: number;
  width: number;
  data: Float64Array;
}

/** What a chain of steps makes of an image, step by step. */
export function runSteps(steps: readonly Step[], image: Plane, groups: number): Plane {
  const sizes = steps.map((step): readonly number[] =>
    'kernel' in step ? step.kernel.shape.slice(2) : 'average' in step ? [step.average, step.average] : [1, 1],
  );
  const [down, across] = [0, 1].map((d) => Math.max(...sizes.map((size) => size[d])) >> 1);
  let x = pad(image, down, across);
  for (const step of steps) {
    if ('kernel' in step) x = convolve(x, step.kernel, groups);
    else if ('average' in step) x = convolve(x, meanKernel(x.channels, step.average), x.channels);
    else x = normalise(x, step);
  }
  return x;
}

/** Each channel's mean of so many pixels squared. */
const meanKernel = (channels: number, side: number): Kernel => ({
  shape: [channels, 1, side, side],
  data: new Float64Array(channels * side * side).fill(1 / side ** 2),
});

function pad({ channels, height, width, data }: Plane, down: number, across: number): Plane {
  const [h, w] = [height + 2 * down, width + 2 * across];
  const out = new Float64Array(channels * h * w);
  data.forEach((v, at) => {
    const [c, row, column] = [Math.floor(at / (height * width)), Math.floor(at / width) % height, at % width];
    out[(c * h + row + down) * w + column + across] = v;
  });
  return { channels, height: h, width: w, data: out };
}

function normalise(x: Plane, { scale, shift }: Extract<Step, { scale: Float64Array }>): Plane {
  const plane = x.height * x.width;
  return {
    ...x,
    data: x.data.map((v, at) => v * scale[Math.floor(at / plane)] + shift[Math.floor(at / plane)]),
  };
}

function convolve(x: Plane, { shape: [o, i, kh, kw], data }: Kernel, groups: number): Plane {
  const [height, width] = [x.height - kh + 1, x.width - kw + 1];
  const out = new Float64Array(o * height * width);
  for (let c = 0; c < o; c++) {
    const group = Math.floor((c * groups) / o);
    for (let k = 0; k < i; k++)
      for (let u = 0; u < kh; u++)
        for (let v = 0; v < kw; v++) {
          const w = data[((c * i + k) * kh + u) * kw + v];
          if (w === 0) continue;
          for (let row = 0; row < height; row++) {
            const from = ((group * i + k) * x.height + row + u) * x.width + v;
            const to = (c * height + row) * width;
            for (let column = 0; column < width; column++) out[to + column] += w * x.data[from + column];
          }
        }
  }
  return { channels: o, height, width, data: out };
}
