/** A network's tensors one by one: their numbers, and as much of them as can be drawn. */
import { drawnPlanes } from '../analysis/redundancy';
import { type Statistics, statisticsOf } from '../analysis/statistics';
import { UserError } from '../errors';
import { numbersOf } from '../model/state';
import type { ModelSource } from './loaded-network';
import { loadNetwork } from './network-source';

export interface TensorDetail extends Statistics {
  name: string;
  /** PyTorch's */
  shape: number[];
  /** of a convolution larger than 1 x 1: some of its planes */
  kernels?: {
    height: number;
    width: number;
    /** numbers of the planes in PyTorch's order, ascending */
    drawn: Uint32Array;
    /** a row of height * width a plane */
    weights: Float32Array;
  };
  /** of a linear layer or a convolution of 1 x 1: outputs as rows, inputs as columns, evenly spaced where there are many */
  matrix?: { rows: number; columns: number; values: Float32Array };
}

const MAX_KERNELS = 128;
const MAX_SIDE = 256;

/**
 * Statistics and pictures of tensors.
 * @param names PyTorch's keys
 * @throws UserError as loading the network does, and on a name that it does not have
 */
export async function tensorDetails(source: ModelSource, names: readonly string[]): Promise<TensorDetail[]> {
  const { state, model } = await loadNetwork(source);
  return names.map((name) => {
    const tensor = state.get(name);
    if (!tensor) throw new UserError(`${model.name} has no tensor "${name}".`);
    const numbers = numbersOf(tensor);
    const { shape } = tensor;
    return { name, shape, ...statisticsOf(numbers), ...pictureOf(numbers, shape) };
  });
}

function pictureOf(
  numbers: ArrayLike<number>,
  shape: readonly number[],
): Pick<TensorDetail, 'kernels' | 'matrix'> {
  const [o, i = 1, height = 1, width = 1] = shape;
  if (shape.length !== 2 && shape.length !== 4) return {};
  const taps = height * width;
  if (taps === 1) return { matrix: matrixOf(numbers, o, i) };
  const drawn = drawnPlanes(o * i, MAX_KERNELS);
  const weights = new Float32Array(drawn.length * taps);
  for (const [row, plane] of drawn.entries())
    for (let t = 0; t < taps; t++) weights[row * taps + t] = numbers[plane * taps + t];
  return { kernels: { height, width, drawn, weights } };
}

function matrixOf(numbers: ArrayLike<number>, o: number, i: number): NonNullable<TensorDetail['matrix']> {
  const rows = Math.min(o, MAX_SIDE);
  const columns = Math.min(i, MAX_SIDE);
  const values = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++)
      values[r * columns + c] = numbers[Math.floor((r * o) / rows) * i + Math.floor((c * i) / columns)];
  return { rows, columns, values };
}
