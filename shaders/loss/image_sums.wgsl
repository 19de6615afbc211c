// metrics[step % RING] = the sums over the images of their SUMS numbers, of which the first is the loss; loss = that over what a mean
// over the batch divides by: step.batch_weight, or where that is 0 its rows.
// One workgroup: a thread a number, the images in order.
//#import common/step
const WG = 64u;

struct Sizes {
  N: u32,
  SUMS: u32,
  RING: u32,
}

@group(0) @binding(0) var<storage, read> partial: array<f32>;
@group(0) @binding(1) var<storage, read_write> loss: array<f32>;
@group(0) @binding(2) var<storage, read_write> metrics: array<f32>;
@group(0) @binding(5) var<uniform> step: Step;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) t: u32) {
  for (var i = t; i < sizes.SUMS; i += WG) {
    var sum = 0.0;
    for (var n = 0u; n < sizes.N; n++) { sum += partial[n * sizes.SUMS + i]; }
    metrics[step.step % sizes.RING * sizes.SUMS + i] = sum;
    if (i == 0u) {
      var batch = f32(min(step.rows, sizes.N));
      if (step.batch_weight > 0.0) { batch = step.batch_weight; }
      loss[0] = sum / batch;
    }
  }
}
