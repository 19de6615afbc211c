import { UserError } from '../errors';
import { nameFile, quote, Refusal } from './format-error';
import type { OnnxSource } from './onnx/graph';
import { DTYPE_BYTES, type StateDict, type StateTensor, type TensorInfo } from './tensor';

/** One of the state dicts in a file, described; its elements are read when they are asked for. */
export interface StateCopy {
  /** where it stands in the file: `state_dict`, `model.ema`; '' for the file's top */
  name: string;
  /** names as in the file, in its order */
  entries: ReadonlyMap<string, TensorInfo>;
  /**
   * Reads the tensors of these names (of all, by default), in the copy's order. Throws a UserError that names the file
   * if it is damaged, or if a float is NaN or infinite.
   */
  read(names?: ReadonlySet<string>): Promise<StateDict>;
}

/** A file of weights, opened: what it holds, before any element is read. */
export interface OpenedWeights {
  /** its name, for messages */
  file: string;
  format: 'safetensors' | 'pytorch-zip' | 'pytorch-legacy' | 'onnx';
  /** safetensors' `__metadata__`, and what this library notes in a PyTorch file */
  metadata: Map<string, string>;
  /** what names classes beside the weights in a PyTorch file */
  classes?: readonly { key: string; names: readonly string[] }[];
  /** of an ONNX model: its graph, and the file that it stands in */
  onnx?: OnnxSource;
  /** every state dict in it, the likeliest first: those that were trained before those that were averaged */
  copies: StateCopy[];
}

/** Elements that are read at most, bytes: the networks that train here have a hundredth of it. */
const MAX_BYTES = 2 ** 31;
/** Reads that wait for the disk at a time. */
const READS = 16;

/** @throws Refusal if the tensors are too large together */
export function stateCopy(
  file: string,
  name: string,
  entries: ReadonlyMap<string, TensorInfo>,
  readTensor: (name: string) => Promise<StateTensor>,
): StateCopy {
  const bytes = [...entries.values()].reduce((sum, info) => sum + bytesIn(info), 0);
  if (bytes > MAX_BYTES) {
    throw new Refusal(
      `holds ${gibibytes(bytes)} of tensors${name && ` under ${quote(name)}`}, and the limit is ${gibibytes(MAX_BYTES)}; choose a smaller network`,
    );
  }
  return {
    name,
    entries,
    async read(names) {
      const chosen = [...entries.keys()].filter((key) => names?.has(key) ?? true);
      const tensors: StateDict = new Map();
      for (let i = 0; i < chosen.length; i += READS) {
        const some = chosen.slice(i, i + READS);
        const read = await nameFile(file, () => Promise.all(some.map(readTensor)));
        some.forEach((key, j) => {
          checkFinite(read[j], key, file);
          tensors.set(key, read[j]);
        });
      }
      return tensors;
    },
  };
}

export function bytesIn({ shape, dtype }: TensorInfo): number {
  return shape.reduce((product, extent) => product * extent, DTYPE_BYTES[dtype]);
}

export function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

function checkFinite({ data }: StateTensor, name: string, file: string): void {
  if (!(data instanceof Float32Array)) return;
  const at = data.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  throw new UserError(
    `${file}: tensor ${quote(name)} holds ${data[at]} at element ${at}; use a checkpoint from before its training failed.`,
  );
}
