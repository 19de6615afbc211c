/** Which of a run's networks to take home, or to train on from. */
import type { TrainResult } from '../../api';

/** Whether the network came as an ONNX model, and goes as one. */
export const hasOnnx = ({ files }: TrainResult): boolean => files.some(({ name }) => name === 'merged.onnx');

/** The file to take: where the last network lost and the best gained, the best. */
export function firstOf(trained: TrainResult): string {
  const { accuracy, best } = trained.report;
  const isLoss = accuracy.base !== undefined && accuracy.last <= accuracy.base;
  return `${isLoss && best !== 'base' ? 'best' : 'merged'}.${hasOnnx(trained) ? 'onnx' : 'safetensors'}`;
}

/** What is in that file. */
export function fileOf(trained: TrainResult, name: string): Uint8Array<ArrayBuffer> {
  if (name === 'merged.safetensors') return trained.merged;
  if (name === 'best.safetensors') return trained.best;
  return trained.files.find((file) => file.name === name)!.bytes;
}
