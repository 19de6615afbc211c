// clip[0] = min(1, MAX_NORM / (norm + 1e-6)), clip[1] = norm = sqrt(sum of partial), as torch.nn.utils.clip_grad_norm_ has them.
// One workgroup: each thread adds every WG-th partial sum, then the threads' sums are added as a tree; both in a fixed order.
const WG = 256u;
const MAX_NORM: f32 = 1.0; //#required

struct Sizes {
  SIZE: u32,
}

@group(0) @binding(0) var<storage, read> partial: array<f32>;
@group(0) @binding(1) var<storage, read_write> clip: array<f32>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

var<workgroup> sums: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  for (var i = thread; i < sizes.SIZE; i += WG) { sum += partial[i]; }
  sums[thread] = sum;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { sums[thread] += sums[thread + half]; }
  }
  if (thread == 0u) {
    // Rounding can leave a sum just below zero where the Gram matrices take away nearly everything.
    let norm = sqrt(max(sums[0], 0.0));
    clip[0] = min(1.0, MAX_NORM / (norm + 1e-6));
    clip[1] = norm;
  }
}
