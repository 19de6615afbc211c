/**
 * Tensors of a graph: a shape and a place to be, no numbers.
 *
 * Activations are NHWC, 4-D always (features of a classifier are `[n, 1, 1, c]`). Convolution weights are HWIO
 * `[kh, kw, in / groups, out]`; vectors `[c]`. In memory the last dimension is padded to a multiple of four so that
 * shaders move `vec4`s; a dense weight pads its input channels too. Invariant: padding channels hold zero in every
 * activation, parameter and gradient, so that no kernel needs to mask what it reads.
 */
export type Shape = readonly number[];

/** f32 numbers, f16 numbers (of activations, read and written as f32), u32 numbers, or bytes packed four to a word. */
export type DType = 'f32' | 'f16' | 'u32' | 'u8';

/**
 * Where a tensor lives:
 * - `activation`: in a memory slot, from its one write to its last read within a plan;
 * - `input` / `output`: in a buffer of its own that the host writes / reads; shared by name between plans;
 * - `parameter`, `gradient`: in two arenas at equal offsets;
 * - `state`: what persists without a gradient (running statistics);
 * - `constant`: what never changes after loading (a frozen basis, its Gram matrix);
 * - `arena`: the whole buffer of that name, as an optimiser sees it (or a part of it, see `ARENA_PART`).
 */
export type Role =
  | 'activation'
  | 'input'
  | 'output'
  | 'parameter'
  | 'gradient'
  | 'state'
  | 'constant'
  | 'arena';

export interface Tensor {
  readonly id: number;
  readonly name: string;
  readonly shape: Shape;
  /** the shape in memory, padding included */
  readonly padded: Shape;
  dtype: DType;
  readonly role: Role;
  /** of an arena: which part of it, counted in `ARENA_PART`s */
  readonly part?: number;
  /** the parameter whose gradient this tensor's gradient is (a weight that a linear map makes of it) */
  gradientOf?: Tensor;
  /** where the numbers are, if they are some of another tensor's channels, from channel `from` on, a multiple of four */
  view?: { of: Tensor; from: number };
}

export interface TensorOptions {
  /** default: f32 */
  dtype?: DType;
  /** default: activation */
  role?: Role;
  /** default: the last dimension padded to a multiple of four */
  padded?: Shape;
  part?: number;
}

export const product = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

export const pad4 = (n: number): number => (n + 3) & ~3;

/** Tensors without those that are optional and absent. */
export const present = (tensors: Record<string, Tensor | undefined>): Tensor[] =>
  Object.values(tensors).filter((t) => t !== undefined);

/** Number of elements in memory. */
export const elements = (t: Tensor): number => product(t.padded);

/** vec4s from one row (pixel) of an activation to the next, where it lies. */
export const pitchOf = ({ padded, view }: Tensor): number => (view?.of.padded ?? padded)[3] / 4;

/** vec4s of a row before an activation's own. */
export const startOf = ({ view }: Tensor): number => (view?.from ?? 0) / 4;

/** Number of bytes in memory, a multiple of four. */
export const bytesOf = (t: Tensor): number => pad4(elements(t) * BYTES[t.dtype]);

const BYTES: Record<DType, number> = { f32: 4, f16: 2, u32: 4, u8: 1 };

/** The padded shape of an activation or a vector: the last dimension to a multiple of four. */
export const padLast = (shape: Shape): Shape => [...shape.slice(0, -1), pad4(shape[shape.length - 1])];

/** The padded shape of an HWIO weight; `dense` (one group) pads the input channels too. */
export const padWeight = ([kh, kw, i, o]: Shape, dense: boolean): Shape => [
  kh,
  kw,
  dense ? pad4(i) : i,
  pad4(o),
];
