/** Where the first number of a run came from that was infinite or NaN. */
export interface NonFinite {
  /** counted from 1; of an evaluation the steps before it */
  step: number;
  /**
   * what the layer was doing: `forward` its output, `loss` the loss of finite logits, `backward` a gradient, `update` the
   * optimiser's step by a finite gradient, `evaluation` its output on test images
   */
  pass: 'forward' | 'loss' | 'backward' | 'update' | 'evaluation';
  /** by its name in the network; of an update the tensor, by its name in the state dict */
  layer: string;
  /** the operation, such as `conv2d` */
  kind: string;
}

/** What was found, in a sentence that follows one on what happened; the largest f16 number is 65,504. */
export function nonFiniteSentence({ step, pass, layer, kind }: NonFinite, storage: 'f32' | 'f16'): string {
  const half =
    storage === 'f16' && (pass === 'forward' || pass === 'loss')
      ? ' Activations are kept as f16 here, which ends at 65,504; f32 goes on to 3e38.'
      : '';
  const sentence = {
    forward: `The first output that was not finite, in step ${step}, was that of ${layer} (${kind}).`,
    loss: `In step ${step} all layers’ outputs were finite, and the loss of them was not.`,
    backward: `In step ${step} the outputs and the loss were finite; the first gradient that was not came out of ${layer} (${kind}).`,
    update: `In step ${step} outputs and gradients were finite; the update of ${layer} was not.`,
    evaluation: `The first output that was not finite, on test images after step ${step}, was that of ${layer} (${kind}).`,
  }[pass];
  return sentence + half;
}

/** Whether all numbers of some arenas are finite. */
export const allFinite = ({ buffers }: { buffers: ReadonlyMap<string, Float32Array> }): boolean =>
  [...buffers.values()].every((numbers) => numbers.every(Number.isFinite));
