// What changes between steps; packed by src/runtime/step.ts.
struct Step {
  step: u32,
  seed: u32,
  epoch: u32,
  batch_offset: u32,
  rows: u32,
  lr: f32,
  correction1: f32,
  correction2: f32,
  average_weight: f32,
  batch_weight: f32,
}
