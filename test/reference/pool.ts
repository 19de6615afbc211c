import { at, image, type Values } from './values';

export interface Window {
  kernel: [number, number];
  stride: [number, number];
  padding: [number, number];
}

/** A value a window from the values of x that lie in it; `size` is [rows, columns] of the result. */
export function pool(
  x: Values,
  { kernel, stride, padding }: Window,
  size: [number, number],
  reduce: (inside: number[]) => number,
): Values {
  const [N, C, H, W] = x.shape;
  return image([N, C, ...size], (n, c, oh, ow) => {
    const inside: number[] = [];
    for (let kh = 0; kh < kernel[0]; kh++) {
      for (let kw = 0; kw < kernel[1]; kw++) {
        const h = oh * stride[0] - padding[0] + kh;
        const w = ow * stride[1] - padding[1] + kw;
        if (h >= 0 && h < H && w >= 0 && w < W) inside.push(x.data[at(x, n, c, h, w)]);
      }
    }
    return reduce(inside);
  });
}
