/** The trained network of a run as the file that another run starts from. */
import type { TrainResult, UserFile } from '../../api';

const ONNX = 'merged.onnx';

/** The ONNX file where there is one: such a run began with a network that only such a file describes. Else the weights. */
export function startOf({ merged, files }: Pick<TrainResult, 'merged' | 'files'>): File {
  const onnx = files.find(({ name }) => name === ONNX);
  return new File([onnx?.bytes ?? merged], onnx ? ONNX : 'merged.safetensors');
}

/** As a model's file, called by the cell that it came from. */
export function startFile(cell: string, start: File | Blob): UserFile {
  const ending = start instanceof File && start.name === ONNX ? 'onnx' : 'safetensors';
  return { path: `${cell.replace('/', '-')}.${ending}`, blob: start };
}
