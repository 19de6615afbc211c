import type { UserFile } from '../data/types';
import { UserError } from '../errors';
import type { StateDict } from '../io/tensor';
import { openWeights } from '../io/weights-file';
import { asFloat32, writeWeights } from '../io/write-weights';
import { BRANCHES_EPS, isMainKernel } from '../model/branches';
import { classesOf, withHead } from '../model/heads';
import { convolutions, type Model } from '../model/model';
import { ONNX_MODEL } from '../model/onnx/import';
import { geometryOf, type RefConvLayer } from '../model/refconv';
import { planesOf } from '../model/refocus-math';
import { checkState, numbersOf } from '../model/state';
import { foldFile } from './fold-file';
import { modelState, originalState } from './loaded-network';
import { mergeMaps } from './merge-maps';
import { METADATA_KEY, readMetadata } from './metadata';
import type { NetworkOptions } from './network-options';
import { loadNetwork } from './network-source';
import { isMap, type Unmerged } from './unmerged';

export interface MergedFile {
  /** a file like the one that came, its maps merged, or without maps its branches folded */
  bytes: Uint8Array<ArrayBuffer>;
  format: 'safetensors' | 'pth' | 'onnx';
  /** maps that were merged */
  maps: number;
  /** blocks whose branches became one convolution */
  blocks: number;
  /** largest difference between a kernel of the file and the one computed again in float64, relative to its largest number */
  error: number;
  notes: string[];
}

/** What rounding to f32 explains. */
const TOLERANCE = 2 ** -23;

/**
 * Merges the maps of a file, or, of one without, folds the branches of its blocks (see `foldFile`).
 * @param eps of the blocks' batch norms; default: PyTorch's
 * @throws UserError where the file has neither, or the proof fails
 */
export async function mergeFile(
  files: UserFile[],
  network: NetworkOptions = {},
  eps?: number,
): Promise<MergedFile> {
  const { file, copies, metadata } = await openWeights(...files);
  if (readMetadata(metadata)?.architecture === ONNX_MODEL)
    throw new UserError(
      `${file} is of a network that came as an ONNX model: name that too, to merge the maps into it (--onnx net.onnx).`,
    );
  const names = [...copies[0].entries.keys()];
  if (names.some(isMap)) {
    const merged = await mergeMapsOf(files, network);
    const unfolded = names.filter(isMainKernel).length;
    const note = `It has ${unfolded} blocks of branches, which are as they were: merge the new file to fold them.`;
    return unfolded > 0 ? { ...merged, notes: [...merged.notes, note] } : merged;
  }
  const folded = await foldFile(files, eps);
  const assumed = `The batch norms of its blocks are taken to have PyTorch's eps, ${BRANCHES_EPS}: a file does not tell it (--bn-eps).`;
  if (folded) return { ...folded, maps: 0, notes: eps === undefined ? [assumed] : [] };
  throw new UserError(
    `${file} has no refocusing maps, and no blocks of branches that are known: there is nothing to merge.`,
  );
}

/**
 * Merges the maps of a file, and proves it by the weights: the file is read again, and each of its kernels compared with
 * W_b + conv2d(W_b, W_r) in float64, computed here in another way. No GPU takes part.
 * @throws UserError where the proof fails
 */
async function mergeMapsOf(files: UserFile[], network: NetworkOptions): Promise<MergedFile> {
  const { file, model, state, original, unmerged, notes } = await loadNetwork({
    kind: 'file',
    files,
    network,
  });
  if (!unmerged) throw new UserError(`${file} has no refocusing maps: there is nothing to merge.`);
  const format = original.weights.format === 'safetensors' ? 'safetensors' : 'pth';
  const named = originalState(state, original);
  const exact = writeWeights(asFloat32(original.weights), named, { format });
  const { copies } = await openWeights({ path: `merged.${format}`, blob: new Blob([exact]) });
  const again = modelState(await copies[0].read(), original.names, model);
  const error = proveKernels(file, model, unmerged, again);
  return {
    bytes: writeWeights(original.weights, named, { format }),
    format,
    maps: unmerged.maps.size,
    blocks: 0,
    error,
    notes,
  };
}

