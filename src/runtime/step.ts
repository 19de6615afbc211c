/** What changes from one step to the next: the one uniform, `Step` of shaders/common/step.wgsl. */
export interface StepUniform {
  step?: number;
  seed?: number;
  epoch?: number;
  /** where in the epoch's order the batch begins */
  batchOffset?: number;
  /** images of the batch that count; the rest are padding (the last batch of an evaluation) */
  rows?: number;
  lr?: number;
  /** 1 / (1 - beta^t) for AdamW's two moments */
  correction1?: number;
  correction2?: number;
  /** share of this step in the averages of parameters and state */
  averageWeight?: number;
  /** what the loss is divided by where the rows are a part of a batch: its rows, or the sum of their class weights */
  batchWeight?: number;
}

export const STEP_BYTES = 40;

/** Packs the uniform, 40 bytes, in the order of the WGSL struct. */
export function packStep(s: StepUniform): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(STEP_BYTES));
  [s.step, s.seed, s.epoch, s.batchOffset, s.rows].forEach((v, i) => {
    view.setUint32(i * 4, v ?? 0, true);
  });
  [s.lr, s.correction1, s.correction2, s.averageWeight, s.batchWeight].forEach((v, i) => {
    view.setFloat32(20 + i * 4, v ?? 0, true);
  });
  return view.buffer;
}
