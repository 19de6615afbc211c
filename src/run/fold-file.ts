import type { UserFile } from '../data/types';
import { UserError } from '../errors';
import { writePyTorch } from '../io/pytorch/write';
import { writeSafetensors } from '../io/safetensors';
import type { StateDict, StateTensor } from '../io/tensor';
import { openWeights } from '../io/weights-file';
import { blocksOf } from '../model/branches';
import { type Block, foldBlock, type Plane, runSteps } from '../model/fold';
import { normals, uniforms } from '../model/random';
import { numbersOf } from '../model/state';
import { createModel } from '../model/zoo';
import { readMetadata, withMetadata } from './metadata';

export interface FoldedFile {
  bytes: Uint8Array<ArrayBuffer>;
  format: 'safetensors' | 'pth';
  /** blocks that became one convolution */
  blocks: number;
  /** largest difference between a block's answer to noise and its convolution's, relative to its largest number */
  error: number;
}

/** What rounding the folded kernels to f32 explains. */
const TOLERANCE = 1e-5;

/** Arguments of architectures that have a deployed form. */
const DEPLOYED = ['deploy', 'inference_mode', 'small_kernel_merged'];

/**
 * Folds the branches of a file's blocks into one convolution each, under the deployed names of their publishers, and proves it:
 * the file is read again, and each block's convolution compared with its branches, taken step by step on an image of noise, in
 * float64. The network need not be known. No GPU takes part.
 * @param eps of the blocks' batch norms
 * @returns undefined where the file has no such blocks
 * @throws UserError where a block lacks a part, or the proof fails
 */
export async function foldFile(files: UserFile[], eps?: number): Promise<FoldedFile | undefined> {
  const { file, copies, metadata, format: opened } = await openWeights(...files);
  const state = await copies[0].read();
  const blocks = blocksOf(state, eps);
  if (blocks.length === 0) return undefined;
  const format = opened === 'safetensors' ? 'safetensors' : 'pth';
  const folded = withoutBranches(state, blocks);
  const description = deployedMetadata(metadata);
  const write = (tensors: StateDict) =>
    (format === 'pth' ? writePyTorch : writeSafetensors)(tensors, description);
  const exact = write(
    new Map(
      [...folded].map(([name, tensor]) => [name, isFloat(tensor) ? { ...tensor, dtype: 'F32' } : tensor]),
    ),
  );
  const again = await openWeights({ path: `folded.${format}`, blob: new Blob([exact]) });
  const read = await again.copies[0].read();
  const error = Math.max(...blocks.map((block, i) => difference(block, read, i)));
  if (!(error <= TOLERANCE)) {
    throw new UserError(
      `The folded blocks of ${file} differ from their branches by ${error}: nothing is written; report this as a bug.`,
    );
  }
  return { bytes: write(folded), format, blocks: blocks.length, error };
}

const isFloat = ({ data }: StateTensor): boolean => data instanceof Float32Array;

/** The state with each block's convolution where the first of its tensors was. */
function withoutBranches(state: StateDict, blocks: readonly Block[]): StateDict {
  const blockOf = new Map(blocks.flatMap((block) => block.tensors.map((name) => [name, block] as const)));
  const done = new Set<Block>();
  const folded: StateDict = new Map();
  for (const [name, tensor] of state) {
    const block = blockOf.get(name);
    if (!block) folded.set(name, tensor);
    else if (!done.has(block)) {
      done.add(block);
      const { kernel, bias } = foldBlock(block);
      // a sum of f16 numbers may lie beyond f16
      const dtype = tensor.dtype === 'F16' ? 'F32' : tensor.dtype;
      const conv = block.name + block.deployed;
      folded.set(`${conv}.weight`, { dtype, shape: [...kernel.shape], data: Float32Array.from(kernel.data) });
      folded.set(`${conv}.bias`, { dtype, shape: [bias.length], data: Float32Array.from(bias) });
    }
  }
  return folded;
}

/** What the file says of its network, which is in its deployed form now. */
function deployedMetadata(metadata: Map<string, string>): Map<string, string> {
  const description = readMetadata(metadata);
  if (!description) return metadata;
  const { args } = createModel(description.architecture);
  const deployed = Object.fromEntries(DEPLOYED.filter((name) => name in args).map((name) => [name, true]));
  return withMetadata(metadata, { ...description, args: { ...description.args, ...deployed } });
}

function difference({ name, deployed, branches, groups }: Block, state: StateDict, seed: number): number {
  const weight = state.get(`${name}${deployed}.weight`)!;
  const shape = weight.shape as [number, number, number, number];
  const side = (Math.max(shape[2], shape[3]) >> 1) + 2;
  const image = noise(shape[1] * groups, side, seed);
  const kernel = { shape, data: Float64Array.from(numbersOf(weight)) };
  const shift = Float64Array.from(numbersOf(state.get(`${name}${deployed}.bias`)!));
  const one = { scale: new Float64Array(shape[0]).fill(1), shift };
  const actual = runSteps([{ kernel }, one], image, groups);
  const all = branches.map((steps) => runSteps(steps, image, groups));
  let [largest, most] = [0, 0];
  actual.data.forEach((v, i) => {
    const expected = all.reduce((sum, { data }) => sum + data[i], 0);
    largest = Math.max(largest, Math.abs(expected));
    most = Math.max(most, Math.abs(v - expected));
  });
  return most === 0 ? 0 : most / largest;
}

function noise(channels: number, side: number, seed: number): Plane {
  const draw = normals(uniforms(seed, 'noise'));
  const data = Float64Array.from({ length: channels * side * side }, () => draw());
  return { channels, height: side, width: side, data };
}