/**
 * Merges the maps that a run of an ONNX network left, into that network's file: the same file with other numbers, read again.
 * @param onnx the model that the run began with, and the files of its data
 * @throws UserError where the maps are none of its layers, or the proof fails
 */
export async function mergeIntoOnnx(files: UserFile[], onnx: UserFile[]): Promise<MergedFile> {
  const network = await loadNetwork({ kind: 'file', files: onnx });
  const { original, notes } = network;
  if (!original.onnx) throw new UserError(`${network.file} is no ONNX model: merge without it.`);
  const { file, copies, metadata } = await openWeights(...files);
  const tensors = await copies[0].read();
  const classes = classesOf(network.model, tensors) ?? network.model.head.classes;
  const model = withHead(network.model, classes);
  const { state, unmerged } = await mergeMaps(tensors, model);
  if (!unmerged) throw new UserError(`${file} has no refocusing maps: there is nothing to merge.`);
  checkState(model, state, file);
  const error = proveKernels(file, model, unmerged, state);
  const description = metadata.get(METADATA_KEY);
  const isNew = classes !== network.model.head.classes && description !== undefined;
  const about = isNew ? new Map([[METADATA_KEY, description]]) : undefined;
  const { writeOnnx } = await import('./onnx-network');
  const bytes = await writeOnnx(original.onnx, { state, classes, metadata: about });
  return { bytes, format: 'onnx', maps: unmerged.maps.size, blocks: 0, error, notes };
}

/**
 * How far kernels are from W_b + conv2d(W_b, W_r), at most and relative to their largest number.
 * @throws UserError where that is more than rounding
 */
function proveKernels(file: string, model: Model, { maps, bases }: Unmerged, state: StateDict): number {
  let error = 0;
  for (const conv of convolutions(model)) {
    const map = maps.get(`${conv.name}.convmap.weight`);
    const basis = bases.get(`${conv.name}.weight`);
    if (!map || !basis) continue;
    const refconv = { path: 'dense', mapKernel: map.shape[3], identity: true, startsNonZero: true } as const;
    const expected = convolved({ ...conv, refconv }, numbersOf(basis), numbersOf(map));
    error = Math.max(error, relativeError(numbersOf(state.get(`${conv.name}.weight`)!), expected));
  }
  if (error <= TOLERANCE) return error;
  throw new UserError(
    `The merged kernels of ${file} differ from W_b + conv2d(W_b, W_r) by ${error}: nothing is written; report this as a bug.`,
  );
}

/** W_b + conv2d(W_b, W_r) tap by tap, the basis as one image of planes in groups. */
function convolved(layer: RefConvLayer, basis: ArrayLike<number>, map: ArrayLike<number>): Float64Array {
  const [, , height, width] = layer.shape;
  const geometry = geometryOf(layer);
  const { planes, perGroup } = planesOf(geometry);
  const k = geometry.mapKernel;
  const half = (k - 1) / 2;
  const taps = height * width;
  return Float64Array.from({ length: planes * taps }, (_, i) => {
    const plane = Math.floor(i / taps);
    const [row, column] = [Math.floor((i % taps) / width), i % width];
    const first = plane - (plane % perGroup);
    let sum = basis[i];
    for (let from = 0; from < perGroup; from++)
      for (let u = 0; u < k; u++)
        for (let v = 0; v < k; v++) {
          const [y, x] = [row + u - half, column + v - half];
          if (y < 0 || x < 0 || y >= height || x >= width) continue;
          sum +=
            basis[(first + from) * taps + y * width + x] * map[((plane * perGroup + from) * k + u) * k + v];
        }
    return sum;
  });
}

function relativeError(actual: ArrayLike<number>, expected: Float64Array): number {
  let largest = 0;
  let difference = 0;
  expected.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value));
    difference = Math.max(difference, Math.abs(value - actual[i]));
  });
  return difference === 0 ? 0 : difference / largest;
}
