import { readWeights, type WeightsFile } from '../../../src/io/weights-file';

/** The weights in a file that is in memory. */
export function readBytes(bytes: Uint8Array, path: string): Promise<WeightsFile> {
  return readWeights({ path, blob: new Blob([bytes as Uint8Array<ArrayBuffer>]) });
}
