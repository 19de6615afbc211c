/** Float64 numbers with PyTorch's shape (NCHW, OIHW). */
export interface Values {
  shape: number[];
  data: Float64Array;
}

/** Named inputs or results of an operation. */
export type ValueMap = Record<string, Values>;

export const zeros = (...shape: number[]): Values => ({
  shape,
  data: new Float64Array(shape.reduce((a, b) => a * b, 1)),
});

/** Numbers of PyTorch's shape from a function of their index, exact in f32. */
export function fill(shape: number[], f: (i: number) => number): Values {
  const out = zeros(...shape);
  return { shape, data: out.data.map((_, i) => Math.fround(f(i))) };
}

/** Where pixel (n, c, h, w) of NCHW numbers stands. */
export const at = ({ shape: [, C, H, W] }: Values, n: number, c: number, h: number, w: number): number =>
  ((n * C + c) * H + h) * W + w;

/** NCHW numbers from a function of the place. */
export function image(shape: number[], f: (n: number, c: number, h: number, w: number) => number): Values {
  const out = zeros(...shape);
  const [N, C, H, W] = shape;
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let h = 0; h < H; h++) for (let w = 0; w < W; w++) out.data[at(out, n, c, h, w)] = f(n, c, h, w);
  return out;
}

/**
 * The gradient of sum over results of `upstream * result` with respect to one input, by central differences of the
 * float64 reference: an error of about 1e-9, far below f32's.
 */
export function numericGradient(
  reference: (inputs: ValueMap) => ValueMap,
  inputs: ValueMap,
  upstream: ValueMap,
  name: string,
): Values {
  const h = 1e-5;
  const { shape, data } = inputs[name];
  const moved = data.slice();
  const value = (): number => {
    const results = reference({ ...inputs, [name]: { shape, data: moved } });
    let sum = 0;
    for (const [key, { data: u }] of Object.entries(upstream))
      u.forEach((v, i) => {
        sum += v * results[key].data[i];
      });
    return sum;
  };
  const gradient = data.map((v, i) => {
    moved[i] = v + h;
    const above = value();
    moved[i] = v - h;
    const below = value();
    moved[i] = v;
    return (above - below) / (2 * h);
  });
  return { shape, data: gradient };
}
